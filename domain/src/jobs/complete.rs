//! Writing down how a job ended, only if its worker still holds it at this attempt.
//!
//! What went well is the rule and comes in thousands, so one task writes it down for all, a batch a statement. What went
//! wrong is written down a job at a time.

use chrono::TimeDelta;
use portico_entity::{
    JobId,
    background_job::{self, Column, State},
};
use sea_orm::{ColumnTrait, ExprTrait, QueryFilter, UpdateMany, sea_query::Expr};
use tokio::sync::{mpsc, oneshot};
use tracing::{Instrument, debug, error, warn};
use uuid::Uuid;

use super::{FinishedJob, JobError, by_ids_in_state, lease, registry};
use crate::{app::App, clock::Time, database, error::Result};

/// The most jobs settled by one statement.
const BATCH: usize = 256;
/// The first pause after a failure, doubled after each further one…
const FIRST_BACKOFF_SECONDS: f64 = 5.0;
/// …up to this; all in seconds.
const MAX_BACKOFF_SECONDS: f64 = 3_600.0;
/// While something is down the pause stays shorter, so that work resumes soon after.
const MAX_OUTAGE_BACKOFF_SECONDS: f64 = 300.0;
/// How long a job waits for a worker that knows its name.
const UNKNOWN_JOB_BACKOFF: TimeDelta = TimeDelta::seconds(30);
/// The longest error that is kept, in characters.
const MAX_ERROR_CHARS: usize = 500;

/// A job that went well, and whom to tell once that is written down.
#[derive(Debug)]
pub(super) struct CompletedJob {
    job: JobId,
    attempt: i32,
    settled: oneshot::Sender<()>,
}

/// Starts the task that settles what went well for the worker of this id; it ends with the last sender.
pub(super) fn start(app: App, worker: Uuid) -> mpsc::Sender<CompletedJob> {
    let (sender, mut receiver) = mpsc::channel(BATCH);
    tokio::spawn(async move {
        let mut batch = Vec::with_capacity(BATCH);
        while receiver.recv_many(&mut batch, BATCH).await > 0 {
            // Whoever waits for a job that could not be written down sees its sender dropped.
            if let Err(error) = finish(&app, worker, &mut batch).await {
                error!(%error, count = batch.len(), "jobs could not be settled; they run again when their leases end");
            }
            batch.clear();
        }
    });
    sender
}

async fn finish(app: &App, worker: Uuid, batch: &mut Vec<CompletedJob>) -> Result<()> {
    batch.sort_unstable_by_key(|done| done.attempt);
    while let Some(attempt) = batch.first().map(|done| done.attempt) {
        let same_attempt = batch.partition_point(|done| done.attempt == attempt);
        let ids: Vec<JobId> = batch[..same_attempt].iter().map(|done| done.job).collect();
        let mine =
            lease::owned(worker).filter(by_ids_in_state(ids, State::Running)).filter(Column::Attempts.eq(attempt));
        let update = ended(mine, State::Done, app.now());
        let write = || async { Ok(update.clone().exec(app.db()).await?.rows_affected) };
        let settled = database::retry_until(app.settings().jobs.lease, write).await?;
        if settled < same_attempt as u64 {
            warn!(count = same_attempt as u64 - settled, "another worker has taken jobs over");
        }
        for done in batch.drain(..same_attempt) {
            let _ = done.settled.send(());
        }
    }
    Ok(())
}

/// Writes down how `finished` ended. While the database is away it tries again, for as long as a lease lasts; after that the
/// job runs again.
pub async fn complete(app: &App, finished: FinishedJob) {
    let span = finished.span.clone();
    async {
        let Some(Ok(())) = finished.outcome else {
            if let Err(error) = database::retry_until(app.settings().jobs.lease, || reschedule(app, &finished)).await {
                error!(%error, "a job could not be settled");
            }
            return;
        };
        let (settled, told) = oneshot::channel();
        let done = CompletedJob { job: finished.row.id, attempt: finished.row.attempts, settled };
        if finished.worker.done.send(done).await.is_ok() && told.await.is_ok() {
            debug!("done");
        }
    }
    .instrument(span)
    .await;
}

/// Settles a job that did not go well.
async fn reschedule(app: &App, finished: &FinishedJob) -> Result<()> {
    let row = &finished.row;
    let now = app.now();
    let mine = lease::owned(finished.worker.id)
        .filter(by_ids_in_state([row.id], State::Running))
        .filter(Column::Attempts.eq(row.attempts));
    let again = |max_seconds| now + backoff(app, row.attempts, max_seconds);
    let update = match &finished.outcome {
        Some(Ok(())) => return Ok(()),
        None => {
            warn!("this version does not know the job; it is left to one that does");
            lease::requeued(mine, now + UNKNOWN_JOB_BACKOFF, Expr::col(Column::Attempts).sub(1))
        }
        Some(Err(JobError::Unavailable(why))) => {
            warn!(why, "waits for something that is down");
            let update = lease::requeued(mine, again(MAX_OUTAGE_BACKOFF_SECONDS), Expr::col(Column::Attempts));
            // An outage is not the job's fault, so it does not use up its attempts.
            with_error(update.col_expr(Column::MaxAttempts, Expr::col(Column::MaxAttempts).add(1)), why)
        }
        Some(Err(JobError::Retry(why))) if row.attempts < row.max_attempts => {
            warn!(why, "will be tried again");
            with_error(lease::requeued(mine, again(MAX_BACKOFF_SECONDS), Expr::col(Column::Attempts)), why)
        }
        Some(Err(JobError::Retry(why) | JobError::Discard(why))) => {
            error!(why, "given up");
            registry::on_dead(app, row, why).await?;
            with_error(ended(mine, State::Dead, now), why)
        }
    };
    if update.exec(app.db()).await?.rows_affected == 0 {
        warn!("another worker has taken the job over");
    }
    Ok(())
}

fn ended(update: UpdateMany<background_job::Entity>, state: State, now: Time) -> UpdateMany<background_job::Entity> {
    update.col_expr(Column::State, Expr::value(state)).col_expr(Column::FinishedAt, Expr::value(now))
}

fn with_error(update: UpdateMany<background_job::Entity>, why: &str) -> UpdateMany<background_job::Entity> {
    let kept: String = why.chars().take(MAX_ERROR_CHARS).collect();
    update.col_expr(Column::LastError, Expr::value(kept))
}

/// Exponential back-off with a quarter of jitter either way, so that what failed together does not return together.
fn backoff(app: &App, attempts: i32, max_seconds: f64) -> TimeDelta {
    let doubled = FIRST_BACKOFF_SECONDS * 2f64.powi(attempts.clamp(1, 30) - 1);
    let seconds = doubled.min(max_seconds) * (0.75 + app.random().fraction() / 2.0);
    TimeDelta::milliseconds((seconds * 1_000.0) as i64)
}
