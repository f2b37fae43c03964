//! `portico sessions`: deletes sessions that have ended.

use anyhow::{Result, bail};
use clap::{Subcommand, builder::RangedI64ValueParser};
use portico_domain::{
    operations::maintenance::{self, DEFAULT_SESSION_RETENTION_MINUTES, SessionPruning},
    platform::error::Error,
};

use super::print;
use crate::{bootstrap, config::Config};

/// The commands of `portico sessions`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Deletes sessions that were ended, have expired or were idle for too long, some time ago.
    Prune {
        /// Only sessions of the staff users and at the clients of the tenant with this slug.
        #[arg(long)]
        tenant: Option<String>,
        /// Only sessions that ended at least this many minutes ago. The default is 30 days, after which expired
        /// sessions are also deleted without this command.
        #[arg(long, default_value_t = DEFAULT_SESSION_RETENTION_MINUTES, value_parser = minutes())]
        minutes: u32,
        /// Delete nothing. Print how many sessions would be deleted.
        #[arg(long)]
        dry_run: bool,
    },
}

/// Returns the parser of `--minutes`, which accepts up to a hundred years.
fn minutes() -> RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(0..=52_560_000)
}

/// Runs a command of `portico sessions`.
///
/// # Errors
/// Returns an error if the process cannot start, if no tenant has the slug, or if the database fails.
pub(super) async fn run(config: Config, command: Command) -> Result<()> {
    let Command::Prune { tenant, minutes, dry_run } = command;
    let app = if dry_run { bootstrap::app_for_reading(&config).await? } else { bootstrap::app(&config).await? };
    let pruning = SessionPruning { tenant, minutes };
    match maintenance::prune_sessions(&app, &pruning, dry_run.into()).await {
        Ok(count) if dry_run => print(format!("{count} sessions would be deleted.")),
        Ok(count) => print(format!("{count} sessions deleted.")),
        Err(Error::NotFound(_)) => bail!("no tenant has this slug"),
        Err(error) => Err(error.into()),
    }
}
