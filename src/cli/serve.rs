//! `portico serve`: one process for production, with or without Redis.

use anyhow::Result;

use crate::{compose, environment::Config};

pub(super) async fn run(mut config: Config) -> Result<()> {
    let sockets = compose::bind(&mut config).await?;
    let app = compose::app(&config).await?;
    compose::run(app, config, true, sockets).await
}
