//! A job that does nothing, to see that jobs run, how soon and how fast.

use std::time::Duration;

use portico_entity::{
    JobId,
    background_job::{Column, Entity, Lane, State},
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use super::{Job, JobError};
use crate::{
    app::App,
    clock::Time,
    error::{Error, Result},
};

/// How many probes are committed, read or deleted at once.
const BATCH: usize = 1_000;
/// How often to look whether they have run.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Does nothing.
#[derive(Serialize, Deserialize)]
pub struct Canary {}

impl Job for Canary {
    const NAME: &'static str = "canary";
    const LANE: Lane = Lane::Maintenance;

    async fn run(&self, _app: &App) -> std::result::Result<(), JobError> {
        Ok(())
    }
}

/// How the probes fared.
#[derive(Clone, Copy, Debug)]
pub struct CanaryReport {
    /// How many there were.
    pub count: usize,
    /// From the first commit to the last end.
    pub took: Duration,
    /// From the first claim to the last end: what the workers needed.
    pub drained_in: Duration,
    /// From the enqueueing of a job to its claim: half of them were faster…
    pub median: Duration,
    /// …and 99 of 100.
    pub p99: Duration,
}

/// Enqueues `count` probes in `lane`, `pause` apart (zero: as fast as it goes), waits until workers have run them all, deletes
/// them again, and says how they fared.
///
/// # Errors
/// `unavailable` when they have not all run after `patience`; what has not run by then is deleted too. When the database
/// fails.
pub async fn run(app: &App, lane: Lane, count: usize, pause: Duration, limit: Duration) -> Result<CanaryReport> {
    let ids = enqueue(app, lane, count, pause).await?;
    let done = wait(app, &ids, app.now() + limit).await;
    let report = match done {
        Ok(()) => report(app, &ids).await,
        Err(error) => Err(error),
    };
    for part in ids.chunks(BATCH) {
        let over =
            Entity::delete_many().filter(Column::Id.is_in(part.to_vec())).filter(Column::State.ne(State::Running));
        over.exec(app.db()).await?;
    }
    report
}

async fn enqueue(app: &App, lane: Lane, count: usize, pause: Duration) -> Result<Vec<JobId>> {
    let at_once = if pause.is_zero() { BATCH } else { 1 };
    let mut ids = Vec::with_capacity(count);
    while ids.len() < count {
        let mut tx = app.begin().await?;
        let canaries = (ids.len()..count).take(at_once).map(|_| Canary {});
        ids.extend(tx.enqueue_all(lane, canaries).await?);
        tx.commit().await?;
        sleep(pause).await;
    }
    Ok(ids)
}

async fn wait(app: &App, ids: &[JobId], until: Time) -> Result<()> {
    for part in ids.chunks(BATCH) {
        let open = || {
            let states = [State::Queued, State::Running];
            Entity::find().filter(Column::Id.is_in(part.to_vec())).filter(Column::State.is_in(states)).count(app.db())
        };
        while open().await? > 0 {
            if app.now() >= until {
                return Err(Error::Unavailable(
                    "not all canaries have run: is a worker running, the lane paused?".into(),
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
    let quantile = |parts: usize| delays.get(delays.len() * parts / 100).copied().unwrap_or_default();
    Ok(CanaryReport {
        count: delays.len(),
        took: between(created, finished),
        drained_in: between(started, finished),
        median: quantile(50),
        p99: quantile(99),
    })
}

/// Clocks of two machines may differ, so what ends before it begins took no time.
fn between(start: Time, end: Time) -> Duration {
    (end - start).to_std().unwrap_or_default()
}
