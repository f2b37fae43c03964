//! `portico worker`: a worker alone.

use anyhow::Result;

use crate::{bootstrap, config::Config};

/// Where a worker serves probes unless it is told, so that one can stand beside an API on one machine.
const INTERNAL_PORT: u16 = 9081;

pub(super) async fn run(mut config: Config) -> Result<()> {
    bootstrap::require_redis(&config, "worker")?;
    if !config.has_internal_listen {
        config.api.internal_listen.set_port(INTERNAL_PORT);
    }
    let sockets = bootstrap::bind_internal(&config).await?;
    let app = bootstrap::app(&config).await?;
    bootstrap::run(app, config, true, sockets).await
}
