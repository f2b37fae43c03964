//! What passkeys need: the passkeys, the ceremonies by which they are registered and used, and user handles.

use crate::schema::*;
use sea_orm_migration::prelude::{ForeignKeyAction::Cascade, *};

/// Adds columns to three tables, and creates the tables of passkeys and ceremonies.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// By default, SeaORM begins a transaction on Postgres only. An interrupted migration must leave an SQLite
    /// database as it was too: the next run would otherwise add the same column again and fail.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in columns() {
            manager.alter_table(Table::alter().table(table).add_column(column).take()).await?;
        }
        let indexes = vec![
            index("passkeys", &["portal_user_id"]),
            index("passkeys", &["staff_user_id"]),
            index("ceremonies", &["portal_user_id"]),
            index("ceremonies", &["staff_user_id"]),
            index("ceremonies", &["expires_at"]),
        ];
        create(manager, tables(), indexes).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["ceremonies", "passkeys"]).await?;
        for (table, column) in columns() {
            let name = column.get_column_name();
            manager.alter_table(Table::alter().table(table).drop_column(name).take()).await?;
        }
        Ok(())
    }
}

/// The columns that existing tables get.
fn columns() -> Vec<(&'static str, ColumnDef)> {
    vec![
        ("portal_users", string_null("webauthn_handle")),
        ("staff_users", string_null("webauthn_handle")),
        ("sessions", uuid_null("passkey_id")),
    ]
}

/// The new tables. A row of a user of either realm has exactly one of `portal_user_id` and `staff_user_id`; a
/// ceremony to sign in has none.
fn tables() -> Vec<TableCreateStatement> {
    let passkeys = table("passkeys")
        .col(pk_uuid("id"))
        .col(uuid_null("portal_user_id"))
        .col(uuid_null("staff_user_id"))
        .col(string("name"))
        .col(string("rp_id"))
        .col(string_uniq("credential_id"))
        .col(text("credential"))
        .col(big_integer("counter"))
        .col(boolean("is_backed_up"))
        .col(time("created_at"))
        .col(time_null("last_used_at"))
        .foreign_key(&mut refers("passkeys", "portal_user_id", "portal_users", Cascade))
        .foreign_key(&mut refers("passkeys", "staff_user_id", "staff_users", Cascade))
        .take();
    let ceremonies = table("ceremonies")
        .col(pk_uuid("id"))
        .col(string("kind"))
        .col(string("realm"))
        .col(uuid_null("portal_user_id"))
        .col(uuid_null("staff_user_id"))
        .col(uuid_null("link_token_id"))
        .col(uuid_null("sign_in_challenge_id"))
        .col(uuid_null("session_id"))
        .col(string_uniq("secret_hash"))
        .col(text("state"))
        .col(time("created_at"))
        .col(time("expires_at"))
        .col(time_null("used_at"))
        .foreign_key(&mut refers("ceremonies", "portal_user_id", "portal_users", Cascade))
        .foreign_key(&mut refers("ceremonies", "staff_user_id", "staff_users", Cascade))
        .take();
    vec![passkeys, ceremonies]
}
