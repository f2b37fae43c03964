//! Databases on the Postgres server of `bin/services`.

use std::{
    process,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use anyhow::{Context, Result, anyhow};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, Statement, TryGetable};
use tokio::{task::JoinSet, time::Instant};

/// The number of connections of a Portico process. It is the default of `PORTICO_DATABASE_CONNECTIONS`.
pub(crate) const CONNECTIONS: u32 = 16;

/// Returns a variable that `bin/services` sets.
///
/// # Errors
/// Returns an error if the variable is not set.
#[expect(clippy::disallowed_methods, reason = "bin/services sets these variables; they are no settings of Portico")]
pub(crate) fn provided(name: &str) -> Result<String> {
    std::env::var(name).map_err(|_| anyhow!("{name} is not set; start this program with bin/bench"))
}

/// Creates an empty database and returns its URL. [`drop_created`] drops it.
///
/// The name holds the id of this process, so that several runs can use one server.
pub(crate) async fn create() -> Result<String> {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let server = provided("PORTICO_TEST_POSTGRES")?;
    let name = format!("{}{}", name_prefix(), COUNT.fetch_add(1, Ordering::Relaxed));
    let db = connect(&format!("{server}/postgres"), 1).await?;
    // A run that was killed leaves its databases behind, and a later process can have the same id.
    db.execute_unprepared(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?;
    db.execute_unprepared(&format!("CREATE DATABASE {name}")).await?;
    db.close().await?;
    Ok(format!("{server}/{name}"))
}

/// Drops every database that [`create`] has created in this process. Closes connections to them.
pub(crate) async fn drop_created() -> Result<()> {
    let db = connect(&format!("{}/postgres", provided("PORTICO_TEST_POSTGRES")?), 1).await?;
    let sql = format!("SELECT datname::text FROM pg_database WHERE starts_with(datname, '{}')", name_prefix());
    for name in column::<String>(&db, &sql).await? {
        db.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)")).await?;
    }
    Ok(db.close().await?)
}

/// Returns the start of the names of this process's databases.
fn name_prefix() -> String {
    format!("bench_{}_", process::id())
}

/// Opens a pool that always has `connections` connections.
pub(crate) async fn connect(url: &str, connections: u32) -> Result<DatabaseConnection> {
    let mut options = ConnectOptions::new(url);
    options.min_connections(connections).max_connections(connections).sqlx_logging(false);
    Database::connect(options).await.context("cannot connect to Postgres")
}

/// Returns the first column of the rows of a query.
pub(crate) async fn column<T: TryGetable>(db: &DatabaseConnection, sql: &str) -> Result<Vec<T>> {
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    rows.iter().map(|row| Ok(row.try_get_by_index(0)?)).collect()
}

/// Measures how many commits per second the database at `url` reaches: INSERTs of one row, each in a transaction of its
/// own, over as many connections as a Portico process has.
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
    let mut total = 0;
    while let Some(count) = tasks.join_next().await {
        total += count??;
    }
    let rate = total as f64 / started.elapsed().as_secs_f64();
    db.close().await?;
    Ok(rate)
}
