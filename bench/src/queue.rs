//! Enqueues jobs as Portico does: first committed rows in `background_jobs`, then their ids in Redis.

use anyhow::{Result, ensure};
use sea_orm::DatabaseConnection;
use tokio::time::{Duration, Instant, sleep};

use crate::{postgres, redis::Redis};

/// How long the workers may take to finish all jobs of a lane.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(300);

/// An SQL expression that returns a new UUIDv7 (RFC 9562 §5.7).
pub(crate) const NEW_ID: &str = "(lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') || \
                                 '7' || substr(md5(random()::text), 1, 3) || '8' || substr(md5(random()::text), 1, 15))::uuid";

/// Inserts one job for each row that the query `source` returns, and returns the ids of the jobs.
///
/// `name` is the name of the jobs, and `lane` is their lane. `source` returns one column `payload` of type `jsonb`.
pub(crate) async fn insert(db: &DatabaseConnection, name: &str, lane: &str, source: &str) -> Result<Vec<String>> {
    let sql = format!(
        "INSERT INTO background_jobs
             (id, name, lane, payload, state, attempts, max_attempts, crash_count, run_at, pushed_at, created_at)
         SELECT {NEW_ID}, '{name}', '{lane}', payload, 'queued', 0, 8, 0,
                clock_timestamp(), clock_timestamp(), clock_timestamp()
         FROM ({source}) AS source RETURNING id::text"
    );
    postgres::column(db, &sql).await
}

/// Pushes the ids of jobs to the queue of `lane` in Redis.
pub(crate) async fn push(redis: &mut Redis, lane: &str, ids: &[String]) -> Result<()> {
    let key = format!("portico:lane:{lane}");
    for ids in ids.chunks(1_000) {
        let mut words = vec!["ZADD".to_owned(), key.clone(), "NX".to_owned()];
        for id in ids {
            // The score is the time in the UUIDv7: its first 48 bits, in milliseconds.
            let time = u64::from_str_radix(&id.replace('-', "")[..12], 16)?;
            words.extend([time.to_string(), id.clone()]);
        }
        redis.run(&words.iter().map(String::as_str).collect::<Vec<_>>()).await?;
    }
    Ok(())
}

/// Returns how many jobs of `lane` are not done.
pub(crate) async fn count_open(db: &DatabaseConnection, lane: &str) -> Result<i64> {
    let sql = format!("SELECT count(*) FROM background_jobs WHERE lane = '{lane}' AND state <> 'done'");
    Ok(postgres::column::<i64>(db, &sql).await?.into_iter().sum())
}

/// Waits until every job of `lane` is done.
///
/// # Errors
/// Returns an error after 5 minutes.
pub(crate) async fn wait_until_done(db: &DatabaseConnection, lane: &str) -> Result<()> {
    let deadline = Instant::now() + DRAIN_TIMEOUT;
    while count_open(db, lane).await? > 0 {
        let seconds = DRAIN_TIMEOUT.as_secs();
        ensure!(Instant::now() < deadline, "the jobs of the lane {lane} were not done after {seconds} s");
        sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}
