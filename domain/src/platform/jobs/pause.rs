//! Pausing a lane: its jobs stay queued until the lane is resumed. Other lanes and requests are not affected.

use portico_entity::{
    background_job::Lane,
    paused_lane::{self, Column, Entity},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::OnConflict};

use crate::platform::{app::App, error::Result};

/// Pauses `lane`: every worker stops taking jobs from it within about two seconds. Running jobs finish. Has no effect
/// if the lane is paused already.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub async fn pause(app: &App, lane: Lane) -> Result<()> {
    let row = paused_lane::ActiveModel { lane: Set(lane), paused_at: Set(app.now()) };
    Entity::insert(row).on_conflict(OnConflict::new().do_nothing().to_owned()).exec_without_returning(app.db()).await?;
    Ok(())
}

/// Resumes `lane`: workers take jobs from it again. Has no effect if the lane is not paused.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub async fn resume(app: &App, lane: Lane) -> Result<()> {
    Entity::delete_many().filter(Column::Lane.eq(lane)).exec(app.db()).await?;
    Ok(())
}

/// Returns the lanes that are paused.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub async fn paused(app: &App) -> Result<Vec<Lane>> {
    Ok(Entity::find().all(app.db()).await?.into_iter().map(|row| row.lane).collect())
}
