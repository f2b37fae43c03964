//! Claim, run, settle.

use std::{panic::AssertUnwindSafe, time::Duration};

use chrono::TimeDelta;
use futures_util::FutureExt;
use portico_entity::{
    JobId,
    background_job::{self, Column, State},
};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, QueryFilter, UpdateMany,
    sea_query::{Expr, SimpleExpr},
};
use tracing::{Instrument, error, info, info_span, warn};
use uuid::Uuid;

use super::{JobError, lane_name, registry};
use crate::{app::App, clock::Time, error::Result};

/// How often a job may take its worker down with it.
const MAX_LOSSES: i32 = 3;
/// The first pause after a failure, doubled after each further one…
const FIRST_PAUSE: f64 = 5.0;
/// …up to this; all in seconds.
const LONGEST_PAUSE: f64 = 3_600.0;
/// While something is down the pause stays shorter, so that work resumes soon after.
const LONGEST_OUTAGE_PAUSE: f64 = 300.0;
/// How long a job waits for a worker that knows its name.
const UNKNOWN_PAUSE: Duration = Duration::from_secs(30);
/// The longest error that is kept, in characters.
const ERROR_KEPT: usize = 500;

/// One running worker process; it owns the leases of the jobs it has claimed.
#[derive(Clone, Copy, Debug)]
pub struct WorkerId(Uuid);

impl WorkerId {
    /// An id that no other worker has.
    pub fn new(app: &App) -> Self {
        Self(app.new_id())
    }
}

/// A job that this worker, and no other, may run until its lease ends.
#[derive(Debug)]
pub struct Claimed {
    row: background_job::Model,
    owner: WorkerId,
}

/// Claims those of `ids` that are due and that nobody else has claimed: one conditional UPDATE, one winner each.
///
/// # Errors
/// When the database fails.
pub async fn claim(app: &App, owner: WorkerId, ids: &[Uuid]) -> Result<Vec<Claimed>> {
    let rows = background_job::Entity::update_many()
        .col_expr(Column::State, Expr::value(State::Running))
        .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
        .col_expr(Column::LeaseOwner, Expr::value(owner.0))
        .col_expr(Column::LeaseUntil, Expr::value(lease_end(app)))
        .filter(Column::Id.is_in(ids.iter().map(|id| JobId(*id))))
        .filter(Column::State.eq(State::Queued))
        .filter(Column::RunAt.lte(app.now()))
        .exec_with_returning(app.db())
        .await?;
    Ok(rows.into_iter().map(|row| Claimed { row, owner }).collect())
}

/// Renews the leases of all jobs that `owner` runs. To be called well within the lease.
///
/// # Errors
/// When the database fails.
pub async fn renew(app: &App, owner: WorkerId) -> Result<()> {
    owned(owner).col_expr(Column::LeaseUntil, Expr::value(lease_end(app))).exec(app.db()).await?;
    Ok(())
}

/// Gives back every job that `owner` still holds, to be run by others at once. For a worker that stops.
///
/// # Errors
/// When the database fails; then the leases run out by themselves.
pub async fn release(app: &App, owner: WorkerId) -> Result<()> {
    set_queued(owned(owner), app.now(), Expr::col(Column::Attempts).sub(1)).exec(app.db()).await?;
    Ok(())
}

/// Runs a claimed job and settles its row. Never fails: what goes wrong is in the row and in the log.
pub async fn execute(app: &App, claimed: Claimed) {
    let row = &claimed.row;
    let span = info_span!(
        "job",
        name = row.name,
        id = %row.id,
        lane = lane_name(row.lane),
        attempt = row.attempts,
        request_id = row.request_id,
    );
    async {
        let outcome = if row.losses >= MAX_LOSSES {
            Some(Err(JobError::Discard(format!("given up after its worker vanished {MAX_LOSSES} times"))))
        } else {
            run(app, row).await
        };
        if let Err(error) = settle(app, &claimed, outcome).await {
            // The lease runs out and the job runs again.
            error!(%error, "a job could not be settled");
        }
    }
    .instrument(span)
    .await;
}

