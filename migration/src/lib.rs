//! The database schema: one tree of migrations for Postgres and SQLite.
//!
//! A migration expands first and contracts in a later release, so that two neighbouring versions of Portico can run
//! side by side on one database. Nothing here knows the other crates: a migration must mean the same in ten years.

#![warn(missing_docs)]

mod lock;
mod m20261121_000001_people;
mod m20261121_000002_jobs_and_mail;
mod m20261121_000003_credentials;
mod m20261121_000004_audit;
mod m20261121_000005_lanes;
mod m20261121_000006_staff_devices;
mod m20261121_000007_workers;
mod m20261121_000008_job_indexes;
mod schema;

use sea_orm::DbErr;
use sea_orm_migration::prelude::*;

/// Every migration, oldest first.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000001_people::Migration),
            Box::new(m20261121_000002_jobs_and_mail::Migration),
            Box::new(m20261121_000003_credentials::Migration),
            Box::new(m20261121_000004_audit::Migration),
            Box::new(m20261121_000005_lanes::Migration),
            Box::new(m20261121_000006_staff_devices::Migration),
            Box::new(m20261121_000007_workers::Migration),
            Box::new(m20261121_000008_job_indexes::Migration),
        ]
    }
}

/// Brings the database at `url` (`sqlite:PATH?mode=rwc` or `postgres://…`) to the newest schema.
///
/// Holds a lock meanwhile, so any number of processes may call it at once and each returns when the schema is there.
///
/// # Errors
/// When the database cannot be reached, the lock file cannot be made, or a migration fails; a failed migration leaves
/// the schema as it was before that migration.
pub async fn migrate(url: &str) -> Result<(), DbErr> {
    let db = lock::Locked::open(url).await?;
    let done = Migrator::up(db.connection(), None).await;
    db.release().await?;
    done
}

/// Whether the database at `url` has the newest schema, without changing it.
///
/// # Errors
/// When the database cannot be reached, or its schema is of a later version than this.
pub async fn is_current(url: &str) -> Result<bool, DbErr> {
    let db = sea_orm::Database::connect(url).await?;
    let pending = Migrator::get_pending_migrations_read_only(&db).await?;
    db.close().await?;
    Ok(pending.is_empty())
}

#[cfg(test)]
mod tests {
    use sea_orm::{ConnectionTrait, Database};

    use super::*;

    /// An empty database of each kind. `bin/test` provides the Postgres.
    #[expect(clippy::disallowed_methods, reason = "the test's own setting, not the program's")]
    async fn databases() -> (tempfile::TempDir, [String; 2]) {
        let server = std::env::var("PORTICO_TEST_POSTGRES").expect("PORTICO_TEST_POSTGRES: run the tests by bin/test");
        let name = format!("migrations_{}", std::process::id());
        let admin = Database::connect(format!("{server}/postgres")).await.unwrap();
        admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let sqlite = format!("sqlite:{}?mode=rwc", folder.path().join("portico.db").display());
        (folder, [format!("{server}/{name}"), sqlite])
    }

    #[tokio::test]
    async fn up_down_and_up_again_on_both_databases() {
        let (_folder, urls) = databases().await;
        for url in urls {
            migrate(&url).await.unwrap();
            let db = Database::connect(&url).await.unwrap();
            let applied = Migrator::get_applied_migrations(&db).await.unwrap().len();
            assert_eq!(applied, Migrator::migrations().len(), "{url}");
            Migrator::down(&db, None).await.unwrap();
            assert!(db.execute_unprepared("SELECT * FROM tenants").await.is_err(), "{url}: the tables are gone");
            db.close().await.unwrap();
            assert!(!is_current(&url).await.unwrap(), "{url}");
            migrate(&url).await.unwrap();
            migrate(&url).await.unwrap();
            assert!(is_current(&url).await.unwrap(), "{url}");
        }
    }
}
