//! The services of a cluster: a database in a Postgres server, Redis and an SMTP server. `bin/services` provides the
//! programs.

use std::{net::TcpListener, path::PathBuf, process::Command, time::Duration};

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{DEADLINE, Process, http, unique};

/// Returns an environment variable that `bin/services` sets.
#[expect(clippy::disallowed_methods, reason = "a setting of the tests, not of Portico")]
pub(crate) fn provided(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run the tests by bin/test"))
}

/// Creates an empty Postgres database and returns its URL.
pub(crate) fn database() -> String {
    let server = provided("PORTICO_TEST_POSTGRES");
    let name = unique("db").replace('-', "_");
    psql(&format!("{server}/postgres"), &format!("CREATE DATABASE {name}"));
    // The server needs no password. The stories search for this one where no secret may be.
    format!("{}/{name}", server.replacen('@', ":password-of-the-database@", 1))
}

/// Runs SQL by `psql` and returns its output: a line for each row, columns separated by `|`.
pub(crate) fn psql(url: &str, sql: &str) -> String {
    try_psql(url, sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// Runs SQL that may fail.
///
/// # Errors
///
/// What `psql` printed on stderr.
pub(crate) fn try_psql(url: &str, sql: &str) -> Result<String, String> {
    let output = Command::new("psql").args([url, "-v", "ON_ERROR_STOP=1", "-Atc", sql]).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// Locks these tables in this mode, from another connection, until the returned process or its connection ends.
/// The statement that holds the lock is `SELECT pg_sleep(600)`.
pub(crate) async fn lock_table(url: &str, tables: &str, mode: &str) -> Process {
    let statements = format!("BEGIN; LOCK TABLE {tables} IN {mode} MODE; SELECT pg_sleep(600)");
    let start = || Process::start("psql", &[url, "-v", "ON_ERROR_STOP=1", "-c", &statements], &[]);
    let asleep = "SELECT count(*) FROM pg_stat_activity \
                  WHERE wait_event = 'PgSleep' AND query LIKE 'BEGIN; LOCK TABLE%' AND datname = current_database()";
    let mut holder = start();
    let deadline = Instant::now() + DEADLINE;
    while psql(url, asleep) != "1" {
        assert!(Instant::now() < deadline, "not locked after {DEADLINE:?}: {tables}");
        // The tables are locked one after the other, so Postgres may end this transaction because of a deadlock with
        // one that locks them in another order.
        if !holder.is_running() {
            holder = start();
        }
        sleep(Duration::from_millis(30)).await;
    }
    holder
}

/// Returns a port of 127.0.0.1 that is free now.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

const REDIS_PASSWORD: &str = "password-of-the-queue";

/// A Redis server of one world, which a story can stop, freeze and flush.
pub(crate) struct Redis {
    port: u16,
    pub(crate) process: Process,
}

impl Redis {
    /// Starts a server on a free port of 127.0.0.1.
    pub(crate) async fn start() -> Self {
        Self::start_at(free_port()).await
    }

    /// Starts a server with more arguments.
    pub(crate) async fn start_with(more: &[&str]) -> Self {
        Self::run_at(free_port(), more).await
    }

    /// Starts a server on this port, for example again after it was killed.
    pub(crate) async fn start_at(port: u16) -> Self {
        Self::run_at(port, &["--save", "", "--dir", "/tmp"]).await
    }

    async fn run_at(port: u16, more: &[&str]) -> Self {
        let port_argument = port.to_string();
        let own = ["--port", &port_argument, "--bind", "127.0.0.1", "--requirepass", REDIS_PASSWORD];
        let args = [&own, more].concat();
        let process = Process::start(provided("PORTICO_TEST_REDIS_SERVER"), &args, &[]);
        process.wait_for_log("redis is ready", |line| line.contains("Ready to accept").then_some(())).await;
        Self { port, process }
    }

    /// The port of the server.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The `REDIS_URL` of the server.
    pub(crate) fn url(&self) -> String {
        format!("redis://:{REDIS_PASSWORD}@127.0.0.1:{}", self.port)
    }

    /// Runs one command by `redis-cli` and returns its output.
    pub(crate) fn run(&self, args: &[&str]) -> String {
        let port = self.port.to_string();
        let output = Command::new("redis-cli")
            .env("REDISCLI_AUTH", REDIS_PASSWORD)
            .args(["-p", &port])
            .args(args)
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// An SMTP server with AUTH and STARTTLS that keeps the mails that it accepts; see `tests/smtp-sink`.
pub(crate) struct Sink {
    ready: Value,
    _process: Process,
}

impl Sink {
    /// Starts a server on a free port of 127.0.0.1.
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts a server with these flags.
    pub(crate) async fn start_with(flags: &[&str]) -> Self {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/smtp-sink/sink.mjs");
        let process = Process::start("node", &[&[script.to_str().unwrap()], flags].concat(), &[]);
        let ready = process.wait_for_log("the sink is ready", |line| serde_json::from_str::<Value>(line).ok()).await;
        Self { ready, _process: process }
    }

    /// The `MAIL_URL` for AUTH over STARTTLS.
    pub(crate) fn url(&self) -> String {
        let ready = &self.ready;
        let text = |name: &str| ready[name].as_str().unwrap().to_owned();
        format!("smtp://{}:{}@localhost:{}?tls=required&ca={}", text("user"), text("pass"), ready["smtp"], text("ca"))
    }

    /// The `MAIL_URL` for AUTH over implicit TLS.
    pub(crate) fn implicit_tls_url(&self) -> String {
        let ready = &self.ready;
        let text = |name: &str| ready[name].as_str().unwrap().to_owned();
        format!("smtps://{}:{}@localhost:{}?ca={}", text("user"), text("pass"), ready["smtps"], text("ca"))
    }

    /// The port of the server.
    pub(crate) fn port(&self) -> u16 {
        self.ready["smtp"].as_u64().unwrap() as u16
    }

    /// The mails to this address, newest first.
    pub(crate) async fn messages(&self, to: &str) -> Vec<Value> {
        let url = self.control(&format!("messages?to={}", to.replace('+', "%2B")));
        let messages: Value = http::get(url).await.unwrap().json().await.unwrap();
        messages.as_array().unwrap().clone()
    }

    /// The Message-ID and the time of arrival, in milliseconds since 1970, of each mail after the first `after` ones.
    pub(crate) async fn deliveries(&self, after: usize) -> Vec<(String, u64)> {
        let url = self.control(&format!("deliveries?after={after}"));
        http::get(url).await.unwrap().json().await.unwrap()
    }

    /// The time of arrival of the newest mail, in milliseconds since 1970.
    pub(crate) async fn newest_arrival(&self) -> Option<u64> {
        http::get(self.control("newest")).await.unwrap().json().await.unwrap()
    }

    /// Counters of the server, such as `plaintext_credentials`.
    pub(crate) async fn stats(&self) -> Value {
        http::get(self.control("stats")).await.unwrap().json().await.unwrap()
    }

    /// Makes the server fail by these rules, which `tests/smtp-sink/README.md` describes.
    pub(crate) async fn fail(&self, rules: Value) {
        let response = http::client().put(self.control("faults")).json(&rules).send().await.unwrap();
        assert!(response.status().is_success(), "{}", response.text().await.unwrap());
    }

    /// Removes all rules.
    pub(crate) async fn heal(&self) {
        self.fail(json!([])).await;
    }

    fn control(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.ready["http"])
    }
}
