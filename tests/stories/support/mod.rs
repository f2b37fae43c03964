//! What the stories share: deployments of Portico, browsers, mail, services and their faults.

pub(crate) mod authenticator;
mod authenticator_app;
mod browser;
mod concurrency;
pub(crate) mod cookies;
mod disk;
mod fake_dns;
mod fake_server;
pub(crate) mod http;
pub(crate) mod images;
mod load;
mod mail;
mod mail_server;
pub(crate) mod openapi;
mod otlp_collector;
mod passkeys;
pub(crate) mod paths;
mod people;
mod pgbouncer;
mod postgres;
mod process;
mod remote;
mod requests;
mod response;
mod scrape;
pub(crate) mod secrets;
mod services;
mod tcp_proxy;
mod terminal;
mod world;

use std::{future::Future, time::Duration};

use tokio::time::{Instant, sleep};

pub(crate) use authenticator_app::AuthenticatorApp;
pub(crate) use browser::Browser;
pub(crate) use concurrency::post_concurrently;
pub(crate) use disk::Disk;
pub(crate) use fake_dns::FakeDns;
pub(crate) use fake_server::{FakeServer, http_answer};
pub(crate) use load::{DeliveryReport, FootprintLog, Load, Percentiles, Routing, UNLIMITED, unix_milliseconds};
pub(crate) use mail::Mail;
pub(crate) use mail_server::{Answer, MailServer, Received, reply};
pub(crate) use otlp_collector::OtlpCollector;
pub(crate) use passkeys::{Area, Started};
pub(crate) use people::{Invitation, Person, Tenant, password, unique, unique_email};
pub(crate) use pgbouncer::PgBouncer;
pub(crate) use postgres::Postgres;
pub(crate) use process::{Process, binary};
pub(crate) use remote::{Machine, create_token};
pub(crate) use requests::{credentials, new_password, wrong_code};
pub(crate) use response::Response;
pub(crate) use scrape::Scrape;
pub(crate) use services::{Redis, Sink, database, free_port, lock_table, provided, psql, try_psql};
pub(crate) use tcp_proxy::TcpProxy;
pub(crate) use terminal::Terminal;
pub(crate) use world::{Deployment, PAST, World, cluster_env};

/// How long [`eventually`] waits.
pub(crate) const DEADLINE: Duration = Duration::from_secs(40);

/// Calls `check` every 30 ms until it returns a value, and returns that value. `what` names the awaited condition.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut check: impl FnMut() -> F) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(value) = check().await {
            return value;
        }
        assert!(Instant::now() < deadline, "not true after {DEADLINE:?}: {what}");
        sleep(Duration::from_millis(30)).await;
    }
}

/// Defines each story as two tests: `single::name` and `cluster::name`, one for each [`Deployment`].
macro_rules! stories {
    ($($(#[$meta:meta])* async fn $name:ident($world:ident) $body:block)*) => {
        $(async fn $name($world: &crate::support::World) $body)*

        mod single {
            $($(#[$meta])* #[tokio::test]
            async fn $name() {
                let world = crate::support::World::shared(crate::support::Deployment::Single).await;
                let checkpoint = world.checkpoint();
                super::$name(&world).await;
                world.assert_no_leaks(&checkpoint);
            })*
        }

        mod cluster {
            $($(#[$meta])* #[tokio::test]
            async fn $name() {
                let world = crate::support::World::shared(crate::support::Deployment::Cluster).await;
                let checkpoint = world.checkpoint();
                super::$name(&world).await;
                world.assert_no_leaks(&checkpoint);
            })*
        }
    };
}
pub(crate) use stories;
