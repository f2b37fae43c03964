//! Puts back onto the wire what it lost, and gives the jobs of vanished workers to others.

use chrono::TimeDelta;
use portico_entity::{
    JobId,
    background_job::{self, Column, Lane, State},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use tracing::{info, warn};

use super::{LANES, lane_name, push::push};
use crate::{app::App, error::Result};

/// The most jobs of a lane pushed at once…
const BATCH: u64 = 1_000;
/// …and by one sweep, in such batches.
const BATCHES: usize = 10;
/// How long the task that pushes committed jobs is given before the sweeper takes over.
const PUSH_GRACE: TimeDelta = TimeDelta::seconds(2);
/// How long a pushed job may lie unclaimed when its lane is empty, which means that the wire has lost it…
const LOST_AFTER_IF_EMPTY: TimeDelta = TimeDelta::seconds(5);
/// …and when others wait before it.
const LOST_AFTER: TimeDelta = TimeDelta::minutes(5);

/// Requeues jobs whose lease finished out and pushes due jobs that are not on the wire. Any number of workers may sweep at
/// once; a double push does no harm. While the wire is down it pushes nothing.
///
/// # Errors
/// When the database fails.
pub async fn sweep(app: &App) -> Result<()> {
    requeue_abandoned(app).await?;
    for lane in LANES {
        match app.queue().depth(lane_name(lane)).await {
            Ok(depth) => push_lost(app, lane, depth == 0).await?,
            Err(error) => {
                warn!(%error, "the sweeper cannot reach the queue");
                return Ok(());
            }
        }
    }
    Ok(())
}

async fn push_lost(app: &App, lane: Lane, is_empty: bool) -> Result<()> {
    for _ in 0..BATCHES {
        let jobs = not_in_queue(app, lane, is_empty).await?;
        let count = jobs.len();
        if count == 0 {
            break;
        }
        match push(app.db(), app.queue(), app.clock(), lane, jobs).await {
            Ok(()) => info!(count, lane = lane_name(lane), "the sweeper pushed jobs"),
            Err(error) => {
                warn!(%error, lane = lane_name(lane), "the sweeper cannot push");
                break;
            }
        }
        if (count as u64) < BATCH {
            break;
        }
    }
    Ok(())
}

async fn requeue_abandoned(app: &App) -> Result<()> {
    let found = background_job::Entity::update_many()
        .col_expr(Column::State, Expr::value(State::Queued))
        .col_expr(Column::LeaseOwner, Expr::value(None::<uuid::Uuid>))
        .col_expr(Column::LeaseUntil, Expr::value(None::<crate::clock::Time>))
        .col_expr(Column::PushedAt, Expr::value(None::<crate::clock::Time>))
        .col_expr(Column::RunAt, Expr::value(app.now()))
        .col_expr(Column::CrashCount, Expr::col(Column::CrashCount).add(1))
        .filter(Column::State.eq(State::Running))
        .filter(Column::LeaseUntil.lt(app.now()))
        .exec(app.db())
        .await?;
    if found.rows_affected > 0 {
        warn!(count = found.rows_affected, "jobs of a vanished worker run again");
    }
    Ok(())
}

async fn not_in_queue(app: &App, lane: Lane, is_empty: bool) -> Result<Vec<JobId>> {
    let now = app.now();
    let patience = if is_empty { LOST_AFTER_IF_EMPTY } else { LOST_AFTER };
    // A retry or a requeued job has no task that pushes it, so it is never "fresh".
    let never_pushed = Condition::all()
        .add(Column::PushedAt.is_null())
        .add(Condition::any().add(Column::CreatedAt.lt(now - PUSH_GRACE)).add(Column::Attempts.gt(0)));
    let jobs = background_job::Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::State.eq(State::Queued))
        .filter(Column::Lane.eq(lane))
        .filter(Column::RunAt.lte(now))
        .filter(Condition::any().add(never_pushed).add(Column::PushedAt.lt(now - patience)))
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

    /// A due job that was pushed just now, and that the wire has lost.
    async fn lost(app: &App) -> background_job::Model {
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

    /// How many ids wait in the lane after the clock has moved and the sweeper has been.
    async fn depth_after(app: &App, seconds: i64) -> u64 {
        app.clock().advance(TimeDelta::seconds(seconds));
        sweep(app).await.unwrap();
        app.queue().depth(lane_name(Lane::Bulk)).await.unwrap()
    }

    #[tokio::test]
    async fn an_empty_lane_has_lost_what_was_pushed_five_seconds_ago() {
        let app = testing::app().await;
        lost(&app).await;
        assert_eq!(depth_after(&app, 5).await, 0);
        assert_eq!(depth_after(&app, 1).await, 1);
    }

    #[tokio::test]
    async fn a_lane_where_others_wait_has_lost_what_was_pushed_five_minutes_ago() {
        let app = testing::app().await;
        let job = lost(&app).await;
        app.queue().push(lane_name(Lane::Bulk), &[app.new_id()]).await.unwrap();
        assert_eq!(depth_after(&app, 6).await, 1, "it may be behind the others");
        assert_eq!(depth_after(&app, 294).await, 1);
        assert_eq!(depth_after(&app, 1).await, 2);
        // Pushed again, it is given as long again.
        let row = background_job::Entity::find_by_id(job.id).one(app.db()).await.unwrap().unwrap();
        assert_eq!(row.pushed_at, Some(app.now()));
    }
}
