//! `portico worker`: runs a worker only.

use anyhow::Result;
use tokio_util::sync::CancellationToken;

use crate::{bootstrap, config::Config, listeners, stop};

/// The default port of a worker's internal listener. It differs from the API's, so that both can run on one machine
/// without further settings.
const INTERNAL_PORT: u16 = 9081;

/// Runs jobs until `stop` is cancelled.
///
/// # Errors
/// Returns an error if `REDIS_URL` is not set, if the database is SQLite, or if the process cannot start or serve: see
/// [`bootstrap`].
pub(super) async fn run(mut config: Config, stop: CancellationToken) -> Result<()> {
    bootstrap::require_shared_services(&config, "worker")?;
    if !config.has_internal_listen {
        config.api.internal_listen.set_port(INTERNAL_PORT);
    }
    let listeners = listeners::bind_internal(&config).await?;
    let Some(app) = stop::unless_stopped(&stop, bootstrap::app_when_reachable(&config, &listeners)).await? else {
        return Ok(());
    };
    bootstrap::run(app, config, true, listeners, stop).await
}
