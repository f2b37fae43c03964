//! `portico api`: the API alone.

use anyhow::Result;

use crate::{compose, environment::Config};

pub(super) async fn run(mut config: Config) -> Result<()> {
    compose::require_redis(&config, "api")?;
    let sockets = compose::bind(&mut config).await?;
    let app = compose::app(&config).await?;
    compose::run(app, config, false, sockets).await
}
