//! What every operation needs of HTTP: the server, the middleware, requests, responses, failures and the OpenAPI
//! document.
//!
//! Imports no operation of `identity` or `tenancy`. `openapi.rs` lists the operations and hands the document to this
//! module as a value.

pub(crate) mod auth;
pub(crate) mod body;
pub(crate) mod cacheable;
pub(crate) mod cookies;
pub(crate) mod dev_mailbox;
pub(crate) mod docs_page;
pub(crate) mod document;
pub(crate) mod error;
pub(crate) mod fields;
pub(crate) mod health;
mod host;
pub(crate) mod internal;
pub(crate) mod json_object;
pub(crate) mod middleware;
pub(crate) mod ndjson;
pub(crate) mod nullable;
pub(crate) mod one_of;
pub(crate) mod page;
pub(crate) mod rate_limit;
pub(crate) mod response;
pub(crate) mod schema;
pub(crate) mod server;
pub(crate) mod settings;
pub(crate) mod tags;
