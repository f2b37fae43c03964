//! Background work. The row in `background_jobs` is the truth about a job; the queue only carries its id.
//!
//! - [`registry`](self::registry): every job, a line each.
//! - [`schedule`](self::schedule): everything that happens by the clock, a line each.
//! - `run`, `lease`, `settle`: what a worker does with a job; `push` and `sweep`: how ids get onto the wire, and back onto
//!   it when it lost them.
//! - `operate`, `pause`, `probe`: what an operator does.

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

/// Every lane, the most urgent first.
pub const LANES: [Lane; 3] = [Lane::Urgent, Lane::Bulk, Lane::Maintenance];

/// The lane's name on the wire.
pub const fn lane_name(lane: Lane) -> &'static str {
    match lane {
        Lane::Urgent => "urgent",
        Lane::Bulk => "bulk",
        Lane::Maintenance => "maintenance",
    }
}

/// Those of `jobs` that are in `state`, found by their ids. The state is written so that no index fits it: a planner whose
/// statistics are older than the backlog takes the index for the shorter way, and reads the whole backlog for each batch.
fn by_ids_in_state(jobs: impl IntoIterator<Item = JobId>, state: State) -> Condition {
    let unindexed = Expr::col(Column::State).binary(BinOper::Custom("||"), Expr::val(""));
    Condition::all().add(Column::Id.is_in(jobs)).add(unindexed.eq(state))
}

/// Whether a queued job may run at `now`. A new one may, whatever this clock says: the one that enqueued it may be ahead. That
/// also keeps the planner from the index on `run_at`, which nearly all that wait fit.
fn due(now: Time) -> SimpleExpr {
    Column::Attempts.eq(0).or(Column::RunAt.lte(now))
}

/// A kind of background work. Its fields are ids: never a secret, never an address.
///
/// It may run more than once (a worker can die after the work and before it says so), so running twice must do no harm.
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Its name in the database: never renamed, never used again for other work.
    const NAME: &'static str;
    /// Where it waits, unless whoever enqueues it says otherwise.
    const LANE: Lane;
    /// How often it is tried before it is given up.
    const ATTEMPTS: i32 = 8;

    /// Does the work. `?` means: try again later.
    fn run(&self, app: &App) -> impl Future<Output = std::result::Result<(), JobError>> + Send;

    /// Called when the job is given up, `why` in words for an operator.
    fn on_dead(&self, _app: &App, _why: &str) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }

    /// Called before a job that was given up is tried after all, because an operator says so.
    fn on_retry(&self, _app: &App) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }
}

/// Why a job did not do its work this time.
#[derive(Debug, PartialEq, Eq)]
pub enum JobError {
    /// Try again with back-off; it counts as an attempt.
    Retry(String),
    /// What it needs is down. Try again with back-off for as long as it takes; it is not the job's fault.
    Unavailable(String),
    /// The work can never be done, or need not be any more.
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
