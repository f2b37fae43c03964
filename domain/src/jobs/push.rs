//! From a commit onto the wire, outside of any request.

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

/// The most jobs pushed at once.
const BATCH: usize = 256;

/// Pushes committed jobs until the last sender is gone. What fails here is left to the sweeper.
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
                warn!(%error, lane = lane_name(lane), "jobs wait for the sweeper");
            }
        }
        batch.clear();
    }
}

/// Puts `jobs` onto the wire, then notes that in their rows.
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
        // One that has run meanwhile and waits for its retry is not on the wire.
        .filter(due(now))
        .exec(db)
        .await?;
    Ok(())
}
