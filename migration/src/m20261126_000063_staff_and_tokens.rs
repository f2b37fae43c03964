//! Removal, profile and invitation of staff users, service accounts, and API tokens.

use crate::schema::*;
use sea_orm_migration::prelude::{ForeignKeyAction::Restrict, *};

/// Creates the tables `service_accounts` and `api_tokens`, and adds columns to `staff_users` and `emails`.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// The columns that are added, each with its table.
fn added_columns() -> [(&'static str, &'static str, ColumnDef); 5] {
    [
        ("staff_users", "locale", string_null("locale")),
        ("staff_users", "last_sign_in_at", time_null("last_sign_in_at")),
        ("staff_users", "invited_by", uuid_null("invited_by")),
        ("staff_users", "removed_at", time_null("removed_at")),
        ("emails", "api_token_id", uuid_null("api_token_id")),
    ]
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// By default, SeaORM begins a transaction on Postgres only. An interrupted migration must leave an SQLite database
    /// as it was too: the next run would otherwise add the same column again and fail.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, _, column) in added_columns() {
            manager.alter_table(Table::alter().table(table).add_column(column).take()).await?;
        }
        let service_accounts = table("service_accounts")
            .col(pk_uuid("id"))
            .col(uuid("tenant_id"))
            .col(string("name"))
            .col(string("role"))
            .col(uuid_null("created_by"))
            .col(time("created_at"))
            .col(time_null("removed_at"))
            .foreign_key(&mut refers("service_accounts", "tenant_id", "tenants", Restrict))
            .foreign_key(&mut refers("service_accounts", "created_by", "staff_users", Restrict))
            .take();
        let api_tokens = table("api_tokens")
            .col(pk_uuid("id"))
            .col(uuid("tenant_id"))
            .col(uuid_null("staff_user_id"))
            .col(uuid_null("service_account_id"))
            .col(string("name"))
            .col(string("prefix"))
            .col(string_uniq("token_hash"))
            .col(string("scopes"))
            .col(uuid_null("created_by"))
            .col(time("created_at"))
            .col(time("expires_at"))
            .col(time_null("last_used_at"))
            .col(time_null("revoked_at"))
            .col(time_null("expiry_notice_at"))
            .foreign_key(&mut refers("api_tokens", "tenant_id", "tenants", Restrict))
            .foreign_key(&mut refers("api_tokens", "staff_user_id", "staff_users", Restrict))
            .foreign_key(&mut refers("api_tokens", "service_account_id", "service_accounts", Restrict))
            .foreign_key(&mut refers("api_tokens", "created_by", "staff_users", Restrict))
            .take();
        create(
            manager,
            vec![service_accounts, api_tokens],
            vec![
                index("service_accounts", &["tenant_id"]),
                index("api_tokens", &["tenant_id"]),
                index("api_tokens", &["staff_user_id"]),
                index("api_tokens", &["service_account_id"]),
                index("api_tokens", &["expires_at"]),
                index("api_tokens", &["expiry_notice_at"]),
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["api_tokens", "service_accounts"]).await?;
        for (table, name, _) in added_columns() {
            manager.alter_table(Table::alter().table(table).drop_column(name).take()).await?;
        }
        Ok(())
    }
}
