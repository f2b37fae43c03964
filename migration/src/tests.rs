//! Tests of the schema on both databases. `bin/test` provides the Postgres server and its programs.

use std::{path::PathBuf, process::Command};

use sea_orm::{ConnectionTrait, Database, DatabaseConnection};
use tempfile::TempDir;

use super::*;

/// The migrations that were current when the files in `migration/base` were written. Later migrations are upgrades of
/// it.
const BASE_MIGRATIONS: [&str; 3] =
    ["m20261126_000001_tenancy", "m20261126_000002_platform", "m20261126_000003_identity"];

/// Columns that hold an enum which may get further values.
const GROWING_SETS: [(&str, &str); 14] = [
    ("emails", "kind"),
    ("emails", "status"),
    ("link_tokens", "purpose"),
    ("background_jobs", "lane"),
    ("background_jobs", "state"),
    ("paused_lanes", "lane"),
    ("audit_events", "actor_realm"),
    ("audit_events", "outcome"),
    ("tenants", "status"),
    ("clients", "status"),
    ("memberships", "role"),
    ("memberships", "status"),
    ("staff_users", "role"),
    ("invitations", "status"),
];

/// One row in every table of [`GROWING_SETS`], valid on both databases. `$id` stands for one UUID.
const ROWS: &str = include_str!("../base/rows.sql");

/// The kinds of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Postgres,
    Sqlite,
}

const KINDS: [Kind; 2] = [Kind::Postgres, Kind::Sqlite];

/// A database that is removed at the end of the test. It is empty unless the constructor says otherwise.
struct TestDatabase {
    kind: Kind,
    url: String,
    folder: TempDir,
}

#[expect(clippy::disallowed_methods, reason = "bin/test passes these variables; they are no settings of the program")]
/// Returns the environment variable `name`, which `bin/test` sets.
fn provided(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run the tests by bin/test"))
}

impl TestDatabase {
    /// Creates an empty database.
    async fn create(kind: Kind, name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = match kind {
            Kind::Sqlite => format!("sqlite:{}?mode=rwc", folder.path().join("portico.db").display()),
            Kind::Postgres => {
                let (server, name) = (provided("PORTICO_TEST_POSTGRES"), format!("{name}_{}", std::process::id()));
                let admin = Database::connect(format!("{server}/postgres")).await.unwrap();
                admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
                admin.close().await.unwrap();
                format!("{server}/{name}")
            }
        };
        Self { kind, url, folder }
    }

    /// Creates a database with the base schema from the dump in `migration/base`, without running the migrations.
    async fn from_base(kind: Kind, name: &str) -> Self {
        let database = Self::create(kind, name).await;
        let db = database.connect().await;
        db.execute_unprepared(&std::fs::read_to_string(base_file(kind)).unwrap()).await.unwrap();
        for version in BASE_MIGRATIONS {
            let row = format!("INSERT INTO seaql_migrations (version, applied_at) VALUES ('{version}', 0)");
            db.execute_unprepared(&row).await.unwrap();
        }
        db.close().await.unwrap();
        database
    }

    async fn connect(&self) -> DatabaseConnection {
        Database::connect(&self.url).await.unwrap()
    }

    /// Returns the schema as SQL statements, without comments and session settings.
    fn dump(&self) -> String {
        let output = match self.kind {
            Kind::Sqlite => {
                Command::new("sqlite3").arg(self.folder.path().join("portico.db")).arg(".schema --nosys").output()
            }
            Kind::Postgres => {
                let pg_dump = PathBuf::from(provided("PORTICO_TEST_POSTGRES_BIN")).join("pg_dump");
                Command::new(pg_dump).args(["--schema-only", "--no-owner", &self.url]).output()
            }
        };
        let output = output.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let is_statement = |line: &&str| {
            let ignored = ["--", "SET ", "\\", "SELECT pg_catalog"];
            !line.is_empty() && !ignored.iter().any(|prefix| line.starts_with(prefix))
        };
        let text = String::from_utf8(output.stdout).unwrap();
        let mut statements: Vec<String> = text
            .lines()
            .filter(is_statement)
            .collect::<Vec<_>>()
            .join("\n")
            .split_inclusive(";\n")
            .map(|statement| statement.trim_end().to_owned())
            .collect();
        if self.kind == Kind::Sqlite {
            // Tables come first, so that the file can be loaded; the order within each group is stable.
            statements.sort_by_key(|statement| !statement.starts_with("CREATE TABLE"));
        }
        statements.join("\n") + "\n"
    }
}

/// The dump of the base schema.
fn base_file(kind: Kind) -> PathBuf {
    let name = match kind {
        Kind::Postgres => "postgres.sql",
        Kind::Sqlite => "sqlite.sql",
    };
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("base").join(name)
}

async fn migrate_now(url: &str) -> Result<(), DbErr> {
    migrate(url, Duration::from_secs(60)).await
}

#[tokio::test]
async fn up_down_and_up_again() {
    for kind in KINDS {
        let TestDatabase { url, .. } = &TestDatabase::create(kind, "up_down").await;
        migrate_now(url).await.unwrap();
        let db = Database::connect(url).await.unwrap();
        let applied = Migrator::get_applied_migrations(&db).await.unwrap().len();
        assert_eq!(applied, Migrator::migrations().len(), "{url}");
        Migrator::down(&db, None).await.unwrap();
        assert!(db.execute_unprepared("SELECT * FROM tenants").await.is_err(), "{url}: the tables are gone");
        db.close().await.unwrap();
        assert!(!is_current(url).await.unwrap(), "{url}");
        migrate_now(url).await.unwrap();
        migrate_now(url).await.unwrap();
        assert!(is_current(url).await.unwrap(), "{url}");
    }
}

