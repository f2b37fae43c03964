//! `portico jobs canary`: sends jobs that do nothing through a lane, and measures how fast workers run them.

use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use portico_domain::{
    entity::background_job::Lane,
    platform::{
        error::Error,
        jobs::{self, CanaryReport},
    },
};
use tokio::time::timeout;

use crate::{bootstrap, cli::output::print, config::Config};

/// How long the check of Redis may take.
const REDIS_TIMEOUT: Duration = Duration::from_secs(5);

/// Runs `count` canary jobs in `lane`, `pause` apart, waits for them at most `limit`, and prints times and rate.
///
/// # Errors
/// Returns an error if Redis cannot be written, if the jobs did not run in time, or if the database fails.
pub(super) async fn run(config: &Config, lane: Lane, count: usize, pause: Duration, limit: Duration) -> Result<()> {
    bootstrap::require_redis(config, "jobs canary")?;
    let app = bootstrap::app(config).await?;
    // Without Redis, no worker learns of the jobs before its sweeper finds them.
    let check = timeout(REDIS_TIMEOUT, app.queue().check_write()).await;
    check
        .map_err(|_| anyhow!("no answer within {} s", REDIS_TIMEOUT.as_secs()))
        .and_then(|result| result.map_err(anyhow::Error::from))
        .context("REDIS_URL: cannot use Redis, so no canary job was enqueued")?;
    let run = jobs::run_canary(&app, lane, count, pause, limit).await;
    let CanaryReport { count, since_enqueue, since_first_claim, median, p99 } = run.map_err(|error| match error {
        Error::Unavailable(reason) => anyhow!("{reason}"),
        error => error.into(),
    })?;
    let milliseconds = |time: Duration| time.as_secs_f64() * 1_000.0;
    let rate = count as f64 * 1_000.0 / milliseconds(since_first_claim).max(0.001);
    print(format!(
        "{count} jobs in {:.1} ms; from the first claim {:.1} ms, {rate:.0} per second\n\
         from enqueue to start: p50 {:.2} ms, p99 {:.2} ms",
        milliseconds(since_enqueue),
        milliseconds(since_first_claim),
        milliseconds(median),
        milliseconds(p99),
    ))
}
