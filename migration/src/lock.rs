//! One migrating process at a time.

use std::fs::File;

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr};

/// An arbitrary number that only Portico's migrations lock ("portico" in ASCII).
const ADVISORY_LOCK: i64 = 0x70_6f72_7469_636f;

/// A connection whose process alone migrates: by an advisory lock on Postgres, by a locked file beside the database on
/// SQLite (whose own lock ends with each transaction, while a migration run is several).
pub(crate) struct Locked {
    connection: DatabaseConnection,
    _file: Option<File>,
}

impl Locked {
    pub(crate) async fn open(url: &str) -> Result<Self, DbErr> {
        let file = match sqlite_path(url) {
            Some(path) => Some(lock_beside(path.to_owned()).await?),
            None => None,
        };
        // The advisory lock belongs to a session, so the pool is this one connection.
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

    pub(crate) fn connection(&self) -> &DatabaseConnection {
        &self.connection
    }

    /// Closing the session (and the file) gives both kinds of lock back.
    pub(crate) async fn release(self) -> Result<(), DbErr> {
        self.connection.close().await
    }
}

fn sqlite_path(url: &str) -> Option<&str> {
    let path = url.strip_prefix("sqlite:")?;
    let path = path.strip_prefix("//").unwrap_or(path);
    Some(path.split('?').next().unwrap_or(path))
}

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
