//! `portico worker`: runs a worker only.

use anyhow::Result;

use crate::{bootstrap, config::Config};

/// The default port of a worker's internal listener. It differs from the API's, so that both can run on one machine
/// without further settings.
const INTERNAL_PORT: u16 = 9081;

/// Runs jobs until the process receives SIGTERM or SIGINT.
///
/// # Errors
/// Returns an error if `REDIS_URL` is not set, or if the process cannot start or serve: see [`bootstrap`].
pub(super) async fn run(mut config: Config) -> Result<()> {
    bootstrap::require_redis(&config, "worker")?;
    if !config.has_internal_listen {
        config.api.internal_listen.set_port(INTERNAL_PORT);
    }
    let listeners = bootstrap::bind_internal(&config).await?;
    let app = bootstrap::app(&config).await?;
    bootstrap::run(app, config, true, listeners).await
}
