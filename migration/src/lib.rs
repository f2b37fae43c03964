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
mod m20261126_000040_password_cost;
mod schema;

use sea_orm::{DatabaseConnection, DbErr, EntityTrait};
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
            Box::new(m20261126_000040_password_cost::Migration),
        ]
    }
}

/// The prefix of the migrations that existed before the first release. They were replaced by the migrations of
/// 2026-11-26, so a database that they made cannot be upgraded.
const REPLACED_MIGRATIONS: &str = "m20261121_";

/// Migrates the database at `url` (`sqlite:PATH?mode=rwc` or `postgres://…`) to the newest schema.
///
/// Takes a lock first, so any number of processes may call this function at the same time. Each call returns when the
/// schema is current.
///
/// # Errors
/// If the database cannot be reached, if the lock file cannot be created, if the database was made by a version from
/// before the first release, or if a migration fails. A failed migration leaves the schema as it was before that
/// migration.
pub async fn migrate(url: &str) -> Result<(), DbErr> {
    let db = lock::Locked::open(url).await?;
    let result = async {
        refuse_replaced_history(db.connection()).await?;
        Migrator::up(db.connection(), None).await
    }
    .await;
    db.release().await?;
    result
}

/// Returns whether the database at `url` has the newest schema, without changing the database.
///
/// # Errors
/// If the database cannot be reached, if its schema is newer than this version, or if it was made by a version from
/// before the first release.
pub async fn is_current(url: &str) -> Result<bool, DbErr> {
    let db = sea_orm::Database::connect(url).await?;
    refuse_replaced_history(&db).await?;
    let pending = Migrator::get_pending_migrations_read_only(&db).await?;
    db.close().await?;
    Ok(pending.is_empty())
}

/// Fails when one of the replaced migrations was applied to the database.
async fn refuse_replaced_history(db: &DatabaseConnection) -> Result<(), DbErr> {
    let manager = SchemaManager::new(db);
    if !manager.has_table("seaql_migrations").await? {
        return Ok(());
    }
    let applied = seaql_migrations::Entity::find().all(db).await?;
    if applied.iter().any(|migration| migration.version.starts_with(REPLACED_MIGRATIONS)) {
        return Err(DbErr::Custom(
            "this database was made by a version of Portico from before the first release and cannot be upgraded; \
             use an empty database"
                .into(),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
