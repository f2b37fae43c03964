//! Link tokens, code flows, sessions and signing keys, which authenticate users.

use crate::schema::*;
use sea_orm_migration::prelude::{
    ForeignKeyAction::{Cascade, Restrict, SetNull},
    *,
};

/// Creates the tables that authenticate users.
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
        let link_tokens = table("link_tokens")
            .col(pk_uuid("id"))
            .col(string("purpose"))
            .col(uuid("portal_user_id"))
            .col(uuid_null("invitation_id"))
            .col(uuid_null("email_id"))
            .col(string_uniq("secret_hash"))
            .col(string("key_fingerprint"))
            .col(integer("credential_version"))
            .col(time("issued_at"))
            .col(time("expires_at"))
            .col(time_null("used_at"))
            .col(time_null("revoked_at"))
            .col(time("created_at"))
            .foreign_key(&mut refers("link_tokens", "portal_user_id", "portal_users", Restrict))
            .foreign_key(&mut refers("link_tokens", "invitation_id", "invitations", Cascade))
            .foreign_key(&mut refers("link_tokens", "email_id", "emails", SetNull))
            .take();
        let code_flows = table("code_flows")
            .col(pk_uuid("id"))
            .col(string("email"))
            .col(uuid_null("email_id"))
            .col(uuid_null("staff_user_id"))
            .col(string_null("device"))
            .col(string_null("code_hash"))
            .col(string_null("key_fingerprint"))
            .col(integer("misses"))
            .col(time("expires_at"))
            .col(time_null("used_at"))
            .col(time("created_at"))
            .foreign_key(&mut refers("code_flows", "email_id", "emails", SetNull))
            .foreign_key(&mut refers("code_flows", "staff_user_id", "staff_users", Restrict))
            .take();
        let sessions = table("sessions")
            .col(pk_uuid("id"))
            .col(uuid_null("portal_user_id"))
            .col(uuid_null("staff_user_id"))
            .col(uuid_null("client_id"))
            .col(integer("generation"))
            .col(time("rotated_at"))
            .col(string("nonce"))
            .col(integer("credential_version"))
            .col(string_null("user_agent"))
            .col(string_null("ip"))
            .col(time("auth_time"))
            .col(time("created_at"))
            .col(time("last_seen_at"))
            .col(time_null("idle_until"))
            .col(time("expires_at"))
            .col(time_null("revoked_at"))
            .col(string_null("revoked_reason"))
            .foreign_key(&mut refers("sessions", "portal_user_id", "portal_users", Restrict))
            .foreign_key(&mut refers("sessions", "staff_user_id", "staff_users", Restrict))
            .foreign_key(&mut refers("sessions", "client_id", "clients", Restrict))
            .take();
        let signing_keys = table("signing_keys")
            .col(pk_uuid("id"))
            .col(string("key_fingerprint"))
            .col(time("active_from"))
            .col(time_null("retired_at"))
            .col(time("created_at"))
            .take();
        create(
            manager,
            vec![link_tokens, code_flows, sessions, signing_keys],
            vec![
                unique("link_tokens", &["email_id"]),
                index("link_tokens", &["portal_user_id", "purpose"]),
                index("link_tokens", &["invitation_id"]),
                index("link_tokens", &["expires_at"]),
                index("code_flows", &["email", "created_at"]),
                index("code_flows", &["expires_at"]),
                index("code_flows", &["email_id"]),
                index("code_flows", &["staff_user_id"]),
                index("sessions", &["client_id"]),
                index("sessions", &["portal_user_id", "created_at"]),
                index("sessions", &["staff_user_id", "created_at"]),
                index("sessions", &["expires_at"]),
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["signing_keys", "sessions", "code_flows", "link_tokens"]).await
    }
}
