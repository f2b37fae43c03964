//! Putting the parts together: the only place that knows the API and the worker.

use anyhow::{Context, Result, bail};
use portico_domain::{app::App, clock::Clock, database, mail::Mailer, settings::DatabaseSettings};
use portico_queue::Wire;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;
use tracing::info;
use url::Url;

use crate::environment::Config;

/// Which parts run in this process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Roles {
    pub(crate) api: bool,
    pub(crate) worker: bool,
}

/// The sockets of the API.
pub(crate) struct Sockets {
    public: TcpListener,
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
    let wire = match &config.redis_url {
        Some(url) => Wire::redis(url).context("REDIS_URL is not a Redis URL, e.g. redis://localhost:6379")?,
        None => Wire::memory(),
    };
    let mailer = Mailer::new(&config.domain.mail).map_err(anyhow::Error::msg)?;
    Ok(App::new(db, wire, mailer, Clock::System, config.domain.clone()))
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
    let (listen, inside) = (config.api.listen, config.api.internal_listen);
    let public =
        TcpListener::bind(listen).await.with_context(|| format!("PORTICO_LISTEN: cannot listen on {listen}"))?;
    let internal = TcpListener::bind(inside)
        .await
        .with_context(|| format!("PORTICO_INTERNAL_LISTEN: cannot listen on {inside}"))?;
    if !config.has_public_url {
        config.domain.public_url = Url::parse(&format!("http://localhost:{}", public.local_addr()?.port()))?;
    }
    Ok(Sockets { public, internal })
}

/// Runs the roles until SIGTERM or SIGINT, then stops gracefully: the API lets answers finish before the worker lets go of
/// its jobs.
///
/// # Errors
/// When a socket fails.
pub(crate) async fn run(app: App, config: Config, roles: Roles, sockets: Option<Sockets>) -> Result<()> {
    let stop = CancellationToken::new();
    let signalled = stop_on_signal(stop.clone())?;
    // The worker is told to stop after the API has: the mail of the last answers still goes out.
    let served_all = CancellationToken::new();
    let worker = roles.worker.then(|| tokio::spawn(portico_worker::run(app.clone(), served_all.clone())));
    let served = match sockets {
        Some(Sockets { public, internal }) if roles.api => {
            let (listen, internal_listen) = (public.local_addr()?, internal.local_addr()?);
            info!(%listen, %internal_listen, public_url = %config.domain.public_url, "listening");
            portico_api::serve(app, config.api, public, internal, stop.clone()).await.context("serving")
        }
        _ => {
            stop.cancelled().await;
            Ok(())
        }
    };
    served_all.cancel();
    if let Some(worker) = worker {
        worker.await.context("the worker")?;
    }
    signalled.abort();
    info!("stopped");
    served
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
