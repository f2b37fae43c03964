//! The connection to either database.

use std::{
    io,
    pin::pin,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use sea_orm::{
    AccessMode, ConnectOptions, Database, DatabaseConnection, DatabaseConnectionType, DatabaseTransaction, DbErr,
    IsolationLevel, SqlxError, TransactionTrait,
    sqlx::{
        Connection, PgConnection,
        sqlite::{SqliteJournalMode, SqliteSynchronous},
    },
};

use tokio::time::{Instant, sleep, timeout};
use tracing::warn;

use crate::{
    error::{Error, Result},
    settings::DatabaseSettings,
};

/// How long a request waits for a connection before it is answered 503.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
/// How long one statement may take.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);
/// The pause before a write that must not be lost is tried again.
const RETRY_INTERVAL: Duration = Duration::from_millis(200);

/// A connection that was used so lately is used again as it is. Any other is asked first whether it is still there, one round
/// trip more. So short that busy connections alone are spared the question.
const LIVENESS_CHECK_AFTER: Duration = Duration::from_millis(100);
/// How long it may take to say so.
const PING_TIMEOUT: Duration = Duration::from_secs(1);
/// After a connection was cut: how long those that come back from work are suspected of hanging.
const SUSPECT_PERIOD: Duration = Duration::from_secs(300);
/// When a connection was last found cut.
static LAST_CONNECTION_LOSS: Mutex<Option<Instant>> = Mutex::new(None);

/// How many connections are open, by whether somebody uses them.
pub(crate) struct PoolUse {
    pub(crate) busy: i64,
    pub(crate) idle: i64,
}

/// How the pool is used now.
pub(crate) fn pool_use(db: &DatabaseConnection) -> PoolUse {
    let (open, idle) = match &db.inner {
        DatabaseConnectionType::SqlxPostgresPoolConnection(_) => {
            let pool = db.get_postgres_connection_pool();
            (pool.size(), pool.num_idle())
        }
        DatabaseConnectionType::SqlxSqlitePoolConnection(_) => {
            let pool = db.get_sqlite_connection_pool();
            (pool.size(), pool.num_idle())
        }
        _ => (0, 0),
    };
    let idle = i64::try_from(idle).unwrap_or(i64::MAX);
    PoolUse { busy: (i64::from(open) - idle).max(0), idle }
}

/// Opens the pool.
///
/// # Errors
/// When the database cannot be reached.
pub async fn connect(settings: &DatabaseSettings) -> std::result::Result<DatabaseConnection, DbErr> {
    open(settings, Some(STATEMENT_TIMEOUT)).await
}

/// Opens the pool for work through which nobody waits: a statement may take as long as it takes.
///
/// # Errors
/// When the database cannot be reached.
pub(crate) async fn connect_without_statement_timeout(
    settings: &DatabaseSettings,
) -> std::result::Result<DatabaseConnection, DbErr> {
    open(settings, None).await
}

/// Begins a transaction for reading that sees the database as it is at its first statement, whatever others write.
///
/// # Errors
/// When the database cannot be reached.
pub(crate) async fn snapshot(
    db: &DatabaseConnection,
    settings: &DatabaseSettings,
) -> std::result::Result<DatabaseTransaction, DbErr> {
    if settings.url.starts_with("postgres") {
        db.begin_with_config(Some(IsolationLevel::RepeatableRead), Some(AccessMode::ReadOnly)).await
    } else {
        // Every transaction of SQLite is a snapshot.
        db.begin().await
    }
}

async fn open(
    settings: &DatabaseSettings,
    statement_timeout: Option<Duration>,
) -> std::result::Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(&settings.url);
    options
        .max_connections(settings.connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_timeout(ACQUIRE_TIMEOUT)
        // Statements carry addresses and hashes: they are never logged.
        .sqlx_logging(false)
        .test_before_acquire(false);
    options.map_sqlx_postgres_pool_opts(|pool| {
        pool.before_acquire(|connection, was| {
            Box::pin(async move {
                match trust(was.idle_for, since_connection_lost()) {
                    Trust::Full => Ok(true),
                    Trust::None => Ok(false),
                    Trust::IfAlive => is_alive(connection).await.inspect_err(|_| mark_connection_lost()),
                }
            })
        })
        // Given up in the middle of a statement, it would be waited for as long as the system waits for a lost peer.
        .after_release(|connection, _| {
            Box::pin(async move {
                match since_connection_lost().is_some_and(|since| since < SUSPECT_PERIOD) {
                    true => is_alive(connection).await,
                    false => Ok(true),
                }
            })
        })
    });
    if let Some(limit) = statement_timeout
        && settings.url.starts_with("postgres")
    {
        options.statement_timeout(limit);
    }
    // Write-ahead logging lets readers go on beside the one writer; FULL keeps what was acknowledged through a crash.
    options.map_sqlx_sqlite_opts(|sqlite| {
        sqlite
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(STATEMENT_TIMEOUT)
    });
    // A transaction that SQLite ended by itself, on a full disk, cannot be rolled back, and its connection believes to be inside
    // of it for ever: whatever it "commits" from then on is not written. Such a connection is closed.
    options.map_sqlx_sqlite_pool_opts(|pool| {
        pool.before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
    });
    Database::connect(options).await
}

/// What is known of a connection before it is used.
#[derive(Debug, PartialEq, Eq)]
enum Trust {
    /// It was used a moment ago.
    Full,
    /// It has been idle for a while.
    IfAlive,
    /// It was idle when another was found cut, and will have been cut, too.
    None,
}

fn trust(idle_for: Duration, since_connection_lost: Option<Duration>) -> Trust {
    match since_connection_lost {
        Some(since) if idle_for >= since => Trust::None,
        _ if idle_for < LIVENESS_CHECK_AFTER => Trust::Full,
        _ => Trust::IfAlive,
    }
}

/// Whether it does, in time: always, or an error.
async fn is_alive(connection: &mut PgConnection) -> std::result::Result<bool, SqlxError> {
    let silent = |_| Err(SqlxError::Io(io::ErrorKind::TimedOut.into()));
    timeout(PING_TIMEOUT, connection.ping()).await.unwrap_or_else(silent)?;
    Ok(true)
}

/// What `work` came to; none if it took longer than `limit`, which work with the database does that hangs. Its connection is
/// suspected then, and so are those that were idle meanwhile.
pub async fn with_timeout<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    tokio::select! {
        done = &mut work => Some(done),
        () = sleep(limit) => {
            // Before the work is dropped, and its connection with it.
            mark_connection_lost();
            None
        }
    }
}

