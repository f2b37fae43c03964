//! `portico check-config`: checks the configuration.

use anyhow::Result;

use super::password_costs;
use crate::{bootstrap, config::Config};

/// Prints that the configuration is valid, and for which commands. With `connect`, also counts the costs of the stored
/// password hashes.
///
/// A wrong configuration never reaches this function: reading it returns an error first.
///
/// # Errors
/// Returns an error if the database cannot be reached or has an old schema. It is not migrated.
pub(super) async fn run(mut config: Config, connect: bool) -> Result<()> {
    let commands =
        if config.redis_url.is_some() { "serve, api and worker" } else { "serve; api and worker also need REDIS_URL" };
    super::print(format!("The configuration is valid ({:?}) for {commands}.", config.domain.environment));
    if connect {
        config.migrate_at_start = false;
        let app = bootstrap::app(&config).await?;
        password_costs::report(&app).await?.into_iter().for_each(super::print);
    }
    Ok(())
}
