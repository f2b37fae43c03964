//! What Portico does: the use cases and the jobs, one folder a capability, one file a verb.
//!
//! Six words and then you know it: [`App`](app::App) is the handle that every use case is given; [`Tx`](tx::Tx) a
//! transaction that can also enqueue; [`Job`](jobs::Job) a piece of background work; [`Error`](error::Error) every way to
//! fail; the [actor](actor) is who asks; [`Settings`](settings::Settings) is what an operator can choose.
//!
//! Nothing here knows HTTP or Redis.

#![warn(missing_docs)]

pub mod activation;
pub mod actor;
pub mod app;
pub mod audit;
pub mod backlog;
mod cached;
pub mod clients;
pub mod clock;
pub mod copy;
pub mod database;
pub mod email_address;
pub mod error;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod health;
pub mod invitations;
pub mod jobs;
pub mod keys;
pub mod link_tokens;
pub mod mail;
pub mod maintenance;
pub mod metrics;
pub mod name;
pub mod page;
pub mod passwords;
pub mod random;
pub mod rate_limit;
pub mod secret;
pub mod sessions;
pub mod settings;
pub mod sign_in;
pub mod staff;
pub mod tenants;
#[cfg(test)]
mod testing;
pub mod tx;

/// The tables, for those who read what a use case returns.
pub use portico_entity as entity;
