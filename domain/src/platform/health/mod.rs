//! Health checks: whether this process can serve requests, and whether its dependencies work. Also the backlog of the
//! whole installation, and the metrics that are read from both.

mod backlog;
mod scrape;

use std::time::Duration;

use tokio::time::timeout;

use super::{
    app::App,
    cached::Cached,
    error::{Error, Result},
    metrics,
};

pub use backlog::{Backlog, LaneBacklog};
pub use scrape::render_metrics;

/// The time limit for a check of one dependency.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);
/// How old a cached result may be. Each process checks its dependencies at most once in this time.
const CACHE_TTL: Duration = Duration::from_secs(1);
/// The age from which a queued mail counts as late.
const MAIL_LATE_AFTER: Duration = Duration::from_secs(300);

/// The last results of [`check`] and of the backlog query in this process.
#[derive(Default)]
pub struct HealthCache {
    health: Cached<Health>,
    backlog: Cached<Backlog>,
}

/// The health of this process and of its dependencies.
#[derive(Clone, Copy, Debug)]
pub struct Health {
    /// Whether this process has received SIGTERM or SIGINT. Other processes should then take its requests.
    pub draining: bool,
    /// Whether the database answers and can be written. Without it no request can be served.
    pub database: bool,
    /// Whether the job queue can be reached and written. Without it, mail is delayed.
    pub queue: bool,
    /// The number of workers that have recorded a heartbeat in the last 30 seconds; `None` if the database does not
    /// answer.
    pub workers: Option<u64>,
    /// The age of the oldest queued mail that is not deferred by its recipient, zero if there is none; `None` if the
    /// database does not answer.
    pub oldest_mail_age: Option<Duration>,
    /// Whether mail waits because the mail server refuses Portico itself.
    pub mail_held: bool,
}

impl Health {
    /// Returns whether this process should receive requests: the database can be written and the process is not
    /// stopping.
    pub fn is_ready(&self) -> bool {
        self.database && !self.draining
    }

    /// Returns whether everything works: this process is ready, the queue can be written, at least one worker is
    /// running, no mail is late, and the mail server is not on hold.
    pub fn is_fully_working(&self) -> bool {
        self.is_ready() && self.queue && self.has_worker() && self.is_mail_in_time() && !self.mail_held
    }

    /// Returns whether at least one worker is known to be running.
    pub fn has_worker(&self) -> bool {
        self.workers.is_some_and(|workers| workers > 0)
    }

    /// Returns whether the age of the oldest queued mail is known and is less than 5 minutes.
    pub fn is_mail_in_time(&self) -> bool {
        self.oldest_mail_age.is_some_and(|oldest| oldest < MAIL_LATE_AFTER)
    }
}

/// Checks the database, the queue, the workers and the outbox, or returns a cached result that is less than a second
/// old. `draining` is always current.
pub async fn check(app: &App) -> Health {
    let health = app.get::<HealthCache>().health.get_or_load(CACHE_TTL, || async { Ok(probe(app).await) }).await;
    let all_failed = Health {
        draining: false,
        database: false,
        queue: false,
        workers: None,
        oldest_mail_age: None,
        mail_held: false,
    };
    // Not cached, so that the process stops being ready immediately.
    Health { draining: app.is_draining(), ..health.unwrap_or(all_failed) }
}

/// Returns the health of this process if it should receive requests.
///
/// # Errors
/// `unavailable` if the database does not answer or is read-only, or if this process has received SIGTERM or SIGINT.
pub async fn require_ready(app: &App) -> Result<Health> {
    let health = check(app).await;
    match health {
        Health { database: false, .. } => {
            Err(Error::Unavailable("the database does not answer or is read-only".into()))
        }
        Health { draining: true, .. } => Err(Error::Unavailable("this process is stopping".into())),
        _ => Ok(health),
    }
}

async fn probe(app: &App) -> Health {
    let (is_writable, written) = tokio::join!(
        timeout(PROBE_TIMEOUT, app.db().is_writable()),
        timeout(PROBE_TIMEOUT, app.queue().check_write()),
    );
    let database = matches!(is_writable, Ok(Ok(true)));
    let queue = matches!(written, Ok(Ok(())));
    metrics::probed("database", database);
    metrics::probed("queue", queue);
    let backlog = match database {
        true => timeout(PROBE_TIMEOUT, backlog::current(app)).await.ok().and_then(Result::ok),
        false => None,
    };
    Health {
        draining: false,
        database,
        queue,
        workers: backlog.as_ref().map(|backlog| backlog.workers),
        mail_held: backlog.as_ref().is_some_and(|backlog| !backlog.mail_holds.is_empty()),
        oldest_mail_age: backlog.map(|backlog| backlog.oldest_mail_age),
    }
}
