//! Black-box stories: what people do with Portico, over HTTP and real mail, against the real binary.
//!
//! `stories!` runs each story on both shapes: `alone` (one process, SQLite, mail into a folder) and `fleet` (two APIs and
//! two workers on Postgres, Redis and an authenticated SMTP server). `bin/test` starts the services. Nothing here knows
//! Portico's crates.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends at the first surprise")]

mod activation;
mod architecture;
mod attacks;
mod bad_input;
mod clients;
mod configuration;
mod copy;
mod faults;
mod invitations;
mod jobs;
mod observability;
mod operations;
mod packaging;
mod passwords;
mod queue;
mod races;
mod readme;
mod secrets;
mod sessions;
mod staff;
mod support;
mod under_load;
mod whole_path;
