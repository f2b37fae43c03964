//! The tables of the database, one file per table: columns, relations, typed ids and stored enums. No behaviour.
//!
//! - Ids are UUIDs of version 7 (RFC 9562), unless the column says otherwise. Each table has its own id type.
//! - Times are UTC with a resolution of one microsecond, which is the resolution of Postgres.
//! - Enums are stored as text in snake_case. The database does not check the values; the enum does.
//! - Email addresses are stored in the normal form of `EmailAddress` of the `domain` crate: ASCII, lower case.
//! - `None` in an `Option` field is `NULL` in the database.
//!
//! The migrations that create the tables are in the `migration` crate. A column must be added there first.

#![warn(missing_docs)]

mod id;
mod user_id;

pub mod api_token;
pub mod audit_anchor;
pub mod audit_chain;
pub mod audit_event;
pub mod audit_export;
pub mod background_job;
pub mod ceremony;
pub mod cli_login;
pub mod client;
pub mod code_flow;
pub mod device_cutoff;
pub mod email;
pub mod idempotency_key;
pub mod invitation;
pub mod link_token;
pub mod mail_hold;
pub mod membership;
pub mod passkey;
pub mod paused_lane;
pub mod portal_user;
pub mod process;
pub mod rate_limit;
pub mod recovery_code;
pub mod recovery_set;
pub mod schedule_run;
pub mod search_word;
pub mod service_account;
pub mod session;
pub mod sign_in_challenge;
pub mod signing_key;
pub mod staff_user;
pub mod tenant;
pub mod tenant_logo;
pub mod totp_secret;
pub mod trusted_device;
pub mod worker;

pub use id::*;
pub use user_id::{Realm, UserId};
