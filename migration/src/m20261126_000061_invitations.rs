//! What the administration of invitations needs, and the answers to requests with an `Idempotency-Key`.

use crate::schema::*;
use sea_orm_migration::prelude::{ForeignKeyAction::Cascade, *};

/// Adds columns and an index to `invitations`, and creates the table `idempotency_keys`.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// The columns that are added to `invitations`. They have no foreign key, because SQLite cannot add one.
const COLUMNS: [&str; 5] = ["created_by_portal_user", "cancelled_at", "reminders_sent", "shown_expires_at", "locale"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// By default, SeaORM begins a transaction on Postgres only. An interrupted migration must leave an SQLite database
    /// as it was too: the next run would otherwise add the same column again and fail.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            uuid_null(COLUMNS[0]),
            time_null(COLUMNS[1]),
            integer(COLUMNS[2]).default(0).take(),
            time_null(COLUMNS[3]),
            string_null(COLUMNS[4]),
        ];
        // SQLite adds one column in each statement.
        for column in columns {
            manager.alter_table(Table::alter().table("invitations").add_column(column).take()).await?;
        }
        let idempotency_keys = table("idempotency_keys")
            .col(string("actor"))
            .col(uuid("client_id"))
            .col(string("key"))
            .col(string("request_hash"))
            .col(text_null("response"))
            .col(time("created_at"))
            .col(time("expires_at"))
            .primary_key(Index::create().col("actor").col("client_id").col("key"))
            .foreign_key(&mut refers("idempotency_keys", "client_id", "clients", Cascade))
            .take();
        let indexes = vec![
            index("invitations", &["client_id", "id"]),
            index("idempotency_keys", &["expires_at"]),
            index("idempotency_keys", &["client_id"]),
        ];
        create(manager, vec![idempotency_keys], indexes).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["idempotency_keys"]).await?;
        manager.drop_index(Index::drop().name("idx_invitations_client_id_id").table("invitations").to_owned()).await?;
        for column in COLUMNS {
            manager.alter_table(Table::alter().table("invitations").drop_column(column).take()).await?;
        }
        Ok(())
    }
}
