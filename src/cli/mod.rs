//! The command line. Each command has a file of its own.

mod api;
mod arguments;
mod audit;
mod check_config;
mod client;
mod completions;
mod copy;
mod dev;
mod healthcheck;
mod help;
mod jobs;
mod keys;
mod mail;
mod man;
mod migrate;
mod openapi;
mod output;
mod password_costs;
mod remote;
mod roles;
mod serve;
mod sessions;
mod settings;
mod staff;
mod table;
mod tenant;
mod text;
mod tokens;
mod usage_error;
mod worker;

use anyhow::Result;
pub(crate) use audit::Unverifiable;
use clap::{FromArgMatches, Parser, Subcommand};
use portico_domain::platform::env_reader::Environment;
pub(crate) use remote::Failure;
use tokio_util::sync::CancellationToken;
pub(crate) use usage_error::without_token;

use crate::{
    bootstrap,
    config::{self, Config, Uses},
    stop,
};

/// The accounts service of a client portal.
#[derive(Parser)]
#[command(name = "portico", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

/// The commands of `portico`.
#[derive(Subcommand)]
enum Command {
    /// Runs API and worker in one process for development: SQLite, a demo tenant, a page that shows all mail.
    #[command(after_help = "Examples:
  portico dev
  PORTICO_LISTEN=127.0.0.1:8081 portico dev")]
    Dev,
    /// Runs API and worker in one process for production.
    #[command(after_help = "Examples:\n  PORTICO_ENV=production portico serve")]
    Serve,
    /// Runs the API only. Needs Redis, through which it sends jobs to the workers.
    #[command(after_help = "Examples:\n  PORTICO_ENV=production portico api")]
    Api,
    /// Runs a worker only. Needs Redis, through which it receives jobs from the APIs.
    #[command(after_help = "Examples:\n  PORTICO_ENV=production portico worker")]
    Worker,
    #[command(flatten)]
    Task(Task),
    /// Works on a server over its HTTP API: clients, invitations, people, mails, staff users, tokens, audit log.
    Remote(Box<remote::Arguments>),
}

/// The commands that do one thing on the database or the machine and end.
#[derive(Subcommand)]
enum Task {
    /// Migrates the database to the newest schema.
    #[command(after_help = "Examples:\n  portico migrate")]
    Migrate,
    /// Copies all data to another, empty database, for example from SQLite to Postgres.
    #[command(after_help = "Examples:
  PGPASSWORD=… portico copy --to postgres://portico@db.example.com/portico
  portico copy --to sqlite:copy/portico.db")]
    Copy(copy::Arguments),
    /// Prints the OpenAPI document.
    #[command(after_help = "Examples:\n  portico openapi > openapi.json")]
    Openapi,
    /// Checks the configuration and prints every problem that it finds.
    #[command(after_help = "Examples:
  portico check-config
  portico check-config --connect")]
    CheckConfig {
        /// Also connects to the database, to Redis and to the mail server, and checks that they can be used.
        #[arg(long)]
        connect: bool,
    },
    /// Checks whether the process that runs with these settings is ready. For containers, which have no curl.
    #[command(after_help = "Examples:\n  portico healthcheck")]
    Healthcheck,
    /// Prints the table of all settings, as in docs/settings.md.
    #[command(after_help = "Examples:\n  portico settings")]
    Settings,
    /// Prints the table of all roles and permissions, as in docs/roles.md.
    #[command(after_help = "Examples:\n  portico roles")]
    Roles,
    /// Prints the completions of all commands for a shell.
    #[command(after_help = "Examples:
  portico completions bash > ~/.local/share/bash-completion/completions/portico
  portico completions zsh > ~/.zfunc/_portico
  portico completions fish > ~/.config/fish/completions/portico.fish")]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Prints the man page of a command, or writes those of all commands.
    #[command(after_help = "Examples:
  portico man tenant add | man -l -
  portico man --out ~/.local/share/man/man1")]
    Man(man::Arguments),
    /// Tests sending mail, shows the mail log and single mails, and sends failed mails again.
    #[command(subcommand)]
    Mail(mail::Command),
    /// Lists, shows and controls background jobs.
    #[command(subcommand)]
    Jobs(jobs::Command),
    /// Lists, exports and verifies the audit log.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Lists and rotates the keys that sign access tokens, and prepares the removal of a server key.
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
}

