//! Holding a lane back: its jobs wait in the database until it is resumed, and nothing else notices.

use portico_entity::{
    background_job::Lane,
    paused_lane::{self, Column, Entity},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::OnConflict};

use crate::{app::App, error::Result};

/// Tells every worker to take nothing more from `lane`; each hears of it within about two seconds. What runs is finished.
///
/// # Errors
/// When the database fails.
pub async fn pause(app: &App, lane: Lane) -> Result<()> {
    let row = paused_lane::ActiveModel { lane: Set(lane), paused_at: Set(app.now()) };
    Entity::insert(row).on_conflict(OnConflict::new().do_nothing().to_owned()).exec_without_returning(app.db()).await?;
    Ok(())
}

/// Lets the workers take from `lane` again.
///
/// # Errors
/// When the database fails.
pub async fn resume(app: &App, lane: Lane) -> Result<()> {
    Entity::delete_many().filter(Column::Lane.eq(lane)).exec(app.db()).await?;
    Ok(())
}

/// The lanes that are paused.
///
/// # Errors
/// When the database fails.
pub async fn paused(app: &App) -> Result<Vec<Lane>> {
    Ok(Entity::find().all(app.db()).await?.into_iter().map(|row| row.lane).collect())
}
