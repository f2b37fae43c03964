//! Heartbeats of the worker processes. Only the health check and the metrics use them; no job depends on them.

use chrono::TimeDelta;
use portico_entity::worker::{ActiveModel, Column, Entity};
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter, sea_query::OnConflict};

use super::Worker;
use crate::platform::{app::App, error::Result};

/// How often a worker process records its heartbeat.
pub const HEARTBEAT_INTERVAL: std::time::Duration = std::time::Duration::from_secs(5);
/// A worker whose last heartbeat is older than this does not count as running.
pub(crate) const WORKER_TIMEOUT: TimeDelta = TimeDelta::seconds(30);
/// How long the row of a worker that stopped without deregistering is kept.
const RETENTION: TimeDelta = TimeDelta::days(1);

/// Records a heartbeat of `worker`.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub async fn record_heartbeat(app: &App, worker: &Worker) -> Result<()> {
    let now = app.now();
    let row = ActiveModel { id: Set(worker.id), started_at: Set(now), seen_at: Set(now) };
    let update_seen_at = OnConflict::column(Column::Id).update_column(Column::SeenAt).to_owned();
    Entity::insert(row).on_conflict(update_seen_at).exec_without_returning(app.db()).await?;
    Ok(())
}

/// Deletes the row of `worker`, which is stopping, and the rows of all workers without a heartbeat for a day, or
/// with one that a wrong clock has recorded.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub async fn deregister_worker(app: &App, worker: &Worker) -> Result<()> {
    let now = app.now();
    let gone = Condition::any()
        .add(Column::Id.eq(worker.id))
        .add(Column::SeenAt.lt(now - RETENTION))
        .add(Column::SeenAt.gt(now + RETENTION));
    Entity::delete_many().filter(gone).exec(app.db()).await?;
    Ok(())
}
