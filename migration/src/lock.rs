//! The lock that lets only one process migrate a database at a time.

use std::fs::File;

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr};

/// The key of the Postgres advisory lock. The number is arbitrary: "portico" in ASCII.
const ADVISORY_LOCK: i64 = 0x70_6f72_7469_636f;

/// A connection that holds the migration lock.
///
/// On Postgres the lock is an advisory lock of the connection's session. On SQLite it is a lock on the file
/// `PATH.lock` beside the database, because SQLite's own lock ends with each transaction, and a migration run has
/// several transactions.
pub(crate) struct Locked {
    connection: DatabaseConnection,
    /// The locked file on SQLite, `None` on Postgres.
    _file: Option<File>,
}

impl Locked {
    /// Connects to the database at `url` and waits for the lock. Sets an SQLite database to WAL mode.
    ///
    /// # Errors
    /// If the database cannot be reached or the lock file cannot be created.
    pub(crate) async fn open(url: &str) -> Result<Self, DbErr> {
        let file = match sqlite_path(url) {
            Some(path) => Some(lock_beside(path.to_owned()).await?),
            None => None,
        };
        // The advisory lock belongs to one session, so the pool must not have a second connection.
        let mut options = ConnectOptions::new(url);
        options.max_connections(1).sqlx_logging(false);
        let connection = Database::connect(options).await?;
        if file.is_none() {
            connection.execute_unprepared(&format!("SELECT pg_advisory_lock({ADVISORY_LOCK})")).await?;
        } else {
            connection.execute_unprepared("PRAGMA journal_mode = WAL").await?;
        }
        Ok(Self { connection, _file: file })
    }

    /// Returns the connection.
    pub(crate) fn connection(&self) -> &DatabaseConnection {
        &self.connection
    }

    /// Closes the connection and the file, which releases the lock.
    ///
    /// # Errors
    /// If the connection cannot be closed.
    pub(crate) async fn release(self) -> Result<(), DbErr> {
        self.connection.close().await
    }
}

/// Returns the file path in an SQLite URL, or `None` for another URL.
fn sqlite_path(url: &str) -> Option<&str> {
    let path = url.strip_prefix("sqlite:")?;
    let path = path.strip_prefix("//").unwrap_or(path);
    Some(path.split('?').next().unwrap_or(path))
}

/// Creates the file `path.lock` and waits until this process has the lock on it.
async fn lock_beside(path: String) -> Result<File, DbErr> {
    let name = format!("{path}.lock");
    let lock = move || {
        let file = File::create(&name)?;
        file.lock()?;
        Ok(file)
    };
    tokio::task::spawn_blocking(lock)
        .await
        .map_err(|error| DbErr::Custom(error.to_string()))?
        .map_err(|error: std::io::Error| DbErr::Custom(format!("cannot lock {path}.lock: {error}")))
}
