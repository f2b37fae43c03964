//! Jobs a second, and how soon they start.

use anyhow::Result;
use sea_orm::{ConnectionTrait, DatabaseConnection};
use tokio::time::{Duration, Instant, sleep_until};

use crate::{
    Options, postgres, queue,
    redis::Redis,
    report::{Line, Report},
    stats::percentile,
    world::World,
};

pub(crate) const MEANING: &str = "One worker, 64 at once, runs the jobs of `portico jobs canary`, which do nothing, on Postgres \
                                  and Redis. All of them wait when it starts; the rate is from the rows, first claim to last end. Then \
                                  how long a job waits from its row to its claim, one at a time and at half that rate.";

const LANE: &str = "urgent";
/// One batch each so many milliseconds.
const BEAT: u64 = 10;

pub(super) async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let settings = [("PORTICO_WORKER_CONCURRENCY", "urgent=64,bulk=8,maintenance=2")];
    let world = World::new(options.binary()?, &settings).await?;
    world.run(&["migrate"])?;
    let db = postgres::connect(&world.database, 2).await?;
    let mut redis = Redis::connect(&world.redis).await?;

    enqueue(&db, &mut redis, options.jobs).await?;
    let worker = world.worker().await?;
    queue::drained(&db, LANE).await?;
    let took = "SELECT extract(epoch FROM max(finished_at) - min(started_at))::float8 FROM background_jobs WHERE name = 'probe'";
    let seconds = postgres::column::<f64>(&db, took).await?.into_iter().sum::<f64>();
    let rate = options.jobs as f64 / seconds;
    report.line(Line::new("trivial jobs", format!("{rate:.0}/s")).wanted("≥ 5000/s", rate >= 5_000.0));
    report.note(format!(
        "{} jobs; the worker used {:.0} µs of CPU for one.",
        options.jobs,
        worker.cpu()? / options.jobs as f64 * 1e6
    ));

    for (what, each, beats, beat) in
        [("idle", 1, 200, 25), ("at half load", (rate / 2.0 * BEAT as f64 / 1e3).round().max(1.0) as usize, 500, BEAT)]
    {
        db.execute_unprepared("TRUNCATE background_jobs").await?;
        let started = Instant::now();
        for n in 0..beats {
            sleep_until(started + Duration::from_millis(beat * n)).await;
            enqueue(&db, &mut redis, each).await?;
        }
        let asked = (beats as usize * each) as f64 / started.elapsed().as_secs_f64();
        queue::drained(&db, LANE).await?;
        let waits = waits(&db).await?;
        let (p50, p99) = (percentile(&waits, 50.0), percentile(&waits, 99.0));
        let line =
            Line::new(format!("row to claim, {what} ({asked:.0} jobs/s)"), format!("p50 {p50:.1} ms, p99 {p99:.1} ms"));
        report.line(line);
    }
    Ok(())
}

async fn enqueue(db: &DatabaseConnection, redis: &mut Redis, count: usize) -> Result<()> {
    let payloads = format!("SELECT '{{}}'::jsonb AS payload FROM generate_series(1, {count})");
    let jobs = queue::insert(db, "canary", LANE, &payloads).await?;
    queue::push(redis, LANE, &jobs).await
}

/// Milliseconds from each row to its claim.
async fn waits(db: &DatabaseConnection) -> Result<Vec<f64>> {
    let sql =
        "SELECT (extract(epoch FROM started_at - created_at) * 1000)::float8 FROM background_jobs WHERE name = 'probe'";
    postgres::column(db, sql).await
}
