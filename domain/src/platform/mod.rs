//! What every capability builds on. Imports no capability.

pub mod actor;
pub mod app;
pub mod audit;
pub(crate) mod cached;
pub mod clock;
mod connection_health;
pub mod database;
pub mod email_address;
pub mod env_reader;
pub mod error;
pub mod extensions;
pub mod health;
pub mod job;
pub mod job_type;
pub mod jobs;
pub mod keys;
pub mod mail;
pub mod metrics;
pub mod name;
pub mod page;
mod push;
pub mod random;
pub mod rate_limit;
pub mod secret;
pub mod settings;
mod transient_db_error;
pub mod tx;
