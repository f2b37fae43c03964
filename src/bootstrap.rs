//! Start-up and shutdown of a process: builds the [`App`], and runs the API and the worker.
//!
//! This is the only module that depends on both the API and the worker.

use std::{future::Future, path::Path, time::Duration};

use anyhow::{Context, Result, anyhow, bail};
use portico_domain::{
    platform::{
        app::App,
        audit,
        clock::Clock,
        database::Database,
        database_check::{self, DatabaseError},
        processes::ProcessRole,
        sealed,
        settings::DatabaseSettings,
    },
    registry,
};
use portico_queue::JobQueue;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{config::Config, listeners::Listeners, process_record, starting};

/// The variable that holds the URL of the database.
const DATABASE_URL: &str = "DATABASE_URL";
/// The first pause before the database is tried again at the start.
const MIN_RETRY_INTERVAL: Duration = Duration::from_millis(500);
/// The longest pause before the database is tried again at the start.
const MAX_RETRY_INTERVAL: Duration = Duration::from_secs(10);
/// How long `portico migrate` waits for the database. systemd, Kubernetes and Compose start it again when it failed.
const MIGRATE_PATIENCE: Duration = Duration::from_secs(30);

/// Builds the [`App`] that `config` describes, for a process that serves on `listeners`. Waits until the database can
/// be used, logs each attempt, and says to clients that it waits: see [`starting`].
///
/// # Errors
/// The errors of [`app`], except an outage of the database.
pub(crate) async fn app_when_reachable(config: &Config, listeners: &Listeners) -> Result<App> {
    let start = when_reachable(config, None, || app_with_all_keys(config));
    starting::answer_during(listeners.public.as_ref(), &listeners.internal, start).await
}

/// Builds the [`App`] that `config` describes, and checks that `PORTICO_SECRET` has every entry that is needed.
///
/// # Errors
/// The errors of [`app`], and those of [`check_keys`].
async fn app_with_all_keys(config: &Config) -> Result<App> {
    let app = app(config).await?;
    check_keys(&app).await?;
    Ok(app)
}

/// Checks that `PORTICO_SECRET` has every entry that sealed a chain of the audit log or a stored secret.
///
/// # Errors
/// Returns an error if an entry is missing or the database cannot be read.
pub(crate) async fn check_keys(app: &App) -> Result<()> {
    let missing = sealed::count_without_key(app).await;
    let missing = missing.with_context(|| format!("{DATABASE_URL}: cannot read the sealed secrets"))?;
    if missing > 0 {
        bail!(
            "PORTICO_SECRET lacks the entry that sealed {missing} stored secrets, such as those of authenticator apps; add \
             it at the end of the list, run `portico keys reseal`, and then remove it"
        );
    }
    let missing = audit::chains_without_key(app).await;
    let missing = missing.with_context(|| format!("{DATABASE_URL}: cannot read the chains of the audit log"))?;
    if missing > 0 {
        bail!(
            "PORTICO_SECRET lacks the entry that sealed {missing} chains of the audit log; add it at the end of the list, \
             run `portico keys reseal`, and then remove it"
        );
    }
    Ok(())
}

/// Builds the [`App`] that `config` describes, for a command that writes.
///
/// Migrates the database first and then connects to it. If `PORTICO_MIGRATE` is `off`, the database must have the
/// newest schema already; a newer one, of a later version, is accepted. The connection to Redis is opened when it is
/// first used, so this function succeeds while Redis is down.
///
/// # Errors
/// Returns an error if the database cannot be reached, is not UTF8, is read-only or cannot be migrated, if it lacks a
/// migration and `PORTICO_MIGRATE` is `off`, if `REDIS_URL` is not a valid Redis URL, or if the mailer cannot be built
/// from the mail settings.
pub(crate) async fn app(config: &Config) -> Result<App> {
    let database = &config.domain.database;
    check_database(database, DATABASE_URL).await?;
    if config.migrate_at_start {
        migrate_database(config, database, DATABASE_URL).await?;
    } else {
        check_schema(config).await?;
    }
    with_database(config, Database::connect(database).await).await
}

/// Checks that the database exists and lacks no migration.
///
/// # Errors
/// Returns an error that names the command which migrates, or if the database cannot be reached.
async fn check_schema(config: &Config) -> Result<()> {
    check_exists(config)?;
    let pending = portico_migration::pending(config.domain.database.connect_options()).await;
    let pending = pending.map_err(DatabaseError::from);
    if pending.with_context(|| format!("{DATABASE_URL}: cannot read the schema"))? > 0 {
        bail!("{DATABASE_URL}: the database does not have the newest schema; run `portico migrate` first");
    }
    Ok(())
}

