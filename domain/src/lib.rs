//! What Portico does, without its HTTP server and without Redis.
//!
//! - [`platform`]: what every capability builds on: [`App`](platform::app::App), transactions, jobs, mail, settings,
//!   rate limits, audit, metrics. It imports no capability.
//! - [`tenancy`]: tenants and their brands, clients, memberships, invitations, colleagues, staff users, service
//!   accounts, API tokens and the overview.
//! - [`identity`]: passwords, passkeys, second factors, mailed codes, single sign-on, sessions, link tokens, logins of
//!   the command line, known and trusted devices, activation and profiles.
//! - [`limits`]: the table of all rate limits.
//! - [`operations`]: what operators run: the copy to another database, clean-up, demo data.
//! - [`registry`]: the only module that knows every capability.
//!
//! Imports point one way: `operations` and `identity` may import `tenancy`, all of them may import `platform`, and only
//! `registry` imports everything. `tests/stories/architecture/layers.rs` checks this.

#![warn(missing_docs)]

#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod identity;
pub mod limits;
pub mod operations;
pub mod platform;
pub mod registry;
pub mod tenancy;
#[cfg(test)]
mod testing;

/// The tables. Use cases return their rows.
pub use portico_entity as entity;
