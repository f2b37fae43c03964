//! `portico dev`: everything in one process, with something to click on.

use anyhow::{Result, bail};
use portico_domain::{settings::Environment, tenants};

use super::print;
use crate::{bootstrap, config::Config};

pub(super) async fn run(mut config: Config) -> Result<()> {
    if config.domain.environment == Environment::Production {
        bail!("PORTICO_ENV=production does not go with `portico dev`, which seeds a demo tenant; take `portico serve`");
    }
    let sockets = bootstrap::bind(&mut config).await?;
    let app = bootstrap::app(&config).await?;
    tenants::seed_demo(&app).await?;
    let url = config.domain.public_url.as_str().trim_end_matches('/');
    print(format!(
        "\nPortico is running.\n\n  API docs  {url}/api/docs\n  Mailbox   {url}/dev/mail\n\n  \
         Sign in as staff: owner@demo.test, with the code from the mailbox. The README shows the whole path.\n"
    ));
    bootstrap::run(app, config, true, sockets).await
}