/// Checks that the file of the database exists, if it is SQLite.
///
/// # Errors
/// Returns an error that names the file.
pub(crate) fn check_exists(config: &Config) -> Result<()> {
    match config.domain.database.sqlite_path() {
        Some(path) if !path.exists() => {
            bail!("{DATABASE_URL}: the file {} does not exist; `portico migrate` creates it", path.display())
        }
        _ => Ok(()),
    }
}

/// Builds the [`App`] that `config` describes, for a command that only reads the database. Never migrates it.
///
/// # Errors
/// The errors of [`app`], and an error if the database lacks a migration.
pub(crate) async fn app_for_reading(config: &Config) -> Result<App> {
    let database = &config.domain.database;
    check_database(database, DATABASE_URL).await?;
    check_schema(config).await?;
    with_database(config, Database::connect(database).await).await
}

/// Builds the [`App`] that `config` describes, for a command that does not use the database. Does not connect to it.
///
/// # Errors
/// Returns an error if the mailer cannot be built from the mail settings.
pub(crate) async fn app_without_database(config: &Config) -> Result<App> {
    with_database(config, Database::connect_lazily(&config.domain.database).await).await
}

async fn with_database(config: &Config, db: Result<Database, impl Into<DatabaseError>>) -> Result<App> {
    let db = db.map_err(Into::into).with_context(|| format!("{DATABASE_URL}: cannot open the database"))?;
    let queue = match &config.redis_url {
        Some(url) => JobQueue::redis(url).map_err(|problem| anyhow!("REDIS_URL {problem}"))?,
        None => JobQueue::memory(),
    };
    let capabilities = registry::capabilities(&config.domain).map_err(anyhow::Error::msg)?;
    Ok(App::new(db, queue, Clock::System, config.domain.clone(), capabilities))
}

/// Migrates the database of `config` to the newest schema. Waits at most 30 seconds until it can be used.
///
/// # Errors
/// Returns an error if the database cannot be used in time or a migration fails.
pub(crate) async fn migrate_when_reachable(config: &Config) -> Result<()> {
    when_reachable(config, Some(MIGRATE_PATIENCE), || migrate(config)).await
}

/// Migrates the database of `config` to the newest schema.
///
/// # Errors
/// Returns an error if the database cannot be used or a migration fails.
pub(crate) async fn migrate(config: &Config) -> Result<()> {
    let database = &config.domain.database;
    check_database(database, DATABASE_URL).await?;
    migrate_database(config, database, DATABASE_URL).await
}

/// Migrates `database` to the newest schema. Creates the folder of a SQLite file if it does not exist.
///
/// `name` is the variable or argument that holds the URL. Error messages start with it.
///
/// # Errors
/// Returns an error if the folder cannot be created, the database cannot be reached, or a migration fails.
pub(crate) async fn migrate_database(config: &Config, database: &DatabaseSettings, name: &str) -> Result<()> {
    let path = database.sqlite_path();
    if let Some(folder) = path.as_deref().and_then(Path::parent)
        && !folder.as_os_str().is_empty()
    {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("{name}: cannot create the folder {}", folder.display()))?;
    }
    portico_migration::migrate(database.connect_options(), config.migrate_wait)
        .await
        .map_err(DatabaseError::from)
        .with_context(|| format!("{name}: cannot migrate the database"))
}

/// Checks that `database` can be reached and used.
async fn check_database(database: &DatabaseSettings, name: &str) -> Result<()> {
    let place = database.place();
    database_check::check(database).await.with_context(|| format!("{name}: cannot use the database at {place}"))
}

/// Calls `open` until the outage of the database ends, with growing pauses. Logs each failed attempt. Gives up after
/// `patience`.
///
/// # Errors
/// The error of `open`, if it is not an outage of the database or if `patience` is over.
async fn when_reachable<T, F>(config: &Config, patience: Option<Duration>, open: impl Fn() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let started = Instant::now();
    let database = config.domain.database.place();
    info!(database, "opening the database");
    let mut pause = MIN_RETRY_INTERVAL;
    loop {
        let error = match open().await {
            Err(error) if error.downcast_ref().is_some_and(DatabaseError::is_outage) => error,
            result => return result,
        };
        if patience.is_some_and(|patience| started.elapsed() + pause > patience) {
            return Err(error);
        }
        warn!(database, retry_after_seconds = pause.as_secs_f32(), "{error:#}; trying again");
        sleep(pause).await;
        pause = (pause * 2).min(MAX_RETRY_INTERVAL);
    }
}

