//! The pool of database connections, for Postgres and SQLite.

use std::{future::Future, pin::pin, sync::Arc, time::Duration};

use async_trait::async_trait;
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DatabaseConnectionType, DatabaseTransaction, DbBackend, DbErr,
    ExecResult, IsolationLevel, QueryResult, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
    sqlx::{
        Connection,
        sqlite::{SqliteJournalMode, SqliteSynchronous},
    },
};
use tokio::time::{Instant, sleep};
use tracing::warn;

use super::{
    connection_health::ConnectionHealth,
    error::{Error, Result},
    metrics,
    pooled_transaction::{PooledConnection, PooledTransaction},
    settings::DatabaseSettings,
    transient_db_error::TransientDbError,
};

/// How long a request waits for a connection before it is answered 503.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
/// How long one statement may take.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);
/// The pause before [`retry_for`] tries again.
const RETRY_INTERVAL: Duration = Duration::from_millis(200);

/// A pool of database connections. Cheap to clone; all clones share one pool.
///
/// Every statement passes through here, so that the pool learns of lost connections from the errors of statements.
#[derive(Clone)]
pub struct Database {
    connection: DatabaseConnection,
    /// How statements reach `connection`.
    route: Route<DatabaseConnection, PooledConnection>,
    health: Arc<ConnectionHealth>,
}

/// A database transaction. It is rolled back if it is dropped without a commit.
pub struct Transaction {
    inner: Route<DatabaseTransaction, PooledTransaction>,
    health: Arc<ConnectionHealth>,
}

/// The two ways to the server.
#[derive(Clone)]
enum Route<D, P> {
    /// The server, or a pooler in session mode.
    Direct(D),
    /// A pooler in transaction mode.
    Pooled(P),
}

/// How many connections of a pool are in use and idle.
pub(super) struct PoolUse {
    /// The number of connections in use.
    pub(super) busy: i64,
    /// The number of idle connections.
    pub(super) idle: i64,
}

