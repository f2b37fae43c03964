//! `portico api`: runs the API only.

use anyhow::Result;

use crate::{bootstrap, config::Config};

/// Runs the API until the process receives SIGTERM or SIGINT.
///
/// # Errors
/// Returns an error if `REDIS_URL` is not set, or if the process cannot start or serve: see [`bootstrap`].
pub(super) async fn run(mut config: Config) -> Result<()> {
    bootstrap::require_redis(&config, "api")?;
    let listeners = bootstrap::bind(&mut config).await?;
    let app = bootstrap::app(&config).await?;
    bootstrap::run(app, config, false, listeners).await
}
