//! What sessions, known devices and the rotation of keys need.

use crate::schema::*;
use sea_orm_migration::prelude::*;

/// Adds columns to `sessions` and `emails`, and creates the tables `device_cutoffs` and `processes`.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// By default, SeaORM begins a transaction on Postgres only. An interrupted migration must leave an SQLite database
    /// as it was too: the next run would otherwise add the same column again and fail.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            ("sessions", integer_null("used_generation")),
            ("sessions", time_null("generation_used_at")),
            ("emails", uuid_null("session_id")),
        ];
        for (table, column) in columns {
            manager.alter_table(Table::alter().table(table).add_column(column).take()).await?;
        }
        let device_cutoffs =
            table("device_cutoffs").col(string("address_hash").primary_key()).col(time("since")).take();
        let processes = table("processes")
            .col(pk_uuid("id"))
            .col(string("role"))
            .col(string("key_fingerprints"))
            .col(time("started_at"))
            .col(time("seen_at"))
            .take();
        create(manager, vec![device_cutoffs, processes], vec![]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["processes", "device_cutoffs"]).await?;
        for (table, column) in
            [("sessions", "used_generation"), ("sessions", "generation_used_at"), ("emails", "session_id")]
        {
            manager.alter_table(Table::alter().table(table).drop_column(column).take()).await?;
        }
        Ok(())
    }
}
