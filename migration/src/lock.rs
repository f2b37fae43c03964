//! The lock that lets only one process migrate a database at a time.

use std::{
    fs::{File, TryLockError},
    future::Future,
    pin::pin,
    time::Duration,
};

use percent_encoding::percent_decode_str;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseExecutor, DatabaseTransaction, DbBackend,
    DbErr, IntoDatabaseExecutor, RuntimeErr, Statement, TransactionTrait,
};
use tokio::time::{Instant, sleep, timeout};
use tracing::warn;

/// The key of the Postgres advisory lock. The number is arbitrary: "portico" in ASCII.
const ADVISORY_LOCK: i64 = 0x70_6f72_7469_636f;
/// The pause before the next attempt to take the lock.
const RETRY_INTERVAL: Duration = Duration::from_millis(250);
/// How often the log says what this process waits for.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);
/// How long reading the schema waits for a lock on a table.
const READ_LOCK_TIMEOUT: Duration = Duration::from_secs(10);
/// Removes the prepared statements of the session. Through a pooler in transaction mode, they would otherwise remain
/// for the next client of the session, or would be those of the previous one.
const FORGET_STATEMENTS: &str = "DEALLOCATE ALL";

/// A connection that holds the migration lock.
///
/// On Postgres the lock is an advisory lock of a transaction, in which the migrations run: it ends with the connection,
/// also through a pooler. On SQLite it is a lock on the file `PATH.lock` beside the database, because SQLite's own lock
/// ends with each transaction, and a migration run has several transactions.
pub(crate) struct Locked {
    connection: DatabaseConnection,
    held: Held,
}

/// What holds the lock.
enum Held {
    Postgres(DatabaseTransaction),
    Sqlite(#[expect(dead_code, reason = "the lock ends when the file is closed")] File),
}

impl Locked {
    /// Connects to the database and waits for the lock, at most `max_wait`. Sets an SQLite database to WAL mode.
    ///
    /// While it waits, it logs every 10 seconds which process has the lock, as far as the database shows it.
    ///
    /// # Errors
    /// If the database cannot be reached, if the lock file cannot be created, or if another process still has the lock
    /// after `max_wait`.
    pub(crate) async fn open(mut options: ConnectOptions, max_wait: Duration) -> Result<Self, DbErr> {
        let path = sqlite_path(options.get_url());
        options.max_connections(1).sqlx_logging(false);
        if let Some(path) = path {
            let file = lock_file(&path, max_wait).await?;
            let connection = Database::connect(options).await?;
            connection.execute_unprepared("PRAGMA journal_mode = WAL").await?;
            return Ok(Self { connection, held: Held::Sqlite(file) });
        }
        let connection = Database::connect(options).await?;
        let transaction = lock_database(&connection, max_wait).await?;
        Ok(Self { connection, held: Held::Postgres(transaction) })
    }

    /// Returns what migrations run on.
    pub(crate) fn executor(&self) -> DatabaseExecutor<'_> {
        match &self.held {
            Held::Postgres(transaction) => transaction.into_database_executor(),
            Held::Sqlite(_) => self.connection.into_database_executor(),
        }
    }

    /// Commits, closes the connection and the file, and releases the lock.
    ///
    /// # Errors
    /// If the commit fails or the connection cannot be closed.
    pub(crate) async fn commit(self) -> Result<(), DbErr> {
        if let Held::Postgres(transaction) = self.held {
            transaction.execute_unprepared(FORGET_STATEMENTS).await?;
            transaction.commit().await?;
        }
        self.connection.close().await
    }
}

/// Runs `read` on one session of the database, also through a pooler, and leaves nothing behind.
///
/// # Errors
/// The error of `read`, or an error of the database.
pub(crate) async fn begin_read(options: impl Into<ConnectOptions>) -> Result<DatabaseTransaction, DbErr> {
    let mut options = options.into();
    options.max_connections(1).sqlx_logging(false);
    let transaction = Database::connect(options).await?.begin().await?;
    forget_statements(&transaction).await?;
    limit_table_locks(&transaction, READ_LOCK_TIMEOUT).await?;
    Ok(transaction)
}

/// Lets statements of `transaction` on Postgres fail that wait longer than `max_wait` for a lock on a table.
///
/// # Errors
/// If the database fails.
async fn limit_table_locks(transaction: &DatabaseTransaction, max_wait: Duration) -> Result<(), DbErr> {
    if transaction.get_database_backend() == DbBackend::Postgres {
        // 0 would be no limit.
        let limit = format!("SET LOCAL lock_timeout = {}", max_wait.as_millis().clamp(1, 1_000_000_000));
        transaction.execute_unprepared(&limit).await?;
    }
    Ok(())
}

/// Waits for `work` on the database. Every 10 seconds, logs that it goes on: it may wait for a lock on a table.
///
/// # Errors
/// The error of `work`, with an explanation if a lock was not released in time.
pub(crate) async fn report_waiting<T>(work: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
    let (mut work, started) = (pin!(work), Instant::now());
    loop {
        match timeout(REPORT_INTERVAL, &mut work).await {
            Ok(Err(error)) if is_lock_timeout(&error) => {
                let waited = started.elapsed().as_secs();
                return Err(DbErr::Custom(format!(
                    "another session has locked a table of the schema for {waited} s; pg_locks and pg_stat_activity show \
                     which; wait until it ends, or end it (PORTICO_MIGRATE_WAIT is how long a migration waits)"
                )));
            }
            Ok(result) => return result,
            Err(_) => warn!(
                waited_seconds = started.elapsed().as_secs(),
                "still working on the schema; perhaps another session has locked a table (see pg_locks)"
            ),
        }
    }
}

