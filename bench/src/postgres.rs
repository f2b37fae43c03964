//! Databases of the run's own Postgres.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use anyhow::{Context, Result, anyhow};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, Statement, TryGetable};
use tokio::{task::JoinSet, time::Instant};

/// As many connections as a process of Portico opens unless told otherwise.
pub(crate) const CONNECTIONS: u32 = 16;

#[expect(clippy::disallowed_methods, reason = "what bin/services provides, not a setting of the program")]
pub(crate) fn provided(name: &str) -> Result<String> {
    std::env::var(name).map_err(|_| anyhow!("{name} is not set: run this by bin/bench"))
}

/// Makes an empty database and returns its URL.
pub(crate) async fn create() -> Result<String> {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let server = provided("PORTICO_TEST_POSTGRES")?;
    let name = format!("bench_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let db = connect(&format!("{server}/postgres"), 1).await?;
    db.execute_unprepared(&format!("CREATE DATABASE {name}")).await?;
    db.close().await?;
    Ok(format!("{server}/{name}"))
}

/// Opens `connections` connections.
pub(crate) async fn connect(url: &str, connections: u32) -> Result<DatabaseConnection> {
    let mut options = ConnectOptions::new(url);
    options.min_connections(connections).max_connections(connections).sqlx_logging(false);
    Database::connect(options).await.context("connecting to Postgres")
}

/// The rows of a query of one column.
pub(crate) async fn column<T: TryGetable>(db: &DatabaseConnection, sql: &str) -> Result<Vec<T>> {
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    rows.iter().map(|row| Ok(row.try_get_by_index(0)?)).collect()
}

/// Commits a second: single-row INSERTs, a transaction each, on as many connections as Portico has.
pub(crate) async fn commit_rate(url: &str, window: Duration) -> Result<f64> {
    let db = connect(url, CONNECTIONS).await?;
    db.execute_unprepared(
        "CREATE TABLE IF NOT EXISTS commits (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, text text NOT NULL)",
    )
    .await?;
    let (mut tasks, started) = (JoinSet::new(), Instant::now());
    for _ in 0..CONNECTIONS {
        let db = db.clone();
        tasks.spawn(async move {
            let insert =
                Statement::from_string(db.get_database_backend(), "INSERT INTO commits (text) VALUES ('one row')");
            let mut count = 0_usize;
            while started.elapsed() < window {
                db.execute_raw(insert.clone()).await?;
                count += 1;
            }
            anyhow::Ok(count)
        });
    }
    let mut count = 0;
    while let Some(done) = tasks.join_next().await {
        count += done??;
    }
    let rate = count as f64 / started.elapsed().as_secs_f64();
    db.close().await?;
    Ok(rate)
}
