//! The sweeper: pushes due jobs that the job queue has lost, and queues jobs whose lease has expired.

use chrono::TimeDelta;
use portico_entity::{
    JobId,
    background_job::{self, Column, Lane, State},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use tracing::{info, warn};

use crate::platform::{app::App, error::Result, push};

/// The maximum number of jobs in one batch.
const BATCH: u64 = 1_000;
/// The maximum number of batches that one sweep pushes for each lane.
const BATCHES: usize = 10;
/// How old a new job must be before the sweeper pushes it. Until then, the task that pushes committed jobs does.
const PUSH_GRACE: TimeDelta = TimeDelta::seconds(2);
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
    let never_pushed = Condition::all()
        .add(Column::PushedAt.is_null())
        .add(Condition::any().add(Column::CreatedAt.lt(now - PUSH_GRACE)).add(Column::Attempts.gt(0)));
    let jobs = background_job::Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::State.eq(State::Queued))
        .filter(Column::Lane.eq(lane))
        .filter(Column::RunAt.lte(now))
        .filter(Condition::any().add(never_pushed).add(Column::PushedAt.lt(now - lost_after)))
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
}