impl Database {
    /// Opens a pool. A statement may take 10 seconds.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn connect(settings: &DatabaseSettings) -> std::result::Result<Self, DbErr> {
        Self::open(settings, Some(STATEMENT_TIMEOUT), false).await
    }

    /// Creates a pool that opens its first connection when it is used.
    ///
    /// # Errors
    /// If the URL is not valid.
    pub async fn connect_lazily(settings: &DatabaseSettings) -> std::result::Result<Self, DbErr> {
        let mut settings = settings.clone();
        // Opening a SQLite file would create it.
        if settings.sqlite_path().is_some_and(|path| !path.exists()) {
            settings.url = "sqlite::memory:".into();
        }
        Self::open(&settings, Some(STATEMENT_TIMEOUT), true).await
    }

    /// Opens a pool without a time limit for statements, for work that no request waits for.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub(crate) async fn connect_without_statement_timeout(
        settings: &DatabaseSettings,
    ) -> std::result::Result<Self, DbErr> {
        Self::open(settings, None, false).await
    }

    async fn open(
        settings: &DatabaseSettings,
        statement_timeout: Option<Duration>,
        lazily: bool,
    ) -> std::result::Result<Self, DbErr> {
        let health = Arc::<ConnectionHealth>::default();
        let mut options = settings.connect_options();
        options
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .connect_lazy(lazily);
        let (connected, acquired, released) = (health.clone(), health.clone(), health.clone());
        options.map_sqlx_postgres_pool_opts(move |pool| {
            let (connected, acquired, released) = (connected.clone(), acquired.clone(), released.clone());
            pool.after_connect(move |connection, _| {
                let health = connected.clone();
                Box::pin(async move { health.after_connect(connection).await })
            })
            .before_acquire(move |connection, state| {
                let health = acquired.clone();
                Box::pin(async move { health.before_acquire(connection, state.idle_for).await })
            })
            .after_release(move |connection, _| {
                let health = released.clone();
                Box::pin(async move { health.after_release(connection).await })
            })
        });
        if let Some(limit) = settings.startup_statement_timeout(statement_timeout) {
            options.statement_timeout(limit);
        }
        // With write-ahead logging, readers do not wait for the one writer. With FULL, committed data survives a power
        // failure.
        options.map_sqlx_sqlite_opts(|sqlite| {
            sqlite
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true)
                .busy_timeout(STATEMENT_TIMEOUT)
        });
        // SQLite itself rolls back the transaction when the disk is full. The driver still reports an open transaction,
        // so later commits on this connection write nothing. Such a connection is closed.
        options.map_sqlx_sqlite_pool_opts(|pool| {
            pool.before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
        });
        let connection = sea_orm::Database::connect(options).await?;
        let route = match settings.has_transaction_pooler {
            true => {
                let pool = connection.get_postgres_connection_pool().clone();
                Route::Pooled(PooledConnection::new(pool, statement_timeout))
            }
            false => Route::Direct(connection.clone()),
        };
        Ok(Self { connection, route, health })
    }

    /// Begins a transaction for writing.
    ///
    /// # Errors
    /// `unavailable` if no connection is free in time or the database cannot be reached.
    pub(super) async fn begin(&self) -> Result<Transaction> {
        let begun = match &self.route {
            Route::Direct(_) => self.begin_raw().await.map(Route::Direct),
            Route::Pooled(pooled) => pooled.begin().await.map(Route::Pooled),
        };
        let inner = begun.inspect_err(|error| record_pool_error(&self.health, error))?;
        Ok(Transaction { inner, health: self.health.clone() })
    }

    /// Begins a transaction for writing, as the database library's own type. It cannot be used through a pooler.
    ///
    /// SQLite must know from the start that a transaction will write: a reader that becomes a writer fails immediately
    /// if another connection has written in between. Postgres ignores the mode.
    ///
    /// # Errors
    /// If no connection is free in time or the database cannot be reached.
    pub(crate) async fn begin_raw(&self) -> std::result::Result<DatabaseTransaction, DbErr> {
        let mode = Some(SqliteTransactionMode::Immediate);
        let options = TransactionOptions { sqlite_transaction_mode: mode, ..Default::default() };
        self.connection.begin_with_options(options).await
    }

    /// Begins a read-only transaction that sees the database as it is at its first statement.
    ///
    /// # Errors
    /// If no connection is free in time or the database cannot be reached.
    pub(crate) async fn snapshot(&self) -> std::result::Result<DatabaseTransaction, DbErr> {
        match self.get_database_backend() {
            DbBackend::Postgres => {
                let (isolation, access) = (IsolationLevel::RepeatableRead, AccessMode::ReadOnly);
                self.connection.begin_with_config(Some(isolation), Some(access)).await
            }
            // Every transaction of SQLite is a snapshot.
            _ => self.connection.begin().await,
        }
    }

    /// Returns whether the database answers and can be written. Writes nothing.
    ///
    /// # Errors
    /// If it does not answer.
    pub(super) async fn is_writable(&self) -> std::result::Result<bool, DbErr> {
        if self.get_database_backend() != DbBackend::Postgres {
            return self.connection.ping().await.map(|()| true);
        }
        let question = "SELECT current_setting('transaction_read_only') = 'off'";
        let row = self.query_one_raw(Statement::from_string(DbBackend::Postgres, question)).await?;
        let is_writable = row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or(false);
        if !is_writable {
            self.health.mark_connection_lost();
        }
        Ok(is_writable)
    }

    /// Returns how many connections are in use and idle.
    pub(super) fn pool_use(&self) -> PoolUse {
        let (open, idle) = match &self.connection.inner {
            DatabaseConnectionType::SqlxPostgresPoolConnection(_) => {
                let pool = self.connection.get_postgres_connection_pool();
                (pool.size(), pool.num_idle())
            }
            DatabaseConnectionType::SqlxSqlitePoolConnection(_) => {
                let pool = self.connection.get_sqlite_connection_pool();
                (pool.size(), pool.num_idle())
            }
            _ => (0, 0),
        };
        let idle = i64::try_from(idle).unwrap_or(i64::MAX);
        PoolUse { busy: (i64::from(open) - idle).max(0), idle }
    }

    /// Runs `work`, which uses the database. Returns `None` if it takes longer than `limit`.
    ///
    /// After a timeout, the connections that are idle now are not used again, because a database that stops responding
    /// does not close its connections.
    pub async fn with_timeout<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        tokio::select! {
            output = &mut work => Some(output),
            () = sleep(limit) => {
                // Before `work` is dropped, which returns its connection to the pool.
                self.health.mark_connection_lost();
                None
            }
        }
    }
}

