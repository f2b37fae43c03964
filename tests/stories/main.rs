//! Black-box tests, called stories: each uses the real binary over HTTP and reads real mail.
//!
//! `stories!` runs each story on both deployments: `single` (one process, SQLite, mail into a folder) and `cluster`
//! (two APIs and two workers with Postgres, Redis and an authenticated SMTP server). `bin/services` starts the
//! services. The stories import none of Portico's crates.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed expectation ends a test")]

mod activation;
mod api_tokens;
mod architecture;
mod attacks;
mod audit_log;
mod bad_input;
mod branding;
mod bulk_invitations;
mod check_password;
mod cli_logins;
mod clients;
mod clocks;
mod colleagues;
mod command_line;
mod configuration;
mod copy;
mod development;
mod devices;
mod document;
mod fail_over;
mod faults;
mod invitation_admin;
mod invitations;
mod jobs;
mod keys;
mod languages;
mod mail_log;
mod mail_server;
mod observability;
mod operations;
mod output;
mod overview;
mod packaging;
mod pages;
mod passkeys;
mod passwords;
mod people;
mod pooler;
mod problems;
mod profile;
mod prune;
mod queue;
mod races;
mod readme;
mod refresh;
mod reminders;
mod remote;
mod second_factors;
mod secrets;
mod service_accounts;
mod session_list;
mod sessions;
mod sign_in_with_invitation;
mod staff;
mod staff_admin;
mod start;
mod step_up;
mod support;
mod switch_client;
mod tenants;
mod under_load;
mod whole_path;
