//! What the stories are told with: worlds, browsers and mail.

mod browser;
mod otlp_collector;
pub(crate) mod openapi;
mod process;
mod load;
mod mail;
mod fake_dns;
mod people;
mod postgres;
mod race;
mod tcp_proxy;
mod scrape;
pub(crate) mod secrets;
mod services;
mod world;

use std::{future::Future, time::Duration};

use tokio::time::{Instant, sleep};

pub(crate) use browser::{Answer, Browser};
pub(crate) use otlp_collector::OtlpCollector;
pub(crate) use process::{Process, binary};
pub(crate) use load::{DeliveryReport, Load, Reach, Slope, Spread, UNLIMITED, milliseconds};
pub(crate) use mail::Mail;
pub(crate) use fake_dns::FakeDns;
pub(crate) use people::{Person, Tenant, password, unique};
pub(crate) use postgres::Postgres;
pub(crate) use race::all_at_once;
pub(crate) use tcp_proxy::TcpProxy;
pub(crate) use scrape::Scrape;
pub(crate) use services::{Redis, Sink, database, free_port, provided, psql};
pub(crate) use world::{Deployment, World, cluster_env};

/// How long anything may take that a story waits for.
pub(crate) const DEADLINE: Duration = Duration::from_secs(40);

/// Asks until there is an answer.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "still not so after {DEADLINE:?}: {what}");
        sleep(Duration::from_millis(30)).await;
    }
}

/// Tells each story once on each shape.
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
