//! Lanes that are paused, and when a job was last claimed.

use sea_orm_migration::prelude::*;

use crate::schema::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let started_at = Table::alter().table("background_jobs").add_column(time_null("started_at")).take();
        manager.alter_table(started_at).await?;
        let paused_lanes = table("paused_lanes")
            .col(one_of("lane", &["urgent", "bulk", "upkeep"]).primary_key())
            .col(time("paused_at"))
            .take();
        create(manager, vec![paused_lanes], vec![]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["paused_lanes"]).await?;
        manager.alter_table(Table::alter().table("background_jobs").drop_column("started_at").take()).await
    }
}
