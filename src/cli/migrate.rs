//! `portico migrate`: bring the database to the newest schema.

use anyhow::Result;

use crate::{bootstrap, config::Config};

pub(super) async fn run(config: Config) -> Result<()> {
    bootstrap::migrate(&config).await?;
    super::print("The database has the newest schema.");
    Ok(())
}
