//! Pushes the ids of committed jobs to the job queue, outside of any request.

use portico_entity::{
    JobId,
    background_job::{self, Lane, State},
};
use portico_queue::JobQueue;
use sea_orm::{DatabaseConnection, EntityTrait, QueryFilter, sea_query::Expr};
use tokio::sync::mpsc;
use tracing::warn;

use super::{LANES, by_ids_in_state, due, lane_name};
use crate::clock::Clock;

/// The maximum number of jobs that are pushed together.
const BATCH: usize = 256;

/// Pushes the jobs that arrive in `committed` to the job queue until the last sender is dropped. If a push fails, the
/// error is logged, and the sweeper pushes the jobs later.
pub(crate) async fn push_committed(
    db: DatabaseConnection,
    queue: JobQueue,
    clock: Clock,
    mut committed: mpsc::Receiver<(Lane, JobId)>,
) {
    let mut batch = Vec::with_capacity(BATCH);
    while committed.recv_many(&mut batch, BATCH).await > 0 {
        for lane in LANES {
            let jobs: Vec<JobId> = batch.iter().filter(|(of, _)| *of == lane).map(|(_, job)| *job).collect();
            if !jobs.is_empty()
                && let Err(error) = push(&db, &queue, &clock, lane, jobs).await
            {
                warn!(%error, lane = lane_name(lane), "cannot push jobs to the queue; the sweeper will retry");
            }
        }
        batch.clear();
    }
}

/// Pushes `jobs` to the job queue, then records the time of the push in their rows.
///
/// # Errors
/// A [`QueueError`](portico_queue::QueueError) if the queue cannot be reached, or a database error. After a database
/// error the jobs are in the queue, but their rows do not say so, so the sweeper pushes them again, which does no harm.
pub(super) async fn push(
    db: &DatabaseConnection,
    queue: &JobQueue,
    clock: &Clock,
    lane: Lane,
    jobs: Vec<JobId>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let ids: Vec<_> = jobs.iter().map(|job| job.0).collect();
    queue.push(lane_name(lane), &ids).await?;
    let now = clock.now();
    background_job::Entity::update_many()
        .col_expr(background_job::Column::PushedAt, Expr::value(now))
        .filter(by_ids_in_state(jobs, State::Queued))
        // A job may have failed after the push and may wait for its retry now. Its id is no longer in the queue.
        .filter(due(now))
        .exec(db)
        .await?;
    Ok(())
}
