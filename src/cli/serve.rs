//! `portico serve`: one process for production.

use anyhow::Result;

use crate::environment::Config;

pub(super) async fn run(config: Config) -> Result<()> {
    super::run_all(config).await
}
