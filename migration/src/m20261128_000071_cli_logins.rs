//! Logins of the command line that a staff user has approved in a browser.

use crate::schema::*;
use sea_orm_migration::prelude::{ForeignKeyAction::Cascade, *};

/// Creates the table `cli_logins`.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// By default, SeaORM begins a transaction on Postgres only. An interrupted migration must leave an SQLite database
    /// as it was too: the next run would otherwise create the same table again and fail.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let cli_logins = table("cli_logins")
            .col(pk_uuid("id"))
            .col(uuid("session_id"))
            .col(string_uniq("code_hash"))
            .col(string("code_challenge"))
            .col(string("name"))
            .col(string("scopes"))
            .col(time("created_at"))
            .col(time("expires_at"))
            .col(time_null("used_at"))
            .foreign_key(&mut refers("cli_logins", "session_id", "sessions", Cascade))
            .take();
        let indexes = vec![index("cli_logins", &["session_id"]), index("cli_logins", &["expires_at"])];
        create(manager, vec![cli_logins], indexes).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["cli_logins"]).await
    }
}
