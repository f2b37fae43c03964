//! `portico tokens`: deletes link tokens and sign-in codes that have expired.

use anyhow::Result;
use clap::Subcommand;
use portico_domain::operations::maintenance::{self, PrunedTokens};

use super::output::{count, print, print_done};
use crate::{bootstrap, config::Config};

/// The commands of `portico tokens`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Deletes the links in mails and the flows of sign-in codes that have expired.
    ///
    /// A person who opens a deleted link learns only that it is unknown, and cannot request a new one from it. Without
    /// this command, links are deleted 30 days after they expire and flows after one day.
    #[command(after_help = "Examples:\n  portico tokens prune --dry-run\n  portico tokens prune")]
    Prune {
        /// Delete nothing. Print how many rows would be deleted.
        #[arg(long)]
        dry_run: bool,
    },
}

impl Command {
    /// Returns whether the command needs only the settings of the database.
    pub(super) fn needs_database_only(&self) -> bool {
        let Self::Prune { dry_run } = self;
        *dry_run
    }
}

/// Runs a command of `portico tokens`.
///
/// # Errors
/// Returns an error if the process cannot start or if the database fails.
pub(super) async fn run(config: Config, command: Command) -> Result<()> {
    let Command::Prune { dry_run } = command;
    let app = if dry_run { bootstrap::app_for_reading(&config).await? } else { bootstrap::app(&config).await? };
    let PrunedTokens { links, flows } = maintenance::prune_tokens(&app, dry_run.into()).await?;
    let found = format!("{} and {} of sign-in codes", count(links, "link"), count(flows, "flow"));
    if dry_run && links + flows == 0 {
        return print(format!("{found} would be deleted."));
    }
    if dry_run {
        let next = "the same command without --dry-run deletes them";
        return print_done(format!("{found} would be deleted."), next);
    }
    print(format!("{found} deleted."))
}
