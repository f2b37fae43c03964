//! The HTTP API server of Portico.
//!
//! - `http`: what every operation needs. `http/error/codes.rs` alone gives a failure its status, and `http/auth` alone
//!   reads credentials.
//! - `identity` and `tenancy`: the operations, one file for each capability, with the same noun as in the domain.
//! - `openapi.rs`: the list of all operations.
//! - `pages`: the web pages, beside the operations.
//!
//! A handler says who may call it, what it takes and how it can fail. It makes one call into the domain.

#![warn(missing_docs)]

#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod http;
mod identity;
mod openapi;
mod pages;
mod tenancy;

use std::{sync::Arc, time::Duration};

use ipnet::{IpNet, Ipv6Net};
use poem::{Endpoint, EndpointExt, IntoEndpoint, Route};
use portico_domain::{
    platform::{app::App, env_reader::Environment, settings::Settings},
    tenancy::api_tokens,
};
use tokio::{
    net::TcpListener,
    sync::Semaphore,
    time::{interval, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::warn;

use crate::http::{
    dev_mailbox, docs_page, internal,
    middleware::{AllowedOrigins, Cors, RequestChecks, RequestContextMiddleware, RunToCompletion},
    rate_limit::RateLimits,
    server::{self, ConnectionLimiter},
};
use pages::{Pages, PagesMiddleware};

pub use http::settings::ApiSettings;
pub use openapi::json as openapi_json;

/// How long a process that stops waits for handlers whose clients have disconnected, after all others have responded.
const DETACHED_WORK_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a write of the times at which API tokens were last used may take. A process that stops does not wait
/// longer.
const TOKEN_USES_TIMEOUT: Duration = Duration::from_secs(5);
/// The largest number of connections to the internal listener, which health checks and metrics collectors use.
const INTERNAL_CONNECTIONS: usize = 64;

/// Serves the API on `listener` until `stop` is cancelled, then waits for the requests that run.
///
/// # Errors
/// If a socket fails, or if the files of the pages cannot be used.
pub async fn serve(
    app: App,
    settings: ApiSettings,
    listener: TcpListener,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let rate_limits = RateLimits::new(app.section());
    let evicting = tokio::spawn(evict_expired_each_minute(rate_limits.clone()));
    let recording = tokio::spawn(record_token_uses_each_minute(app.clone()));
    let proxies: Arc<[_]> = settings.trusted_proxies.as_slice().into();
    let connections = server::max_connections(settings.connections);
    // As many handlers as connections: a handler whose client has disconnected takes the slot of a new request.
    let run_to_completion = RunToCompletion { slots: Arc::new(Semaphore::new(connections)), tasks: TaskTracker::new() };
    let working = run_to_completion.tasks.clone();
    let pages = Pages::read(&settings)?;
    let endpoint = public_endpoint(&app, &settings, rate_limits, run_to_completion, pages);
    let served = server::serve(listener, endpoint, ConnectionLimiter::new(connections, proxies), stop).await;
    working.close();
    let _ = timeout(DETACHED_WORK_TIMEOUT, working.wait()).await;
    evicting.abort();
    recording.abort();
    record_token_uses(&app).await;
    served
}

/// Serves health and metrics on `listener` until `stop` is cancelled. Every process does this, also a worker.
///
/// # Errors
/// If the socket fails.
pub async fn serve_internal(app: App, listener: TcpListener, stop: CancellationToken) -> std::io::Result<()> {
    // The listener is not reachable from the internet, so one network may use all its connections, as a proxy may.
    let all_networks: Arc<[_]> = [IpNet::default(), Ipv6Net::default().into()].into();
    let limiter = ConnectionLimiter::new(INTERNAL_CONNECTIONS, all_networks);
    server::serve(listener, internal::endpoint(app), limiter, stop).await
}

/// Returns the endpoint of the public listener, with all middleware.
fn public_endpoint(
    app: &App,
    settings: &ApiSettings,
    rate_limits: Arc<RateLimits>,
    run_to_completion: RunToCompletion,
    pages: Option<Pages>,
) -> impl Endpoint + use<> {
    let Settings { public_url, environment, .. } = app.settings();
    let origins = Arc::new(AllowedOrigins::new(public_url, &settings.allowed_origins, *environment));
    let mut routes = Route::new()
        .at("/api/openapi.json", poem::get(docs_page::openapi_json))
        .at("/api/docs", poem::get(docs_page::docs_page))
        .nest("/", openapi::service());
    if app.settings().environment == Environment::Development {
        routes = routes
            .at("/dev/mail", poem::get(dev_mailbox::mailbox_page))
            .at("/dev/mail.json", poem::get(dev_mailbox::mailbox_json));
    }
    routes
        .with(run_to_completion)
        .with(RequestChecks { rate_limits: rate_limits.clone(), origins: origins.clone() })
        .with(PagesMiddleware { pages: pages.map(Arc::new) })
        .with(Cors { origins })
        .data(rate_limits)
        .with(RequestContextMiddleware {
            app: app.clone(),
            document: openapi::document(),
            operation_at: if settings.serves_pages { pages::operation_at } else { |_| None },
            trusted_proxies: settings.trusted_proxies.as_slice().into(),
        })
        .into_endpoint()
}

async fn evict_expired_each_minute(rate_limits: Arc<RateLimits>) {
    let mut minutes = interval(Duration::from_secs(60));
    loop {
        minutes.tick().await;
        rate_limits.evict_expired();
    }
}

async fn record_token_uses_each_minute(app: App) {
    let mut minutes = interval(Duration::from_secs(60));
    loop {
        minutes.tick().await;
        record_token_uses(&app).await;
    }
}

/// Writes when API tokens were last used. A failure is logged; the next call tries again.
async fn record_token_uses(app: &App) {
    match timeout(TOKEN_USES_TIMEOUT, api_tokens::record_uses(app)).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => warn!(%error, "cannot record when API tokens were last used"),
        Err(_) => warn!("cannot record when API tokens were last used: the database did not answer in time"),
    }
}
