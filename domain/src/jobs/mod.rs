//! Background jobs.
//!
//! The row in `background_jobs` is the source of truth about a job. The job queue carries only the job's id.
//!
//! - `registry` lists every job. `schedule` lists every job that is enqueued at a fixed interval.
//! - `run`, `lease`, `complete` and `heartbeat` are what a worker process does.
//! - `push` puts the ids of committed jobs into the queue. `sweep` puts them there again after the queue has lost them.
//! - `admin`, `pause` and `canary` are what an operator does.

mod admin;
mod canary;
mod complete;
mod heartbeat;
mod lease;
mod pause;
mod push;
mod registry;
mod run;
mod schedule;
mod settings;
mod sweep;

use std::{fmt, future::Future};

use portico_entity::{
    JobId,
    background_job::{Column, Lane, State},
};
use sea_orm::{
    ColumnTrait, Condition, ExprTrait,
    sea_query::{BinOper, Expr, SimpleExpr},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    app::App,
    clock::Time,
    error::{Error, Result},
};

pub use admin::{JobFilter, discard, list, retry};
pub use canary::{Canary, CanaryReport, run as run_canary};
pub use complete::complete;
pub(crate) use heartbeat::WORKER_TIMEOUT;
pub use heartbeat::{HEARTBEAT_INTERVAL, deregister_worker, record_heartbeat};
pub use lease::{release, renew};
pub use pause::{pause, paused, resume};
pub(crate) use push::push_committed;
pub use run::{ClaimedJob, FinishedJob, Worker, claim, run};
pub use schedule::Scheduler;
pub use settings::{Concurrency, JobSettings};
pub use sweep::sweep;

/// All lanes, the most urgent first.
pub const LANES: [Lane; 3] = [Lane::Urgent, Lane::Bulk, Lane::Maintenance];

/// Returns the name of `lane` in the job queue, in metrics, in logs and on the command line.
pub const fn lane_name(lane: Lane) -> &'static str {
    match lane {
        Lane::Urgent => "urgent",
        Lane::Bulk => "bulk",
        Lane::Maintenance => "maintenance",
    }
}

/// Returns a condition that selects those of `jobs` that are in `state`, by their primary keys.
///
/// The state is compared in a form that no index supports. With a plain comparison, a query planner whose statistics
/// are older than the backlog chooses the index on `state` and reads the whole backlog for each batch.
fn by_ids_in_state(jobs: impl IntoIterator<Item = JobId>, state: State) -> Condition {
    let unindexed = Expr::col(Column::State).binary(BinOper::Custom("||"), Expr::val(""));
    Condition::all().add(Column::Id.is_in(jobs)).add(unindexed.eq(state))
}

/// Returns a condition that selects the jobs that are due at `now`: new jobs, and jobs whose `run_at` has passed.
///
/// A new job is due regardless of this process's clock, because the clock of the process that enqueued it may be ahead.
/// The `OR` also keeps the query planner from the index on `run_at`, which would match nearly every queued job.
fn due(now: Time) -> SimpleExpr {
    Column::Attempts.eq(0).or(Column::RunAt.lte(now))
}

/// A kind of background work.
///
/// The fields are stored in the database as the job's payload. They are ids, never secrets and never addresses.
///
/// A job can run more than once, because a worker process can die after it has done the work and before it has recorded
/// that. So [`run`](Self::run) must be idempotent.
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The name of the job in the database. A name is never changed, and never reused for other work.
    const NAME: &'static str;
    /// The lane of the job, unless the code that enqueues it names another lane.
    const LANE: Lane;
    /// The maximum number of attempts. After the last failed attempt the job is dead.
    const ATTEMPTS: i32 = 8;

    /// Does the work.
    ///
    /// # Errors
    /// A [`JobError`], which decides whether and when the job runs again. The operator `?` converts database errors and
    /// [`Error`]s into `Unavailable` or `Retry`, so the job runs again later.
    fn run(&self, app: &App) -> impl Future<Output = std::result::Result<(), JobError>> + Send;

    /// Called when the job becomes dead. `why` is the reason, as text for an operator. Can be called more than once.
    ///
    /// # Errors
    /// Any [`Error`]. A worker then does not mark the job dead, so the job runs again.
    fn on_dead(&self, _app: &App, _why: &str) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }

    /// Called before a dead job is queued again at the request of an operator.
    ///
    /// # Errors
    /// Any [`Error`]; the job then stays dead.
    fn on_retry(&self, _app: &App) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }
}

/// Why a run of a job failed. Each variant holds the reason, as text for an operator.
#[derive(Debug, PartialEq, Eq)]
pub enum JobError {
    /// Try again with back-off. The run counts as an attempt.
    Retry(String),
    /// A service that the job needs is unavailable. Try again with back-off and without a limit on the number of
    /// attempts.
    Unavailable(String),
    /// The work can never be done, or is no longer needed. The job becomes dead without further attempts.
    Discard(String),
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Retry(why) | Self::Unavailable(why) | Self::Discard(why) => f.write_str(why),
        }
    }
}

impl From<Error> for JobError {
    fn from(error: Error) -> Self {
        match error {
            Error::Unavailable(why) | Error::Aborted(why) => Self::Unavailable(why),
            error => Self::Retry(error.to_string()),
        }
    }
}

impl From<sea_orm::DbErr> for JobError {
    fn from(error: sea_orm::DbErr) -> Self {
        Error::from(error).into()
    }
}
