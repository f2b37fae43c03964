//! The sweeper: pushes due jobs that the job queue has lost, and queues jobs whose lease has expired.

use chrono::TimeDelta;
use portico_entity::{
    JobId,
    background_job::{self, Column, Lane, State},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use tracing::{info, warn};

use super::lease;
use crate::platform::{app::App, clock::MAX_CLOCK_ERROR, error::Result, push};

/// The maximum number of jobs in one batch.
const BATCH: u64 = 1_000;
/// The maximum number of batches that one sweep pushes for each lane.
const BATCHES: usize = 10;
/// How old a new job must be before the sweeper pushes it. Until then, the task that pushes committed jobs does.
const PUSH_GRACE: TimeDelta = TimeDelta::seconds(2);
/// The longest time between an attempt and the next: more than the largest back-off with its jitter, and more than the
/// four hours for which a refused mail waits.
const MAX_DELAY: TimeDelta = TimeDelta::hours(5);
/// How far the end of a lease may be ahead of the end of one that is granted now. More than `MAX_CLOCK_ERROR`: if the
/// clock of this process is behind by some minutes, a worker with the right clock holds such a lease. If the lease were
/// shortened, the job would run a second time, and would be dead after three times.
const MAX_LEASE_AHEAD: TimeDelta = TimeDelta::hours(1);
/// How long a pushed job may stay unclaimed before it counts as lost, if the job queue of its lane is empty.
const LOST_AFTER_IF_EMPTY: TimeDelta = TimeDelta::seconds(5);
/// How long a pushed job may stay unclaimed before it counts as lost, if other jobs of its lane are in the queue.
const LOST_AFTER: TimeDelta = TimeDelta::minutes(5);

/// Queues the jobs whose lease has expired, and pushes due jobs that are not in the job queue.
///
/// Any number of workers may sweep at the same time: pushing a job twice does no harm. While the queue is unavailable,
/// nothing is pushed and the error is logged.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub async fn sweep(app: &App) -> Result<()> {
    correct_future_times(app).await?;
    requeue_abandoned(app).await?;
    for lane in Lane::ALL {
        match app.queue().depth(lane.name()).await {
            Ok(depth) => push_lost(app, lane, depth == 0).await?,
            Err(error) => {
                warn!(%error, "the sweeper cannot reach the queue; it will retry");
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Pushes the due jobs of `lane` that are probably not in the queue. `is_empty` tells that the queue of the lane is
/// empty.
///
/// # Errors
/// `unavailable` or `internal` if the database fails. A failure of the queue is logged.
async fn push_lost(app: &App, lane: Lane, is_empty: bool) -> Result<()> {
    for _ in 0..BATCHES {
        let jobs = not_in_queue(app, lane, is_empty).await?;
        let count = jobs.len();
        if count == 0 {
            break;
        }
        match push::push(app.db(), app.queue(), app.clock(), lane, jobs).await {
            Ok(()) => info!(count, lane = lane.name(), "the sweeper pushed jobs to the queue"),
            Err(error) => {
                warn!(%error, lane = lane.name(), "the sweeper cannot push jobs to the queue; it will retry");
                break;
            }
        }
        if (count as u64) < BATCH {
            break;
        }
    }
    Ok(())
}

/// Corrects times that a process with a wrong clock has stored. A job that is due further ahead than any retry becomes
/// due now, and a lease that ends further ahead than a lease lasts ends after one lease. Without this, the job would
/// wait until the time that the wrong clock showed.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
async fn correct_future_times(app: &App) -> Result<()> {
    let (now, lease_end) = (app.now(), lease::end(app));
    let due = background_job::Entity::update_many()
        .col_expr(Column::RunAt, Expr::value(now))
        .filter(Column::State.eq(State::Queued))
        .filter(Column::RunAt.gt(now + MAX_DELAY + MAX_CLOCK_ERROR))
        .exec(app.db())
        .await?;
    let leased = background_job::Entity::update_many()
        .col_expr(Column::LeaseUntil, Expr::value(lease_end))
        .filter(Column::State.eq(State::Running))
        .filter(Column::LeaseUntil.gt(lease_end + MAX_LEASE_AHEAD))
        .exec(app.db())
        .await?;
    let count = due.rows_affected + leased.rows_affected;
    if count > 0 {
        warn!(count, "corrected the times of jobs that were too far in the future");
    }
    Ok(())
}

/// Requeues the running jobs whose lease has expired, and counts the expiry in their rows.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
async fn requeue_abandoned(app: &App) -> Result<()> {
    let requeued = background_job::Entity::update_many()
        .col_expr(Column::State, Expr::value(State::Queued))
        .col_expr(Column::LeaseOwner, Expr::value(None::<uuid::Uuid>))
        .col_expr(Column::LeaseUntil, Expr::value(None::<crate::platform::clock::Time>))
        .col_expr(Column::PushedAt, Expr::value(None::<crate::platform::clock::Time>))
        .col_expr(Column::RunAt, Expr::value(app.now()))
        .col_expr(Column::CrashCount, Expr::col(Column::CrashCount).add(1))
        .filter(Column::State.eq(State::Running))
        .filter(Column::LeaseUntil.lt(app.now()))
        .exec(app.db())
        .await?;
    if requeued.rows_affected > 0 {
        warn!(count = requeued.rows_affected, "requeued jobs whose lease had expired");
    }
    Ok(())
}

/// Returns due jobs of `lane` that are probably not in the queue, the longest due first, at most [`BATCH`]: jobs whose
/// push was not recorded, and jobs that were pushed long ago.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
async fn not_in_queue(app: &App, lane: Lane, is_empty: bool) -> Result<Vec<JobId>> {
    let now = app.now();
    let lost_after = if is_empty { LOST_AFTER_IF_EMPTY } else { LOST_AFTER };
    // No task pushes a retried or requeued job, so the sweeper pushes it without delay, regardless of its age.
    // Times too far ahead are those of a wrong clock. The job is pushed, because pushing a job twice does no harm.
    let too_far_ahead = now + MAX_CLOCK_ERROR;
    let is_new = Column::CreatedAt.between(now - PUSH_GRACE, too_far_ahead).and(Column::Attempts.eq(0));
    let never_pushed = Condition::all().add(Column::PushedAt.is_null()).add(is_new.not());
    let jobs = background_job::Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::State.eq(State::Queued))
        .filter(Column::Lane.eq(lane))
        .filter(Column::RunAt.lte(now))
        .filter(
            Condition::any()
                .add(never_pushed)
                .add(Column::PushedAt.lt(now - lost_after))
                .add(Column::PushedAt.gt(too_far_ahead)),
        )
        .order_by_asc(Column::RunAt)
        .limit(BATCH)
        .into_tuple::<JobId>()
        .all(app.db())
        .await?;
    Ok(jobs)
}

#[cfg(test)]
mod tests {
    use sea_orm::{ActiveModelTrait, IntoActiveModel};

    use super::*;
    use crate::testing;

    /// Inserts a due job whose row says that it has just been pushed, but that is not in the queue.
    async fn insert_lost_job(app: &App) -> background_job::Model {
        let row = background_job::Model {
            id: JobId(app.new_id()),
            name: "delete_expired".into(),
            lane: Lane::Bulk,
            payload: serde_json::json!({}),
            state: State::Queued,
            attempts: 0,
            max_attempts: 8,
            crash_count: 0,
            run_at: app.now(),
            pushed_at: Some(app.now()),
            started_at: None,
            lease_owner: None,
            lease_until: None,
            last_error: None,
            request_id: None,
            created_at: app.now(),
            finished_at: None,
        };
        row.into_active_model().insert(app.db()).await.unwrap()
    }

    /// Advances the clock, runs the sweeper, and returns the number of ids in the queue of the lane.
    async fn depth_after(app: &App, seconds: i64) -> u64 {
        app.clock().advance(TimeDelta::seconds(seconds));
        sweep(app).await.unwrap();
        app.queue().depth(Lane::Bulk.name()).await.unwrap()
    }

    #[tokio::test]
    async fn unclaimed_job_of_an_empty_lane_is_pushed_again_after_five_seconds() {
        let app = testing::app().await;
        app.leave_jobs();
        insert_lost_job(&app).await;
        assert_eq!(depth_after(&app, 5).await, 0);
        assert_eq!(depth_after(&app, 1).await, 1);
    }

    #[tokio::test]
    async fn unclaimed_job_of_a_busy_lane_is_pushed_again_after_five_minutes() {
        let app = testing::app().await;
        app.leave_jobs();
        let job = insert_lost_job(&app).await;
        app.queue().push(Lane::Bulk.name(), &[app.new_id()]).await.unwrap();
        assert_eq!(depth_after(&app, 6).await, 1, "the job may be behind the other one");
        assert_eq!(depth_after(&app, 294).await, 1);
        assert_eq!(depth_after(&app, 1).await, 2);
        // The time counts from the latest push.
        let row = background_job::Entity::find_by_id(job.id).one(app.db()).await.unwrap().unwrap();
        assert_eq!(row.pushed_at, Some(app.now()));
    }

    /// Moves the clock ahead, runs `during`, and moves the clock back.
    async fn with_wrong_clock(app: &App, ahead: TimeDelta, during: impl AsyncFnOnce()) {
        app.clock().advance(ahead);
        during().await;
        app.clock().advance(-ahead);
    }

    const AHEAD: [TimeDelta; 3] = [TimeDelta::hours(6), TimeDelta::days(400), TimeDelta::days(30_000)];

    #[tokio::test]
    async fn job_from_a_wrong_clock_is_pushed_and_due_again() {
        for ahead in AHEAD {
            for (attempts, is_pushed) in [(0, true), (0, false), (3, true), (3, false)] {
                let app = testing::app().await;
                app.leave_jobs();
                with_wrong_clock(&app, ahead, async || {
                    let mut row = insert_lost_job(&app).await.into_active_model();
                    row.attempts = sea_orm::ActiveValue::Set(attempts);
                    if !is_pushed {
                        row.pushed_at = sea_orm::ActiveValue::Set(None);
                    }
                    row.update(app.db()).await.unwrap();
                })
                .await;
                assert_eq!(depth_after(&app, 6).await, 1, "{ahead} {attempts} {is_pushed}");
                let row = background_job::Entity::find().one(app.db()).await.unwrap().unwrap();
                let worker = crate::platform::jobs::Worker::new(&app);
                let claimed = crate::platform::jobs::claim(&app, &worker, &[row.id.0]).await.unwrap();
                assert_eq!(claimed.len(), 1, "{ahead} {attempts} {is_pushed}");
            }
        }
    }

    #[tokio::test]
    async fn lease_from_a_wrong_clock_ends_after_one_lease() {
        for ahead in AHEAD {
            let app = testing::app().await;
            app.leave_jobs();
            let job = insert_lost_job(&app).await;
            with_wrong_clock(&app, ahead, async || {
                let worker = crate::platform::jobs::Worker::new(&app);
                assert_eq!(crate::platform::jobs::claim(&app, &worker, &[job.id.0]).await.unwrap().len(), 1);
            })
            .await;
            let state = async || background_job::Entity::find().one(app.db()).await.unwrap().unwrap().state;
            sweep(&app).await.unwrap();
            assert_eq!(state().await, State::Running, "the worker may still run it");
            app.clock().advance(TimeDelta::seconds(21));
            sweep(&app).await.unwrap();
            assert_eq!(state().await, State::Queued, "{ahead}");
        }
    }

    #[tokio::test]
    async fn worker_that_is_behind_leaves_the_lease_of_a_worker_with_the_right_clock() {
        for behind in [6, 30, 59].map(TimeDelta::minutes) {
            let app = testing::app().await;
            app.leave_jobs();
            let job = insert_lost_job(&app).await;
            let worker = crate::platform::jobs::Worker::new(&app);
            assert_eq!(crate::platform::jobs::claim(&app, &worker, &[job.id.0]).await.unwrap().len(), 1);
            let row = async || background_job::Entity::find_by_id(job.id).one(app.db()).await.unwrap().unwrap();
            let before = row().await;
            with_wrong_clock(&app, -behind, async || {
                for _ in 0..3 {
                    sweep(&app).await.unwrap();
                }
            })
            .await;
            assert_eq!(row().await, before, "{behind}");
        }
    }
}
