//! Claim, run, settle.

use std::{
    collections::HashSet,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

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

/// One running worker process; it owns the leases of the jobs it has claimed. Clones are the same worker.
#[derive(Clone, Debug)]
pub struct Worker {
    id: Uuid,
    /// What it is running just now. Only these leases are renewed: a job that was claimed and then dropped on the way, or
    /// whose end could not be written down, must become somebody else's.
    running: Arc<Mutex<HashSet<JobId>>>,
}

impl Worker {
    /// A worker with an id that no other has.
    pub fn new(app: &App) -> Self {
        Self { id: app.new_id(), running: Arc::default() }
    }

    fn running(&self) -> MutexGuard<'_, HashSet<JobId>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A job that this worker, and no other, may run until its lease ends.
#[derive(Debug)]
pub struct Claimed {
    row: background_job::Model,
    worker: Worker,
}

/// Counts a job among those that run, for as long as it lives.
struct Running<'a>(&'a Claimed);

impl<'a> Running<'a> {
    fn new(claimed: &'a Claimed) -> Self {
        claimed.worker.running().insert(claimed.row.id);
        Self(claimed)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.worker.running().remove(&self.0.row.id);
    }
}

/// Claims those of `ids` that are due and that nobody else has claimed: one conditional UPDATE, one winner each.
///
/// # Errors
/// When the database fails.
pub async fn claim(app: &App, worker: &Worker, ids: &[Uuid]) -> Result<Vec<Claimed>> {
    let rows = background_job::Entity::update_many()
        .col_expr(Column::State, Expr::value(State::Running))
        .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
        .col_expr(Column::LeaseOwner, Expr::value(worker.id))
        .col_expr(Column::LeaseUntil, Expr::value(lease_end(app)))
        .filter(Column::Id.is_in(ids.iter().map(|id| JobId(*id))))
        .filter(Column::State.eq(State::Queued))
        .filter(Column::RunAt.lte(app.now()))
        .exec_with_returning(app.db())
        .await?;
    Ok(rows.into_iter().map(|row| Claimed { row, worker: worker.clone() }).collect())
}

/// Renews the leases of all jobs that `worker` runs. To be called well within the lease.
///
/// # Errors
/// When the database fails.
pub async fn renew(app: &App, worker: &Worker) -> Result<()> {
    let running: Vec<JobId> = worker.running().iter().copied().collect();
    if !running.is_empty() {
        let renewal = owned(worker).col_expr(Column::LeaseUntil, Expr::value(lease_end(app)));
        renewal.filter(Column::Id.is_in(running)).exec(app.db()).await?;
    }
    Ok(())
}

/// Gives back every job that `worker` still holds, to be run by others at once. For a worker that stops.
///
/// # Errors
/// When the database fails; then the leases run out by themselves.
pub async fn release(app: &App, worker: &Worker) -> Result<()> {
    set_queued(owned(worker), app.now(), Expr::col(Column::Attempts).sub(1)).exec(app.db()).await?;
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
        let _running = Running::new(&claimed);
        let outcome = if row.losses >= MAX_LOSSES {
            Some(Err(JobError::Discard(format!("given up after its worker vanished {MAX_LOSSES} times"))))
        } else {
            run(app, row).await
        };
        if let Err(error) = settle(app, &claimed, outcome).await {
            // Nobody renews its lease from now on, so it runs out and the job runs again.
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
    let Claimed { row, worker } = claimed;
    let now = app.now();
    let mine = || owned(worker).filter(Column::Id.eq(row.id)).filter(Column::Attempts.eq(row.attempts));
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

fn owned(worker: &Worker) -> UpdateMany<background_job::Entity> {
    background_job::Entity::update_many()
        .filter(Column::LeaseOwner.eq(worker.id))
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

#[cfg(test)]
mod tests {
    use crate::{
        jobs::{self, Worker},
        testing, upkeep,
    };
    use chrono::TimeDelta;
    use portico_entity::background_job::{self, State};
    use sea_orm::EntityTrait;

    #[tokio::test]
    async fn only_what_runs_keeps_its_lease() {
        let app = testing::app().await;
        let mut tx = app.begin().await.unwrap();
        tx.enqueue(upkeep::DeleteExpired {}).await.unwrap();
        tx.commit().await.unwrap();
        let row = || async { background_job::Entity::find().one(app.db()).await.unwrap().unwrap() };
        let (first, second) = (Worker::new(&app), Worker::new(&app));
        let id = row().await.id.0;
        let claimed = jobs::claim(&app, &first, &[id]).await.unwrap().remove(0);
        assert!(jobs::claim(&app, &second, &[id]).await.unwrap().is_empty(), "one winner");

        // Claimed and never run: renewing does not keep it, and the sweeper gives it to others.
        app.clock().advance(TimeDelta::seconds(15));
        jobs::renew(&app, &first).await.unwrap();
        app.clock().advance(TimeDelta::seconds(6));
        jobs::sweep(&app).await.unwrap();
        assert_eq!((row().await.state, row().await.losses), (State::Queued, 1));

        // It runs elsewhere, and the first, late, changes nothing.
        let again = jobs::claim(&app, &second, &[id]).await.unwrap().remove(0);
        jobs::execute(&app, claimed).await;
        assert_eq!(row().await.state, State::Running);
        jobs::execute(&app, again).await;
        assert_eq!((row().await.state, row().await.attempts), (State::Done, 2));
    }
}
