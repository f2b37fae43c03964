//! `portico migrate`: bring the database to the newest schema.

use anyhow::Result;

use crate::{compose, environment::Config};

pub(super) async fn run(config: Config) -> Result<()> {
    compose::migrate(&config).await?;
    super::say("The database has the newest schema.");
    Ok(())
}
