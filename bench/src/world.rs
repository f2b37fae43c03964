//! A running Portico, as in production, with limits so high that they limit nothing.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
};

use anyhow::{Result, bail};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    http::Client,
    mailbox::Mailbox,
    postgres::{self, provided},
    process::Process,
};

/// Every limit that one machine asking as many would run into.
const LIMITS: [&str; 10] = [
    "REQUESTS",
    "SIGN_IN_RATE",
    "SIGN_IN_ACCOUNT",
    "SIGN_IN_NETWORK",
    "RECOVERY_ACCOUNT",
    "RECOVERY_NETWORK",
    "SEND_CODE",
    "TOKEN_NETWORK",
    "INVITE_RECIPIENT",
    "INVITE_ACTOR",
];

/// Where Portico runs, and with which settings.
pub(crate) struct World {
    binary: PathBuf,
    env: Vec<(String, String)>,
    folder: TempDir,
    pub(crate) mailbox: Mailbox,
    pub(crate) database: String,
    pub(crate) redis: String,
}

/// A running API.
pub(crate) struct Api {
    pub(crate) address: String,
    pub(crate) process: Process,
}

impl Api {
    /// A client of it, in the `n`th network.
    pub(crate) fn client(&self, n: usize) -> Client {
        Client::new(&self.address, n)
    }
}

impl World {
    /// A database, a queue and a mailbox of its own; nothing runs yet. An empty setting is not set.
    pub(crate) async fn new(binary: PathBuf, settings: &[(&str, &str)]) -> Result<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let (mailbox, database) = (Mailbox::start().await?, postgres::create().await?);
        // Redis has 16 databases.
        let redis = format!("{}/{}", provided("PORTICO_TEST_REDIS")?, COUNT.fetch_add(1, Ordering::Relaxed) % 16);
        let connections = postgres::CONNECTIONS.to_string();
        let mut env: Vec<(String, String)> = [
            ("PORTICO_ENV", "production"),
            ("PORTICO_PUBLIC_URL", "http://localhost:4000"),
            ("PORTICO_SECRET", "cG9ydGljby1iZW5jaC1wb3J0aWNvLWJlbmNoLWJlbmNo"),
            ("PORTICO_LISTEN", "127.0.0.1:0"),
            ("PORTICO_INTERNAL_LISTEN", "127.0.0.1:0"),
            // Each client seems to come from a network of its own, as clients do.
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

    /// Starts `portico api`, or another command that serves.
    pub(crate) async fn api(&self, command: &str) -> Result<Api> {
        let mut process = self.start(command)?;
        let address = process.hears(listening).await?;
        Ok(Api { address, process })
    }

    /// Starts `portico worker`.
    pub(crate) async fn worker(&self) -> Result<Process> {
        let mut process = self.start("worker")?;
        process.hears(|line| line.contains("worker started").then_some(())).await?;
        Ok(process)
    }

    fn start(&self, command: &str) -> Result<Process> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let log = self.folder.path().join(format!("{command}-{}.log", COUNT.fetch_add(1, Ordering::Relaxed)));
        Process::start(&self.binary, &[command], &self.env, log)
    }

    /// Runs a command to its end and returns what it prints.
    pub(crate) fn run(&self, args: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.binary);
        let output = command.args(args).env_clear().envs(self.env.iter().cloned()).output()?;
        if !output.status.success() {
            bail!("portico {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// A folder that goes when the world does.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// The address in the log line that says `listening`.
pub(crate) fn listening(line: &str) -> Option<String> {
    let line: Value = serde_json::from_str(line).ok()?;
    line["message"].as_str().filter(|message| *message == "listening")?;
    Some(line["listen"].as_str()?.to_owned())
}
