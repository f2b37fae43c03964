//! Scheduled jobs.
//!
//! Time is divided into slots of a schedule's period. The worker that inserts the row of a slot enqueues the job in the
//! same transaction, so each slot's job is enqueued once, for any number of workers.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use futures_util::future::BoxFuture;
use portico_entity::schedule_run;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::OnConflict};
use tracing::{info, warn};

use super::clock_check::clock_is_behind;
use crate::platform::{
    app::App,
    clock::{MAX_CLOCK_ERROR, Time},
    error::Result,
    job::Job,
    tx::Tx,
};

/// Every job that is enqueued periodically. [`registry`](crate::registry) lists them.
pub struct Schedules(pub &'static [Schedule]);

/// A job and the period in which it is enqueued.
pub struct Schedule {
    name: &'static str,
    period_seconds: i64,
    enqueue: for<'a> fn(&'a mut Tx) -> BoxFuture<'a, Result<()>>,
}

impl Schedule {
    /// Enqueues job `J` every `period_seconds` seconds. The schedule has the name of the job.
    pub const fn every<J: Job + Default>(period_seconds: i64) -> Self {
        Self { name: J::NAME, period_seconds, enqueue: enqueue::<J> }
    }
}

fn enqueue<J: Job + Default>(tx: &mut Tx) -> BoxFuture<'_, Result<()>> {
    Box::pin(tx.enqueue(J::default()))
}

/// Enqueues scheduled jobs on behalf of one worker process.
#[derive(Default)]
pub struct Scheduler {
    /// The last slot of each schedule that was checked, so that the database is asked once for each slot.
    checked: HashMap<&'static str, Time>,
    /// Whether the clock of this process was behind at the last check.
    is_behind: bool,
}

impl Scheduler {
    /// Enqueues the job of every slot that has begun and that no other worker has taken.
    ///
    /// # Errors
    /// `unavailable` or `internal` if the database fails, or `internal` if [`registry`](crate::registry) does not list
    /// the job. The slot is tried again at the next call.
    pub async fn tick(&mut self, app: &App) -> Result<()> {
        let now = app.now();
        let slots = app.get::<Schedules>().0.iter().map(|schedule| (schedule, slot_at(now, schedule.period_seconds)));
        let due: Vec<_> = slots.filter(|(schedule, slot)| self.checked.get(schedule.name) != Some(slot)).collect();
        if due.is_empty() {
            return Ok(());
        }
        // The slots that are taken below say that this clock is right. So the check comes first.
        self.check_clock(app).await?;
        for (schedule, slot) in due {
            take_slot(app, schedule, slot, self.is_behind).await?;
            self.checked.insert(schedule.name, slot);
        }
        Ok(())
    }

    /// Checks whether the clock of this process is behind, and logs each change.
    async fn check_clock(&mut self, app: &App) -> Result<()> {
        let was_behind = std::mem::replace(&mut self.is_behind, clock_is_behind(app).await?);
        match (was_behind, self.is_behind) {
            (false, true) => warn!(
                now = %app.now(),
                "the clock of this process seems to be behind the clocks of others, or behind its own earlier time; \
                 no time of the future is corrected until it is right"
            ),
            (true, false) => info!(now = %app.now(), "the clock of this process is no longer behind"),
            _ => (),
        }
        Ok(())
    }
}

/// Returns the start of the slot that contains `now`.
fn slot_at(now: Time, period_seconds: i64) -> DateTime<Utc> {
    let seconds = now.timestamp();
    Utc.timestamp_opt(seconds - seconds.rem_euclid(period_seconds), 0).single().unwrap_or_default()
}

/// Takes the slot, unless another worker has, and enqueues its job. `is_behind` tells that the clock of this process is
/// behind, so that the slots of the future are right.
async fn take_slot(app: &App, schedule: &Schedule, slot: Time, is_behind: bool) -> Result<()> {
    let mut tx = app.begin().await?;
    if !is_behind {
        // A worker whose clock was wrong has taken slots of the future. Their jobs must run when their time comes.
        let too_far_ahead = slot + TimeDelta::seconds(schedule.period_seconds) + MAX_CLOCK_ERROR;
        schedule_run::Entity::delete_many()
            .filter(schedule_run::Column::Name.eq(schedule.name))
            .filter(schedule_run::Column::Slot.gt(too_far_ahead))
            .exec(tx.db())
            .await?;
    }
    let row = schedule_run::ActiveModel { name: Set(schedule.name.into()), slot: Set(slot), ran_at: Set(app.now()) };
    let inserted = schedule_run::Entity::insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx.db())
        .await?;
    if inserted == 1 {
        (schedule.enqueue)(&mut tx).await?;
    }
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use portico_entity::background_job;
    use sea_orm::PaginatorTrait;

    use super::*;
    use crate::{platform::jobs::clock_check, testing};

    #[tokio::test]
    async fn each_slot_is_enqueued_once_by_two_workers() {
        let app = testing::app().await;
        let jobs = || async { background_job::Entity::find().count(app.db()).await.unwrap() };
        let schedules = app.get::<Schedules>().0;
        let (mut first, mut second) = (Scheduler::default(), Scheduler::default());
        for _ in 0..3 {
            let (first, second) = tokio::join!(first.tick(&app), second.tick(&app));
            first.unwrap();
            second.unwrap();
        }
        assert_eq!(jobs().await, schedules.len() as u64);
        app.clock().advance(TimeDelta::minutes(5));
        first.tick(&app).await.unwrap();
        second.tick(&app).await.unwrap();
        let due_again = schedules.iter().filter(|schedule| schedule.period_seconds <= 5 * 60).count();
        assert_eq!(jobs().await, (schedules.len() + due_again) as u64);
        app.run_queue().await;
    }

    #[tokio::test]
    async fn slot_that_a_wrong_clock_has_taken_is_enqueued_when_its_time_comes() {
        let app = testing::app().await;
        let jobs = || async { background_job::Entity::find().count(app.db()).await.unwrap() };
        // The workers have run for a while.
        clock_check::insert_history(&app).await;
        for ahead in [TimeDelta::days(1), TimeDelta::days(400)] {
            app.clock().advance(ahead);
            Scheduler::default().tick(&app).await.unwrap();
            app.clock().advance(-ahead);
            Scheduler::default().tick(&app).await.unwrap();
            app.clock().advance(ahead);
            let before = jobs().await;
            Scheduler::default().tick(&app).await.unwrap();
            assert_eq!(jobs().await, before + app.get::<Schedules>().0.len() as u64, "{ahead}");
        }
        app.run_queue().await;
    }

    #[tokio::test]
    async fn clock_that_is_behind_deletes_no_slot() {
        for behind in clock_check::BEHIND {
            let app = testing::app().await;
            clock_check::insert_history(&app).await;
            Scheduler::default().tick(&app).await.unwrap();
            let slots = async || schedule_run::Entity::find().all(app.db()).await.unwrap();
            let before = slots().await;
            let mut scheduler = Scheduler::default();
            app.clock().advance(-behind);
            for _ in 0..3 {
                scheduler.tick(&app).await.unwrap();
                assert!(scheduler.is_behind, "{behind}");
                app.clock().advance(TimeDelta::minutes(5));
            }
            let after = slots().await;
            assert!(before.iter().all(|slot| after.contains(slot)), "{behind}");
            app.run_queue().await;
        }
    }
}
