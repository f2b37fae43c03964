//! The one handle that every use case and job is given.

use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use portico_entity::{JobId, background_job::Lane};
use portico_queue::JobQueue;
use sea_orm::{DatabaseConnection, DbErr, SqliteTransactionMode, TransactionOptions, TransactionTrait};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::{
    backlog::Backlog,
    cached::Cached,
    clock::{Clock, Time},
    error::Result,
    health::Health,
    jobs,
    keys::ServerKeys,
    mail::Mailer,
    passwords::Hasher,
    random::Random,
    sessions::{SessionQueries, SigningKeys},
    settings::Settings,
    sign_in::MailRequests,
    tx::Tx,
};

/// How many committed jobs may wait to be pushed. What does not fit is found by the sweeper.
const MAX_COMMITTED_PENDING: usize = 10_000;

/// Everything a use case needs: the database, the queue, the mailer, the clock, the dice and the settings. Cheap to
/// clone; all clones are one.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What an [`App`] holds.
pub struct Parts {
    db: DatabaseConnection,
    queue: JobQueue,
    committed: mpsc::Sender<(Lane, JobId)>,
    mailer: Mailer,
    clock: Clock,
    settings: Settings,
    hasher: Hasher,
    signing_keys: SigningKeys,
    session_queries: SessionQueries,
    mail_requests: MailRequests,
    health: Cached<Health>,
    backlog: Cached<Backlog>,
    draining: AtomicBool,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    /// Puts the parts together and starts the task that pushes committed jobs into `wire`; it ends with the last clone.
    pub fn new(db: DatabaseConnection, queue: JobQueue, mailer: Mailer, clock: Clock, settings: Settings) -> Self {
        let (committed, receiver) = mpsc::channel(MAX_COMMITTED_PENDING);
        tokio::spawn(jobs::push_committed(db.clone(), queue.clone(), clock.clone(), receiver));
        let hasher = Hasher::new(settings.passwords.scrypt);
        let signing_keys = SigningKeys::default();
        Self(Arc::new(Parts {
            db,
            queue,
            committed,
            mailer,
            clock,
            settings,
            hasher,
            signing_keys,
            session_queries: SessionQueries::default(),
            mail_requests: MailRequests::default(),
            health: Cached::default(),
            backlog: Cached::default(),
            draining: AtomicBool::new(false),
        }))
    }

    /// Begins a transaction that can also enqueue jobs.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn begin(&self) -> Result<Tx> {
        Ok(Tx::new(self.clone(), begin_writing(&self.db).await?))
    }
}

/// SQLite must know from the start that a transaction will write: a reader that becomes a writer fails at once when
/// another has written meanwhile. Postgres does not look at the mode.
pub(crate) async fn begin_writing(db: &DatabaseConnection) -> std::result::Result<sea_orm::DatabaseTransaction, DbErr> {
    let options =
        TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..Default::default() };
    db.begin_with_options(options).await
}

impl Parts {
    /// The database, for reading and for single statements. What belongs together goes into a [`Tx`].
    pub fn db(&self) -> &DatabaseConnection {
        &self.db
    }

    /// The queue's wire.
    pub fn queue(&self) -> &JobQueue {
        &self.queue
    }

    /// How mail leaves.
    pub fn mailer(&self) -> &Mailer {
        &self.mailer
    }

    /// The clock itself; what only wants to know the time asks [`now`](Self::now).
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The time now.
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// The dice.
    pub fn random(&self) -> Random {
        Random
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The server keys.
    pub fn keys(&self) -> &ServerKeys {
        &self.settings.keys
    }

    /// Those who wait for their requests for mail to be written down.
    pub(crate) fn mail_requests(&self) -> &MailRequests {
        &self.mail_requests
    }

    /// The password hasher.
    pub fn hasher(&self) -> &Hasher {
        &self.hasher
    }

    /// The queries that load sessions.
    pub(crate) fn session_queries(&self) -> &SessionQueries {
        &self.session_queries
    }

    /// The keys that sign access tokens.
    pub fn signing_keys(&self) -> &SigningKeys {
        &self.signing_keys
    }

    /// From now on this process is not ready: others should take its requests.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// The last look at what Portico leans on.
    pub(crate) fn health(&self) -> &Cached<Health> {
        &self.health
    }

    /// The last look at what waits.
    pub(crate) fn backlog(&self) -> &Cached<Backlog> {
        &self.backlog
    }

    /// A new UUIDv7 (RFC 9562 §5.7): the time in milliseconds and 74 random bits.
    pub fn new_id(&self) -> Uuid {
        let milliseconds = u64::try_from(self.now().timestamp_millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(milliseconds, &Random.bytes()).into_uuid()
    }

    /// `path` at the public URL.
    pub fn public_url(&self, path: &str) -> String {
        format!("{}{path}", self.settings.public_url.as_str().trim_end_matches('/'))
    }

    /// Hands a committed job over for pushing. Never waits: when too many wait, the sweeper finds it.
    pub(crate) fn notify_committed(&self, lane: Lane, job: JobId) {
        let _ = self.committed.try_send((lane, job));
    }
}
