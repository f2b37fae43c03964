//! What the stories are told with: worlds, browsers and mail.

mod browser;
mod collector;
pub(crate) mod document;
mod keeper;
mod load;
mod mail;
mod names;
mod people;
mod postgres;
mod race;
mod relay;
mod scrape;
pub(crate) mod secrets;
mod services;
mod world;

use std::{future::Future, time::Duration};

use tokio::time::{Instant, sleep};

pub(crate) use browser::{Answer, Browser};
pub(crate) use collector::Collector;
pub(crate) use keeper::{Process, binary};
pub(crate) use load::{Account, Load, Reach, Slope, Spread, UNLIMITED, milliseconds};
pub(crate) use mail::Mail;
pub(crate) use names::Names;
pub(crate) use people::{Person, Tenant, password, unique};
pub(crate) use postgres::Postgres;
pub(crate) use race::all_at_once;
pub(crate) use relay::Relay;
pub(crate) use scrape::Scrape;
pub(crate) use services::{Redis, Sink, database, free_port, provided, psql};
pub(crate) use world::{Shape, World, fleet_env};

/// How long anything may take that a story waits for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

/// Asks until there is an answer.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "still not so after {PATIENCE:?}: {what}");
        sleep(Duration::from_millis(30)).await;
    }
}

/// Tells each story once on each shape.
macro_rules! stories {
    ($($(#[$meta:meta])* async fn $name:ident($world:ident) $body:block)*) => {
        $(async fn $name($world: &crate::support::World) $body)*

        mod alone {
            $($(#[$meta])* #[tokio::test]
            async fn $name() {
                let world = crate::support::World::shared(crate::support::Shape::Alone).await;
                let mark = world.mark();
                super::$name(&world).await;
                world.leaks_nothing(&mark);
            })*
        }

        mod fleet {
            $($(#[$meta])* #[tokio::test]
            async fn $name() {
                let world = crate::support::World::shared(crate::support::Shape::Fleet).await;
                let mark = world.mark();
                super::$name(&world).await;
                world.leaks_nothing(&mark);
            })*
        }
    };
}
pub(crate) use stories;
