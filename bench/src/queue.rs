//! Jobs, put where Portico puts them: rows that are committed, then ids on the wire.

use anyhow::Result;
use sea_orm::DatabaseConnection;
use tokio::time::{Duration, Instant, sleep};

use crate::{postgres, redis::Redis};

/// How long a queue may take to run empty.
const WITHIN: Duration = Duration::from_secs(300);

/// A new UUIDv7 (RFC 9562 §5.7) in SQL.
pub(crate) const NEW_ID: &str = "(lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') || '7' || \
                                 substr(md5(random()::text), 1, 3) || '8' || substr(md5(random()::text), 1, 15))::uuid";

/// Inserts jobs of this name into `lane`, one for each `payload` that `source` selects, and returns their ids.
pub(crate) async fn insert(db: &DatabaseConnection, name: &str, lane: &str, source: &str) -> Result<Vec<String>> {
    let sql = format!(
        "INSERT INTO background_jobs (id, name, lane, payload, state, attempts, max_attempts, crash_count, run_at, pushed_at, created_at)
         SELECT {NEW_ID}, '{name}', '{lane}', payload, 'queued', 0, 8, 0, clock_timestamp(), clock_timestamp(), clock_timestamp()
         FROM ({source}) AS source RETURNING id::text"
    );
    postgres::column(db, &sql).await
}

/// Puts ids onto the wire of `lane`.
pub(crate) async fn push(redis: &mut Redis, lane: &str, ids: &[String]) -> Result<()> {
    let key = format!("portico:lane:{lane}");
    for ids in ids.chunks(1_000) {
        let mut words = vec!["ZADD".to_owned(), key.clone(), "NX".to_owned()];
        for id in ids {
            // Scored by the time in the id.
            let time = u64::from_str_radix(&id.replace('-', "")[..12], 16)?;
            words.extend([time.to_string(), id.clone()]);
        }
        redis.run(&words.iter().map(String::as_str).collect::<Vec<_>>()).await?;
    }
    Ok(())
}

/// How many jobs of `lane` are not done.
pub(crate) async fn open(db: &DatabaseConnection, lane: &str) -> Result<i64> {
    let sql = format!("SELECT count(*) FROM background_jobs WHERE lane = '{lane}' AND state <> 'done'");
    Ok(postgres::column::<i64>(db, &sql).await?.into_iter().sum())
}

/// Waits until every job of `lane` is done.
pub(crate) async fn drained(db: &DatabaseConnection, lane: &str) -> Result<()> {
    let deadline = Instant::now() + WITHIN;
    while open(db, lane).await? > 0 {
        anyhow::ensure!(Instant::now() < deadline, "the {lane} lane does not run empty");
        sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}
