//! Signs of life of the workers, for health and metrics alone: no job depends on them.

use chrono::TimeDelta;
use portico_entity::worker::{ActiveModel, Column, Entity};
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter, sea_query::OnConflict};

use super::Worker;
use crate::{app::App, error::Result};

/// How often a worker should say that it is there.
pub const HEARTBEAT_INTERVAL: std::time::Duration = std::time::Duration::from_secs(5);
/// A worker that has said nothing for this long is not there.
pub(crate) const WORKER_TIMEOUT: TimeDelta = TimeDelta::seconds(30);
/// How long the row of a worker that vanished is kept.
const RETENTION: TimeDelta = TimeDelta::days(1);

/// Says that `worker` is there.
///
/// # Errors
/// When the database fails.
pub async fn record_heartbeat(app: &App, worker: &Worker) -> Result<()> {
    let now = app.now();
    let row = ActiveModel { id: Set(worker.id), started_at: Set(now), seen_at: Set(now) };
    let seen_again = OnConflict::column(Column::Id).update_column(Column::SeenAt).to_owned();
    Entity::insert(row).on_conflict(seen_again).exec_without_returning(app.db()).await?;
    Ok(())
}

/// Says that `worker` leaves, and forgets those that vanished long ago.
///
/// # Errors
/// When the database fails.
pub async fn deregister_worker(app: &App, worker: &Worker) -> Result<()> {
    let gone = Condition::any().add(Column::Id.eq(worker.id)).add(Column::SeenAt.lt(app.now() - RETENTION));
    Entity::delete_many().filter(gone).exec(app.db()).await?;
    Ok(())
}
