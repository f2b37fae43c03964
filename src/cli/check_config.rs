//! `portico check-config`: would it start?

use anyhow::Result;

use crate::config::Config;

/// Whatever is wrong has stopped the reading before this.
pub(super) fn run(config: Config) -> Result<()> {
    let commands =
        if config.redis_url.is_some() { "serve, api and worker" } else { "serve; api and worker need REDIS_URL" };
    super::print(format!("The configuration is good ({:?}) for {commands}.", config.domain.environment));
    Ok(())
}
