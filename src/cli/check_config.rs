//! `portico check-config`: would it start?

use anyhow::Result;

use crate::environment::Config;

/// Whatever is wrong has stopped the reading before this.
pub(super) fn run(config: Config) -> Result<()> {
    super::say(format!("The configuration is good ({:?}).", config.domain.environment));
    Ok(())
}