impl Transaction {
    /// Commits.
    ///
    /// # Errors
    /// As for every statement. If the connection is lost, the transaction may or may not be committed.
    pub(super) async fn commit(self) -> Result<()> {
        let Self { inner, health } = self;
        let committed = match inner {
            Route::Direct(inner) => inner.commit().await,
            Route::Pooled(inner) => inner.commit().await,
        };
        Ok(committed.inspect_err(|error| record_pool_error(&health, error))?)
    }
}

/// Records what `error` shows about the pool: that no connection was free in time, or that a connection was lost.
fn record_pool_error(health: &ConnectionHealth, error: &DbErr) {
    if matches!(error, DbErr::ConnectionAcquire(_)) {
        metrics::acquire_failed();
    }
    if TransientDbError::of(error) == Some(TransientDbError::ConnectionLost) {
        health.mark_connection_lost();
    }
}

#[async_trait]
impl<D: ConnectionTrait + Send, P: ConnectionTrait + Send> ConnectionTrait for Route<D, P> {
    fn get_database_backend(&self) -> DbBackend {
        match self {
            Self::Direct(direct) => direct.get_database_backend(),
            Self::Pooled(pooled) => pooled.get_database_backend(),
        }
    }

    async fn execute_raw(&self, statement: Statement) -> std::result::Result<ExecResult, DbErr> {
        match self {
            Self::Direct(direct) => direct.execute_raw(statement).await,
            Self::Pooled(pooled) => pooled.execute_raw(statement).await,
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> std::result::Result<ExecResult, DbErr> {
        match self {
            Self::Direct(direct) => direct.execute_unprepared(sql).await,
            Self::Pooled(pooled) => pooled.execute_unprepared(sql).await,
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> std::result::Result<Option<QueryResult>, DbErr> {
        match self {
            Self::Direct(direct) => direct.query_one_raw(statement).await,
            Self::Pooled(pooled) => pooled.query_one_raw(statement).await,
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> std::result::Result<Vec<QueryResult>, DbErr> {
        match self {
            Self::Direct(direct) => direct.query_all_raw(statement).await,
            Self::Pooled(pooled) => pooled.query_all_raw(statement).await,
        }
    }
}

macro_rules! impl_connection_trait {
    ($type:ident, $inner:ident) => {
        #[async_trait]
        impl ConnectionTrait for $type {
            fn get_database_backend(&self) -> DbBackend {
                ConnectionTrait::get_database_backend(&self.$inner)
            }

            async fn execute_raw(&self, statement: Statement) -> std::result::Result<ExecResult, DbErr> {
                self.$inner.execute_raw(statement).await.inspect_err(|error| record_pool_error(&self.health, error))
            }

            async fn execute_unprepared(&self, sql: &str) -> std::result::Result<ExecResult, DbErr> {
                self.$inner.execute_unprepared(sql).await.inspect_err(|error| record_pool_error(&self.health, error))
            }

            async fn query_one_raw(&self, statement: Statement) -> std::result::Result<Option<QueryResult>, DbErr> {
                self.$inner.query_one_raw(statement).await.inspect_err(|error| record_pool_error(&self.health, error))
            }

            async fn query_all_raw(&self, statement: Statement) -> std::result::Result<Vec<QueryResult>, DbErr> {
                self.$inner.query_all_raw(statement).await.inspect_err(|error| record_pool_error(&self.health, error))
            }
        }
    };
}

impl_connection_trait!(Database, route);
impl_connection_trait!(Transaction, inner);

/// How long [`retry_for`] waits for one attempt.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);

/// Runs `write` and tries again while the database is unavailable, for at most `duration`.
///
/// Use it to record what has already happened outside of the database and would happen again if it is not recorded: a
/// mail that was sent, a job that has run. `write` must do no harm if it runs twice: an attempt that gets no answer for
/// 5 seconds is given up and repeated, because its connection may be dead.
///
/// # Errors
/// The last error of `write`; immediately if the error is not transient.
pub(crate) async fn retry_for<T, F>(db: &Database, duration: Duration, write: impl Fn() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let deadline = Instant::now() + duration;
    loop {
        let no_answer = || Err(Error::Unavailable("the database does not answer".into()));
        match db.with_timeout(WRITE_TIMEOUT, write()).await.unwrap_or_else(no_answer) {
            Err(Error::Unavailable(reason) | Error::Aborted(reason)) if Instant::now() < deadline => {
                warn!(reason, "the database is unavailable; retrying the write");
                sleep(RETRY_INTERVAL).await;
            }
            result => return result,
        }
    }
}
