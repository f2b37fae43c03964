//! `portico check-config`: checks the configuration and, if asked to, what it connects to.

use std::{future::Future, net::IpAddr, time::Duration};

use anyhow::{Result, bail};
use portico_domain::{
    identity::passwords::PasswordSettings,
    platform::{
        database_check,
        mail::{MailSettings, Mailer},
    },
};
use portico_queue::JobQueue;
use tokio::time::timeout;
use url::Url;

use super::{
    output::{count, print, print_done},
    password_costs,
};
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
    } else {
        // The check of the mail server finds this too.
        problems.extend(Mailer::check_files(config.domain.section::<MailSettings>(), &config.domain.public_url).err());
    }
    if !problems.is_empty() {
        bail!("the configuration has problems:\n{}", problems.join("\n"));
    }
    // A database that is missing or has an old schema has no such hashes, or its migration counts them. Its audit log
    // has no chains.
    if connect && let Ok(app) = bootstrap::app_for_reading(&config).await {
        bootstrap::check_keys(&app).await?;
        for line in password_costs::report(&app).await? {
            print(line)?;
        }
    }
    if let Some(line) = short_passwords(&config) {
        print(line)?;
    }
    let commands =
        if config.redis_url.is_some() { "serve, api and worker" } else { "serve; api and worker also need REDIS_URL" };
    let next = if connect {
        "`portico mail test --to you@example.com` sends a mail; then start Portico"
    } else {
        "`portico check-config --connect` also checks the database, Redis and the mail server"
    };
    print_done(format!("The configuration is valid ({:?}) for {commands}.", config.domain.environment), next)
}

/// The minimum length of passwords from which on a second factor is not recommended (NIST SP 800-63B-4 §3.1.1.2).
const LONG_PASSWORD: usize = 15;

/// Returns a suggestion if passwords may be short. Portico starts all the same.
fn short_passwords(config: &Config) -> Option<String> {
    let min = config.domain.section::<PasswordSettings>().min;
    (min < LONG_PASSWORD).then(|| {
        format!(
            "PORTICO_PASSWORD_MIN is {min}. Where a tenant requires no second factor, passwords of {LONG_PASSWORD} \
             characters or more are better: set PORTICO_PASSWORD_MIN={LONG_PASSWORD}, or require second factors."
        )
    })
}

/// Returns what the start refuses although each variable is valid on its own.
fn conflicts(config: &Config) -> Vec<String> {
    let mut problems = Vec::new();
    let (public, internal) = (config.api.listen, config.api.internal_listen);
    if public.port() != 0 && public.port() == internal.port() && are_same_socket(public.ip(), internal.ip()) {
        let port = public.port();
        let free = if port == 9080 { 9081 } else { 9080 };
        problems.push(format!(
            "PORTICO_INTERNAL_LISTEN must not have the port {port} of PORTICO_LISTEN, \
             e.g. PORTICO_INTERNAL_LISTEN=127.0.0.1:{free}"
        ));
    }
    if let Some(path) = config.domain.database.sqlite_path()
        && path.is_dir()
    {
        problems.push(format!(
            "DATABASE_URL: {} is a folder; it must be a file, e.g. DATABASE_URL=sqlite:data/portico.db",
            path.display()
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

/// Returns whether two listeners of one port cannot have these addresses. `[::]` includes all addresses of IPv4.
fn are_same_socket(one: IpAddr, other: IpAddr) -> bool {
    let (one, other) = (one.to_canonical(), other.to_canonical());
    let includes = |wide: IpAddr, narrow: IpAddr| match wide {
        IpAddr::V4(wide) => wide.is_unspecified() && narrow.is_ipv4(),
        IpAddr::V6(wide) => wide.is_unspecified(),
    };
    one == other || includes(one, other) || includes(other, one)
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
            Ok(found) => print(format!("{name}: {found}")).unwrap_or_else(|error| problems.push(error.to_string())),
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
    database_check::check_file(database)?;
    if database.sqlite_path().is_some_and(|path| !path.exists()) {
        return Ok(format!("{place} does not exist yet; the start creates it"));
    }
    database_check::check(database).await.map_err(|error| format!("cannot use the database at {place}: {error}"))?;
    match portico_migration::pending(database.connect_options()).await {
        // The migrations of a newer version are not known here.
        Ok(0) if portico_migration::is_current(database.connect_options()).await.is_err() => {
            Err(format!("the database at {place} has the schema of a newer version of Portico"))
        }
        Ok(0) => Ok(format!("{place} can be written and has the newest schema")),
        Ok(pending) => {
            let pending = count(pending as u64, "migration");
            Ok(format!("{place} can be written and lacks {pending}; run `portico migrate`"))
        }
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
    let mailer = Mailer::new(config.domain.section::<MailSettings>(), &config.domain.public_url);
    // The sentence begins with the name of the variable, which is added to the problem of any service.
    let mailer = mailer.map_err(|problem| problem.trim_start_matches("MAIL_URL: ").to_owned())?;
    mailer.check().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_cannot_be_bound_together_are_found() {
        let same = |one: &str, other: &str| are_same_socket(one.parse().unwrap(), other.parse().unwrap());
        for (one, other) in [
            ("127.0.0.1", "127.0.0.1"),
            ("::ffff:127.0.0.1", "127.0.0.1"),
            ("0.0.0.0", "127.0.0.1"),
            ("10.0.0.1", "0.0.0.0"),
            ("::", "127.0.0.1"),
            ("::1", "::"),
        ] {
            assert!(same(one, other), "{one} {other}");
        }
        for (one, other) in [("127.0.0.1", "127.0.0.2"), ("0.0.0.0", "::1"), ("::1", "127.0.0.1")] {
            assert!(!same(one, other), "{one} {other}");
        }
    }
}
