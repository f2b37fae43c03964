//! `portico dev`: runs API and worker in one process for development, with demo data.

use anyhow::{Result, bail};
use portico_domain::{operations::demo, platform::env_reader::Environment};
use tokio_util::sync::CancellationToken;

use super::print;
use crate::{bootstrap, config::Config, stop};

/// Creates the demo tenant if it does not exist, prints the addresses of the API docs and the mailbox page, and runs
/// API and worker until `stop` is cancelled.
///
/// # Errors
/// Returns an error if `PORTICO_ENV` is `production`, or if the process cannot start or serve: see [`bootstrap`].
pub(super) async fn run(mut config: Config, stop: CancellationToken) -> Result<()> {
    if config.domain.environment == Environment::Production {
        bail!("PORTICO_ENV is production, but `portico dev` creates a demo tenant; use `portico serve`");
    }
    let listeners = bootstrap::bind(&mut config).await?;
    let start = async {
        let app = bootstrap::app_when_reachable(&config, &listeners).await?;
        demo::seed(&app).await?;
        Ok(app)
    };
    let Some(app) = stop::unless_stopped(&stop, start).await? else { return Ok(()) };
    let url = config.domain.public_url.as_str().trim_end_matches('/');
    let banner = format!(
        "\nPortico is running.\n\n  API docs  {url}/api/docs\n  Mailbox   {url}/dev/mail\n\n  \
         Sign in as staff: owner@demo.test, with the code from the mailbox. README.md shows every step.\n"
    );
    // The page addresses are a convenience: if stdout is closed, or a pipe whose reader has stopped, Portico runs all
    // the same.
    std::thread::spawn(|| print(banner));
    bootstrap::run(app, config, true, listeners, stop).await
}
