//! `portico dev`: runs API and worker in one process for development, with demo data.

use anyhow::{Result, bail};
use portico_domain::{operations::demo, platform::env_reader::Environment};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::output::print;
use crate::{bootstrap, config::Config, listeners, stop};

/// Creates the demo tenant if it does not exist, prints the addresses of the pages, and runs API and worker
/// until `stop` is cancelled.
///
/// # Errors
/// Returns an error if `PORTICO_ENV` is `production`, or if the process cannot start or serve: see [`bootstrap`].
pub(super) async fn run(mut config: Config, stop: CancellationToken) -> Result<()> {
    if config.domain.environment == Environment::Production {
        bail!("PORTICO_ENV is production, but `portico dev` creates a demo tenant; use `portico serve`");
    }
    let listeners = listeners::bind(&mut config).await?;
    let start = async {
        let app = bootstrap::app_when_reachable(&config, &listeners).await?;
        demo::seed(&app).await?;
        Ok(app)
    };
    let Some(app) = stop::unless_stopped(&stop, start).await? else { return Ok(()) };
    // As it was called, so that the printed command works also if `portico` is not in `PATH`.
    let program = std::env::args().next().unwrap_or_else(|| "portico".into());
    let url = listeners.local_url().unwrap_or_default();
    let banner = banner(&program, &url, &config.domain.public_url, config.api.serves_pages);
    // The page addresses are a convenience: if stdout is closed, or a pipe whose reader has stopped, Portico runs all
    // the same.
    std::thread::spawn(|| print(banner));
    bootstrap::run(app, config, true, listeners, stop).await
}

/// Returns what is printed at the start: the pages at `url`, where the API listens, and how to sign in for a first try.
fn banner(program: &str, url: &str, public_url: &Url, serves_pages: bool) -> String {
    let public_url = public_url.as_str().trim_end_matches('/');
    let links = if public_url == url {
        String::new()
    } else {
        format!("\n  The links in mails lead to {public_url} (PORTICO_PUBLIC_URL).\n")
    };
    let pages = if serves_pages {
        format!("  Portal             {url}/portal\n  Console            {url}/console\n")
    } else {
        String::new()
    };
    let where_to = if serves_pages { "in the console or by the command below" } else { "by the command below" };
    format!(
        "\nPortico is running. Ctrl-C stops it.\n\n{pages}  Mailbox            {url}/dev/mail\n  \
         API documentation  {url}/api/docs\n{links}\nTo sign in as staff for a first try, request a code for \
         owner@demo.test {where_to}.\nThe code arrives in the mailbox.\n\n  \
         {program} remote login {url} --email owner@demo.test\n\nREADME.md shows every step with curl.\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn banner_has_the_bound_address_and_says_where_mails_lead_if_that_is_another_one() {
        let banner = |public, serves_pages| {
            banner("target/debug/portico", "http://[::1]:4711", &Url::parse(public).unwrap(), serves_pages)
        };
        let same = banner("http://[::1]:4711", true);
        for link in [
            "http://[::1]:4711/portal\n",
            "http://[::1]:4711/console\n",
            "http://[::1]:4711/api/docs",
            "http://[::1]:4711/dev/mail",
            "target/debug/portico remote login http://[::1]:4711 ",
        ] {
            assert!(same.contains(link), "{same}");
        }
        assert!(!same.contains("PORTICO_PUBLIC_URL"), "{same}");
        assert!(banner("http://localhost:3000", true).contains("lead to http://localhost:3000 (PORTICO_PUBLIC_URL)"));
        let without_pages = banner("http://[::1]:4711", false);
        assert!(!without_pages.contains("/portal") && !without_pages.contains("console"), "{without_pages}");
    }
}
