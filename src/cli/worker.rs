//! `portico worker`: a worker alone.

use anyhow::Result;

use crate::{
    compose::{self, Roles},
    environment::Config,
};

pub(super) async fn run(config: Config) -> Result<()> {
    compose::require_redis(&config, "worker")?;
    let app = compose::app(&config).await?;
    compose::run(app, config, Roles { api: false, worker: true }, None).await
}
