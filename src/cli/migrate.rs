//! `portico migrate`: migrates the database to the newest schema.

use anyhow::Result;

use super::output::print_done;
use crate::{bootstrap, config::Config};

/// Migrates the database, also if `PORTICO_MIGRATE` is `off`. Does nothing if the schema is the newest already.
///
/// # Errors
/// Returns an error if the database cannot be reached within 30 seconds, if another process migrates it for longer than
/// `PORTICO_MIGRATE_WAIT`, or if a migration fails.
pub(super) async fn run(config: Config) -> Result<()> {
    bootstrap::migrate_when_reachable(&config).await?;
    print_done("The database has the newest schema.", "start `portico serve`, or `portico api` and `portico worker`")
}
