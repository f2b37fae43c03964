//! Canary jobs: jobs that do nothing. They show whether workers run jobs, how soon and how fast.

use std::time::Duration;

use portico_entity::{
    JobId,
    background_job::{Column, Entity, Lane, State},
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use crate::platform::{
    app::App,
    clock::Time,
    error::{Error, Result},
    job::{Job, JobError},
};

/// The maximum number of canary jobs that one transaction or statement handles.
const BATCH: usize = 1_000;
/// How long to wait between two checks whether the jobs have run.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A job that does nothing.
#[derive(Serialize, Deserialize)]
pub struct Canary {}

impl Job for Canary {
    const NAME: &'static str = "canary";
    const LANE: Lane = Lane::Maintenance;

    async fn run(&self, _app: &App) -> std::result::Result<(), JobError> {
        Ok(())
    }
}

/// How fast workers ran a number of canary jobs.
#[derive(Clone, Copy, Debug)]
pub struct CanaryReport {
    /// The number of canary jobs that have run.
    pub count: usize,
    /// The time from when the first job was enqueued until the last job finished.
    pub since_enqueue: Duration,
    /// The time from when the first job was claimed until the last job finished.
    pub since_first_claim: Duration,
    /// The time from when a job was enqueued until it was claimed: the median over all jobs.
    pub median: Duration,
    /// The time from when a job was enqueued until it was claimed: the 99th percentile over all jobs.
    pub p99: Duration,
}

/// Enqueues `count` canary jobs in `lane`, waits until workers have run all of them, deletes them, and reports how fast
/// they ran. Between two jobs it waits for `pause`; if `pause` is zero, it enqueues them in batches without waiting.
///
/// # Errors
/// `unavailable` if some of the jobs have not run within `limit` after the last one was enqueued; they are deleted too,
/// except those that are running. `unavailable` or `internal` if the database fails.
pub async fn run(app: &App, lane: Lane, count: usize, pause: Duration, limit: Duration) -> Result<CanaryReport> {
    let ids = enqueue(app, lane, count, pause).await?;
    let done = wait(app, &ids, app.now() + limit).await;
    let report = match done {
        Ok(()) => report(app, &ids).await,
        Err(error) => Err(error),
    };
    for part in ids.chunks(BATCH) {
        let not_running =
            Entity::delete_many().filter(Column::Id.is_in(part.to_vec())).filter(Column::State.ne(State::Running));
        not_running.exec(app.db()).await?;
    }
    report
}

async fn enqueue(app: &App, lane: Lane, count: usize, pause: Duration) -> Result<Vec<JobId>> {
    let batch = if pause.is_zero() { BATCH } else { 1 };
    let mut ids = Vec::with_capacity(count);
    while ids.len() < count {
        let mut tx = app.begin().await?;
        let canaries = (ids.len()..count).take(batch).map(|_| Canary {});
        ids.extend(tx.enqueue_in_lane(lane, canaries).await?);
        tx.commit().await?;
        sleep(pause).await;
    }
    Ok(ids)
}

async fn wait(app: &App, ids: &[JobId], until: Time) -> Result<()> {
    for part in ids.chunks(BATCH) {
        let unfinished = || {
            let states = [State::Queued, State::Running];
            Entity::find().filter(Column::Id.is_in(part.to_vec())).filter(Column::State.is_in(states)).count(app.db())
        };
        while unfinished().await? > 0 {
            if app.now() >= until {
                return Err(Error::Unavailable(
                    "not all canary jobs have run; check that a worker is running and that the lane is not paused"
                        .into(),
                ));
            }
            sleep(POLL_INTERVAL).await;
        }
    }
    Ok(())
}

async fn report(app: &App, ids: &[JobId]) -> Result<CanaryReport> {
    let mut delays = Vec::with_capacity(ids.len());
    let (mut created, mut started, mut finished) = (Time::MAX_UTC, Time::MAX_UTC, Time::MIN_UTC);
    for part in ids.chunks(BATCH) {
        for row in Entity::find().filter(Column::Id.is_in(part.to_vec())).all(app.db()).await? {
            if let (Some(start), Some(end)) = (row.started_at, row.finished_at) {
                delays.push(between(row.created_at, start));
                created = created.min(row.created_at);
                started = started.min(start);
                finished = finished.max(end);
            }
        }
    }
    delays.sort_unstable();
    let percentile = |percent: usize| delays.get(delays.len() * percent / 100).copied().unwrap_or_default();
    Ok(CanaryReport {
        count: delays.len(),
        since_enqueue: between(created, finished),
        since_first_claim: between(started, finished),
        median: percentile(50),
        p99: percentile(99),
    })
}

/// Returns the time from `start` to `end`. Returns zero if `end` is earlier, because the clocks of two machines can
/// differ.
fn between(start: Time, end: Time) -> Duration {
    (end - start).to_std().unwrap_or_default()
}
