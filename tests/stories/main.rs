//! Black-box tests, called stories: each uses the real binary over HTTP and reads real mail.
//!
//! `stories!` runs each story on both deployments: `single` (one process, SQLite, mail into a folder) and `cluster`
//! (two APIs and two workers with Postgres, Redis and an authenticated SMTP server). `bin/services` starts the
//! services. The stories import none of Portico's crates.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed expectation ends a test")]

mod activation;
mod architecture;
mod attacks;
mod bad_input;
mod clients;
mod clocks;
mod configuration;
mod copy;
mod fail_over;
mod faults;
mod invitations;
mod jobs;
mod mail_server;
mod observability;
mod operations;
mod output;
mod packaging;
mod passwords;
mod pooler;
mod problems;
mod queue;
mod races;
mod readme;
mod secrets;
mod sessions;
mod staff;
mod start;
mod support;
mod under_load;
mod whole_path;
