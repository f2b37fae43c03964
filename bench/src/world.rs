//! An installation of Portico for one measurement, configured as in production, but with limits so high that none is
//! reached.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
};

use anyhow::{Result, bail};
use serde_json::Value;
use tempfile::TempDir;

use crate::{http::Client, mailbox::Mailbox, postgres, process::Process, redis};

/// The rate limits, `PORTICO_LIMIT_*`, that the load of one machine would otherwise reach.
const LIMITS: [&str; 12] = [
    "REQUESTS",
    "SIGN_IN_RATE",
    "SIGN_IN_ACCOUNT",
    "SIGN_IN_NETWORK",
    "RECOVERY_ACCOUNT",
    "RECOVERY_NETWORK",
    "SEND_CODE",
    "TOKEN_NETWORK",
    "CEREMONIES",
    "INVITE_RECIPIENT",
    "INVITE_ACTOR",
    "INVITE_BULK",
];

/// The settings of an installation, its mail server and its databases.
pub(crate) struct World {
    /// The Portico binary.
    binary: PathBuf,
    /// The environment of every process.
    env: Vec<(String, String)>,
    /// Holds the logs.
    folder: TempDir,
    /// The mail server.
    pub(crate) mailbox: Mailbox,
    /// `DATABASE_URL`
    pub(crate) database: String,
    /// `REDIS_URL`, empty if it is not set.
    pub(crate) redis: String,
}

/// A running process that serves the API.
pub(crate) struct Api {
    /// Host and port.
    pub(crate) address: String,
    /// The process.
    pub(crate) process: Process,
}

impl Api {
    /// Returns an HTTP client of this API in the `n`th network.
    pub(crate) fn client(&self, n: usize) -> Client {
        Client::new(&self.address, n)
    }
}

impl World {
    /// Prepares an installation: starts a mail server, and creates an empty Postgres database and claims an empty Redis
    /// database unless `settings` names others. Starts no process of Portico.
    ///
    /// `settings` replaces the default settings. A setting with an empty value is not set. [`clean_up`] removes the
    /// databases.
    pub(crate) async fn new(binary: PathBuf, settings: &[(&str, &str)]) -> Result<Self> {
        let setting = |name: &str| settings.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned());
        let mailbox = Mailbox::start().await?;
        let database = match setting("DATABASE_URL") {
            Some(url) => url,
            None => postgres::create().await?,
        };
        let redis = match setting("REDIS_URL") {
            Some(url) => url,
            None => redis::claim().await?,
        };
        let connections = postgres::CONNECTIONS.to_string();
        let mut env: Vec<(String, String)> = [
            ("PORTICO_ENV", "production"),
            ("PORTICO_PUBLIC_URL", "http://localhost:4000"),
            ("PORTICO_SECRET", "cG9ydGljby1iZW5jaC1wb3J0aWNvLWJlbmNoLWJlbmNo"),
            ("PORTICO_LISTEN", "127.0.0.1:0"),
            ("PORTICO_INTERNAL_LISTEN", "127.0.0.1:0"),
            // Trusts the X-Forwarded-For header of the load, so that each client is in a network of its own.
            ("PORTICO_TRUSTED_PROXIES", "127.0.0.0/8"),
            ("PORTICO_LIMIT_SIGN_IN_LOCKOUT", "1000"),
            ("PORTICO_DATABASE_CONNECTIONS", &connections),
            ("DATABASE_URL", &database),
            ("REDIS_URL", &redis),
            ("MAIL_URL", &mailbox.url()),
            ("MAIL_FROM", "Portal <portal@portico.test>"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        env.extend(LIMITS.map(|limit| (format!("PORTICO_LIMIT_{limit}"), "1000000/1s".to_owned())));
        env.retain(|(name, _)| !settings.iter().any(|(set, _)| set == name));
        env.extend(settings.iter().map(|(name, value)| (name.to_string(), value.to_string())));
        env.retain(|(_, value)| !value.is_empty());
        Ok(Self { binary, env, folder: tempfile::tempdir()?, mailbox, database, redis })
    }

    /// Changes a setting for the processes that are started from now on.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.env.retain(|(set, _)| set != name);
        self.env.push((name.to_owned(), value.to_owned()));
    }

    /// Starts a process that serves the API and waits until it listens. `command` is `api` or `serve`.
    pub(crate) async fn api(&self, command: &str) -> Result<Api> {
        let mut process = self.start(command)?;
        let address = process.wait_for_log(listening).await?;
        Ok(Api { address, process })
    }

    /// Starts `portico worker` and waits until it runs jobs.
    pub(crate) async fn worker(&self) -> Result<Process> {
        let mut process = self.start("worker")?;
        process.wait_for_log(|line| line.contains("worker started").then_some(())).await?;
        Ok(process)
    }

    fn start(&self, command: &str) -> Result<Process> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let log = self.folder.path().join(format!("{command}-{}.log", COUNT.fetch_add(1, Ordering::Relaxed)));
        Process::start(&self.binary, &[command], &self.env, log)
    }

    /// Runs a command of Portico, waits until it ends, and returns what it prints.
    ///
    /// # Errors
    /// Returns an error with its stderr if the command fails.
    pub(crate) fn run(&self, args: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.binary);
        let output = command.args(args).env_clear().envs(self.env.iter().cloned()).output()?;
        if !output.status.success() {
            bail!("portico {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Returns a folder that is deleted with this value.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Drops the Postgres databases and empties the Redis databases that this process has created and claimed. Call it
/// when no process of Portico is still running.
///
/// So a second run on the same servers starts like the first.
pub(crate) async fn clean_up() -> Result<()> {
    postgres::drop_created().await?;
    redis::flush_claimed().await
}

/// Returns the address in the log line `listening`.
pub(crate) fn listening(line: &str) -> Option<String> {
    let line: Value = serde_json::from_str(line).ok()?;
    line["message"].as_str().filter(|message| *message == "listening")?;
    Some(line["listen"].as_str()?.to_owned())
}
