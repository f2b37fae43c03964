//! `portico api`: the API alone.

use anyhow::Result;

use crate::{bootstrap, config::Config};

pub(super) async fn run(mut config: Config) -> Result<()> {
    bootstrap::require_redis(&config, "api")?;
    let sockets = bootstrap::bind(&mut config).await?;
    let app = bootstrap::app(&config).await?;
    bootstrap::run(app, config, false, sockets).await
}
