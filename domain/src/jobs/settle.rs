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

use super::{JobError, Ran, lease, registry, those};
use crate::{app::App, clock::Time, database, error::Result};

/// The most jobs settled by one statement.
const BATCH: usize = 256;
/// The first pause after a failure, doubled after each further one…
const FIRST_PAUSE: f64 = 5.0;
/// …up to this; all in seconds.
const LONGEST_PAUSE: f64 = 3_600.0;
/// While something is down the pause stays shorter, so that work resumes soon after.
const LONGEST_OUTAGE_PAUSE: f64 = 300.0;
/// How long a job waits for a worker that knows its name.
const UNKNOWN_PAUSE: TimeDelta = TimeDelta::seconds(30);
/// The longest error that is kept, in characters.
const ERROR_KEPT: usize = 500;

/// A job that went well, and whom to tell once that is written down.
#[derive(Debug)]
pub(super) struct Done {
    job: JobId,
    attempt: i32,
    settled: oneshot::Sender<()>,
}

/// Starts the task that settles what went well for the worker of this id; it ends with the last sender.
pub(super) fn start(app: App, worker: Uuid) -> mpsc::Sender<Done> {
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

async fn finish(app: &App, worker: Uuid, batch: &mut Vec<Done>) -> Result<()> {
    batch.sort_unstable_by_key(|done| done.attempt);
    while let Some(attempt) = batch.first().map(|done| done.attempt) {
        let alike = batch.partition_point(|done| done.attempt == attempt);
        let ids: Vec<JobId> = batch[..alike].iter().map(|done| done.job).collect();
        let mine = lease::owned(worker).filter(those(ids, State::Running)).filter(Column::Attempts.eq(attempt));
        let update = ended(mine, State::Done, app.now());
        let write = || async { Ok(update.clone().exec(app.db()).await?.rows_affected) };
        let settled = database::insist(app.settings().jobs.lease, write).await?;
        if settled < alike as u64 {
            warn!(count = alike as u64 - settled, "another worker has taken jobs over");
        }
        for done in batch.drain(..alike) {
            let _ = done.settled.send(());
        }
    }
    Ok(())
}

/// Writes down how `ran` ended. While the database is away it tries again, for as long as a lease lasts; after that the
/// job runs again.
pub async fn settle(app: &App, ran: Ran) {
    let span = ran.span.clone();
    async {
        let Some(Ok(())) = ran.outcome else {
            if let Err(error) = database::insist(app.settings().jobs.lease, || put_off(app, &ran)).await {
                error!(%error, "a job could not be settled");
            }
            return;
        };
        let (settled, told) = oneshot::channel();
        let done = Done { job: ran.row.id, attempt: ran.row.attempts, settled };
        if ran.worker.done.send(done).await.is_ok() && told.await.is_ok() {
            debug!("done");
        }
    }
    .instrument(span)
    .await;
}

/// Settles a job that did not go well.
async fn put_off(app: &App, ran: &Ran) -> Result<()> {
    let row = &ran.row;
    let now = app.now();
    let mine =
        lease::owned(ran.worker.id).filter(those([row.id], State::Running)).filter(Column::Attempts.eq(row.attempts));
    let again = |longest| now + pause(app, row.attempts, longest);
    let update = match &ran.outcome {
        Some(Ok(())) => return Ok(()),
        None => {
            warn!("this version does not know the job; it is left to one that does");
            lease::requeued(mine, now + UNKNOWN_PAUSE, Expr::col(Column::Attempts).sub(1))
        }
        Some(Err(JobError::Unavailable(why))) => {
            warn!(why, "waits for something that is down");
            let update = lease::requeued(mine, again(LONGEST_OUTAGE_PAUSE), Expr::col(Column::Attempts));
            // An outage is not the job's fault, so it does not use up its attempts.
            because(update.col_expr(Column::MaxAttempts, Expr::col(Column::MaxAttempts).add(1)), why)
        }
        Some(Err(JobError::Retry(why))) if row.attempts < row.max_attempts => {
            warn!(why, "will be tried again");
            because(lease::requeued(mine, again(LONGEST_PAUSE), Expr::col(Column::Attempts)), why)
        }
        Some(Err(JobError::Retry(why) | JobError::Discard(why))) => {
            error!(why, "given up");
            registry::gave_up(app, row, why).await?;
            because(ended(mine, State::Dead, now), why)
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

fn because(update: UpdateMany<background_job::Entity>, why: &str) -> UpdateMany<background_job::Entity> {
    let kept: String = why.chars().take(ERROR_KEPT).collect();
    update.col_expr(Column::LastError, Expr::value(kept))
}

/// Exponential back-off with a quarter of jitter either way, so that what failed together does not return together.
fn pause(app: &App, attempts: i32, longest: f64) -> TimeDelta {
    let doubled = FIRST_PAUSE * 2f64.powi(attempts.clamp(1, 30) - 1);
    let seconds = doubled.min(longest) * (0.75 + app.random().fraction() / 2.0);
    TimeDelta::milliseconds((seconds * 1_000.0) as i64)
}
