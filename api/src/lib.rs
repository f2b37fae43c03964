//! HTTP in, HTTP out: one file a capability, with the same noun as in the domain.
//!
//! A handler says who may call it, what it takes, makes one call into the domain and answers. [`error`] alone gives a
//! failure its status; [`caller`] the only one that reads credentials; [`middleware`] what happens around every handler.

#![warn(missing_docs)]

mod activation;
mod answer;
mod body;
mod caller;
mod clients;
mod cookies;
mod docs_page;
mod document;
mod error;
mod fields;
mod health;
mod invitations;
mod keys;
mod mailbox;
mod middleware;
mod nullable;
mod passwords;
mod people;
mod portal_sessions;
mod portal_users;
mod schema;
mod settings;
mod staff_sessions;
mod tags;

use std::{sync::Arc, time::Duration};

use poem::{
    EndpointExt, IntoEndpoint, Route, Server,
    listener::{Acceptor, TcpAcceptor},
};
use portico_domain::{app::App, settings::Environment};
use tokio::{net::TcpListener, time::interval};
use tokio_util::sync::CancellationToken;

use crate::middleware::{Cors, Detach, Guard, Outermost, Shield};

pub use document::json as openapi_json;
pub use settings::ApiSettings;

/// How long answers may still take once the process is told to stop.
const DRAIN_WITHIN: Duration = Duration::from_secs(25);
/// A connection on which nothing happens is closed.
const IDLE: Duration = Duration::from_secs(30);

/// Serves the API on `listener` and health on `internal` until `stop`, then lets what runs finish.
///
/// # Errors
/// When a socket fails.
pub async fn serve(
    app: App,
    settings: ApiSettings,
    listener: TcpListener,
    internal: TcpListener,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let shield = Shield::new(&app.settings().limits);
    let forgetting = tokio::spawn(forget_each_minute(shield.clone()));
    let public = Server::new_with_acceptor(acceptor(listener)?).idle_timeout(IDLE).run_with_graceful_shutdown(
        public_endpoint(&app, &settings, shield),
        stop.clone().cancelled_owned(),
        Some(DRAIN_WITHIN),
    );
    let internal = Server::new_with_acceptor(acceptor(internal)?).idle_timeout(IDLE).run_with_graceful_shutdown(
        internal_endpoint(&app),
        stop.cancelled_owned(),
        Some(DRAIN_WITHIN),
    );
    let served = tokio::try_join!(public, internal);
    forgetting.abort();
    served.map(|_| ())
}

fn public_endpoint(
    app: &App,
    settings: &ApiSettings,
    shield: Arc<Shield>,
) -> impl IntoEndpoint<Endpoint: 'static> + use<> {
    let own_origin = app.settings().public_url.origin().ascii_serialization();
    let origins: Arc<[String]> = settings.allowed_origins.iter().cloned().chain([own_origin]).collect();
    let mut routes = Route::new()
        .at("/api/openapi.json", poem::get(docs_page::document_json))
        .at("/api/docs", poem::get(docs_page::docs_page))
        .nest("/", document::service());
    if app.settings().environment == Environment::Development {
        routes = routes
            .at("/dev/mail", poem::get(mailbox::mailbox_page))
            .at("/dev/mail.json", poem::get(mailbox::mailbox_json));
    }
    routes
        .with(Detach)
        .with(Guard { shield, origins: origins.clone() })
        .with(Cors { origins })
        .with(Outermost { app: app.clone(), trusted_proxies: settings.trusted_proxies.as_slice().into() })
}

fn internal_endpoint(app: &App) -> impl IntoEndpoint<Endpoint: 'static> + use<> {
    let health = poem_openapi::OpenApiService::new(health::Health, "Portico, inside", env!("CARGO_PKG_VERSION"));
    Route::new().nest("/", health).with(Outermost { app: app.clone(), trusted_proxies: [].into() })
}

fn acceptor(listener: TcpListener) -> std::io::Result<impl Acceptor> {
    TcpAcceptor::from_tokio(listener)
}

async fn forget_each_minute(shield: Arc<Shield>) {
    let mut minutes = interval(Duration::from_secs(60));
    loop {
        minutes.tick().await;
        shield.forget();
    }
}
