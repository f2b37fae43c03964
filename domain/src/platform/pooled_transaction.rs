//! Transactions through a pooler in transaction mode, such as PgBouncer.
//!
//! Such a pooler chooses a session of the server for each transaction. What must be sent to one session is therefore
//! sent in one transaction: also a single statement, because the driver prepares it in one message and runs it in a
//! later one. Statements have no name, because a name stays with the session, and the next client of that session uses
//! the same name. SeaORM names every statement, so these transactions use the driver below it.

use std::{fmt::Write, time::Duration};

use async_trait::async_trait;
use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, SqlxError, Statement,
    sea_query::Values,
    sqlx::{self, AssertSqlSafe, PgPool, Postgres, query::Query},
};
use sea_query_sqlx::SqlxValues;
use tokio::sync::Mutex;

/// Connections through a pooler. Each statement is a transaction of its own.
#[derive(Clone)]
pub(super) struct PooledConnection {
    pool: PgPool,
    statement_timeout: Option<Duration>,
}

/// A transaction through a pooler. It is rolled back if it is dropped without a commit.
pub(super) struct PooledTransaction(Mutex<sqlx::Transaction<'static, Postgres>>);

impl PooledConnection {
    /// Returns connections of `pool` on which a statement may take `statement_timeout`.
    pub(super) fn new(pool: PgPool, statement_timeout: Option<Duration>) -> Self {
        Self { pool, statement_timeout }
    }

    /// Begins a transaction. The limit of its statements ends with it.
    ///
    /// # Errors
    /// If no connection is free in time or the database cannot be reached.
    pub(super) async fn begin(&self) -> Result<PooledTransaction, DbErr> {
        let mut begin = "BEGIN".to_owned();
        if let Some(limit) = self.statement_timeout {
            let _ = write!(begin, "; SET LOCAL statement_timeout = {}", limit.as_millis());
        }
        let transaction = self.pool.begin_with(AssertSqlSafe(begin)).await.map_err(|error| match error {
            SqlxError::PoolTimedOut => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
            error => DbErr::Conn(RuntimeErr::SqlxError(error.into())),
        })?;
        Ok(PooledTransaction(Mutex::new(transaction)))
    }
}

#[async_trait]
impl ConnectionTrait for PooledConnection {
    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Postgres
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let transaction = self.begin().await?;
        let result = transaction.execute_raw(statement).await?;
        transaction.commit().await.map(|()| result)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let transaction = self.begin().await?;
        let result = transaction.execute_unprepared(sql).await?;
        transaction.commit().await.map(|()| result)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let transaction = self.begin().await?;
        let row = transaction.query_one_raw(statement).await?;
        transaction.commit().await.map(|()| row)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let transaction = self.begin().await?;
        let rows = transaction.query_all_raw(statement).await?;
        transaction.commit().await.map(|()| rows)
    }
}

impl PooledTransaction {
    /// Commits.
    ///
    /// # Errors
    /// If the connection is lost; the transaction may or may not be committed then.
    pub(super) async fn commit(self) -> Result<(), DbErr> {
        self.0.into_inner().commit().await.map_err(exec_error)
    }
}

#[async_trait]
impl ConnectionTrait for PooledTransaction {
    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Postgres
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let result = unnamed(statement).execute(&mut **self.0.lock().await).await;
        result.map(Into::into).map_err(exec_error)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let result = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut **self.0.lock().await).await;
        result.map(Into::into).map_err(exec_error)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let row = unnamed(statement).fetch_optional(&mut **self.0.lock().await).await;
        row.map(|row| row.map(Into::into)).map_err(query_error)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let rows = unnamed(statement).fetch_all(&mut **self.0.lock().await).await;
        rows.map(|rows| rows.into_iter().map(Into::into).collect()).map_err(query_error)
    }
}

fn unnamed(statement: Statement) -> Query<'static, Postgres, SqlxValues> {
    let values = statement.values.unwrap_or(Values(Vec::new()));
    sqlx::query_with(AssertSqlSafe(statement.sql), SqlxValues(values)).persistent(false)
}

fn exec_error(error: SqlxError) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(error.into()))
}

fn query_error(error: SqlxError) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}
