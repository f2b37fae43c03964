//! A Postgres server of one story, which it can stop, kill and lock.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
};

use tempfile::TempDir;

use super::{
    Process, lock_table, psql,
    services::{free_port, provided},
    try_psql,
};

/// A Postgres server with the database `portico`. It runs without fsync, so killing it does not simulate a power
/// failure.
pub(crate) struct Postgres {
    data: PathBuf,
    port: u16,
    process: Process,
    /// The `psql` that holds a lock.
    lock_holder: Mutex<Option<Process>>,
    _folder: Option<TempDir>,
}

impl Postgres {
    /// Starts a server with its data in a temporary folder.
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        run(Command::new("chmod").arg("711").arg(folder.path()));
        let mut postgres = Self::start_in(folder.path().to_owned()).await;
        postgres._folder = Some(folder);
        postgres
    }

    /// Starts a server with its data below `folder`, which the user that runs Postgres must be able to enter.
    pub(crate) async fn start_in(folder: PathBuf) -> Self {
        let data = folder.join("data");
        run(Command::new("install").args(["-d", "-m", "700", "-o", &provided("PORTICO_TEST_OWNER")]).arg(&data));
        let initdb = Path::new(&provided("PORTICO_TEST_POSTGRES_BIN")).join("initdb");
        let mut command = Command::new("setpriv");
        command.args(as_owner()).arg(initdb).arg("-D").arg(&data).current_dir(&folder);
        command.args("-U portico --auth trust --encoding UTF8 --locale C.UTF-8 --no-sync --no-instructions".split(' '));
        run(&mut command);
        let port = free_port();
        let process = serve(&data, port).await.expect("Postgres starts");
        let postgres = Self { data, port, process, lock_holder: Mutex::default(), _folder: None };
        psql(&format!("{}/postgres", postgres.server()), "CREATE DATABASE portico");
        postgres
    }

    /// The URL of the database `portico`.
    pub(crate) fn url(&self) -> String {
        format!("{}/portico", self.server())
    }

    /// Starts a standby of this server: a server in recovery, which replicates it and is read-only.
    pub(crate) async fn start_standby(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        run(Command::new("chmod").arg("711").arg(folder.path()));
        run(Command::new("install").args(["-d", "-m", "700", "-o", &provided("PORTICO_TEST_OWNER")]).arg(&data));
        let backup = Path::new(&provided("PORTICO_TEST_POSTGRES_BIN")).join("pg_basebackup");
        let mut command = Command::new("setpriv");
        command.args(as_owner()).arg(backup).arg("-D").arg(&data).current_dir(folder.path());
        command.args(["-R", "-c", "fast", "--no-sync", "-d", &format!("{}/postgres", self.server())]);
        run(&mut command);
        let port = free_port();
        let process = serve(&data, port).await.expect("the standby starts");
        Self { data, port, process, lock_holder: Mutex::default(), _folder: Some(folder) }
    }

    /// Makes a standby the primary.
    pub(crate) fn promote(&self) {
        assert_eq!(psql(&self.url(), "SELECT pg_promote()"), "t");
    }

    /// Runs SQL although transactions are read-only by default.
    pub(crate) fn run_writable(&self, sql: &str) -> String {
        psql(&format!("{}?options=-c%20default_transaction_read_only%3Doff", self.url()), sql)
    }

    fn server(&self) -> String {
        format!("postgres://portico@127.0.0.1:{}", self.port)
    }

    /// Runs SQL and returns its output as [`psql`] does.
    pub(crate) fn run(&self, sql: &str) -> String {
        psql(&self.url(), sql)
    }

    /// Fills most of a segment of the write-ahead log, if there is room.
    pub(crate) fn fill_log(&self) {
        let _ = try_psql(
            &self.url(),
            "CREATE TABLE IF NOT EXISTS t (t text); \
             INSERT INTO t SELECT repeat(md5(n::text), 60) FROM generate_series(1, 5000) n",
        );
    }

    /// Ends every connection of Portico.
    pub(crate) fn end_connections(&self) {
        let others = "datname = 'portico' AND pid <> pg_backend_pid()";
        self.run(&format!("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {others}"));
    }

    /// Locks these tables for reading and writing until [`unlock`](Self::unlock).
    pub(crate) async fn lock(&self, tables: &str) {
        let holder = lock_table(&self.url(), tables, "ACCESS EXCLUSIVE").await;
        *self.lock_holder.lock().unwrap() = Some(holder);
    }

    /// Ends the lock of [`lock`](Self::lock).
    pub(crate) fn unlock(&self) {
        self.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK%'");
        *self.lock_holder.lock().unwrap() = None;
    }

    /// Shuts the server down: running transactions are rolled back, and clients receive an error.
    pub(crate) async fn stop(&self) {
        self.process.signal("INT");
        self.process.ends().await;
    }

    /// `kill -9`: clients receive nothing, and the next start recovers from the write-ahead log.
    pub(crate) fn kill(&self) {
        self.process.kill();
    }

    /// Starts the server again on the same port, after the last child process of the old one has ended.
    pub(crate) async fn start_again(&mut self) {
        for _ in 0..50 {
            if let Some(process) = serve(&self.data, self.port).await {
                self.process = process;
                return;
            }
        }
        panic!("Postgres does not start again");
    }
}

impl Drop for Postgres {
    /// Shuts the server down, so that it releases its shared memory.
    fn drop(&mut self) {
        if !self.process.is_running() {
            return;
        }
        self.process.signal("QUIT");
        for _ in 0..100 {
            if !self.process.is_running() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
}

/// Starts the server; `None` if it exits.
async fn serve(data: &Path, port: u16) -> Option<Process> {
    let postgres = Path::new(&provided("PORTICO_TEST_POSTGRES_BIN")).join("postgres").display().to_string();
    let (data, port) = (data.display().to_string(), port.to_string());
    let mut args = as_owner();
    args.extend([postgres, "-D".into(), data.clone(), "-k".into(), data, "-p".into(), port]);
    for setting in ["listen_addresses=127.0.0.1", "max_connections=80", "fsync=off", "shared_buffers=16MB"] {
        args.extend(["-c".into(), setting.into()]);
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let process = Process::start("setpriv", &args, &[]);
    let started = super::eventually("Postgres is ready", || async {
        let lines = process.logs();
        if lines.iter().any(|line| line.contains("ready to accept")) {
            return Some(true);
        }
        (!process.is_running()).then_some(false)
    })
    .await;
    started.then_some(process)
}

/// The arguments by which `setpriv` becomes the user that runs Postgres. They set the signal at the parent's death
/// again, because a change of user clears it.
pub(super) fn as_owner() -> Vec<String> {
    let owner = provided("PORTICO_TEST_OWNER");
    let id = |args: &[&str]| {
        let output = Command::new("id").args(args).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let mut args: Vec<String> = vec!["--pdeathsig".into(), "KILL".into()];
    if id(&["-un"]) != owner {
        args.extend(["--reuid".into(), id(&["-u", &owner]), "--regid".into(), id(&["-g", &owner])]);
        args.push("--clear-groups".into());
    }
    args.push("--".into());
    args
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
