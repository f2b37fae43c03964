//! The database schema: one list of migrations for Postgres and SQLite.
//!
//! Migrations are append-only, and a change expands the schema first and contracts it in a later release. So two
//! consecutive versions of Portico can run on one database at the same time. See `README.md` of this crate.
//!
//! The crate depends on no other crate of Portico. If a migration used an entity, a later change of the entity would
//! change what the migration does.

#![warn(missing_docs)]

mod lock;
mod m20261126_000001_tenancy;
mod m20261126_000002_platform;
mod m20261126_000003_identity;
mod m20261126_000010_mail_delivery;
mod m20261126_000040_password_cost;
mod m20261126_000050_search;
mod m20261126_000061_invitations;
mod m20261126_000062_sessions;
mod m20261126_000063_staff_and_tokens;
mod m20261126_000064_mail_log;
mod m20261126_000065_audit_chain;
mod m20261126_000066_colleagues;
mod m20261128_000070_tenant_logos;
mod m20261128_000071_cli_logins;
mod m20261128_000072_second_factors;
mod m20261128_000073_passkeys;
mod schema;

use std::time::Duration;

use sea_orm::{ConnectOptions, DbErr, EntityTrait, IntoDatabaseExecutor};
use sea_orm_migration::{prelude::*, seaql_migrations};

/// The list of all migrations, oldest first.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261126_000001_tenancy::Migration),
            Box::new(m20261126_000002_platform::Migration),
            Box::new(m20261126_000003_identity::Migration),
            Box::new(m20261126_000010_mail_delivery::Migration),
            Box::new(m20261126_000040_password_cost::Migration),
            Box::new(m20261126_000050_search::Migration),
            Box::new(m20261126_000061_invitations::Migration),
            Box::new(m20261126_000062_sessions::Migration),
            Box::new(m20261126_000063_staff_and_tokens::Migration),
            Box::new(m20261126_000064_mail_log::Migration),
            Box::new(m20261126_000065_audit_chain::Migration),
            Box::new(m20261126_000066_colleagues::Migration),
            Box::new(m20261128_000070_tenant_logos::Migration),
            Box::new(m20261128_000071_cli_logins::Migration),
            Box::new(m20261128_000072_second_factors::Migration),
            Box::new(m20261128_000073_passkeys::Migration),
        ]
    }
}

/// The prefix of the migrations that existed before the first release. They were replaced by the migrations of
/// 2026-11-26, so a database that they made cannot be upgraded.
const REPLACED_MIGRATIONS: &str = "m20261121_";

/// Migrates the database at `url` (`sqlite:PATH?mode=rwc` or `postgres://…`) to the newest schema.
///
/// Takes a lock first, so any number of processes may call this function at the same time. Each call returns when the
/// schema is current. It waits for the lock, and for a lock on a table, at most `max_wait`, and logs every 10 seconds
/// what it waits for.
///
/// On Postgres, all migrations run in one transaction, so this function works through a pooler in transaction mode.
///
/// # Errors
/// If the database cannot be reached, if the lock file cannot be created, if another process still has the lock after
/// `max_wait`, if the database was made by a version from before the first release, or if a migration fails. A failed
/// migration leaves the schema as it was: on Postgres as before this call, on SQLite as before that migration.
pub async fn migrate(url: impl Into<ConnectOptions>, max_wait: Duration) -> Result<(), DbErr> {
    let db = lock::Locked::open(url.into(), max_wait).await?;
    lock::report_waiting(async {
        refuse_replaced_history(db.executor()).await?;
        Migrator::up(db.executor(), None).await
    })
    .await?;
    db.commit().await
}

/// Returns how many migrations the database at `url` lacks, without changing the database. A database with a newer
/// schema lacks none.
///
/// # Errors
/// If the database cannot be reached, or if it was made by a version from before the first release.
pub async fn pending(url: impl Into<ConnectOptions>) -> Result<usize, DbErr> {
    let db = lock::begin_read(url).await?;
    let applied = lock::report_waiting(async {
        refuse_replaced_history(&db).await?;
        applied(&db).await
    })
    .await?;
    let migrations = Migrator::migrations();
    let pending = migrations.iter().filter(|migration| !applied.iter().any(|name| name == migration.name())).count();
    lock::forget_statements(&db).await?;
    db.rollback().await?;
    Ok(pending)
}

/// Returns whether the database at `url` has exactly the newest schema, without changing the database.
///
/// # Errors
/// If the database cannot be reached, if its schema is newer than this version, or if it was made by a version from
/// before the first release.
pub async fn is_current(url: impl Into<ConnectOptions>) -> Result<bool, DbErr> {
    let db = lock::begin_read(url).await?;
    let pending = lock::report_waiting(async {
        refuse_replaced_history(&db).await?;
        Migrator::get_pending_migrations_read_only(&db).await
    })
    .await?;
    lock::forget_statements(&db).await?;
    db.rollback().await?;
    Ok(pending.is_empty())
}

/// Fails when one of the replaced migrations was applied to the database.
async fn refuse_replaced_history<'c>(db: impl IntoDatabaseExecutor<'c>) -> Result<(), DbErr> {
    if applied(db).await?.iter().any(|version| version.starts_with(REPLACED_MIGRATIONS)) {
        return Err(DbErr::Custom(
            "this database was made by a version of Portico from before the first release and cannot be upgraded; \
             use an empty database"
                .into(),
        ));
    }
    Ok(())
}

/// Returns the names of the migrations that were applied to the database.
async fn applied<'c>(db: impl IntoDatabaseExecutor<'c>) -> Result<Vec<String>, DbErr> {
    let manager = SchemaManager::new(db);
    if !manager.has_table("seaql_migrations").await? {
        return Ok(Vec::new());
    }
    let rows = seaql_migrations::Entity::find().all(manager.get_connection()).await?;
    Ok(rows.into_iter().map(|row| row.version).collect())
}

#[cfg(test)]
mod tests;
