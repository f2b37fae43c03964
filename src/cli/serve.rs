//! `portico serve`: runs API and worker in one process for production, with or without Redis.

use anyhow::Result;
use tokio_util::sync::CancellationToken;

use crate::{bootstrap, config::Config, listeners, stop};

/// Runs API and worker until `stop` is cancelled.
///
/// # Errors
/// Returns an error if the process cannot start or serve: see [`bootstrap`].
pub(super) async fn run(mut config: Config, stop: CancellationToken) -> Result<()> {
    let listeners = listeners::bind(&mut config).await?;
    let Some(app) = stop::unless_stopped(&stop, bootstrap::app_when_reachable(&config, &listeners)).await? else {
        return Ok(());
    };
    bootstrap::run(app, config, true, listeners, stop).await
}
