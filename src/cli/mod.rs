//! The command line. Each command has a file of its own.

mod api;
mod check_config;
mod copy;
mod dev;
mod healthcheck;
mod jobs;
mod mail;
mod migrate;
mod openapi;
mod password_costs;
mod serve;
mod settings;
mod staff;
mod tenant;
mod worker;

use anyhow::Result;
use clap::{Parser, Subcommand};
use portico_domain::platform::{email_address::EmailAddress, env_reader::Environment, error::FieldProblem, name::Name};

use crate::config::{self, Config};

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
        /// Connects to the database too, and counts the costs of the stored password hashes.
        #[arg(long)]
        connect: bool,
    },
    /// Checks whether the running process with this configuration is ready. For containers, which have no curl.
    Healthcheck,
    /// Prints the table of all settings, as in docs/settings.md.
    Settings,
    /// Tests sending mail.
    #[command(subcommand)]
    Mail(mail::Command),
    /// Lists and controls background jobs.
    #[command(subcommand)]
    Jobs(jobs::Command),
    /// Adds, suspends and restores tenants.
    #[command(subcommand)]
    Tenant(tenant::Command),
    /// Adds staff users to a tenant.
    #[command(subcommand)]
    Staff(staff::Command),
}

/// Runs the command that `cli` names, or `portico dev` if it names none.
///
/// # Errors
/// Returns the error of the command, and every problem of the configuration, one line each.
pub(crate) async fn run(cli: Cli) -> Result<()> {
    match cli.command.unwrap_or(Command::Dev) {
        Command::Dev => dev::run(config(Some(Environment::Development))?).await,
        Command::Serve => serve::run(config(None)?).await,
        Command::Api => api::run(config(None)?).await,
        Command::Worker => worker::run(config(None)?).await,
        Command::Migrate => migrate::run(config(None)?).await,
        Command::Copy(arguments) => copy::run(config(None)?, arguments).await,
        Command::Openapi => openapi::run(),
        Command::CheckConfig { connect } => check_config::run(config(None)?, connect).await,
        Command::Healthcheck => healthcheck::run(config(None)?).await,
        Command::Settings => settings::run(),
        Command::Mail(command) => mail::run(config(None)?, command).await,
        Command::Jobs(command) => jobs::run(config(None)?, command).await,
        Command::Tenant(command) => tenant::run(config(None)?, command).await,
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

/// Prints the output of a command to stdout.
#[expect(clippy::print_stdout, reason = "the one function that prints a command's output; logs go to stderr")]
fn print(text: impl std::fmt::Display) {
    println!("{text}");
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
