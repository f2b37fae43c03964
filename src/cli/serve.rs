//! `portico serve`: runs API and worker in one process for production, with or without Redis.

use anyhow::Result;

use crate::{bootstrap, config::Config};

/// Runs API and worker until the process receives SIGTERM or SIGINT.
///
/// # Errors
/// Returns an error if the process cannot start or serve: see [`bootstrap`].
pub(super) async fn run(mut config: Config) -> Result<()> {
    let listeners = bootstrap::bind(&mut config).await?;
    let app = bootstrap::app(&config).await?;
    bootstrap::run(app, config, true, listeners).await
}
