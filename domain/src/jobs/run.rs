//! Claim and run. What follows is in `settle`.

use std::{
    collections::HashSet,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use futures_util::FutureExt;
use portico_entity::{
    JobId,
    background_job::{self, Column, State},
};
use sea_orm::{EntityTrait, ExprTrait, QueryFilter, sea_query::Expr};
use tokio::sync::mpsc;
use tracing::{Instrument, Span, field, info_span};
use uuid::Uuid;

use super::{
    JobError, by_ids_in_state,
    complete::{self, CompletedJob},
    due, lane_name, lease, registry,
};
use crate::{
    app::App,
    error::Result,
    metrics::{self, JobOutcome},
};

/// How often a job may take its worker down with it.
const MAX_CRASHES: i32 = 3;

/// One running worker process; it owns the leases of the jobs it has claimed. Clones are the same worker.
#[derive(Clone, Debug)]
pub struct Worker {
    pub(super) id: Uuid,
    /// What it is running just now. Only these leases are renewed: a job that was claimed and then dropped on the way, or
    /// whose end could not be written down, must become somebody else's.
    running: Arc<Mutex<HashSet<JobId>>>,
    pub(super) done: mpsc::Sender<CompletedJob>,
}

impl Worker {
    /// A worker with an id that no other has, and the task that settles its jobs; it ends with the last clone.
    pub fn new(app: &App) -> Self {
        let id = app.new_id();
        let done = complete::start(app.clone(), id);
        Self { id, running: Arc::default(), done }
    }

    pub(super) fn running(&self) -> MutexGuard<'_, HashSet<JobId>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A job that this worker, and no other, may run until its lease ends.
#[derive(Debug)]
pub struct ClaimedJob {
    row: background_job::Model,
    worker: Worker,
}

/// A job that has run and is not settled yet: whoever drops it leaves it to be run again.
#[derive(Debug)]
#[must_use = "a job that is not settled runs again"]
pub struct FinishedJob {
    pub(super) row: background_job::Model,
    pub(super) worker: Worker,
    /// `None`: this version does not know the job.
    pub(super) outcome: Option<std::result::Result<(), JobError>>,
    pub(super) span: Span,
}

impl Drop for FinishedJob {
    fn drop(&mut self) {
        self.worker.running().remove(&self.row.id);
    }
}

/// Claims those of `ids` that are due and that nobody else has claimed: one conditional UPDATE, one winner each.
///
/// # Errors
/// When the database fails.
pub async fn claim(app: &App, worker: &Worker, ids: &[Uuid]) -> Result<Vec<ClaimedJob>> {
    let now = app.now();
    // What still runs here was taken from us meanwhile. It comes back by the sweeper, when it has ended.
    let ids: Vec<_> = {
        let running = worker.running();
        ids.iter().map(|id| JobId(*id)).filter(|id| !running.contains(id)).collect()
    };
    let rows = background_job::Entity::update_many()
        .col_expr(Column::State, Expr::value(State::Running))
        .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
        .col_expr(Column::LeaseOwner, Expr::value(worker.id))
        .col_expr(Column::LeaseUntil, Expr::value(lease::end(app)))
        .col_expr(Column::StartedAt, Expr::value(now))
        .filter(by_ids_in_state(ids, State::Queued))
        .filter(due(now))
        .exec_with_returning(app.db())
        .await?;
    Ok(rows.into_iter().map(|row| ClaimedJob { row, worker: worker.clone() }).collect())
}

/// Runs a claimed job. Never fails: what went wrong is in the outcome, which [`settle`](super::complete) writes down.
pub async fn run(app: &App, claimed: ClaimedJob) -> FinishedJob {
    let ClaimedJob { row, worker } = claimed;
    let span = info_span!(
        "job",
        job = row.name,
        id = %row.id,
        lane = lane_name(row.lane),
        attempt = row.attempts,
        request_id = row.request_id,
        trace_id = row.request_id.clone().unwrap_or(row.id.to_string()).replace('-', ""),
        outcome = field::Empty,
    );
    worker.running().insert(row.id);
    let began = Instant::now();
    metrics::job_began(row.lane, row.run_at, app.now());
    let mut finished = FinishedJob { row, worker, outcome: None, span: span.clone() };
    finished.outcome = if finished.row.crash_count >= MAX_CRASHES {
        Some(Err(JobError::Discard(format!("given up after its worker vanished {MAX_CRASHES} times"))))
    } else {
        // A panic is a failure like any other.
        AssertUnwindSafe(registry::run(app, &finished.row))
            .catch_unwind()
            .instrument(span)
            .await
            .unwrap_or_else(|_| Some(Err(JobError::Retry("panicked".into()))))
    };
    let how = outcome_of(&finished);
    metrics::job_finished(registry::known_name(&finished.row.name), how, began);
    finished.span.record("outcome", how.name());
    finished
}

fn outcome_of(finished: &FinishedJob) -> JobOutcome {
    match &finished.outcome {
        None => JobOutcome::Unknown,
        Some(Ok(())) => JobOutcome::Done,
        Some(Err(JobError::Unavailable(_))) => JobOutcome::Unavailable,
        Some(Err(JobError::Retry(_))) if finished.row.attempts < finished.row.max_attempts => JobOutcome::Retry,
        Some(Err(JobError::Retry(_) | JobError::Discard(_))) => JobOutcome::Dead,
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        jobs::{self, Worker},
        maintenance, testing,
    };
    use chrono::TimeDelta;
    use portico_entity::background_job::{self, State};
    use sea_orm::EntityTrait;

    #[tokio::test]
    async fn inf_11_a_new_job_is_due_on_a_clock_that_is_behind() {
        let app = testing::app().await;
        let mut tx = app.begin().await.unwrap();
        tx.enqueue(maintenance::DeleteExpired {}).await.unwrap();
        tx.commit().await.unwrap();
        let id = background_job::Entity::find().one(app.db()).await.unwrap().unwrap().id.0;
        app.clock().advance(TimeDelta::seconds(-25));
        let worker = Worker::new(&app);
        let claimed = jobs::claim(&app, &worker, &[id]).await.unwrap().remove(0);
        let finished = jobs::run(&app, claimed).await;
        // What still runs here is not claimed a second time, though the sweeper of a clock ahead took it away.
        app.clock().advance(TimeDelta::seconds(60));
        jobs::sweep(&app).await.unwrap();
        assert!(jobs::claim(&app, &worker, &[id]).await.unwrap().is_empty());
        drop(finished);
        assert_eq!(jobs::claim(&app, &worker, &[id]).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn only_what_runs_keeps_its_lease() {
        let app = testing::app().await;
        let mut tx = app.begin().await.unwrap();
        tx.enqueue(maintenance::DeleteExpired {}).await.unwrap();
        tx.commit().await.unwrap();
        let row = || async { background_job::Entity::find().one(app.db()).await.unwrap().unwrap() };
        let (first, second) = (Worker::new(&app), Worker::new(&app));
        let id = row().await.id.0;
        let claimed = jobs::claim(&app, &first, &[id]).await.unwrap().remove(0);
        assert!(jobs::claim(&app, &second, &[id]).await.unwrap().is_empty(), "one winner");

        // ClaimedJob and never run: renewing does not keep it, and the sweeper gives it to others.
        app.clock().advance(TimeDelta::seconds(15));
        jobs::renew(&app, &first).await.unwrap();
        app.clock().advance(TimeDelta::seconds(6));
        jobs::sweep(&app).await.unwrap();
        assert_eq!((row().await.state, row().await.crash_count), (State::Queued, 1));

        // It runs elsewhere, and the first, late, changes nothing.
        let again = jobs::claim(&app, &second, &[id]).await.unwrap().remove(0);
        jobs::complete(&app, jobs::run(&app, claimed).await).await;
        assert_eq!(row().await.state, State::Running);
        let finished = jobs::run(&app, again).await;
        // Run and not settled yet: it is still this worker's.
        app.clock().advance(TimeDelta::seconds(15));
        jobs::renew(&app, &second).await.unwrap();
        app.clock().advance(TimeDelta::seconds(15));
        jobs::sweep(&app).await.unwrap();
        assert_eq!(row().await.state, State::Running);
        jobs::complete(&app, finished).await;
        assert_eq!((row().await.state, row().await.attempts), (State::Done, 2));
    }
}
