//! `portico check-config`: checks the configuration.

use anyhow::Result;

use crate::config::Config;

/// Prints that the configuration is valid, and for which commands.
///
/// A wrong configuration never reaches this function: reading it returns an error first.
pub(super) fn run(config: Config) -> Result<()> {
    let commands =
        if config.redis_url.is_some() { "serve, api and worker" } else { "serve; api and worker also need REDIS_URL" };
    super::print(format!("The configuration is valid ({:?}) for {commands}.", config.domain.environment))?;
    Ok(())
}