/// Runs the process until `stop` is cancelled by SIGTERM or SIGINT, and then stops it gracefully.
///
/// The process serves health and metrics, the API if `listeners` has its listener, and runs jobs if `runs_jobs` is
/// true. After the signal it stops in this order:
///
/// 1. It reports that it is not ready, and still accepts requests for `PORTICO_DRAIN_DELAY`.
/// 2. The API accepts no more connections and finishes the requests that it has started.
/// 3. The worker claims no more jobs, finishes those that it runs, and releases those that do not finish in time.
/// 4. The listener for health and metrics closes, and the last trace spans are sent.
///
/// # Errors
/// Returns an error if a listener fails or if the worker panics.
pub(crate) async fn run(
    app: App,
    config: Config,
    runs_jobs: bool,
    listeners: Listeners,
    stop: CancellationToken,
) -> Result<()> {
    let Listeners { public, internal } = listeners;
    let internal_listen = internal.local_addr()?;
    let stop_internal = CancellationToken::new();
    let internal_server = tokio::spawn(portico_api::serve_internal(app.clone(), internal, stop_internal.clone()));
    let stop_record = CancellationToken::new();
    let role = match (&public, runs_jobs) {
        (Some(_), true) => ProcessRole::ApiAndWorker,
        (Some(_), false) => ProcessRole::Api,
        (None, _) => ProcessRole::Worker,
    };
    let record = tokio::spawn(process_record::keep(app.clone(), role, stop_record.clone()));
    // The worker stops after the API, so that it still sends the mail that the last requests caused.
    let stop_worker = CancellationToken::new();
    let worker = runs_jobs.then(|| tokio::spawn(portico_worker::run(app.clone(), stop_worker.clone())));
    let served = match public {
        Some(public) => {
            let public_url = &config.domain.public_url;
            info!(listen = %public.local_addr()?, %internal_listen, %public_url, "listening");
            let closing = cancel_after(app.clone(), stop, config.api.drain_delay);
            portico_api::serve(app, config.api, public, closing).await.context("cannot serve the API")
        }
        None => {
            info!(%internal_listen, "listening on the internal address only");
            stop.cancelled().await;
            app.drain();
            Ok(())
        }
    };
    stop_worker.cancel();
    if let Some(worker) = worker {
        worker.await.context("the worker panicked")?;
    }
    stop_record.cancel();
    record.await.context("the record of this process panicked")?;
    stop_internal.cancel();
    internal_server.await.context("the internal listener panicked")?.context("cannot serve health and metrics")?;
    info!("stopped");
    config.traces.flush().await;
    served
}

/// Returns a token that is cancelled `delay` after `stop` is.
///
/// In between, the process reports that it is not ready but still accepts requests, so that load balancers remove it
/// before it closes its listener.
fn cancel_after(app: App, stop: CancellationToken, delay: Duration) -> CancellationToken {
    let closing = CancellationToken::new();
    let close = closing.clone();
    tokio::spawn(async move {
        stop.cancelled().await;
        app.drain();
        sleep(delay).await;
        close.cancel();
    });
    closing
}

/// Checks that several processes can share the database and the queue.
///
/// # Errors
/// Returns an error if `REDIS_URL` is not set or the database is SQLite.
pub(crate) fn require_shared_services(config: &Config, command: &str) -> Result<()> {
    require_redis(config, command)?;
    if config.domain.database.sqlite_path().is_some() {
        bail!(
            "{DATABASE_URL} must be Postgres for `portico {command}`, because SQLite is for one process (`portico serve`), \
             e.g. {DATABASE_URL}=postgres://portico:password@db.example.com/portico"
        );
    }
    Ok(())
}

/// Checks that `REDIS_URL` is set, for a command that exchanges jobs with other processes.
///
/// `command` is the command's name after `portico`, for the error message.
///
/// # Errors
/// Returns an error if `REDIS_URL` is not set.
pub(crate) fn require_redis(config: &Config, command: &str) -> Result<()> {
    if config.redis_url.is_none() {
        bail!("REDIS_URL must be set for `portico {command}`, e.g. REDIS_URL=redis://localhost:6379");
    }
    Ok(())
}
