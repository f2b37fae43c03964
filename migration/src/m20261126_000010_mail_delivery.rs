//! What the worker remembers about attempts to send a mail, and the holds of mail servers.

use crate::schema::*;
use sea_orm_migration::prelude::*;

/// Adds columns to `emails`, and creates the table `mail_holds`.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// The columns that are added to `emails`.
const COLUMNS: [&str; 8] =
    ["reason", "refusal", "unconfirmed", "unconfirmed_at", "doubts", "deferrals", "last_attempt_at", "retried_by"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// By default, SeaORM begins a transaction on Postgres only. An interrupted migration must leave an SQLite database
    /// as it was too: the next run would otherwise add the same column again and fail.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            string_null(COLUMNS[0]),
            string_null(COLUMNS[1]),
            integer(COLUMNS[2]).default(0).take(),
            time_null(COLUMNS[3]),
            integer(COLUMNS[4]).default(0).take(),
            integer(COLUMNS[5]).default(0).take(),
            time_null(COLUMNS[6]),
            uuid_null(COLUMNS[7]),
        ];
        // SQLite adds one column in each statement.
        for column in columns {
            manager.alter_table(Table::alter().table("emails").add_column(column).take()).await?;
        }
        let mail_holds = table("mail_holds")
            .col(string("server").primary_key())
            .col(string("stage"))
            .col(text_null("detail"))
            .col(time("held_at"))
            .col(time("next_probe_at"))
            .col(integer("probes"))
            .take();
        create(manager, vec![mail_holds], vec![]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["mail_holds"]).await?;
        for column in COLUMNS {
            manager.alter_table(Table::alter().table("emails").drop_column(column).take()).await?;
        }
        Ok(())
    }
}
