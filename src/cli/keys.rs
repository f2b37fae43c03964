//! `portico keys`: lists and rotates the keys that sign access tokens, and prepares the removal of an entry of
//! `PORTICO_SECRET`.

use anyhow::{Result, bail};
use clap::Subcommand;
use portico_domain::{
    identity::sessions::{self, KeyState, ListedKey, Rotation},
    platform::{app::App, audit, sealed},
};
use serde_json::json;

use super::output::{Listing, count, optional_time, print, print_done, time};
use crate::{bootstrap, config::Config};

/// The commands of `portico keys`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Lists the signing keys, the one that signs last first. Times are UTC.
    #[command(after_help = "Examples:\n  portico keys list\n  portico keys list --json")]
    List {
        /// Prints a JSON array instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Makes the next key the current one and a new next key. Sessions go on.
    ///
    /// Without `--now`, the next key signs when it has been published for as long as others may cache the published
    /// keys (an hour), which may be at once. Tokens of the old key stay valid until they expire.
    #[command(after_help = "Examples:\n  portico keys rotate\n  portico keys rotate --now")]
    Rotate {
        /// Make a new key the current one at once, and delete all other keys. Access tokens that they signed are
        /// refused within a minute; browsers then refresh.
        #[arg(long)]
        now: bool,
    },
    /// Seals the audit log and stored secrets by the first entry of PORTICO_SECRET, so that an older one can be
    /// removed.
    ///
    /// Writes a checkpoint for every chain of the audit log that an older entry of the list has sealed, and encrypts
    /// every stored secret again, such as those of authenticator apps. A worker does this by itself; this command does
    /// not wait for it.
    #[command(after_help = "Examples:\n  PORTICO_SECRET=new,old portico keys reseal")]
    Reseal,
}

/// Runs a command of `portico keys`.
///
/// # Errors
/// Returns an error if the app cannot be built, if the database fails, or if `reseal` finds a chain of the audit log
/// or a stored secret that was sealed by an entry that is not in the list.
pub(super) async fn run(config: Config, command: Command) -> Result<()> {
    match command {
        Command::List { json } => {
            let keys = sessions::list_keys(&bootstrap::app_for_reading(&config).await?).await?;
            LISTING.print(&keys, json, "No signing keys. The first process that serves the API makes them.")
        }
        Command::Reseal => reseal(&bootstrap::app(&config).await?).await,
        Command::Rotate { now } => {
            let app = bootstrap::app(&config).await?;
            // The processes could not use keys of an entry that they do not have.
            bootstrap::check_keys(&app).await?;
            let rotation = if now { Rotation::Immediate } else { Rotation::Gradual };
            let (kid, active_from) = sessions::rotate_keys(&app, rotation).await?;
            let done = match rotation {
                Rotation::Immediate => format!("The key {kid} signs now. All processes use it within a minute."),
                Rotation::Gradual if active_from <= app.now() => {
                    format!("The key {kid} signs now. All processes use it within a minute. Older tokens stay valid.")
                }
                Rotation::Gradual => {
                    let at = time(active_from);
                    format!("The key {kid} signs from {at} on, when others have fetched it. Older tokens stay valid.")
                }
            };
            print_done(done, "`portico keys list` shows what each key does")
        }
    }
}

/// Writes a checkpoint for each chain of the audit log that an older entry has sealed, and seals stored secrets again.
async fn reseal(app: &App) -> Result<()> {
    let written = audit::reseal(app).await?;
    let secrets = sealed::reseal(app).await?;
    let (chains, unreadable) = (audit::chains_without_key(app).await?, sealed::count_without_key(app).await?);
    let (written, secrets) = (count(written, "chain"), count(secrets, "stored secret"));
    let done = format!("Wrote a new checkpoint for {written} of the audit log, and sealed {secrets} again.");
    if chains > 0 || unreadable > 0 {
        print(done)?;
        bail!(
            "{chains} chains of the audit log and {unreadable} stored secrets were sealed by an entry that is not in \
             PORTICO_SECRET; add that entry at the end of the list and run this command again"
        );
    }
    if app.settings().keys.all().count() == 1 {
        return print(done);
    }
    print_done(done, "remove the older entries from PORTICO_SECRET, and start every process without them")
}

/// How the list of keys is printed.
const LISTING: Listing<ListedKey, 6> = Listing {
    columns: ["KID", "STATE", "CREATED", "SIGNS FROM", "RETIRED", "ENTRY"],
    row: |ListedKey { key, state }| {
        [
            key.id.to_string(),
            state_name(*state).to_owned(),
            time(key.created_at),
            time(key.active_from),
            optional_time(key.retired_at),
            key.key_fingerprint.clone(),
        ]
    },
    to_json: |ListedKey { key, state }| {
        json!({
            "kid": key.id.0,
            "state": state_name(*state),
            "created_at": key.created_at,
            "signs_from": key.active_from,
            "retired_at": key.retired_at,
            "entry": key.key_fingerprint,
        })
    },
};

fn state_name(state: KeyState) -> &'static str {
    match state {
        KeyState::Next => "next",
        KeyState::Current => "current",
        KeyState::Previous => "previous",
        KeyState::Unusable => "unusable",
    }
}
