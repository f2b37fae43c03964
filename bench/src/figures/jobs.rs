//! Jobs per second, and how soon they start.

use anyhow::{Result, ensure};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use tokio::time::{Duration, Instant, sleep_until};

use crate::{
    Options, postgres, queue,
    redis::Redis,
    report::{Line, Report},
    stats::percentile,
    world::World,
};

/// What the figure measures and how, for the report.
pub(crate) const DESCRIPTION: &str = "One worker runs canary jobs, which do nothing, on Postgres and Redis, 64 at a \
                                      time. First, all jobs are queued before the worker starts; the rate is the \
                                      number of jobs divided by the time from the first claim to the last end, as in \
                                      the rows. Then jobs are enqueued one at a time, and at half that rate, and the \
                                      time from the job's row to its claim is measured.";

/// The name of the jobs.
const JOB: &str = "canary";
/// Their lane.
const LANE: &str = "urgent";
/// The time between two batches at half load, in milliseconds.
const BATCH_INTERVAL_MS: u64 = 10;

/// Measures the figure and adds its lines to `report`.
///
/// # Errors
/// Returns an error if something cannot be measured.
pub(super) async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let settings = [("PORTICO_WORKER_CONCURRENCY", "urgent=64,bulk=8,maintenance=2")];
    let world = World::new(options.binary()?, &settings).await?;
    world.run(&["migrate"])?;
    let db = postgres::connect(&world.database, 2).await?;
    let mut redis = Redis::connect(&world.redis).await?;

    enqueue(&db, &mut redis, options.jobs).await?;
    let worker = world.worker().await?;
    queue::wait_until_done(&db, LANE).await?;
    let sql = format!(
        "SELECT extract(epoch FROM max(finished_at) - min(started_at))::float8
         FROM background_jobs WHERE name = '{JOB}'"
    );
    let seconds = postgres::column::<f64>(&db, &sql).await?.into_iter().sum::<f64>();
    let rate = options.jobs as f64 / seconds;
    report.line(Line::new("canary jobs", format!("{rate:.0}/s")).target("≥ 5000/s", rate >= 5_000.0));
    report.note(format!(
        "{} jobs. CPU time of the worker per job: {:.0} µs.",
        options.jobs,
        worker.cpu()? / options.jobs as f64 * 1e6
    ));

    let half_load = (rate / 2.0 * BATCH_INTERVAL_MS as f64 / 1e3).round().max(1.0) as usize;
    for (name, batch, batches, interval_ms) in
        [("idle", 1, 200, 25), ("at half load", half_load, 500, BATCH_INTERVAL_MS)]
    {
        db.execute_unprepared("TRUNCATE background_jobs").await?;
        let started = Instant::now();
        for n in 0..batches {
            sleep_until(started + Duration::from_millis(interval_ms * n)).await;
            enqueue(&db, &mut redis, batch).await?;
        }
        let count = batches as usize * batch;
        let rate = count as f64 / started.elapsed().as_secs_f64();
        queue::wait_until_done(&db, LANE).await?;
        let delays = claim_delays(&db).await?;
        ensure!(delays.len() == count, "{count} jobs were enqueued, but {} ran", delays.len());
        let (p50, p99) = (percentile(&delays, 50.0), percentile(&delays, 99.0));
        let what = format!("row to claim, {name} ({rate:.0} jobs/s)");
        report.line(Line::new(what, format!("p50 {p50:.1} ms, p99 {p99:.1} ms")));
    }
    Ok(())
}

/// Enqueues `count` canary jobs.
async fn enqueue(db: &DatabaseConnection, redis: &mut Redis, count: usize) -> Result<()> {
    let payloads = format!("SELECT '{{}}'::jsonb AS payload FROM generate_series(1, {count})");
    let jobs = queue::insert(db, JOB, LANE, &payloads).await?;
    queue::push(redis, LANE, &jobs).await
}

/// Returns the time from the row of each canary job to its claim, in milliseconds.
async fn claim_delays(db: &DatabaseConnection) -> Result<Vec<f64>> {
    let sql = format!(
        "SELECT (extract(epoch FROM started_at - created_at) * 1000)::float8 FROM background_jobs WHERE name = '{JOB}'"
    );
    postgres::column(db, &sql).await
}
