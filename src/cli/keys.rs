//! `portico keys`: lists and rotates the keys that sign access tokens, and prepares the removal of an entry of
//! `PORTICO_SECRET`.

use anyhow::{Result, bail};
use clap::Subcommand;
use portico_domain::{
    identity::sessions::{self, KeyState, ListedKey, Rotation},
    platform::{app::App, audit, clock::Time},
};

use super::print;
use crate::{bootstrap, config::Config};

/// The commands of `portico keys`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Lists the signing keys, the one that signs last first. Times are UTC.
    List,
    /// Makes the next key the current one and a new next key. Sessions go on.
    ///
    /// Without `--now`, the next key signs when it has been published for as long as others may cache the published
    /// keys (an hour), which may be at once. Tokens of the old key stay valid until they expire.
    Rotate {
        /// Make a new key the current one at once, and delete all other keys. Access tokens that they signed are
        /// refused within a minute; browsers then refresh.
        #[arg(long)]
        now: bool,
    },
    /// Seals the audit log by the first entry of PORTICO_SECRET, so that an older entry can be removed.
    ///
    /// Writes a checkpoint for every chain of the audit log that an older entry of the list has sealed. A worker does
    /// this by itself; this command does not wait for it.
    Reseal,
}

/// Runs a command of `portico keys`.
///
/// # Errors
/// Returns an error if the app cannot be built, if the database fails, or if `reseal` finds a chain of the audit log
/// that was sealed by an entry that is not in the list.
pub(super) async fn run(config: Config, command: Command) -> Result<()> {
    match command {
        Command::List => {
            let app = bootstrap::app_for_reading(&config).await?;
            print(format!(
                "{:36}  {:8}  {:20}  {:20}  {:20}  entry",
                "kid", "state", "created", "signs from", "retired"
            ))?;
            for key in sessions::list_keys(&app).await? {
                print(line(&key))?;
            }
        }
        Command::Reseal => return reseal(&bootstrap::app(&config).await?).await,
        Command::Rotate { now } => {
            let app = bootstrap::app(&config).await?;
            // The processes could not use keys of an entry that they do not have.
            bootstrap::check_keys_of_audit_log(&app).await?;
            let rotation = if now { Rotation::Immediate } else { Rotation::Gradual };
            let (kid, active_from) = sessions::rotate_keys(&app, rotation).await?;
            print(match rotation {
                Rotation::Immediate => format!("The key {kid} signs now. All processes use it within a minute."),
                Rotation::Gradual if active_from <= app.now() => {
                    format!("The key {kid} signs now. All processes use it within a minute. Older tokens stay valid.")
                }
                Rotation::Gradual => {
                    let at = time(active_from);
                    format!("The key {kid} signs from {at} on, when others have fetched it. Older tokens stay valid.")
                }
            })?;
        }
    }
    Ok(())
}

/// Writes a checkpoint for each chain of the audit log that an older entry has sealed.
async fn reseal(app: &App) -> Result<()> {
    let written = audit::reseal(app).await?;
    let missing = audit::chains_without_key(app).await?;
    print(format!("{written} chains of the audit log have a new checkpoint."))?;
    if missing > 0 {
        bail!(
            "{missing} chains of the audit log were sealed by an entry that is not in PORTICO_SECRET; add that entry at \
             the end of the list and run this command again"
        );
    }
    Ok(())
}

/// Returns the row of the table for `key`.
fn line(ListedKey { key, state }: &ListedKey) -> String {
    let state = match state {
        KeyState::Next => "next",
        KeyState::Current => "current",
        KeyState::Previous => "previous",
        KeyState::Unusable => "unusable",
    };
    let retired = key.retired_at.map_or_else(|| "–".to_owned(), time);
    let (kid, created, active_from) = (key.id.0, time(key.created_at), time(key.active_from));
    format!("{kid:36}  {state:8}  {created:20}  {active_from:20}  {retired:20}  {}", key.key_fingerprint)
}

fn time(time: Time) -> String {
    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
