//! Whether what Portico leans on is there.

use std::time::Duration;

use tokio::time::timeout;

use crate::{
    app::App,
    backlog,
    error::{Error, Result},
    jobs, metrics,
};

/// How long a dependency may take to show that it is there.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);
/// How old an answer may be: a flood of questions is one probe a second.
const CACHE_TTL: Duration = Duration::from_secs(1);
/// Mail that has waited for longer is late.
const MAIL_LATE_AFTER: Duration = Duration::from_secs(300);

/// What is there.
#[derive(Clone, Copy, Debug)]
pub struct Health {
    /// Whether this process was told to stop: others should take its requests.
    pub draining: bool,
    /// Whether the database answers; without it no request can be served.
    pub database: bool,
    /// Whether the queue can be reached; without it mail comes later.
    pub queue: bool,
    /// How many workers gave a sign of life lately; none known without the database.
    pub workers: Option<u64>,
    /// How long the oldest mail has waited; none known without the database.
    pub oldest_mail: Option<Duration>,
}

impl Health {
    /// Whether requests should come here.
    pub fn is_ready(&self) -> bool {
        self.database && !self.draining
    }

    /// Whether requests are served and mail goes out in time.
    pub fn is_whole(&self) -> bool {
        self.is_ready() && self.queue && self.has_worker() && self.is_mail_in_time()
    }

    /// Whether somebody runs the jobs.
    pub fn has_worker(&self) -> bool {
        self.workers.is_some_and(|workers| workers > 0)
    }

    /// Whether no mail has waited for more than five minutes.
    pub fn is_mail_in_time(&self) -> bool {
        self.oldest_mail.is_some_and(|oldest| oldest < MAIL_LATE_AFTER)
    }
}

/// Looks at the database, the queue, the workers and the outbox, or remembers a look of the last second.
pub async fn check(app: &App) -> Health {
    let health = app.health().get_or_load(CACHE_TTL, || async { Ok(probe(app).await) }).await;
    let nothing = Health { draining: false, database: false, queue: false, workers: None, oldest_mail: None };
    // Said at once, not a second later.
    Health { draining: app.is_draining(), ..health.unwrap_or(nothing) }
}

/// That requests should come here, or why not.
///
/// # Errors
/// `unavailable` when the database does not answer, or the process was told to stop.
pub async fn require_ready(app: &App) -> Result<Health> {
    let health = check(app).await;
    match health {
        Health { database: false, .. } => Err(Error::Unavailable("the database does not answer".into())),
        Health { draining: true, .. } => Err(Error::Unavailable("this process is stopping".into())),
        _ => Ok(health),
    }
}

async fn probe(app: &App) -> Health {
    let (pinged, depth) = tokio::join!(
        timeout(PROBE_TIMEOUT, app.db().ping()),
        timeout(PROBE_TIMEOUT, app.queue().depth(jobs::lane_name(jobs::LANES[0]))),
    );
    let database = matches!(pinged, Ok(Ok(())));
    let queue = matches!(depth, Ok(Ok(_)));
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
        oldest_mail: backlog.map(|backlog| backlog.oldest_mail),
    }
}