/// Notes that a connection was found cut or silent. Those that were idle then are not used any more.
pub(crate) fn mark_connection_lost() {
    *LAST_CONNECTION_LOSS.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
}

/// How long ago that was.
fn since_connection_lost() -> Option<Duration> {
    LAST_CONNECTION_LOSS.lock().unwrap_or_else(PoisonError::into_inner).map(|cut| cut.elapsed())
}

/// Tries `write` again while the database is away, for at most `limit`. For what has happened outside and must be
/// written down, or it happens again: a mail that was sent, a job that has run.
///
/// # Errors
/// What `write` failed with at last; at once if that was no outage.
pub(crate) async fn retry_until<T, F>(limit: Duration, write: impl Fn() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let until = Instant::now() + limit;
    loop {
        match write().await {
            Err(Error::Unavailable(why) | Error::Aborted(why)) if Instant::now() < until => {
                warn!(why, "the database is away; what has happened is written down as soon as it is back");
                sleep(RETRY_INTERVAL).await;
            }
            outcome => return outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_used_a_moment_ago_is_not_asked_and_who_was_idle_at_a_cut_not_used() {
        let (long, short) = (LIVENESS_CHECK_AFTER, LIVENESS_CHECK_AFTER / 2);
        assert_eq!(trust(short, None), Trust::Full);
        assert_eq!(trust(long, None), Trust::IfAlive);
        assert_eq!(trust(short, Some(long)), Trust::Full);
        assert_eq!(trust(long, Some(2 * long)), Trust::IfAlive);
        for idle in [short, long, 60 * long] {
            assert_eq!(trust(idle, Some(short)), Trust::None);
        }
    }
}
