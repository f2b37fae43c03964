//! The tables, one file each: columns, typed ids and stored enums. No behaviour.
//!
//! Times are UTC with microseconds, which is what Postgres keeps. Ids are UUIDv7.

mod id;

pub mod audit_event;
pub mod background_job;
pub mod client;
pub mod code_flow;
pub mod email;
pub mod invitation;
pub mod link_token;
pub mod membership;
pub mod paused_lane;
pub mod portal_user;
pub mod rate_limit;
pub mod schedule_run;
pub mod session;
pub mod signing_key;
pub mod staff_user;
pub mod tenant;
pub mod worker;

pub use id::*;
