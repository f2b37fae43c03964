//! A Postgres of one's own, to be stopped, killed and starved.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
};

use tempfile::TempDir;

use super::{
    Process, psql,
    services::{free_port, provided},
};

/// A Postgres server with the database `portico`. Its data reaches no disk: killing it is not cutting its power.
pub(crate) struct Postgres {
    data: PathBuf,
    port: u16,
    process: Process,
    /// Whoever holds a lock.
    holder: Mutex<Option<Process>>,
    _folder: Option<TempDir>,
}

impl Postgres {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        run(Command::new("chmod").arg("711").arg(folder.path()));
        let mut postgres = Self::start_in(folder.path().to_owned()).await;
        postgres._folder = Some(folder);
        postgres
    }

    /// Likewise, with its data below `folder`, which its owner must be able to reach.
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
        let postgres = Self { data, port, process, holder: Mutex::default(), _folder: None };
        psql(&format!("{}/postgres", postgres.server()), "CREATE DATABASE portico");
        postgres
    }

    pub(crate) fn url(&self) -> String {
        format!("{}/portico", self.server())
    }

    fn server(&self) -> String {
        format!("postgres://portico@127.0.0.1:{}", self.port)
    }

    /// Runs SQL and returns what it prints.
    pub(crate) fn run(&self, sql: &str) -> String {
        psql(&self.url(), sql)
    }

    /// Runs SQL that may fail.
    pub(crate) fn try_run(&self, sql: &str) {
        let _ = Command::new("psql").args([&self.url(), "-qc", sql]).output();
    }

    /// Cuts every connection of the program's.
    pub(crate) fn cut(&self) {
        let others = "datname = 'portico' AND pid <> pg_backend_pid()";
        self.run(&format!("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {others}"));
    }

    /// Locks these tables against everybody until [`unlock`](Self::unlock).
    pub(crate) fn lock(&self, tables: &str) {
        let sql = format!("BEGIN; LOCK TABLE {tables}; SELECT pg_sleep(600)");
        let holder = Process::start("psql", &[&self.url(), "-c", &sql], &[]);
        *self.holder.lock().unwrap() = Some(holder);
    }

    pub(crate) fn unlock(&self) {
        self.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK%'");
        *self.holder.lock().unwrap() = None;
    }

    /// A fast shutdown: what runs is rolled back, and everybody is told.
    pub(crate) async fn stop(&self) {
        self.process.signal("INT");
        self.process.ends().await;
    }

    /// `kill -9`: nobody is told, and the next start recovers from the log.
    pub(crate) fn kill(&self) {
        self.process.kill();
    }

    /// Starts it again where it was, as soon as the last of the killed server's children has left.
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
    /// Shut down in order, so that no shared memory is left behind.
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

/// Starts the server; none if it gave up.
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
        let said = process.logs();
        if said.iter().any(|line| line.contains("ready to accept connections")) {
            return Some(true);
        }
        (!process.is_running()).then_some(false)
    })
    .await;
    started.then_some(process)
}

/// How `setpriv` becomes the owner; asked again for the signal at its parent's death, which a change of user takes away.
fn as_owner() -> Vec<String> {
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
