//! One index on jobs beside the key: every claim and every end writes a row version, and each of them an entry in every index.

use crate::schema::*;
use sea_orm_migration::prelude::*;

const DROPPED: [&[&str]; 2] = [&["state", "finished_at"], &["lease_owner", "state"]];

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for columns in DROPPED {
            let name = format!("idx_background_jobs_{}", columns.join("_"));
            manager.drop_index(Index::drop().name(name).table("background_jobs").to_owned()).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(manager, vec![], DROPPED.map(|columns| index("background_jobs", columns)).into()).await
    }
}
