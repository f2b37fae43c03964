//! Records how a job ended, provided that its worker still holds the lease of this attempt.
//!
//! Most runs succeed, and there are thousands of them. So one task for each worker records the successful runs, a batch
//! in one statement. Failed runs are recorded one at a time.

use chrono::TimeDelta;
use portico_entity::{
    JobId,
    background_job::{self, Column, State},
};
use sea_orm::{ColumnTrait, ExprTrait, QueryFilter, UpdateMany, sea_query::Expr};
use tokio::sync::{mpsc, oneshot};
use tracing::{Instrument, debug, error, warn};
use uuid::Uuid;

use super::{Backoff, FinishedJob, JobSettings, lease};
use crate::platform::{
    app::App,
    clock::Time,
    database,
    error::Result,
    job::{JobError, by_ids_in_state},
    job_type,
};

/// The maximum number of completed jobs that one statement records.
const BATCH: usize = 256;
/// The delay before a job with an unknown name is offered to workers again.
const UNKNOWN_JOB_BACKOFF: TimeDelta = TimeDelta::seconds(30);
/// The maximum length of a stored error, in characters. Longer errors are cut.
const MAX_ERROR_CHARS: usize = 500;

/// A job that succeeded, and the channel that reports that this has been recorded.
#[derive(Debug)]
pub(super) struct CompletedJob {
    job: JobId,
    attempt: i32,
    recorded: oneshot::Sender<()>,
}

/// Starts the task that records the successful jobs of the worker with the id `worker`. The task ends when the last
/// sender is dropped.
pub(super) fn start(app: App, worker: Uuid) -> mpsc::Sender<CompletedJob> {
    let (sender, mut receiver) = mpsc::channel(BATCH);
    tokio::spawn(async move {
        let mut batch = Vec::with_capacity(BATCH);
        while receiver.recv_many(&mut batch, BATCH).await > 0 {
            // If a job cannot be recorded, its sender is dropped, which tells `complete` that it was not.
            if let Err(error) = finish(&app, worker, &mut batch).await {
                error!(
                    %error,
                    count = batch.len(),
                    "cannot record completed jobs; they run again when their leases expire"
                );
            }
            batch.clear();
        }
    });
    sender
}

/// Marks the jobs of `batch` as done, in one statement for each attempt number. Removes the jobs that were recorded
/// from `batch`.
///
/// # Errors
/// `unavailable` or `internal` if the database fails for the duration of a lease.
async fn finish(app: &App, worker: Uuid, batch: &mut Vec<CompletedJob>) -> Result<()> {
    batch.sort_unstable_by_key(|done| done.attempt);
    while let Some(attempt) = batch.first().map(|done| done.attempt) {
        let same_attempt = batch.partition_point(|done| done.attempt == attempt);
        let ids: Vec<JobId> = batch[..same_attempt].iter().map(|done| done.job).collect();
        let owned =
            lease::owned(worker).filter(by_ids_in_state(ids, State::Running)).filter(Column::Attempts.eq(attempt));
        let update = ended(owned, State::Done, app.now());
        let write = || async { Ok(update.clone().exec(app.db()).await?.rows_affected) };
        let updated = database::retry_for(app.db(), app.section::<JobSettings>().lease, write).await?;
        if updated < same_attempt as u64 {
            warn!(
                count = same_attempt as u64 - updated,
                "completed jobs no longer belong to this worker; their rows were not changed"
            );
        }
        for done in batch.drain(..same_attempt) {
            let _ = done.recorded.send(());
        }
    }
    Ok(())
}

/// Records how `finished` ended: marks the job done or dead, or queues it for another attempt.
///
/// While the database is unavailable, this retries for the duration of a lease (`PORTICO_JOB_LEASE`). If the outcome
/// still cannot be recorded then, the error is logged and the job runs again. If the job no longer belongs to its
/// worker, its row is not changed.
pub async fn complete(app: &App, finished: FinishedJob) {
    let span = finished.span.clone();
    async {
        let Some(Ok(())) = finished.outcome else {
            if let Err(error) =
                database::retry_for(app.db(), app.section::<JobSettings>().lease, || reschedule(app, &finished)).await
            {
                error!(%error, "cannot record the outcome of a job; it runs again when its lease expires");
            }
            return;
        };
        let (recorded, confirmation) = oneshot::channel();
        let done = CompletedJob { job: finished.row.id, attempt: finished.row.attempts, recorded };
        if finished.worker.done.send(done).await.is_ok() && confirmation.await.is_ok() {
            debug!("done");
        }
    }
    .instrument(span)
    .await;
}

/// Records a run that did not succeed: queues the job for another attempt, or marks it dead.
async fn reschedule(app: &App, finished: &FinishedJob) -> Result<()> {
    let row = &finished.row;
    let now = app.now();
    let owned = lease::owned(finished.worker.id)
        .filter(by_ids_in_state([row.id], State::Running))
        .filter(Column::Attempts.eq(row.attempts));
    let next_run = |backoff: Backoff| now + backoff.after(row.attempts, app.random());
    let update = match &finished.outcome {
        Some(Ok(())) => return Ok(()),
        None => {
            warn!("this version does not know the name of the job; the job is queued again for a worker that does");
            lease::requeued(owned, now + UNKNOWN_JOB_BACKOFF, Expr::col(Column::Attempts).sub(1))
        }
        Some(Err(JobError::Postponed(until, why))) => {
            debug!(%until, why, "the job waits");
            let update = lease::requeued(owned, *until, Expr::col(Column::Attempts));
            // The run has ended in order, so the job does not crash its workers.
            let update = update.col_expr(Column::CrashCount, Expr::value(0));
            with_error(update.col_expr(Column::MaxAttempts, Expr::col(Column::MaxAttempts).add(1)), why)
        }
        Some(Err(JobError::Unavailable(why))) => {
            warn!(why, "a service that the job needs is unavailable; the job will be retried");
            let update = lease::requeued(owned, next_run(Backoff::OUTAGE), Expr::col(Column::Attempts));
            // The job did not cause the outage, so the outage does not use up its attempts.
            with_error(update.col_expr(Column::MaxAttempts, Expr::col(Column::MaxAttempts).add(1)), why)
        }
        Some(Err(JobError::Retry(why))) if row.attempts < row.max_attempts => {
            warn!(why, "the job failed and will be retried");
            with_error(lease::requeued(owned, next_run(Backoff::FAILURE), Expr::col(Column::Attempts)), why)
        }
        Some(Err(JobError::Retry(why) | JobError::Discard(why))) => {
            error!(why, "the job is dead; it will not be retried");
            job_type::on_dead_row(app, row, why).await?;
            with_error(ended(owned, State::Dead, now), why)
        }
    };
    if update.exec(app.db()).await?.rows_affected == 0 {
        warn!("the job no longer belongs to this worker; its row was not changed");
    }
    Ok(())
}

/// Adds to `update` that the jobs have reached the final state `state` at `now`.
fn ended(update: UpdateMany<background_job::Entity>, state: State, now: Time) -> UpdateMany<background_job::Entity> {
    update.col_expr(Column::State, Expr::value(state)).col_expr(Column::FinishedAt, Expr::value(now))
}

/// Adds to `update` the reason why the last run failed, cut to [`MAX_ERROR_CHARS`] characters.
fn with_error(update: UpdateMany<background_job::Entity>, why: &str) -> UpdateMany<background_job::Entity> {
    let stored: String = why.chars().take(MAX_ERROR_CHARS).collect();
    update.col_expr(Column::LastError, Expr::value(stored))
}
