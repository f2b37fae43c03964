//! Pushing the ids of committed jobs to the queue, outside of any request.

use portico_entity::{
    JobId,
    background_job::{self, Lane, State},
};
use portico_queue::JobQueue;
use sea_orm::{EntityTrait, QueryFilter, sea_query::Expr};
use tokio::sync::mpsc;
use tracing::warn;

use super::{
    clock::Clock,
    database::Database,
    job::{by_ids_in_state, is_due},
};

/// How many jobs are pushed together.
const BATCH: usize = 256;

/// Pushes committed jobs until the last sender is dropped. The sweeper pushes the jobs for which this fails.
pub(super) async fn push_committed(
    db: Database,
    queue: JobQueue,
    clock: Clock,
    mut committed: mpsc::Receiver<(Lane, JobId)>,
) {
    let mut batch = Vec::with_capacity(BATCH);
    while committed.recv_many(&mut batch, BATCH).await > 0 {
        for lane in Lane::ALL {
            let jobs: Vec<JobId> =
                batch.iter().filter(|(row_lane, _)| *row_lane == lane).map(|(_, job)| *job).collect();
            if !jobs.is_empty()
                && let Err(error) = push(&db, &queue, &clock, lane, jobs).await
            {
                warn!(%error, lane = lane.name(), "cannot push jobs to the queue; the sweeper will push them");
            }
        }
        batch.clear();
    }
}

/// Pushes `jobs` to the queue, then records that in their rows.
///
/// # Errors
/// If the queue or the database fails. Jobs whose push was not recorded are pushed again later, which is harmless.
pub(super) async fn push(
    db: &Database,
    queue: &JobQueue,
    clock: &Clock,
    lane: Lane,
    jobs: Vec<JobId>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let ids: Vec<_> = jobs.iter().map(|job| job.0).collect();
    queue.push(lane.name(), &ids).await?;
    let now = clock.now();
    background_job::Entity::update_many()
        .col_expr(background_job::Column::PushedAt, Expr::value(now))
        .filter(by_ids_in_state(jobs, State::Queued))
        // A job that has run since and waits for its retry is not in the queue.
        .filter(is_due(now))
        .exec(db)
        .await?;
    Ok(())
}
