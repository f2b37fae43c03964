//! `portico check-config`: checks the configuration and, if asked to, what it connects to.

use std::{future::Future, time::Duration};

use anyhow::{Result, bail};
use portico_domain::platform::{
    database_check,
    mail::{MailSettings, Mailer},
};
use portico_queue::JobQueue;
use tokio::time::timeout;
use url::Url;

use super::password_costs;
use crate::{bootstrap, config::Config};

/// How long the check of one service may take. A mail server may take 30 seconds to reply.
const CHECK_TIMEOUT: Duration = Duration::from_secs(40);
/// Names that no server has (RFC 2606, RFC 6761).
const EXAMPLE_DOMAINS: [&str; 5] = ["example", "example.com", "example.net", "example.org", "invalid"];

/// Prints that the configuration is valid, and for which commands. If `connect` is true, prints what the check of the
/// database, of Redis and of the mail server found.
///
/// # Errors
/// Returns every problem: what the start would refuse, and what would not work. Reading the configuration has returned
/// the problems of single variables before.
pub(super) async fn run(config: Config, connect: bool) -> Result<()> {
    let mut problems = conflicts(&config);
    if connect {
        problems.extend(placeholders(&config));
        problems.extend(check_services(&config).await);
    }
    if !problems.is_empty() {
        bail!("the configuration has problems:\n{}", problems.join("\n"));
    }
    // A database that is missing or has an old schema has no such hashes, or its migration counts them.
    if connect && let Ok(app) = bootstrap::app_for_reading(&config).await {
        for line in password_costs::report(&app).await? {
            super::print(line)?;
        }
    }
    let commands =
        if config.redis_url.is_some() { "serve, api and worker" } else { "serve; api and worker also need REDIS_URL" };
    super::print(format!("The configuration is valid ({:?}) for {commands}.", config.domain.environment))?;
    Ok(())
}

/// Returns the problems of variables that are valid on their own, but not together.
fn conflicts(config: &Config) -> Vec<String> {
    let mut problems = Vec::new();
    let (public, internal) = (config.api.listen, config.api.internal_listen);
    let is_same_address =
        public.ip() == internal.ip() || public.ip().is_unspecified() || internal.ip().is_unspecified();
    if public.port() != 0 && public.port() == internal.port() && is_same_address {
        let port = public.port();
        problems.push(format!(
            "PORTICO_INTERNAL_LISTEN must not have the port {port} of PORTICO_LISTEN, \
             e.g. PORTICO_INTERNAL_LISTEN=127.0.0.1:9080"
        ));
    }
    if config.redis_url.is_some() && config.domain.database.sqlite_path().is_some() {
        problems.push(
            "DATABASE_URL is SQLite, which is for one process, but REDIS_URL connects several; unset REDIS_URL, or set \
             e.g. DATABASE_URL=postgres://portico:password@db.example.com/portico"
                .into(),
        );
    }
    problems
}

/// Returns the names of an example that are still in the configuration. The start accepts them.
fn placeholders(config: &Config) -> Vec<String> {
    let from = config.domain.section::<MailSettings>().from.email.domain().to_owned();
    let names = [("PORTICO_PUBLIC_URL", host(&config.domain.public_url)), ("MAIL_FROM", from)];
    let is_example =
        |name: &str| EXAMPLE_DOMAINS.iter().any(|domain| name == *domain || name.ends_with(&format!(".{domain}")));
    let named = names.into_iter().filter(|(_, name)| is_example(name));
    named.map(|(variable, name)| format!("{variable} still names {name}, a domain of an example")).collect()
}

fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}

/// Connects to each service, prints what works, and returns what does not.
async fn check_services(config: &Config) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, found) in [
        ("DATABASE_URL", in_time(check_database(config)).await),
        ("REDIS_URL", in_time(check_queue(config)).await),
        ("MAIL_URL", in_time(check_mail(config)).await),
    ] {
        match found {
            Ok(found) => {
                super::print(format!("{name}: {found}")).unwrap_or_else(|error| problems.push(error.to_string()))
            }
            Err(problem) => problems.push(format!("{name}: {problem}")),
        }
    }
    problems
}

async fn in_time(check: impl Future<Output = Result<String, String>>) -> Result<String, String> {
    timeout(CHECK_TIMEOUT, check)
        .await
        .unwrap_or_else(|_| Err(format!("no answer within {} s", CHECK_TIMEOUT.as_secs())))
}

async fn check_database(config: &Config) -> Result<String, String> {
    let database = &config.domain.database;
    let place = database.place();
    if let Some(path) = database.sqlite_path()
        && !path.exists()
    {
        return Ok(format!("{place} does not exist yet; the start creates it"));
    }
    database_check::check(database).await.map_err(|error| format!("cannot use the database at {place}: {error}"))?;
    match portico_migration::pending(database.connect_options()).await {
        Ok(0) => Ok(format!("{place} can be written and has the newest schema")),
        Ok(pending) => Ok(format!("{place} can be written; {pending} migrations are pending")),
        Err(error) => Err(format!("cannot read the schema at {place}: {error}")),
    }
}

async fn check_queue(config: &Config) -> Result<String, String> {
    let Some(url) = &config.redis_url else { return Ok("not set; the queue is in the memory of the process".into()) };
    let queue = JobQueue::redis(url)?;
    queue.check_write().await.map_err(|error| error.to_string())?;
    match queue.config_warning().await {
        Ok(Some(warning)) => Err(warning),
        _ => Ok("Redis can be written".into()),
    }
}

async fn check_mail(config: &Config) -> Result<String, String> {
    Mailer::new(config.domain.section::<MailSettings>(), &config.domain.public_url)?.check().await
}
