//! Start-up and shutdown of a process: builds the [`App`], binds the listeners and runs the API and the worker.
//!
//! This is the only module that depends on both the API and the worker.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use portico_domain::{
    platform::{app::App, clock::Clock, database::Database, settings::DatabaseSettings},
    registry,
};
use portico_queue::JobQueue;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    time::sleep,
};
use tokio_util::sync::CancellationToken;
use tracing::info;
use url::Url;

use crate::config::Config;

/// The bound listeners of a process.
pub(crate) struct Listeners {
    /// The listener of the API (`PORTICO_LISTEN`). `None` in a process that serves no API.
    public: Option<TcpListener>,
    /// The listener for health and metrics (`PORTICO_INTERNAL_LISTEN`).
    internal: TcpListener,
}

/// Builds the [`App`] that `config` describes.
///
/// Migrates the database first, unless `PORTICO_MIGRATE` is `off`, and then connects to it. The connection to Redis is
/// opened when it is first used, so this function succeeds while Redis is down.
///
/// # Errors
/// Returns an error if the database cannot be migrated or opened, if `REDIS_URL` is not a valid Redis URL, or if the
/// mailer cannot be built from the mail settings.
pub(crate) async fn app(config: &Config) -> Result<App> {
    if config.migrate_at_start {
        migrate(config).await?;
    }
    let db = Database::connect(&config.domain.database).await.context("DATABASE_URL: cannot open the database")?;
    let queue = match &config.redis_url {
        // The error of the library may quote a part of the URL.
        Some(url) => JobQueue::redis(url)
            .map_err(|_| anyhow!("REDIS_URL is not a Redis URL, e.g. REDIS_URL=redis://localhost:6379"))?,
        None => JobQueue::memory(),
    };
    let capabilities = registry::capabilities(&config.domain).map_err(anyhow::Error::msg)?;
    Ok(App::new(db, queue, Clock::System, config.domain.clone(), capabilities))
}

/// Migrates the database of `config` to the newest schema.
///
/// # Errors
/// Returns an error if the database cannot be reached or a migration fails.
pub(crate) async fn migrate(config: &Config) -> Result<()> {
    migrate_database(&config.domain.database, "DATABASE_URL").await
}

/// Migrates `database` to the newest schema. Creates the folder of a SQLite file if it does not exist.
///
/// `name` is the variable or argument that holds the URL. Error messages start with it.
///
/// # Errors
/// Returns an error if the folder cannot be created, the database cannot be reached, or a migration fails.
pub(crate) async fn migrate_database(database: &DatabaseSettings, name: &str) -> Result<()> {
    let url = &database.url;
    if let Some(path) = url.strip_prefix("sqlite:")
        && let Some(folder) = std::path::Path::new(path.split('?').next().unwrap_or(path)).parent()
        && !folder.as_os_str().is_empty()
    {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("{name}: cannot create the folder {}", folder.display()))?;
    }
    portico_migration::migrate(url).await.with_context(|| format!("{name}: cannot migrate the database"))
}

/// Binds the API's listener and the internal listener.
///
/// If `PORTICO_PUBLIC_URL` is not set, this sets the public URL to `http://localhost:<port>` with the port that was
/// bound.
///
/// # Errors
/// Returns an error if one of the two addresses cannot be bound, for example because its port is in use.
pub(crate) async fn bind(config: &mut Config) -> Result<Listeners> {
    let listen = config.api.listen;
    let public =
        TcpListener::bind(listen).await.with_context(|| format!("PORTICO_LISTEN: cannot listen on {listen}"))?;
    let internal = bind_internal(config).await?.internal;
    if !config.has_public_url {
        config.domain.public_url = Url::parse(&format!("http://localhost:{}", public.local_addr()?.port()))?;
    }
    Ok(Listeners { public: Some(public), internal })
}

/// Binds the internal listener only, for a process that serves no API.
///
/// # Errors
/// Returns an error if the address cannot be bound, for example because its port is in use.
pub(crate) async fn bind_internal(config: &Config) -> Result<Listeners> {
    let listen = config.api.internal_listen;
    let internal = TcpListener::bind(listen)
        .await
        .with_context(|| format!("PORTICO_INTERNAL_LISTEN: cannot listen on {listen}; port 0 picks a free one"))?;
    Ok(Listeners { public: None, internal })
}

/// Runs the process until it receives SIGTERM or SIGINT, and then stops it gracefully.
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
/// Returns an error if a signal handler cannot be installed, if a listener fails, or if the worker panics.
pub(crate) async fn run(app: App, config: Config, runs_jobs: bool, listeners: Listeners) -> Result<()> {
    let stop = CancellationToken::new();
    let signal_task = stop_on_signal(stop.clone())?;
    let Listeners { public, internal } = listeners;
    let internal_listen = internal.local_addr()?;
    let stop_internal = CancellationToken::new();
    let internal_server = tokio::spawn(portico_api::serve_internal(app.clone(), internal, stop_internal.clone()));
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
    stop_internal.cancel();
    internal_server.await.context("the internal listener panicked")?.context("cannot serve health and metrics")?;
    signal_task.abort();
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

/// Cancels `stop` when the process receives SIGTERM or SIGINT.
///
/// # Errors
/// Returns an error if a signal handler cannot be installed.
fn stop_on_signal(stop: CancellationToken) -> Result<tokio::task::JoinHandle<()>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        info!("received SIGTERM or SIGINT; stopping");
        stop.cancel();
    }))
}
