//! Job types: how a stored job is found by its name.

use futures_util::future::BoxFuture;
use portico_entity::background_job;
use serde_json::Value;

use super::{
    app::App,
    error::Result,
    job::{Job, JobError},
};

/// Every job that a worker can run. [`registry`](crate::registry) lists them.
pub struct JobTypes(pub &'static [JobType]);

impl JobTypes {
    fn of(app: &App) -> &Self {
        app.get()
    }

    /// Returns whether the list has the job `name`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    fn find(&self, name: &str) -> Option<&JobType> {
        self.0.iter().find(|job| job.name == name)
    }
}

/// Runs the job of `row`. Returns `None` if this version of Portico does not know its name.
pub(crate) async fn run_row(app: &App, row: &background_job::Model) -> Option<std::result::Result<(), JobError>> {
    let job = JobTypes::of(app).find(&row.name)?;
    Some((job.run)(app, &row.payload).await)
}

/// Calls [`Job::on_dead`] for the job of `row`. A job that cannot be read has nothing to call.
///
/// # Errors
/// The error of [`Job::on_dead`].
pub(crate) async fn on_dead_row(app: &App, row: &background_job::Model, reason: &str) -> Result<()> {
    match JobTypes::of(app).find(&row.name) {
        Some(job) => (job.on_dead)(app, &row.payload, reason).await,
        None => Ok(()),
    }
}

/// Calls [`Job::on_retry`] for the job of `row`. A job that cannot be read has nothing to call.
///
/// # Errors
/// The error of [`Job::on_retry`].
pub(crate) async fn on_retry_row(app: &App, row: &background_job::Model) -> Result<()> {
    match JobTypes::of(app).find(&row.name) {
        Some(job) => (job.on_retry)(app, &row.payload).await,
        None => Ok(()),
    }
}

/// Returns the name of the job of `row` as a constant of the code, or `unknown`. Nothing else may become the label of a
/// metric.
pub(crate) fn metric_name(app: &App, row: &background_job::Model) -> &'static str {
    JobTypes::of(app).find(&row.name).map_or("unknown", |job| job.name)
}

/// A [`Job`] without its type: its name, and what a worker does with a stored payload.
pub struct JobType {
    name: &'static str,
    run: for<'a> fn(&'a App, &'a Value) -> BoxFuture<'a, std::result::Result<(), JobError>>,
    on_dead: for<'a> fn(&'a App, &'a Value, &'a str) -> BoxFuture<'a, Result<()>>,
    on_retry: for<'a> fn(&'a App, &'a Value) -> BoxFuture<'a, Result<()>>,
}

impl JobType {
    /// Returns the type of job `J`.
    pub const fn of<J: Job>() -> Self {
        Self { name: J::NAME, run: run::<J>, on_dead: on_dead::<J>, on_retry: on_retry::<J> }
    }

    /// Returns the name in the database.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

fn run<'a, J: Job>(app: &'a App, payload: &'a Value) -> BoxFuture<'a, std::result::Result<(), JobError>> {
    Box::pin(async move {
        // Another version of Portico may be able to read the payload, so the job is not discarded.
        let job: J = read(payload).map_err(|error| JobError::Retry(format!("unreadable payload: {error}")))?;
        job.run(app).await
    })
}

fn on_dead<'a, J: Job>(app: &'a App, payload: &'a Value, reason: &'a str) -> BoxFuture<'a, Result<()>> {
    Box::pin(async move {
        match read::<J>(payload) {
            Ok(job) => job.on_dead(app, reason).await,
            Err(_) => Ok(()),
        }
    })
}

fn on_retry<'a, J: Job>(app: &'a App, payload: &'a Value) -> BoxFuture<'a, Result<()>> {
    Box::pin(async move {
        match read::<J>(payload) {
            Ok(job) => job.on_retry(app).await,
            Err(_) => Ok(()),
        }
    })
}

fn read<J: Job>(payload: &Value) -> serde_json::Result<J> {
    serde_json::from_value(payload.clone())
}
