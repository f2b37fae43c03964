//! The handle that every use case and every job receives.

use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use portico_entity::{JobId, background_job::Lane};
use portico_queue::JobQueue;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{
    clock::{Clock, Time},
    database::Database,
    error::Result,
    extensions::Extensions,
    keys::ServerKeys,
    metrics, push,
    random::Random,
    settings::Settings,
    tx::Tx,
};

/// How many committed jobs may wait to be pushed to the queue. The sweeper pushes the jobs that do not fit.
const MAX_COMMITTED_PENDING: usize = 10_000;

/// Everything a use case needs: database, queue, clock, random numbers, settings and the capabilities' state.
///
/// Cheap to clone. All clones share the same parts.
///
/// A use case is a free function that takes the app, the caller and an input:
///
/// ```no_run
/// use portico_domain::platform::{
///     actor::{Authorized, access::ClientsEdit},
///     app::App,
///     audit,
///     error::Result,
/// };
///
/// async fn touch(app: &App, caller: &Authorized<ClientsEdit>) -> Result<()> {
///     let mut tx = app.begin().await?;
///     audit::record(&mut tx, caller, audit::Event::new("example.touched").tenant(caller.tenant.id)).await?;
///     tx.commit().await
/// }
/// ```
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The parts of an [`App`].
pub struct Parts {
    db: Database,
    queue: JobQueue,
    committed: mpsc::Sender<(Lane, JobId)>,
    clock: Clock,
    settings: Settings,
    capabilities: Extensions,
    draining: AtomicBool,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    /// Creates an app and starts the task that pushes committed jobs to `queue`. The task ends with the last clone.
    ///
    /// `capabilities` comes from [`registry::capabilities`](crate::registry::capabilities).
    pub fn new(db: Database, queue: JobQueue, clock: Clock, settings: Settings, capabilities: Extensions) -> Self {
        let (committed, receiver) = mpsc::channel(MAX_COMMITTED_PENDING);
        tokio::spawn(push::push_committed(db.clone(), queue.clone(), clock.clone(), receiver));
        metrics::set_started_at(clock.now());
        let draining = AtomicBool::new(false);
        Self(Arc::new(Parts { db, queue, committed, clock, settings, capabilities, draining }))
    }

    /// Begins a transaction that can also enqueue jobs.
    ///
    /// # Errors
    /// `unavailable` if the database cannot be reached.
    pub async fn begin(&self) -> Result<Tx> {
        Ok(Tx::new(self.clone(), self.db.begin().await?))
    }
}

impl Parts {
    /// Returns the database, for reads and single statements. Statements that belong together go into a [`Tx`].
    pub fn db(&self) -> &Database {
        &self.db
    }

    /// Returns the job queue.
    pub fn queue(&self) -> &JobQueue {
        &self.queue
    }

    /// Returns the clock. To read the time, use [`now`](Self::now).
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Returns the current time.
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// Returns the source of random numbers.
    pub fn random(&self) -> Random {
        Random
    }

    /// Returns the settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns the settings section of type `S`.
    ///
    /// # Panics
    /// If [`registry`](crate::registry) does not list the section.
    pub fn section<S: Send + Sync + 'static>(&self) -> &S {
        self.settings.section()
    }

    /// Returns what a capability keeps in this process, such as a cache or a thread pool, by its type.
    ///
    /// # Panics
    /// If [`registry`](crate::registry) does not list a value of type `T`.
    pub fn get<T: Send + Sync + 'static>(&self) -> &T {
        self.capabilities.get()
    }

    /// Returns the server keys.
    pub fn keys(&self) -> &ServerKeys {
        &self.settings.keys
    }

    /// Marks this process as not ready, so that a load balancer sends new requests elsewhere.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Returns whether [`drain`](Self::drain) was called.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Returns a new UUIDv7 (RFC 9562 §5.7): the time in milliseconds and 74 random bits.
    pub fn new_id(&self) -> Uuid {
        let milliseconds = u64::try_from(self.now().timestamp_millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(milliseconds, &Random.bytes()).into_uuid()
    }

    /// Returns `path` appended to the public URL. `path` starts with a slash or is empty.
    pub fn public_url(&self, path: &str) -> String {
        format!("{}{path}", self.settings.public_url.as_str().trim_end_matches('/'))
    }

    /// Hands a committed job to the task that pushes it to the queue. Never waits; if too many jobs wait, the sweeper
    /// pushes the job later.
    pub(super) fn notify_committed(&self, lane: Lane, job: JobId) {
        let _ = self.committed.try_send((lane, job));
    }
}
