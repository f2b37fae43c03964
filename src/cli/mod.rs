//! The command line. Each command has a file of its own.

mod api;
mod audit;
mod check_config;
mod client;
mod copy;
mod dev;
mod healthcheck;
mod jobs;
mod keys;
mod mail;
mod migrate;
mod openapi;
mod password_costs;
mod remote;
mod roles;
mod serve;
mod sessions;
mod settings;
mod staff;
mod tenant;
mod tokens;
mod worker;

use std::io::{ErrorKind, Write};

use anyhow::{Context, Result};
pub(crate) use audit::Unverifiable;
use clap::{Parser, Subcommand};
use portico_domain::platform::{email_address::EmailAddress, env_reader::Environment, error::FieldProblem, name::Name};
pub(crate) use remote::Failure;
use tokio_util::sync::CancellationToken;

use crate::{
    config::{self, Config},
    stop,
};

/// The accounts service of a client portal.
///
/// Settings are environment variables; `portico settings` lists them. Without a command, `portico dev` runs.
#[derive(Parser)]
#[command(name = "portico", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

/// The commands of `portico`.
#[derive(Subcommand)]
enum Command {
    /// Runs API and worker in one process for development: SQLite, a demo tenant, a page that shows all mail (default).
    Dev,
    /// Runs API and worker in one process for production.
    Serve,
    /// Runs the API only. Needs Redis, through which it sends jobs to the workers.
    Api,
    /// Runs a worker only. Needs Redis, through which it receives jobs from the APIs.
    Worker,
    /// Migrates the database to the newest schema.
    Migrate,
    /// Copies all data to another, empty database, for example from SQLite to Postgres.
    Copy(copy::Arguments),
    /// Prints the OpenAPI document.
    Openapi,
    /// Checks the configuration and prints every problem that it finds.
    CheckConfig {
        /// Also connects to the database, to Redis and to the mail server, and checks that they can be used.
        #[arg(long)]
        connect: bool,
    },
    /// Checks whether the running process with this configuration is ready. For containers, which have no curl.
    Healthcheck,
    /// Prints the table of all settings, as in docs/settings.md.
    Settings,
    /// Prints the table of all roles and permissions, as in docs/roles.md.
    Roles,
    /// Tests sending mail, lists mails, and sends failed mails again.
    #[command(subcommand)]
    Mail(mail::Command),
    /// Lists and controls background jobs.
    #[command(subcommand)]
    Jobs(jobs::Command),
    /// Lists, exports and verifies the audit log.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Lists and rotates the keys that sign access tokens, and prepares the removal of an entry of PORTICO_SECRET.
    #[command(subcommand)]
    Keys(keys::Command),
    /// Deletes sessions that have ended.
    #[command(subcommand)]
    Sessions(sessions::Command),
    /// Deletes links and sign-in codes that have expired.
    #[command(subcommand)]
    Tokens(tokens::Command),
    /// Lists, shows, adds, suspends and restores tenants.
    #[command(subcommand)]
    Tenant(tenant::Command),
    /// Lists the clients of a tenant.
    #[command(subcommand)]
    Client(client::Command),
    /// Adds, lists, changes and removes staff users.
    #[command(subcommand)]
    Staff(staff::Command),
    /// Works on a server over its HTTP API: clients, invitations, people, mails, staff users, tokens, audit log.
    Remote(Box<remote::Arguments>),
}

/// Runs the command that `cli` names, or `portico dev` if it names none, until `stop` is cancelled.
///
/// # Errors
/// Returns the error of the command, and every problem of the configuration, one line each.
pub(crate) async fn run(cli: Cli, stop: CancellationToken) -> Result<()> {
    match cli.command.unwrap_or(Command::Dev) {
        Command::Dev => dev::run(config(Some(Environment::Development))?, stop).await,
        Command::Serve => serve::run(config(None)?, stop).await,
        Command::Api => api::run(config(None)?, stop).await,
        Command::Worker => worker::run(config(None)?, stop).await,
        Command::Remote(arguments) => Ok(remote::run(*arguments, stop).await?),
        command => stop::or_stopped(&stop, run_to_end(command)).await,
    }
}

/// Runs a command that does one thing and ends.
async fn run_to_end(command: Command) -> Result<()> {
    match command {
        Command::Dev | Command::Serve | Command::Api | Command::Worker | Command::Remote(_) => Ok(()),
        Command::Migrate => migrate::run(config(None)?).await,
        Command::Copy(arguments) => copy::run(config(None)?, arguments).await,
        Command::Openapi => openapi::run(),
        Command::CheckConfig { connect } => check_config::run(config(None)?, connect).await,
        Command::Healthcheck => healthcheck::run(config(None)?).await,
        Command::Settings => settings::run(),
        Command::Roles => roles::run(),
        Command::Mail(command) => mail::run(config(None)?, command).await,
        Command::Jobs(command) => jobs::run(config(None)?, command).await,
        Command::Audit(command) => audit::run(config(None)?, command).await,
        Command::Keys(command) => keys::run(config(None)?, command).await,
        Command::Sessions(command) => sessions::run(config(None)?, command).await,
        Command::Tokens(command) => tokens::run(config(None)?, command).await,
        Command::Tenant(command) => tenant::run(config(None)?, command).await,
        Command::Client(command) => client::run(config(None)?, command).await,
        Command::Staff(command) => staff::run(config(None)?, command).await,
    }
}

/// Reads the configuration and starts logging. `fallback` is the value of `PORTICO_ENV` if that is not set.
///
/// # Errors
/// Returns every problem of the configuration, one line each.
fn config(fallback: Option<Environment>) -> Result<Config> {
    let config = config::read(fallback)?;
    config.start_log();
    Ok(config)
}

/// Prints a part of the output of a command to stdout, and a line feed.
///
/// If the reader has closed stdout, as `head` does, that is no error: the reader has what it wants, and the command
/// ends as it would otherwise.
///
/// # Errors
/// Returns an error if stdout cannot be written for another reason, for example because the disk is full.
fn print(text: impl std::fmt::Display) -> Result<()> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to stdout"),
    }
}

/// Parses an argument that is an email address.
///
/// # Errors
/// Returns the reason why `text` is not a valid address.
fn parse_email(text: &str) -> Result<EmailAddress, String> {
    text.parse().map_err(|problem: FieldProblem| problem.detail)
}

/// Parses an argument that is the name of a person or a tenant.
///
/// # Errors
/// Returns the reason why `text` is not a valid name.
fn parse_name(text: &str) -> Result<Name, String> {
    text.parse().map_err(|problem: FieldProblem| problem.detail)
}
