//! HTTP in, HTTP out: one file a capability, with the same noun as in the domain.
//!
//! A handler says who may call it, what it takes, makes one call into the domain and answers. [`error`] alone gives a
//! failure its status; [`auth`] the only one that reads credentials; [`middleware`] what happens around every handler.

#![warn(missing_docs)]

mod activation;
mod auth;
mod body;
mod clients;
mod cookies;
mod dev_mailbox;
mod docs_page;
mod error;
mod fields;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod health;
mod internal;
mod invitations;
mod jwks;
mod middleware;
mod nullable;
mod openapi;
mod passwords;
mod portal_sessions;
mod portal_users;
mod response;
mod schema;
mod server;
mod settings;
mod staff_sessions;
mod tags;
mod views;

use std::{sync::Arc, time::Duration};

use ipnet::{IpNet, Ipv6Net};
use poem::{Endpoint, EndpointExt, IntoEndpoint, Route};
use portico_domain::{app::App, settings::Environment};
use tokio::{
    net::TcpListener,
    sync::Semaphore,
    time::{interval, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    middleware::{Cors, RateLimits, RequestChecks, RequestContextMiddleware, RunToCompletion},
    server::ConnectionLimiter,
};

pub use openapi::json as openapi_json;
pub use settings::ApiSettings;

/// How long the work for clients who left may still take when all others are answered and the process is to stop.
const DETACHED_WORK_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections to the internal listener: probes and whoever collects figures.
const INTERNAL_CONNECTIONS: usize = 64;

/// Serves the API on `listener` until `stop`, then lets what runs finish.
///
/// # Errors
/// When a socket fails.
pub async fn serve(
    app: App,
    settings: ApiSettings,
    listener: TcpListener,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let rate_limits = RateLimits::new(&app.settings().rate_limits);
    let evicting = tokio::spawn(evict_expired_each_minute(rate_limits.clone()));
    let proxies: Arc<[_]> = settings.trusted_proxies.as_slice().into();
    let connections = server::max_connections(settings.connections);
    // As many requests at once as connections: what goes on for clients who left takes the places of new ones.
    let run_to_completion = RunToCompletion { slots: Arc::new(Semaphore::new(connections)), tasks: TaskTracker::new() };
    let working = run_to_completion.tasks.clone();
    let endpoint = public_endpoint(&app, &settings, rate_limits, run_to_completion);
    let served = server::serve(listener, endpoint, ConnectionLimiter::new(connections, proxies), stop).await;
    // The work of those who left is finished too, as far as there is time.
    working.close();
    let _ = timeout(DETACHED_WORK_TIMEOUT, working.wait()).await;
    evicting.abort();
    served
}

/// Serves health and metrics on `listener`, for whatever this process does, until `stop`.
///
/// # Errors
/// When the socket fails.
pub async fn serve_internal(app: App, listener: TcpListener, stop: CancellationToken) -> std::io::Result<()> {
    // No shares inside: whoever asks there is one of ours.
    let anybody: Arc<[_]> = [IpNet::default(), Ipv6Net::default().into()].into();
    server::serve(listener, internal::endpoint(app), ConnectionLimiter::new(INTERNAL_CONNECTIONS, anybody), stop).await
}

fn public_endpoint(
    app: &App,
    settings: &ApiSettings,
    rate_limits: Arc<RateLimits>,
    run_to_completion: RunToCompletion,
) -> impl Endpoint + use<> {
    let own_origin = app.settings().public_url.origin().ascii_serialization();
    let origins: Arc<[String]> = settings.allowed_origins.iter().cloned().chain([own_origin]).collect();
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
        .with(RequestChecks { rate_limits, origins: origins.clone() })
        .with(Cors { origins })
        .with(RequestContextMiddleware {
            app: app.clone(),
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
