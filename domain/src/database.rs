//! The connection to either database.

use std::time::Duration;

use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DbErr,
    sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous},
};

use crate::settings::DatabaseSettings;

/// How long a request waits for a connection before it is answered 503.
const ACQUIRE_WITHIN: Duration = Duration::from_secs(3);
/// How long one statement may take.
const STATEMENT_WITHIN: Duration = Duration::from_secs(10);

/// Opens the pool.
///
/// # Errors
/// When the database cannot be reached.
pub async fn connect(settings: &DatabaseSettings) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(&settings.url);
    options
        .max_connections(settings.connections)
        .acquire_timeout(ACQUIRE_WITHIN)
        .connect_timeout(ACQUIRE_WITHIN)
        // Statements carry addresses and hashes: they are never logged.
        .sqlx_logging(false);
    if settings.url.starts_with("postgres") {
        options.statement_timeout(STATEMENT_WITHIN);
    }
    // Write-ahead logging lets readers go on beside the one writer; FULL keeps what was acknowledged through a crash.
    options.map_sqlx_sqlite_opts(|sqlite| {
        sqlite
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(STATEMENT_WITHIN)
    });
    Database::connect(options).await
}
