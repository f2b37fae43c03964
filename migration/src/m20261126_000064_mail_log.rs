//! The indexes of the mail log.

use crate::schema::*;
use sea_orm_migration::prelude::*;

/// Adds indexes to `emails` that end with the id, by which the mail log is ordered.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// The columns of each index. Mails to one recipient are few, so the index on the recipient that exists is enough.
const INDEXES: [&[&str]; 3] = [&["tenant_id", "id"], &["tenant_id", "status", "id"], &["tenant_id", "kind", "id"]];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// By default, SeaORM begins a transaction on Postgres only. An interrupted migration must leave an SQLite database
    /// as it was too: the next run would otherwise create the same index again and fail.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for columns in INDEXES {
            manager.create_index(index("emails", columns)).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for columns in INDEXES {
            let name = format!("idx_emails_{}", columns.join("_"));
            manager.drop_index(Index::drop().name(name).table("emails").to_owned()).await?;
        }
        Ok(())
    }
}
