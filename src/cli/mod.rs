//! The commands, one file each.

mod api;
mod check_config;
mod copy;
mod dev;
mod healthcheck;
mod jobs;
mod mail;
mod migrate;
mod openapi;
mod serve;
mod settings;
mod staff;
mod tenant;
mod worker;

use anyhow::Result;
use clap::{Parser, Subcommand};
use portico_domain::{email_address::EmailAddress, error::FieldProblem, name::Name, settings::Environment};

use crate::config::{self, Config};

/// The accounts service of a client portal.
#[derive(Parser)]
#[command(name = "portico", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// One process for trying out: SQLite, a demo tenant, mail into a mailbox page. The default.
    Dev,
    /// One process for production: API and worker together.
    Serve,
    /// The API alone; needs Redis to reach the workers.
    Api,
    /// A worker alone; needs Redis to hear from the APIs.
    Worker,
    /// Brings the database to the newest schema.
    Migrate,
    /// Copies everything into another, empty database: the way from SQLite to Postgres.
    Copy(copy::Arguments),
    /// Prints the OpenAPI document.
    Openapi,
    /// Reads the configuration and says what is wrong with it.
    CheckConfig,
    /// Asks the Portico of this machine and this configuration whether it can serve; for containers, which have no curl.
    Healthcheck,
    /// Prints the table of settings that the documentation holds.
    Settings,
    /// Mail.
    #[command(subcommand)]
    Mail(mail::Command),
    /// Background work: what waits, what failed.
    #[command(subcommand)]
    Jobs(jobs::Command),
    /// The companies that use Portico.
    #[command(subcommand)]
    Tenant(tenant::Command),
    /// The tenants' staff.
    #[command(subcommand)]
    Staff(staff::Command),
}

/// Runs the command.
pub(crate) async fn run(cli: Cli) -> Result<()> {
    match cli.command.unwrap_or(Command::Dev) {
        Command::Dev => dev::run(config(Some(Environment::Development))?).await,
        Command::Serve => serve::run(config(None)?).await,
        Command::Api => api::run(config(None)?).await,
        Command::Worker => worker::run(config(None)?).await,
        Command::Migrate => migrate::run(config(None)?).await,
        Command::Copy(arguments) => copy::run(config(None)?, arguments).await,
        Command::Openapi => openapi::run(),
        Command::CheckConfig => check_config::run(config(None)?),
        Command::Healthcheck => healthcheck::run(config(None)?).await,
        Command::Settings => settings::run(),
        Command::Mail(command) => mail::run(config(None)?, command).await,
        Command::Jobs(command) => jobs::run(config(None)?, command).await,
        Command::Tenant(command) => tenant::run(config(None)?, command).await,
        Command::Staff(command) => staff::run(config(None)?, command).await,
    }
}

fn config(fallback: Option<Environment>) -> Result<Config> {
    let config = config::read(fallback)?;
    config.start_log();
    Ok(config)
}

/// Prints what a command was asked for, on stdout.
#[expect(clippy::print_stdout, reason = "the one way out for a command's answer; logs go to stderr")]
fn print(text: impl std::fmt::Display) {
    println!("{text}");
}

/// An address as an argument.
fn parse_email(text: &str) -> Result<EmailAddress, String> {
    text.parse().map_err(|problem: FieldProblem| problem.detail)
}

/// A name as an argument.
fn parse_name(text: &str) -> Result<Name, String> {
    text.parse().map_err(|problem: FieldProblem| problem.detail)
}
