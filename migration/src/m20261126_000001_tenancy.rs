//! Tenants, clients, portal users, memberships, staff users and invitations.

use crate::schema::*;
use sea_orm_migration::prelude::{ForeignKeyAction::Restrict, *};

/// Creates the tables of the tenants, their clients and their users.
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
        let tenants = table("tenants")
            .col(pk_uuid("id"))
            .col(string_uniq("slug"))
            .col(string("name"))
            .col(string("status"))
            .col(json_binary("branding"))
            .col(string("default_locale"))
            .col(time("created_at"))
            .take();
        let clients = table("clients")
            .col(pk_uuid("id"))
            .col(uuid("tenant_id"))
            .col(string("name"))
            .col(string_null("external_ref"))
            .col(string("status"))
            .col(time("created_at"))
            .foreign_key(&mut refers("clients", "tenant_id", "tenants", Restrict))
            .take();
        let portal_users = table("portal_users")
            .col(pk_uuid("id"))
            .col(string_uniq("email").check(is_lower_case("email")))
            .col(string("name"))
            .col(string_null("password_phc"))
            .col(time_null("password_locked_at"))
            .col(integer("credential_version"))
            .col(string_null("locale"))
            .col(time_null("disabled_at"))
            .col(time("created_at"))
            .take();
        let memberships = table("memberships")
            .col(pk_uuid("id"))
            .col(uuid("portal_user_id"))
            .col(uuid("client_id"))
            .col(string("display_name"))
            .col(string("role"))
            .col(string("status"))
            .col(time("invited_at"))
            .col(time_null("last_used_at"))
            .foreign_key(&mut refers("memberships", "portal_user_id", "portal_users", Restrict))
            .foreign_key(&mut refers("memberships", "client_id", "clients", Restrict))
            .take();
        let staff_users = table("staff_users")
            .col(pk_uuid("id"))
            .col(uuid("tenant_id"))
            .col(string_uniq("email").check(is_lower_case("email")))
            .col(string("name"))
            .col(string("role"))
            .col(integer("credential_version"))
            .col(time_null("disabled_at"))
            .col(time("created_at"))
            .foreign_key(&mut refers("staff_users", "tenant_id", "tenants", Restrict))
            .take();
        let invitations = table("invitations")
            .col(pk_uuid("id"))
            .col(uuid("client_id"))
            .col(uuid("portal_user_id"))
            .col(string("email"))
            .col(string("name"))
            .col(string("role"))
            .col(string("mode"))
            .col(string("status"))
            .col(integer("sent_count"))
            .col(time("last_sent_at"))
            .col(time("links_valid_from"))
            .col(integer("renewals"))
            .col(time("expires_at"))
            .col(uuid_null("created_by"))
            .col(time("created_at"))
            .foreign_key(&mut refers("invitations", "client_id", "clients", Restrict))
            .foreign_key(&mut refers("invitations", "portal_user_id", "portal_users", Restrict))
            .foreign_key(&mut refers("invitations", "created_by", "staff_users", Restrict))
            .take();
        create(
            manager,
            vec![tenants, clients, portal_users, memberships, staff_users, invitations],
            vec![
                unique("clients", &["tenant_id", "external_ref"]),
                unique("memberships", &["portal_user_id", "client_id"]),
                index("memberships", &["client_id"]),
                index("staff_users", &["tenant_id"]),
                index("invitations", &["client_id", "status"]),
                index("invitations", &["portal_user_id", "status"]),
                index("invitations", &["status", "expires_at"]),
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["invitations", "staff_users", "memberships", "portal_users", "clients", "tenants"]).await
    }
}

/// A CHECK that an email address is in lower case, which is part of its normal form. Without it, the unique index
/// would allow two spellings of one address.
fn is_lower_case(column: &'static str) -> SimpleExpr {
    Expr::col(column).eq(Func::lower(Expr::col(column)))
}
