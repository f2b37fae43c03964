//! `portico sessions`: deletes sessions that have ended.

use anyhow::Result;
use clap::Subcommand;
use portico_domain::operations::maintenance::{self, DEFAULT_SESSION_RETENTION_MINUTES, SessionPruning};

use super::{
    arguments::{explain_tenant, whole_number},
    output::{count, print, print_done},
};
use crate::{bootstrap, config::Config};

/// The commands of `portico sessions`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Deletes sessions that were ended, have expired or were idle for too long, some time ago.
    #[command(after_help = "Examples:
  portico sessions prune --dry-run
  portico sessions prune --tenant acme --minutes 10080")]
    Prune {
        /// Only sessions of the staff users and at the clients of the tenant with this slug.
        #[arg(long, value_name = "SLUG")]
        tenant: Option<String>,
        /// Only sessions that ended at least this many minutes ago. The default is 30 days, after which expired
        /// sessions are also deleted without this command.
        #[arg(long, default_value_t = DEFAULT_SESSION_RETENTION_MINUTES, value_parser = minutes)]
        minutes: u32,
        /// Delete nothing. Print how many sessions would be deleted.
        #[arg(long)]
        dry_run: bool,
    },
}

/// Parses `--minutes`, which may be up to a hundred years.
fn minutes(text: &str) -> Result<u32, String> {
    let minutes = whole_number(0..=52_560_000, "minutes", 43_200)(text)?;
    u32::try_from(minutes).map_err(|error| error.to_string())
}

impl Command {
    /// Returns whether the command needs only the settings of the database.
    pub(super) fn needs_database_only(&self) -> bool {
        let Self::Prune { dry_run, .. } = self;
        *dry_run
    }
}

/// Runs a command of `portico sessions`.
///
/// # Errors
/// Returns an error if the process cannot start, if no tenant has the slug, or if the database fails.
pub(super) async fn run(config: Config, command: Command) -> Result<()> {
    let Command::Prune { tenant, minutes, dry_run } = command;
    let app = if dry_run { bootstrap::app_for_reading(&config).await? } else { bootstrap::app(&config).await? };
    let pruning = SessionPruning { tenant, minutes };
    let pruned = maintenance::prune_sessions(&app, &pruning, dry_run.into()).await;
    let slug = pruning.tenant.as_deref().unwrap_or_default();
    let number = pruned.map_err(|error| explain_tenant(error, slug))?;
    let found = count(number, "session");
    if dry_run && number == 0 {
        return print(format!("{found} would be deleted."));
    }
    if dry_run {
        let next = "the same command without --dry-run deletes them";
        return print_done(format!("{found} would be deleted."), next);
    }
    print(format!("{found} deleted."))
}