/// Returns whether a statement did not get a lock in time (`lock_not_available`).
fn is_lock_timeout(error: &DbErr) -> bool {
    let (DbErr::Exec(error) | DbErr::Query(error)) = error else { return false };
    let RuntimeErr::SqlxError(error) = error else { return false };
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == "55P03")
}

/// Removes the prepared statements of the session on Postgres.
///
/// # Errors
/// If the database fails.
pub(crate) async fn forget_statements(transaction: &DatabaseTransaction) -> Result<(), DbErr> {
    if transaction.get_database_backend() == DbBackend::Postgres {
        transaction.execute_unprepared(FORGET_STATEMENTS).await?;
    }
    Ok(())
}

/// Begins a transaction that has the advisory lock.
async fn lock_database(connection: &DatabaseConnection, max_wait: Duration) -> Result<DatabaseTransaction, DbErr> {
    let mut wait = Wait::new(max_wait);
    loop {
        let transaction = connection.begin().await?;
        // Without a prepared statement, the number of rows is the answer.
        let try_lock = format!("SELECT 1 WHERE pg_try_advisory_xact_lock({ADVISORY_LOCK})");
        if transaction.execute_unprepared(&try_lock).await?.rows_affected() == 1 {
            transaction.execute_unprepared(FORGET_STATEMENTS).await?;
            limit_table_locks(&transaction, max_wait).await?;
            return Ok(transaction);
        }
        // The lock is requested again in a new transaction, so that the wait holds no session of a pooler.
        let holder = if wait.is_report_due() { Some(holder(&transaction, wait.reports).await?) } else { None };
        transaction.rollback().await?;
        wait.pause(holder).await?;
    }
}

/// Creates the file `path.lock` and waits until this process has the lock on it.
async fn lock_file(path: &str, max_wait: Duration) -> Result<File, DbErr> {
    let failed = |error: std::io::Error| DbErr::Custom(format!("cannot lock {path}.lock: {error}"));
    let file = File::create(format!("{path}.lock")).map_err(failed)?;
    let mut wait = Wait::new(max_wait);
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
            Err(TryLockError::WouldBlock) => {
                let holder = wait.is_report_due().then(|| format!("a process that has locked {path}.lock"));
                wait.pause(holder).await?;
            }
        }
    }
}

/// Returns a description of the session that has the advisory lock, as far as this user may see it.
///
/// The text of the query differs in each report, because the driver remembers what it has prepared, and the statement
/// is removed after each report.
async fn holder(transaction: &DatabaseTransaction, report: u32) -> Result<String, DbErr> {
    let question = format!(
        "SELECT concat_ws(', ', 'pid ' || l.pid, nullif(a.application_name, ''), host(a.client_addr), a.state, \
         'connected since ' || date_trunc('second', a.backend_start), \
         'in a transaction since ' || date_trunc('second', a.xact_start)) \
         FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid \
         WHERE l.locktype = 'advisory' AND l.granted AND l.classid = {} AND l.objid = {} \
         AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) /* report {report} */",
        ADVISORY_LOCK >> 32,
        ADVISORY_LOCK & 0xffff_ffff,
    );
    transaction.execute_unprepared(FORGET_STATEMENTS).await?;
    let row = transaction.query_one_raw(Statement::from_string(DbBackend::Postgres, question)).await?;
    transaction.execute_unprepared(FORGET_STATEMENTS).await?;
    let description = row.map(|row| row.try_get_by_index(0)).transpose()?;
    Ok(description.unwrap_or_else(|| "a session that has just ended".to_owned()))
}

/// A wait for the lock.
struct Wait {
    started: Instant,
    max: Duration,
    reports: u32,
}

impl Wait {
    fn new(max: Duration) -> Self {
        Self { started: Instant::now(), max, reports: 0 }
    }

    /// Returns whether the log should say now what has the lock, or whether the wait ends now.
    fn is_report_due(&self) -> bool {
        let waited = self.started.elapsed();
        waited >= REPORT_INTERVAL * (self.reports + 1) || waited >= self.max
    }

    /// Logs `holder`, and pauses before the next attempt.
    ///
    /// # Errors
    /// If the wait has lasted as long as it may.
    async fn pause(&mut self, holder: Option<String>) -> Result<(), DbErr> {
        if let Some(holder) = holder {
            let waited_seconds = self.started.elapsed().as_secs();
            if self.started.elapsed() >= self.max {
                return Err(DbErr::Custom(format!(
                    "another process has held the migration lock for {waited_seconds} s: {holder}; wait until it ends, \
                     or end it (PORTICO_MIGRATE_WAIT is how long to wait)"
                )));
            }
            self.reports += 1;
            warn!(waited_seconds, "waiting for the migration lock, which is held by {holder}");
        }
        sleep(RETRY_INTERVAL).await;
        Ok(())
    }
}

/// Returns the file path in an SQLite URL, which the driver decodes too; `None` for another URL.
fn sqlite_path(url: &str) -> Option<String> {
    let path = url.strip_prefix("sqlite:")?;
    let path = path.strip_prefix("//").unwrap_or(path);
    let path = path.split('?').next().unwrap_or(path);
    Some(percent_decode_str(path).decode_utf8_lossy().into_owned())
}
