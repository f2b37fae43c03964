//! Putting the parts together: the only place that knows the API and the worker.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use portico_domain::{app::App, clock::Clock, database, mail::Mailer, settings::DatabaseSettings};
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

/// The sockets of a process: the API's where it serves one, and the internal one.
pub(crate) struct Sockets {
    public: Option<TcpListener>,
    internal: TcpListener,
}

/// Connects to everything the configuration names, after migrating unless that is off.
///
/// # Errors
/// When the database cannot be reached or migrated, or the mailer cannot be set up.
pub(crate) async fn app(config: &Config) -> Result<App> {
    if config.migrates {
        migrate(config).await?;
    }
    let db = database::connect(&config.domain.database).await.context("DATABASE_URL: cannot open the database")?;
    let queue = match &config.redis_url {
        Some(url) => JobQueue::redis(url).context("REDIS_URL is not a Redis URL, e.g. redis://localhost:6379")?,
        None => JobQueue::memory(),
    };
    let mailer = Mailer::new(&config.domain.mail).map_err(anyhow::Error::msg)?;
    Ok(App::new(db, queue, mailer, Clock::System, config.domain.clone()))
}

/// Brings the database to the newest schema.
///
/// # Errors
/// When it cannot be reached or a migration fails.
pub(crate) async fn migrate(config: &Config) -> Result<()> {
    migrate_database(&config.domain.database, "DATABASE_URL").await
}

/// Brings this database to the newest schema; `name` is where its URL was given.
///
/// # Errors
/// When it cannot be reached or a migration fails.
pub(crate) async fn migrate_database(database: &DatabaseSettings, name: &str) -> Result<()> {
    let url = &database.url;
    if let Some(path) = url.strip_prefix("sqlite:")
        && let Some(folder) = std::path::Path::new(path.split('?').next().unwrap_or(path)).parent()
        && !folder.as_os_str().is_empty()
    {
        std::fs::create_dir_all(folder).with_context(|| format!("{name}: cannot make {}", folder.display()))?;
    }
    portico_migration::migrate(url).await.with_context(|| format!("{name}: cannot migrate the database"))
}

/// Binds the API's sockets. Where no public URL is set, it becomes that of the port that was bound.
///
/// # Errors
/// When a port is taken.
pub(crate) async fn bind(config: &mut Config) -> Result<Sockets> {
    let listen = config.api.listen;
    let public =
        TcpListener::bind(listen).await.with_context(|| format!("PORTICO_LISTEN: cannot listen on {listen}"))?;
    let internal = bind_internal(config).await?.internal;
    if !config.has_public_url {
        config.domain.public_url = Url::parse(&format!("http://localhost:{}", public.local_addr()?.port()))?;
    }
    Ok(Sockets { public: Some(public), internal })
}

/// Binds the internal socket alone, for a process without an API.
///
/// # Errors
/// When the port is taken.
pub(crate) async fn bind_internal(config: &Config) -> Result<Sockets> {
    let listen = config.api.internal_listen;
    let internal = TcpListener::bind(listen)
        .await
        .with_context(|| format!("PORTICO_INTERNAL_LISTEN: cannot listen on {listen}; port 0 picks a free one"))?;
    Ok(Sockets { public: None, internal })
}

/// Runs what the sockets are for, and the jobs if it should, until SIGTERM or SIGINT, then stops gracefully: for `PORTICO_DRAIN_DELAY` the process only says that it is
/// not ready, then the API lets answers finish, then the worker lets go of its jobs. Health and metrics are served to the end.
///
/// # Errors
/// When a socket fails.
pub(crate) async fn run(app: App, config: Config, runs_jobs: bool, sockets: Sockets) -> Result<()> {
    let stop = CancellationToken::new();
    let signalled = stop_on_signal(stop.clone())?;
    let Sockets { public, internal } = sockets;
    let internal_listen = internal.local_addr()?;
    let ended = CancellationToken::new();
    let inside = tokio::spawn(portico_api::serve_internal(app.clone(), internal, ended.clone()));
    // The worker is told to stop after the API has: the mail of the last answers still goes out.
    let served_all = CancellationToken::new();
    let worker = runs_jobs.then(|| tokio::spawn(portico_worker::run(app.clone(), served_all.clone())));
    let served = match public {
        Some(public) => {
            info!(listen = %public.local_addr()?, %internal_listen, public_url = %config.domain.public_url, "listening");
            let closing = close_after(app.clone(), stop, config.api.drain_delay);
            portico_api::serve(app, config.api, public, closing).await.context("serving")
        }
        None => {
            info!(%internal_listen, "listening to probes and scrapes");
            stop.cancelled().await;
            app.drain();
            Ok(())
        }
    };
    served_all.cancel();
    if let Some(worker) = worker {
        worker.await.context("the worker")?;
    }
    ended.cancel();
    inside.await.context("serving probes")?.context("serving probes")?;
    signalled.abort();
    info!("stopped");
    config.traces.flush().await;
    served
}

/// Cancelled `delay` after `stop`; meanwhile the process says that it is not ready, and still takes requests.
fn close_after(app: App, stop: CancellationToken, delay: Duration) -> CancellationToken {
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

/// Refuses a role that needs others to hear of its jobs, when there is no wire to them.
///
/// # Errors
/// When `REDIS_URL` is not set.
pub(crate) fn require_redis(config: &Config, command: &str) -> Result<()> {
    if config.redis_url.is_none() {
        bail!("REDIS_URL must be set for `portico {command}`, e.g. REDIS_URL=redis://localhost:6379");
    }
    Ok(())
}

fn stop_on_signal(stop: CancellationToken) -> Result<tokio::task::JoinHandle<()>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        info!("stopping");
        stop.cancel();
    }))
}