impl Cli {
    /// Reads the arguments of the process.
    ///
    /// # Errors
    /// Returns what is wrong with the arguments, or the help or the version, if they ask for one.
    pub(crate) fn from_arguments() -> clap::error::Result<Self> {
        Self::from_arg_matches(&command_line().try_get_matches()?)
    }
}

/// Returns the command line for the terminal that stdout is.
fn command_line() -> clap::Command {
    help::command(table::columns())
}

/// Runs the command that `cli` names until `stop` is cancelled. Prints the help if it names none.
///
/// # Errors
/// Returns the error of the command, and every problem of the configuration, one line each.
pub(crate) async fn run(cli: Cli, stop: CancellationToken) -> Result<()> {
    let Some(command) = cli.command else { return output::print(command_line().render_help().to_string().trim_end()) };
    match command {
        Command::Dev => dev::run(config(Some(Environment::Development), Uses::All)?, stop).await,
        Command::Serve => serve::run(config(None, Uses::All)?, stop).await,
        Command::Api => api::run(config(None, Uses::All)?, stop).await,
        Command::Worker => worker::run(config(None, Uses::All)?, stop).await,
        Command::Remote(arguments) => Ok(remote::run(*arguments, stop).await?),
        Command::Task(task) => stop::or_stopped(&stop, task.run()).await,
    }
}

impl Task {
    /// Runs the command.
    async fn run(self) -> Result<()> {
        let uses = self.uses();
        if self.needs_existing_database()
            && let Ok(config) = config::read(None, Uses::Database)
        {
            bootstrap::check_exists(&config)?;
        }
        let config = || config(None, uses);
        match self {
            Self::Migrate => migrate::run(config()?).await,
            Self::Copy(arguments) => copy::run(config()?, arguments).await,
            Self::Openapi => openapi::run(),
            Self::CheckConfig { connect } => check_config::run(config()?, connect).await,
            Self::Healthcheck => healthcheck::run(config()?).await,
            Self::Settings => settings::run(),
            Self::Roles => roles::run(),
            Self::Completions { shell } => completions::run(shell),
            Self::Man(arguments) => man::run(arguments),
            Self::Mail(command) => mail::run(config()?, command).await,
            Self::Jobs(command) => jobs::run(config()?, command).await,
            Self::Audit(command) => audit::run(config()?, command).await,
            Self::Keys(command) => keys::run(config()?, command).await,
            Self::Sessions(command) => sessions::run(config()?, command).await,
            Self::Tokens(command) => tokens::run(config()?, command).await,
            Self::Tenant(command) => tenant::run(config()?, command).await,
            Self::Client(command) => client::run(config()?, command).await,
            Self::Staff(command) => staff::run(config()?, command).await,
        }
    }

    /// Returns whether the command works on a database that another one has created. It then creates no database and no
    /// data folder.
    fn needs_existing_database(&self) -> bool {
        match self {
            Self::Mail(mail::Command::Test { .. }) | Self::Tenant(tenant::Command::Add { .. }) => false,
            Self::Copy(_) | Self::Mail(_) | Self::Jobs(_) | Self::Audit(_) | Self::Keys(_) => true,
            Self::Sessions(_) | Self::Tokens(_) | Self::Tenant(_) | Self::Client(_) | Self::Staff(_) => true,
            _ => false,
        }
    }

    /// Returns which settings the command uses.
    fn uses(&self) -> Uses {
        let needs_database_only = match self {
            Self::Healthcheck | Self::Client(_) => true,
            Self::Mail(mail::Command::Test { .. }) => return Uses::Mail,
            Self::Mail(command) => command.needs_database_only(),
            Self::Jobs(command) => command.needs_database_only(),
            Self::Audit(command) => command.needs_database_only(),
            Self::Sessions(command) => command.needs_database_only(),
            Self::Tokens(command) => command.needs_database_only(),
            Self::Tenant(command) => command.needs_database_only(),
            Self::Staff(command) => command.needs_database_only(),
            _ => false,
        };
        if needs_database_only { Uses::Database } else { Uses::All }
    }
}

/// Reads the configuration and starts logging. `fallback` is the value of `PORTICO_ENV` if that is not set.
///
/// # Errors
/// Returns every problem of the configuration, one line each.
fn config(fallback: Option<Environment>, uses: Uses) -> Result<Config> {
    let config = config::read(fallback, uses)?;
    config.start_log();
    Ok(config)
}
