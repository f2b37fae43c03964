//! Whether the clock of this process is behind the times that the database holds.
//!
//! A time of the future in the database has two possible causes: the clock of the process that stored it was ahead, or
//! the clock of this process is behind. Only in the first case may a job correct the time. In the second case it would
//! sign out every user, and end every link, of the hours or days that this clock has missed.

use chrono::TimeDelta;
use portico_entity::{schedule_run, worker};
use sea_orm::{ColumnTrait, Condition, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter};
use tracing::warn;

use super::WORKER_TIMEOUT;
use crate::platform::{
    app::App,
    clock::{MAX_CLOCK_ERROR, Time},
    error::Result,
};

/// The time before now and the time after now that are compared with each other.
const SPAN: TimeDelta = TimeDelta::hours(1);
/// How far ahead the heartbeat of a worker may be and still count. The row of a worker that vanished while its clock
/// was ahead must not count for as long as that clock was wrong.
const MAX_HEARTBEAT_AHEAD: TimeDelta = TimeDelta::days(1);

/// Returns whether the clock of this process is behind, as far as the database shows it. True in each of these cases:
///
/// - Of all slots that were taken in the last 7 days, most were taken in the future. A clock that was ahead for a short
///   time leaves fewer. This finds a clock that is behind by days or years.
/// - The hour after now has more than half as many taken slots as the hour before now. This finds a clock that is
///   behind by less, because right clocks take slots all the time. A clock that was ahead can cause this for an hour at
///   most.
/// - The heartbeats of most running workers are in the future.
///
/// Every job that rewrites or deletes times of the future asks this first.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn clock_is_behind(app: &App) -> Result<bool> {
    let now = app.now();
    let future = now + MAX_CLOCK_ERROR;
    let ran_at = schedule_run::Column::RanAt;
    let ahead = count_slots(app, ran_at.gt(future)).await?;
    if ahead == 0 {
        return are_workers_ahead(app, now).await;
    }
    let behind = count_slots(app, ran_at.lte(future)).await?;
    let next_hour = count_slots(app, ran_at.gt(future).and(ran_at.lte(now + SPAN))).await?;
    let last_hour = count_slots(app, ran_at.gt(now - SPAN).and(ran_at.lte(future))).await?;
    Ok(ahead > behind || next_hour * 2 > last_hour || are_workers_ahead(app, now).await?)
}

/// Logs that `job` leaves the times of the future as they are, because the clock of this process is behind.
pub(crate) fn warn_of_skipped_correction(job: &'static str) {
    warn!(job, "the clock of this process seems to be behind; times of the future are left as they are");
}

async fn count_slots(app: &App, condition: impl sea_orm::sea_query::IntoCondition) -> Result<u64> {
    Ok(schedule_run::Entity::find().filter(condition.into_condition()).count(app.db()).await?)
}

/// Returns whether most running workers recorded their last heartbeat in the future. The worker of this process counts
/// as one whose clock is right.
async fn are_workers_ahead(app: &App, now: Time) -> Result<bool> {
    let seen_at = worker::Column::SeenAt;
    let count = async |from: Time, to: Time| {
        let condition = Condition::all().add(seen_at.gt(from)).add(seen_at.lte(to));
        worker::Entity::find().filter(condition).count(app.db()).await
    };
    let future = now + MAX_CLOCK_ERROR;
    Ok(count(future, now + MAX_HEARTBEAT_AHEAD).await? > count(now - WORKER_TIMEOUT, future).await?)
}

/// Inserts the slots that three schedules with a period of five minutes take on a right clock in one day until now.
#[cfg(test)]
pub(crate) async fn insert_history(app: &App) {
    use sea_orm::ActiveValue::Set;
    let row = |n: i32| {
        let at = app.now() - TimeDelta::minutes(5) * n;
        ["a", "b", "c"].map(|name| schedule_run::ActiveModel { name: Set(name.into()), slot: Set(at), ran_at: Set(at) })
    };
    schedule_run::Entity::insert_many((0..288).flat_map(row)).exec_without_returning(app.db()).await.unwrap();
}

/// Clocks that are behind, for the tests of the jobs that ask [`clock_is_behind`].
#[cfg(test)]
pub(crate) const BEHIND: [TimeDelta; 3] = [TimeDelta::hours(1), TimeDelta::days(400), TimeDelta::days(30_000)];

#[cfg(test)]
mod tests {
    use sea_orm::{ActiveModelTrait, IntoActiveModel};

    use super::*;
    use crate::{platform::jobs::Scheduler, testing};

    #[tokio::test]
    async fn clock_that_is_behind_is_noticed_and_a_right_one_is_not() {
        let app = testing::app().await;
        assert!(!clock_is_behind(&app).await.unwrap(), "an empty database says nothing");
        insert_history(&app).await;
        assert!(!clock_is_behind(&app).await.unwrap());
        for behind in [TimeDelta::hours(6), TimeDelta::hours(23), TimeDelta::days(5)].iter().chain(&BEHIND) {
            app.clock().advance(-*behind);
            assert!(clock_is_behind(&app).await.unwrap(), "{behind}");
            app.clock().advance(*behind);
        }
    }

    #[tokio::test]
    async fn a_minute_with_a_wrong_clock_is_not_taken_for_a_clock_that_is_behind() {
        for ahead in [TimeDelta::minutes(20), TimeDelta::hours(1), TimeDelta::days(400), TimeDelta::days(30_000)] {
            let app = testing::app().await;
            app.leave_jobs();
            insert_history(&app).await;
            app.clock().advance(ahead);
            Scheduler::default().tick(&app).await.unwrap();
            app.clock().advance(-ahead);
            assert!(!clock_is_behind(&app).await.unwrap(), "{ahead}");
        }
    }

    #[tokio::test]
    async fn heartbeats_of_most_workers_in_the_future_mean_that_this_clock_is_behind() {
        for (ahead, others, expected) in [
            (TimeDelta::hours(1), 2, true),
            (TimeDelta::hours(20), 3, true),
            (TimeDelta::hours(1), 1, false),
            (TimeDelta::minutes(4), 3, false),
            (TimeDelta::days(400), 3, false),
        ] {
            let app = testing::app().await;
            for n in 0..=others {
                let seen_at = app.now() + if n == 0 { TimeDelta::zero() } else { ahead };
                let row = worker::Model { id: app.new_id(), started_at: seen_at, seen_at };
                row.into_active_model().insert(app.db()).await.unwrap();
            }
            assert_eq!(clock_is_behind(&app).await.unwrap(), expected, "{ahead} {others}");
        }
    }
}