/// Migrations are append-only: the base migrations must still make the schema that `migration/base` holds.
#[tokio::test]
async fn base_migrations_still_make_the_base_schema() {
    for kind in KINDS {
        let database = TestDatabase::create(kind, "base").await;
        let db = database.connect().await;
        Migrator::up(&db, Some(BASE_MIGRATIONS.len() as u32)).await.unwrap();
        db.close().await.unwrap();
        let schema = database.dump();
        if std::fs::read_to_string(base_file(kind)).unwrap_or_default() != schema {
            let actual = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../target/tmp/base-{kind:?}.sql"));
            std::fs::write(&actual, schema).unwrap();
            panic!(
                "{kind:?}: a base migration was changed; write a new migration instead. The schema is now: {}",
                actual.display()
            );
        }
    }
}

#[tokio::test]
async fn upgrade_from_the_base_schema_equals_a_new_database() {
    for kind in KINDS {
        let (upgraded, new) =
            (TestDatabase::from_base(kind, "upgraded").await, TestDatabase::create(kind, "new").await);
        migrate_now(&upgraded.url).await.unwrap();
        migrate_now(&new.url).await.unwrap();
        assert!(is_current(&upgraded.url).await.unwrap());
        assert_eq!(upgraded.dump(), new.dump(), "{kind:?}");
    }
}

#[tokio::test]
async fn growing_sets_take_a_new_value_without_a_migration() {
    for kind in KINDS {
        let database = TestDatabase::from_base(kind, "growing").await;
        let db = database.connect().await;
        let id = match kind {
            Kind::Postgres => "'00000000-0000-0000-0000-000000000001'",
            Kind::Sqlite => "x'00000000000000000000000000000001'",
        };
        db.execute_unprepared(&ROWS.replace("$id", id)).await.unwrap();
        for (table, column) in GROWING_SETS {
            let update = format!("UPDATE {table} SET {column} = 'a_value_of_tomorrow'");
            let updated = db.execute_unprepared(&update).await.map(|result| result.rows_affected());
            assert_eq!(updated, Ok(1), "{kind:?}: {table}.{column}");
        }
        db.close().await.unwrap();
    }
}

#[tokio::test]
async fn upgrade_copies_the_cost_out_of_each_password_hash() {
    for kind in KINDS {
        let database = TestDatabase::from_base(kind, "costs").await;
        let db = database.connect().await;
        for (n, cost) in ["ln=12,r=8,p=1", "ln=17,r=8,p=1", "ln=12,r=16,p=2", "ln=12,r=8,p=1", ""].iter().enumerate() {
            let id = match kind {
                Kind::Postgres => format!("'00000000-0000-0000-0000-00000000000{n}'"),
                Kind::Sqlite => format!("x'0000000000000000000000000000000{n}'"),
            };
            let phc =
                if cost.is_empty() { "NULL".into() } else { format!("'$scrypt${cost}$c2FsdC1zYWx0$aGFzaC1oYXNo'") };
            let insert = format!(
                "INSERT INTO portal_users (id, email, name, password_phc, credential_version, created_at) \
                 VALUES ({id}, '{n}@x.test', '{cost}', {phc}, 0, '2027-01-15T08:00:00+00:00')"
            );
            db.execute_unprepared(&insert).await.unwrap();
        }
        db.close().await.unwrap();
        migrate(&database.url, Duration::from_secs(60)).await.unwrap();
        let db = database.connect().await;
        let differ = "UPDATE portal_users SET name = '' WHERE coalesce(password_cost, '') <> name";
        assert_eq!(db.execute_unprepared(differ).await.unwrap().rows_affected(), 0, "{kind:?}");
        db.close().await.unwrap();
    }
}

#[tokio::test]
async fn history_from_before_the_first_release_is_refused() {
    for kind in KINDS {
        let database = TestDatabase::create(kind, "replaced").await;
        migrate_now(&database.url).await.unwrap();
        let db = database.connect().await;
        let old = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m20261121_000001_people', 0)";
        db.execute_unprepared(old).await.unwrap();
        db.close().await.unwrap();
        for error in [migrate_now(&database.url).await.unwrap_err(), is_current(&database.url).await.unwrap_err()] {
            assert!(error.to_string().contains("from before the first release"), "{kind:?}: {error}");
        }
    }
}

#[test]
fn every_migration_runs_in_a_transaction_on_both_databases() {
    for migration in Migrator::migrations() {
        assert_eq!(migration.use_transaction(), Some(true), "{}", migration.name());
    }
}

#[tokio::test]
async fn migration_that_was_interrupted_runs_again() {
    // What makes a statement of a migration fail, after others of the same migration, and what removes it.
    let obstacles = [
        ("ALTER TABLE emails ADD COLUMN retried_by text", "ALTER TABLE emails DROP COLUMN retried_by"),
        ("ALTER TABLE emails ADD COLUMN doubts text", "ALTER TABLE emails DROP COLUMN doubts"),
        (
            "CREATE INDEX idx_portal_users_password_cost ON portal_users (name)",
            "DROP INDEX idx_portal_users_password_cost",
        ),
    ];
    for kind in KINDS {
        for (n, (make, remove)) in obstacles.into_iter().enumerate() {
            let database = TestDatabase::from_base(kind, &format!("interrupted_{n}")).await;
            let execute = async |sql: &str| {
                let db = database.connect().await;
                db.execute_unprepared(sql).await.unwrap();
                db.close().await.unwrap();
            };
            execute(make).await;
            assert!(migrate_now(&database.url).await.is_err(), "{kind:?}: {make}");
            execute(remove).await;
            migrate_now(&database.url).await.unwrap_or_else(|error| panic!("{kind:?}: {make}: {error}"));
            assert!(is_current(&database.url).await.unwrap(), "{kind:?}: {make}");
        }
    }
}
