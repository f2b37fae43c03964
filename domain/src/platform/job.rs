//! The trait that every background job implements. What a worker does with jobs is in [`jobs`](super::jobs).

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

use super::{
    app::App,
    clock::Time,
    error::{Error, Result},
};

/// A kind of background work. Its fields are ids, never a secret and never an email address.
///
/// A job may run more than once, because a worker can stop after the work and before it records the outcome. Running a
/// job twice must do no harm.
///
/// ```
/// use portico_domain::{entity::{ClientId, background_job::Lane}, platform::{app::App, job::{Job, JobError}}};
/// use serde::{Deserialize, Serialize};
///
/// /// Counts the files of a client.
/// #[derive(Serialize, Deserialize)]
/// struct CountFiles {
///     client: ClientId,
/// }
///
/// impl Job for CountFiles {
///     const NAME: &'static str = "count_files";
///     const LANE: Lane = Lane::Maintenance;
///
///     async fn run(&self, app: &App) -> Result<(), JobError> {
///         let _ = (app, self.client);
///         Ok(())
///     }
/// }
/// ```
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The name in the database. It is never renamed and never reused for other work.
    const NAME: &'static str;
    /// The lane in which [`Tx::enqueue`](super::tx::Tx::enqueue) puts the job.
    const LANE: Lane;
    /// How many times the job runs before it is dead. Runs that end with [`JobError::Unavailable`] do not count.
    const ATTEMPTS: i32 = 8;

    /// Does the work. An error that `?` returns means: retry with back-off.
    fn run(&self, app: &App) -> impl Future<Output = std::result::Result<(), JobError>> + Send;

    /// Called when the job becomes dead, before or after its row is updated. May be called more than once. `reason`
    /// is text for an operator.
    fn on_dead(&self, _app: &App, _reason: &str) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }

    /// Called before an operator queues a dead job again.
    fn on_retry(&self, _app: &App) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }
}

/// Why a job did not do its work this time.
#[derive(Debug, PartialEq, Eq)]
pub enum JobError {
    /// The run failed. The job runs again with back-off until its attempts are used up.
    Retry(String),
    /// The job must wait until this time, for this reason. It then runs again; the run does not count as an attempt.
    Postponed(Time, String),
    /// A service that the job needs is down. The job runs again with back-off; the run does not count as an attempt.
    Unavailable(String),
    /// The work cannot be done, or is no longer needed. The job becomes dead.
    Discard(String),
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Retry(reason) | Self::Postponed(_, reason) | Self::Unavailable(reason) | Self::Discard(reason) => {
                f.write_str(reason)
            }
        }
    }
}

impl From<Error> for JobError {
    fn from(error: Error) -> Self {
        match error {
            Error::Unavailable(reason) | Error::Aborted(reason) => Self::Unavailable(reason),
            error => Self::Retry(error.to_string()),
        }
    }
}

impl From<sea_orm::DbErr> for JobError {
    fn from(error: sea_orm::DbErr) -> Self {
        Error::from(error).into()
    }
}

/// Matches the rows of `jobs` that are in `state`, by their ids.
///
/// The state is compared through an expression that no index fits. With statistics from before a backlog, Postgres
/// would choose the index on `state` and read the whole backlog for each batch.
pub(super) fn by_ids_in_state(jobs: impl IntoIterator<Item = JobId>, state: State) -> Condition {
    let unindexed = Expr::col(Column::State).binary(BinOper::Custom("||"), Expr::val(""));
    Condition::all().add(Column::Id.is_in(jobs)).add(unindexed.eq(state))
}

/// Matches queued jobs that may run at `now`. A new job may always run, because the clock of the process that enqueued
/// it may be ahead of this process's clock.
///
/// The OR also prevents Postgres from using the index on `run_at`, which matches nearly all waiting jobs.
pub(super) fn is_due(now: Time) -> SimpleExpr {
    Column::Attempts.eq(0).or(Column::RunAt.lte(now))
}
