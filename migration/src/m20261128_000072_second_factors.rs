//! What second factors need: the state of a user, one-time passwords, recovery codes, challenges and trusted devices.

use crate::schema::*;
use sea_orm_migration::prelude::{ForeignKeyAction::Cascade, *};

/// Adds columns to seven tables, and creates the tables of second factors.
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
        for (table, column) in columns() {
            manager.alter_table(Table::alter().table(table).add_column(column).take()).await?;
        }
        // A password shows that the activation link was used.
        let activated = Query::update()
            .table("portal_users")
            .value("activated_at", Expr::col("created_at"))
            .and_where(Expr::col("password_phc").is_not_null())
            .take();
        manager.execute(activated).await?;
        for (owner, method) in [("portal_user_id", "password"), ("staff_user_id", "code")] {
            let opened = Query::update()
                .table("sessions")
                .value("method", method)
                .and_where(Expr::col(owner).is_not_null())
                .take();
            manager.execute(opened).await?;
        }
        let indexes = vec![
            index("totp_secrets", &["portal_user_id"]),
            index("totp_secrets", &["staff_user_id"]),
            unique("recovery_sets", &["portal_user_id"]),
            unique("recovery_sets", &["staff_user_id"]),
            unique("recovery_codes", &["set_id", "code_hash"]),
            index("sign_in_challenges", &["portal_user_id"]),
            index("sign_in_challenges", &["staff_user_id"]),
            index("sign_in_challenges", &["expires_at"]),
            index("trusted_devices", &["portal_user_id"]),
            index("trusted_devices", &["expires_at"]),
        ];
        create(manager, tables(), indexes).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = ["trusted_devices", "sign_in_challenges", "recovery_codes", "recovery_sets", "totp_secrets"];
        drop(manager, &tables).await?;
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
        ("portal_users", time_null("activated_at")),
        ("portal_users", time_null("mfa_enabled_at")),
        ("portal_users", integer("factors_version").default(0).take()),
        ("staff_users", time_null("mfa_enabled_at")),
        ("staff_users", integer("factors_version").default(0).take()),
        ("sessions", string_null("method")),
        ("sessions", time_null("mfa_at")),
        ("sessions", string_null("mfa_factor")),
        ("tenants", json_binary_null("sign_in_policy")),
        ("emails", string_null("security_event")),
        ("code_flows", string("realm").default("staff").take()),
        ("code_flows", string("purpose").default("sign_in").take()),
        ("code_flows", uuid_null("portal_user_id")),
    ]
}

/// The new tables. A row of a user of either realm has exactly one of `portal_user_id` and `staff_user_id`.
fn tables() -> Vec<TableCreateStatement> {
    let totp_secrets = table("totp_secrets")
        .col(pk_uuid("id"))
        .col(uuid_null("portal_user_id"))
        .col(uuid_null("staff_user_id"))
        .col(string("sealed"))
        .col(string("key_fingerprint"))
        .col(integer("factors_version"))
        .col(big_integer_null("last_step"))
        .col(time("created_at"))
        .col(time_null("confirmed_at"))
        .foreign_key(&mut refers("totp_secrets", "portal_user_id", "portal_users", Cascade))
        .foreign_key(&mut refers("totp_secrets", "staff_user_id", "staff_users", Cascade))
        .take();
    let recovery_sets = table("recovery_sets")
        .col(pk_uuid("id"))
        .col(uuid_null("portal_user_id"))
        .col(uuid_null("staff_user_id"))
        .col(string("salt"))
        .col(time("created_at"))
        .foreign_key(&mut refers("recovery_sets", "portal_user_id", "portal_users", Cascade))
        .foreign_key(&mut refers("recovery_sets", "staff_user_id", "staff_users", Cascade))
        .take();
    let recovery_codes = table("recovery_codes")
        .col(pk_uuid("id"))
        .col(uuid("set_id"))
        .col(string("code_hash"))
        .col(time_null("used_at"))
        .foreign_key(&mut refers("recovery_codes", "set_id", "recovery_sets", Cascade))
        .take();
    let sign_in_challenges = table("sign_in_challenges")
        .col(pk_uuid("id"))
        .col(string_uniq("secret_hash"))
        .col(string("purpose"))
        .col(uuid_null("portal_user_id"))
        .col(uuid_null("staff_user_id"))
        .col(uuid_null("client_id"))
        .col(uuid_null("link_token_id"))
        .col(uuid_null("replaces_session_id"))
        .col(string("method"))
        .col(integer("credential_version"))
        .col(integer("factors_version"))
        .col(integer("misses"))
        .col(uuid_null("code_flow_id"))
        .col(time_null("mail_proved_at"))
        .col(time("created_at"))
        .col(time("expires_at"))
        .col(time_null("ended_at"))
        .foreign_key(&mut refers("sign_in_challenges", "portal_user_id", "portal_users", Cascade))
        .foreign_key(&mut refers("sign_in_challenges", "staff_user_id", "staff_users", Cascade))
        .take();
    let trusted_devices = table("trusted_devices")
        .col(pk_uuid("id"))
        .col(uuid("portal_user_id"))
        .col(string_uniq("secret_hash"))
        .col(string_null("user_agent"))
        .col(string_null("ip"))
        .col(integer("credential_version"))
        .col(integer("factors_version"))
        .col(time("created_at"))
        .col(time("last_used_at"))
        .col(time("expires_at"))
        .foreign_key(&mut refers("trusted_devices", "portal_user_id", "portal_users", Cascade))
        .take();
    vec![totp_secrets, recovery_sets, recovery_codes, sign_in_challenges, trusted_devices]
}