/// A panic is a failure like any other.
async fn run(app: &App, row: &background_job::Model) -> Option<std::result::Result<(), JobError>> {
    AssertUnwindSafe(registry::run(app, row))
        .catch_unwind()
        .await
        .unwrap_or_else(|_| Some(Err(JobError::Retry("panicked".into()))))
}

/// Writes down how a job ended; only if this worker still holds it at this attempt.
async fn settle(app: &App, claimed: &Claimed, outcome: Option<std::result::Result<(), JobError>>) -> Result<()> {
    let Claimed { row, owner } = claimed;
    let now = app.now();
    let mine = || owned(*owner).filter(Column::Id.eq(row.id)).filter(Column::Attempts.eq(row.attempts));
    let finished = |state: State| {
        mine().col_expr(Column::State, Expr::value(state)).col_expr(Column::FinishedAt, Expr::value(now))
    };
    let failed = |update: UpdateMany<_>, why: &str| {
        let kept: String = why.chars().take(ERROR_KEPT).collect();
        update.col_expr(Column::LastError, Expr::value(kept))
    };
    let update = match outcome {
        None => {
            warn!("this version does not know the job; it is left to one that does");
            set_queued(mine(), now + UNKNOWN_PAUSE, Expr::col(Column::Attempts).sub(1))
        }
        Some(Ok(())) => {
            info!("done");
            finished(State::Done)
        }
        Some(Err(JobError::Unavailable(why))) => {
            warn!(why, "waits for something that is down");
            let again = now + pause(app, row.attempts, LONGEST_OUTAGE_PAUSE);
            let update = set_queued(mine(), again, Expr::col(Column::Attempts));
            // An outage is not the job's fault, so it does not use up its attempts.
            failed(update.col_expr(Column::MaxAttempts, Expr::col(Column::MaxAttempts).add(1)), &why)
        }
        Some(Err(JobError::Retry(why))) if row.attempts < row.max_attempts => {
            warn!(why, "will be tried again");
            let again = now + pause(app, row.attempts, LONGEST_PAUSE);
            failed(set_queued(mine(), again, Expr::col(Column::Attempts)), &why)
        }
        Some(Err(JobError::Retry(why) | JobError::Discard(why))) => {
            error!(why, "given up");
            registry::gave_up(app, row, &why).await?;
            failed(finished(State::Dead), &why)
        }
    };
    if update.exec(app.db()).await?.rows_affected == 0 {
        warn!("another worker has taken the job over");
    }
    Ok(())
}

fn owned(owner: WorkerId) -> UpdateMany<background_job::Entity> {
    background_job::Entity::update_many()
        .filter(Column::LeaseOwner.eq(owner.0))
        .filter(Column::State.eq(State::Running))
}

fn set_queued(
    update: UpdateMany<background_job::Entity>,
    run_at: Time,
    attempts: SimpleExpr,
) -> UpdateMany<background_job::Entity> {
    update
        .col_expr(Column::State, Expr::value(State::Queued))
        .col_expr(Column::RunAt, Expr::value(run_at))
        .col_expr(Column::Attempts, attempts)
        .col_expr(Column::PushedAt, Expr::value(None::<Time>))
        .col_expr(Column::LeaseOwner, Expr::value(None::<Uuid>))
        .col_expr(Column::LeaseUntil, Expr::value(None::<Time>))
}

fn lease_end(app: &App) -> Time {
    app.now() + app.settings().jobs.lease
}

/// Exponential back-off with a quarter of jitter either way, so that what failed together does not return together.
fn pause(app: &App, attempts: i32, longest: f64) -> TimeDelta {
    let doubled = FIRST_PAUSE * 2f64.powi(attempts.clamp(1, 30) - 1);
    let seconds = doubled.min(longest) * (0.75 + app.random().fraction() / 2.0);
    TimeDelta::milliseconds((seconds * 1_000.0) as i64)
}
