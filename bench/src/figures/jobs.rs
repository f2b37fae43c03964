//! Jobs a second, and how soon they start.

use anyhow::Result;
use sea_orm::{ConnectionTrait, DatabaseConnection};
use tokio::time::{Duration, Instant, sleep, sleep_until};

use crate::{
    Options, postgres, queue,
    redis::Redis,
    report::{Line, Report},
    stats::percentile,
    world::World,
};

pub(crate) const MEANING: &str = "One worker, 64 at once, runs trivial jobs on Postgres and Redis: each looks one row up and is \
                                  done. The rate is from the rows, first end to last. Then how long a job waits from its row to its \
                                  claim, one at a time and at half that rate.";

const LANE: &str = "urgent";
/// The mail of such a job is not there, so it has nothing to do.
const TRIVIAL: &str = "SELECT i, jsonb_build_object('email', gen_random_uuid()) AS payload FROM generate_series(1, ";
/// How the claim shows in a row: its lease ends so long after it.
const LEASE: &str = "20s";
/// One batch each so many milliseconds.
const BEAT: u64 = 10;

pub(super) async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let settings = [("PORTICO_WORKER_CONCURRENCY", "urgent=64,bulk=8,upkeep=2"), ("PORTICO_JOB_LEASE", LEASE)];
    let world = World::new(options.binary()?, &settings).await?;
    world.run(&["migrate"])?;
    let db = postgres::connect(&world.database, 2).await?;
    let mut redis = Redis::connect(&world.redis).await?;

    let jobs = queue::insert(&db, LANE, &format!("{TRIVIAL}{})", options.jobs)).await?;
    queue::push(&mut redis, LANE, &jobs).await?;
    let worker = world.worker().await?;
    queue::drained(&db, LANE).await?;
    let took = "SELECT extract(epoch FROM max(finished_at) - min(finished_at))::float8 FROM background_jobs";
    let seconds = postgres::column::<f64>(&db, took).await?.into_iter().sum::<f64>();
    let rate = options.jobs as f64 / seconds;
    report.line(Line::new("trivial jobs", format!("{rate:.0}/s")).wanted("≥ 5000/s", rate >= 5_000.0));
    report.note(format!(
        "{} jobs; the worker used {:.0} µs of CPU for one.",
        jobs.len(),
        worker.cpu()? / jobs.len() as f64 * 1e6
    ));

    for (what, each, beats, beat) in
        [("idle", 1, 200, 25), ("at half load", (rate / 2.0 * BEAT as f64 / 1e3).round().max(1.0) as usize, 500, BEAT)]
    {
        db.execute_unprepared("TRUNCATE background_jobs").await?;
        let started = Instant::now();
        for n in 0..beats {
            sleep_until(started + Duration::from_millis(beat * n)).await;
            let jobs = queue::insert(&db, LANE, &format!("{TRIVIAL}{each})")).await?;
            queue::push(&mut redis, LANE, &jobs).await?;
        }
        let asked = (beats as usize * each) as f64 / started.elapsed().as_secs_f64();
        queue::drained(&db, LANE).await?;
        let waits = waits(&db).await?;
        let (p50, p99) = (percentile(&waits, 50.0), percentile(&waits, 99.0));
        let line =
            Line::new(format!("row to claim, {what} ({asked:.0} jobs/s)"), format!("p50 {p50:.1} ms, p99 {p99:.1} ms"));
        report.line(line);
        sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}

/// Milliseconds from each row to its claim.
async fn waits(db: &DatabaseConnection) -> Result<Vec<f64>> {
    let sql = "SELECT (extract(epoch FROM lease_until - interval '20 seconds' - created_at) * 1000)::float8 FROM background_jobs
               WHERE name = 'send_mail'";
    postgres::column(db, sql).await
}
