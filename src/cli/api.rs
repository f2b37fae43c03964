//! `portico api`: runs the API only.

use anyhow::Result;
use tokio_util::sync::CancellationToken;

use crate::{bootstrap, config::Config, listeners, stop};

/// Runs the API until `stop` is cancelled.
///
/// # Errors
/// Returns an error if `REDIS_URL` is not set, if the database is SQLite, or if the process cannot start or serve: see
/// [`bootstrap`].
pub(super) async fn run(mut config: Config, stop: CancellationToken) -> Result<()> {
    bootstrap::require_shared_services(&config, "api")?;
    let listeners = listeners::bind(&mut config).await?;
    let Some(app) = stop::unless_stopped(&stop, bootstrap::app_when_reachable(&config, &listeners)).await? else {
        return Ok(());
    };
    bootstrap::run(app, config, false, listeners, stop).await
}
