//! Claims jobs and runs them. The module `complete` records the outcomes.

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
    complete::{self, CompletedJob},
    lease,
};
use crate::platform::{
    app::App,
    error::Result,
    job::{JobError, by_ids_in_state, is_due},
    job_type,
    metrics::{self, JobOutcome},
};

/// How often the lease of a job may expire before the job is discarded instead of run, because it may crash its worker.
const MAX_CRASHES: i32 = 3;

/// A worker process, which owns the leases of the jobs that it has claimed. Clones refer to the same worker.
#[derive(Clone, Debug)]
pub struct Worker {
    /// The id of the worker in `workers` and in `background_jobs.lease_owner`.
    pub(super) id: Uuid,
    /// The jobs that are running now. Only their leases are renewed: a job that was claimed but never started, or whose
    /// outcome could not be recorded, must become available to other workers.
    running: Arc<Mutex<HashSet<JobId>>>,
    /// The channel to the task that records completed jobs.
    pub(super) done: mpsc::Sender<CompletedJob>,
}

impl Worker {
    /// Creates a worker with a unique id, and starts the task that records its completed jobs. The task ends when the
    /// last clone of the worker is dropped.
    pub fn new(app: &App) -> Self {
        let id = app.new_id();
        let done = complete::start(app.clone(), id);
        Self { id, running: Arc::default(), done }
    }

    /// Locks and returns the set of the jobs that are running now.
    pub(super) fn running(&self) -> MutexGuard<'_, HashSet<JobId>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A job that this worker, and no other, may run until its lease expires.
#[derive(Debug)]
pub struct ClaimedJob {
    row: background_job::Model,
    worker: Worker,
}

/// A job that has run and whose outcome is not recorded yet. If it is dropped without [`complete`](super::complete()),
/// the job runs again when its lease expires.
#[derive(Debug)]
#[must_use = "a job whose outcome is not recorded runs again"]
pub struct FinishedJob {
    /// The row of the job, as it was when the job was claimed.
    pub(super) row: background_job::Model,
    /// The worker that ran the job.
    pub(super) worker: Worker,
    /// How the run ended; `None` if this version does not know the name of the job.
    pub(super) outcome: Option<std::result::Result<(), JobError>>,
    /// The tracing span of the job.
    pub(super) span: Span,
}

impl Drop for FinishedJob {
    fn drop(&mut self) {
        self.worker.running().remove(&self.row.id);
    }
}

/// Claims those of the jobs `ids` that are due and that no other worker has claimed, and returns them.
///
/// One conditional `UPDATE` claims all of them, so of several workers that claim the same job one succeeds.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub async fn claim(app: &App, worker: &Worker, ids: &[Uuid]) -> Result<Vec<ClaimedJob>> {
    let now = app.now();
    // If a job still runs here, its lease has expired and the sweeper has queued it again. It must not run twice in
    // this process. The sweeper pushes it again after this run has ended.
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
        .filter(is_due(now))
        .exec_with_returning(app.db())
        .await?;
    Ok(rows.into_iter().map(|row| ClaimedJob { row, worker: worker.clone() }).collect())
}

/// Runs a claimed job and returns it with its outcome, which [`complete`](super::complete()) records. A failure or a
/// panic of the job is part of the outcome.
pub async fn run(app: &App, claimed: ClaimedJob) -> FinishedJob {
    let ClaimedJob { row, worker } = claimed;
    let span = info_span!(
        "job",
        job = row.name,
        id = %row.id,
        lane = row.lane.name(),
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
        Some(Err(JobError::Discard(format!("not run again: its lease has expired {MAX_CRASHES} times"))))
    } else {
        // A panic counts as a failed attempt.
        AssertUnwindSafe(job_type::run_row(app, &finished.row))
            .catch_unwind()
            .instrument(span)
            .await
            .unwrap_or_else(|_| Some(Err(JobError::Retry("the job panicked".into()))))
    };
    let outcome = outcome_of(&finished);
    metrics::job_finished(job_type::metric_name(app, &finished.row), outcome, began);
    finished.span.record("outcome", outcome.name());
    finished
}

fn outcome_of(finished: &FinishedJob) -> JobOutcome {
    match &finished.outcome {
        None => JobOutcome::Unknown,
        Some(Ok(())) => JobOutcome::Done,
        Some(Err(JobError::Unavailable(_))) => JobOutcome::Unavailable,
        Some(Err(JobError::Postponed(..))) => JobOutcome::Postponed,
        Some(Err(JobError::Retry(_))) if finished.row.attempts < finished.row.max_attempts => JobOutcome::Retry,
        Some(Err(JobError::Retry(_) | JobError::Discard(_))) => JobOutcome::Dead,
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        operations::maintenance,
        platform::jobs::{self, Worker},
        testing,
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
        // The worker does not claim a job that it still runs, even after a sweeper whose clock is ahead has requeued
        // it.
        app.clock().advance(TimeDelta::seconds(60));
        jobs::sweep(&app).await.unwrap();
        assert!(jobs::claim(&app, &worker, &[id]).await.unwrap().is_empty());
        drop(finished);
        assert_eq!(jobs::claim(&app, &worker, &[id]).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn only_running_jobs_keep_their_leases() {
        let app = testing::app().await;
        let mut tx = app.begin().await.unwrap();
        tx.enqueue(maintenance::DeleteExpired {}).await.unwrap();
        tx.commit().await.unwrap();
        let row = || async { background_job::Entity::find().one(app.db()).await.unwrap().unwrap() };
        let (first, second) = (Worker::new(&app), Worker::new(&app));
        let id = row().await.id.0;
        let claimed = jobs::claim(&app, &first, &[id]).await.unwrap().remove(0);
        assert!(jobs::claim(&app, &second, &[id]).await.unwrap().is_empty(), "one winner");

        // The job is claimed but never started. Its lease is not renewed, and the sweeper queues it again.
        app.clock().advance(TimeDelta::seconds(15));
        jobs::renew(&app, &first).await.unwrap();
        app.clock().advance(TimeDelta::seconds(6));
        jobs::sweep(&app).await.unwrap();
        assert_eq!((row().await.state, row().await.crash_count), (State::Queued, 1));

        // The second worker runs the job. The first worker runs it late, and its outcome is not recorded.
        let second_claim = jobs::claim(&app, &second, &[id]).await.unwrap().remove(0);
        jobs::complete(&app, jobs::run(&app, claimed).await).await;
        assert_eq!(row().await.state, State::Running);
        let finished = jobs::run(&app, second_claim).await;
        // The outcome is not recorded yet, so the lease is still renewed.
        app.clock().advance(TimeDelta::seconds(15));
        jobs::renew(&app, &second).await.unwrap();
        app.clock().advance(TimeDelta::seconds(15));
        jobs::sweep(&app).await.unwrap();
        assert_eq!(row().await.state, State::Running);
        jobs::complete(&app, finished).await;
        assert_eq!((row().await.state, row().await.attempts), (State::Done, 2));
    }
}
