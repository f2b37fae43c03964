//! What the mail about a new administrator needs: the portal user that a mail is about.

use crate::schema::*;
use sea_orm_migration::prelude::*;

/// Adds the column `about_portal_user_id` to `emails`.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// It has no foreign key, because SQLite cannot add one to a table.
const COLUMN: &str = "about_portal_user_id";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// By default, SeaORM begins a transaction on Postgres only. An interrupted migration must leave an SQLite database
    /// as it was too: the next run would otherwise add the same column again and fail.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("emails").add_column(uuid_null(COLUMN)).take()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("emails").drop_column(COLUMN).take()).await
    }
}
