//! `portico serve`: one process for production, with or without Redis.

use anyhow::Result;

use crate::{bootstrap, config::Config};

pub(super) async fn run(mut config: Config) -> Result<()> {
    let sockets = bootstrap::bind(&mut config).await?;
    let app = bootstrap::app(&config).await?;
    bootstrap::run(app, config, true, sockets).await
}
