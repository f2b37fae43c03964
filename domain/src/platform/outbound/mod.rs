//! Requests to servers that an administrator names, such as an identity provider of a tenant.
//!
//! Such a name may lead to a server inside the operator's network (server-side request forgery). So the client resolves
//! the name itself, checks every address, and connects to a checked address: nothing resolves the name a second time.
//! It speaks HTTPS only, follows no redirect, uses no proxy and keeps no cookie. The time, the size and the number of
//! requests are limited. `docs/decisions/0022-requests-to-identity-providers.md` gives the reasons.

mod client;
mod failure;
mod networks;
mod resolver;
mod response;
mod slots;
mod target;
#[cfg(test)]
pub(crate) mod test_server;
mod tls;

pub use client::{BasicCredentials, OutboundClient, OutboundSettings};
pub use failure::OutboundError;
pub use networks::{is_public, parse_networks};
pub use resolver::Resolver;
