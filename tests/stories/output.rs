//! What Portico does if its output is not read, and with an environment that holds anything.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{BufRead, BufReader, Read, Write},
    os::unix::ffi::OsStrExt,
    process::{Child, ChildStderr, Command, Output, Stdio},
};

use futures_util::future::join_all;
use tempfile::TempDir;

use crate::support::{Deployment, Process, Scrape, World, binary, eventually, http, paths::LIVE};

/// A process on SQLite whose stderr this story reads itself, or does not read.
struct Unread {
    child: Child,
    log: BufReader<ChildStderr>,
    listen: String,
    internal: String,
    _folder: TempDir,
}

impl Unread {
    /// Starts `portico dev` and reads its log until it listens.
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = dev(&folder).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("listening") {
            line.clear();
            assert!(log.read_line(&mut line).unwrap() > 0, "the process has ended");
        }
        let address = |name: &str| {
            let (_, rest) = line.split_once(&format!(" {name}=")).unwrap();
            format!("http://{}", rest.split_whitespace().next().unwrap())
        };
        Self { listen: address("listen"), internal: address("internal_listen"), child, log, _folder: folder }
    }

    /// Sends requests whose log lines are more than the pipe and the queue take, and asserts that each is answered.
    async fn fill_the_log(&self) {
        // The log has a line of about 400 bytes for each request at TRACE, and the queue takes 4 MiB.
        for _ in 0..300 {
            let requests = (0..50).map(|_| http::get(format!("{}{LIVE}", self.listen)));
            assert!(join_all(requests).await.into_iter().all(|response| response.unwrap().status() == 200));
        }
    }

    /// The number of dropped lines.
    async fn dropped(&self) -> f64 {
        Scrape::of(std::slice::from_ref(&self.internal)).await.sum("portico_log_lines_dropped_total", &[])
    }

    /// Sends SIGTERM and asserts that the process ends with success.
    async fn stop(mut self) {
        terminate(&self.child);
        let ended = eventually("the process ends", || {
            let status = self.child.try_wait().unwrap();
            async move { status }
        });
        assert!(ended.await.success());
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command `portico dev` on free ports with its data in `folder`.
fn dev(folder: &TempDir) -> Command {
    let path = |name: &str| folder.path().join(name).display().to_string();
    let mut command = Command::new(binary());
    command.arg("dev").env_clear().stdin(Stdio::null()).stdout(Stdio::null()).envs([
        ("PORTICO_LISTEN", "127.0.0.1:0".to_owned()),
        ("PORTICO_INTERNAL_LISTEN", "127.0.0.1:0".to_owned()),
        ("PORTICO_DRAIN_DELAY", "0s".to_owned()),
        ("PORTICO_LIMIT_REQUESTS", "off".to_owned()),
        ("PORTICO_LOG", "trace".to_owned()),
        ("PORTICO_DATA_DIR", path("data")),
        ("DATABASE_URL", format!("sqlite:{}", path("portico.db"))),
        ("MAIL_URL", format!("folder:{}", path("mail"))),
    ]);
    command
}

fn terminate(child: &Child) {
    Command::new("kill").args(["-s", "TERM", &child.id().to_string()]).status().unwrap();
}

#[tokio::test]
async fn a_log_that_is_not_read_delays_no_request_and_no_stop() {
    let portico = Unread::start();
    portico.fill_the_log().await;
    assert!(portico.dropped().await > 0.0);
    portico.stop().await;
}

#[tokio::test]
async fn a_log_that_is_read_again_says_how_many_lines_were_dropped() {
    let mut portico = Unread::start();
    portico.fill_the_log().await;
    let dropped = portico.dropped().await;
    assert!(dropped > 0.0);
    let (line, portico) = tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        while !line.contains("lines were dropped") {
            line.clear();
            assert!(portico.log.read_line(&mut line).unwrap() > 0, "the process has ended");
        }
        (line, portico)
    })
    .await
    .unwrap();
    assert!(line.contains("WARN") && line.contains(&format!("lines={dropped}")), "{dropped}: {line}");
    drop(portico);
}

// A pipe takes 64 KiB, and its reader has stopped.
#[tokio::test]
async fn a_standard_output_that_is_full_delays_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (_reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(&[b'x'; 64 * 1024]).unwrap();
    let mut child = dev(&folder).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
    let log = BufReader::new(child.stderr.take().unwrap());
    let listening = log.lines().map_while(Result::ok).find(|line| line.contains("listening")).unwrap();
    let (_, rest) = listening.split_once(" listen=").unwrap();
    let url = format!("http://{}{LIVE}", rest.split_whitespace().next().unwrap());
    assert_eq!(http::get(url).await.unwrap().status(), 200);
    terminate(&child);
    let ended = eventually("the process ends", || {
        let status = child.try_wait().unwrap();
        async move { status }
    });
    assert!(ended.await.success());
}

/// `portico dev 2>&-` and `portico dev 2>/dev/full`.
#[tokio::test]
async fn a_log_that_is_closed_or_full_ends_no_process() {
    let mut portico = Unread::start();
    drop(std::mem::replace(&mut portico.log, BufReader::new(another_pipe())));
    for _ in 0..100 {
        assert_eq!(http::get(format!("{}{LIVE}", portico.listen)).await.unwrap().status(), 200);
    }
    eventually("lines are dropped", || async { (portico.dropped().await > 0.0).then_some(()) }).await;
    portico.stop().await;
    let folder = tempfile::tempdir().unwrap();
    let mut child = dev(&folder).stderr(File::create("/dev/full").unwrap()).spawn().unwrap();
    eventually("the mailbox folder exists", || async { folder.path().join("mail").exists().then_some(()) }).await;
    terminate(&child);
    eventually("the process ends", || {
        let status = child.try_wait().unwrap();
        async move { status }
    })
    .await;
}

/// The stderr of a process that has ended.
fn another_pipe() -> ChildStderr {
    let mut child = Command::new("true").stderr(Stdio::piped()).spawn().unwrap();
    child.wait().unwrap();
    child.stderr.take().unwrap()
}

/// Runs a command whose stdout is closed after the first `bytes` bytes, as `head` does.
fn run_and_close(args: &[&str], env: &[(String, String)], bytes: usize) -> Output {
    let mut command = Command::new(binary());
    command
        .args(args)
        .env_clear()
        .envs(env.iter().cloned())
        .envs([("PORTICO_ENV", "development"), ("PORTICO_LOG", "warn")]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut vec![0; bytes]).unwrap();
    drop(stdout);
    child.wait_with_output().unwrap()
}

#[tokio::test]
async fn a_command_whose_output_is_closed_ends_quietly_and_with_success() {
    let world = World::start(Deployment::Single, &[]).await;
    for args in
        [&["openapi"][..], &["settings"], &["--help"], &["jobs", "--help"], &["jobs", "list"], &["check-config"]]
    {
        for bytes in [0, 1] {
            let output = run_and_close(args, &world.env, bytes);
            assert!(output.status.success() && output.stderr.is_empty(), "{args:?} {bytes}: {output:?}");
        }
    }
}

#[test]
fn a_command_whose_output_cannot_be_written_fails_and_says_so() {
    for args in [&["openapi"][..], &["settings"]] {
        let output = Command::new(binary()).args(args).env_clear().stdout(File::create("/dev/full").unwrap()).output();
        let output = output.unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && stderr.contains("cannot write to stdout"), "{output:?}");
    }
}

/// Runs `check-config` in development with these variables.
fn check_config(variables: &[(&OsStr, &OsStr)]) -> Output {
    let folder = concat!(env!("CARGO_TARGET_TMPDIR"), "/data");
    let mut command = Command::new(binary());
    command.arg("check-config").env_clear().env("PORTICO_ENV", "development").env("PORTICO_DATA_DIR", folder);
    command.envs(variables.iter().copied()).output().unwrap()
}

#[test]
fn inf_14_variables_of_other_programs_may_hold_any_bytes() {
    let bytes = |bytes: &[u8]| OsStr::from_bytes(bytes).to_owned();
    let names = [&b"LESSOPEN"[..], b"\xff\xfe", b"TOKIO_WORKER_THREADS", b"RUST_BACKTRACE", b"PGSSLMODE", b"NO_COLOR"];
    for name in names {
        for value in [&b"\xff"[..], b"J\xfcrgen", b"\xed\xa0\x80"] {
            let output = check_config(&[(&bytes(name), &bytes(value))]);
            assert!(output.status.success(), "{name:?}: {output:?}");
        }
    }
}

#[test]
fn inf_14_a_variable_of_portico_that_is_not_utf_8_is_named_and_not_shown() {
    for name in ["DATABASE_URL", "REDIS_URL", "MAIL_URL", "PORTICO_SECRET", "PORTICO_LISTEN", "OTEL_SERVICE_NAME"] {
        let mut value = OsString::from("postgres://user:canary");
        value.push(OsStr::from_bytes(b"\xff@db/portico"));
        let output = check_config(&[(OsStr::new(name), &value)]);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{name}: {stderr}");
        assert!(stderr.contains(&format!("{name} must be UTF-8, e.g. {name}=")), "{stderr}");
        assert!(!stderr.contains("canary") && !stderr.contains("panicked"), "{stderr}");
    }
}

#[test]
fn inf_14_variables_of_kubernetes_services_are_ignored_and_misspelt_settings_are_not() {
    let text = OsStr::new;
    for (name, value) in [
        ("PORTICO_SERVICE_HOST", "10.96.0.7"),
        ("PORTICO_API_SERVICE_PORT", "8080"),
        ("PORTICO_API_SERVICE_PORT_HTTP", "8080"),
        ("PORTICO_PORT", "tcp://10.96.0.7:8080"),
        ("PORTICO_WORKER_PORT_9080_TCP", "tcp://[fd00::7]:9080"),
        ("PORTICO_WORKER_PORT_9080_TCP_PROTO", "tcp"),
        ("PORTICO_WORKER_PORT_9080_TCP_ADDR", "fd00::7"),
    ] {
        assert!(check_config(&[(text(name), text(value))]).status.success(), "{name}={value}");
    }
    for (name, value) in [
        ("PORTICO_PORT", "8080"),
        ("PORTICO_SERVICE_HOST", "canary.example.com"),
        ("PORTICO_LISTEN_PORT", "8080"),
        ("PORTICO_8080_TCP_ADDR", "10.96.0.7"),
    ] {
        let output = check_config(&[(text(name), text(value))]);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && stderr.contains(&format!("{name} is not a variable")), "{stderr}");
        assert!(!stderr.contains("canary"), "{stderr}");
    }
}

/// The library's messages quote what they cannot parse, so none of them is shown.
#[tokio::test]
async fn inf_14_no_start_shows_a_part_of_a_url() {
    let folder = tempfile::tempdir().unwrap();
    let pgpass = folder.path().join("pgpass");
    std::fs::write(&pgpass, "db:5432:portico:canary\n").unwrap();
    Command::new("chmod").arg("600").arg(&pgpass).status().unwrap();
    let pgpass = pgpass.display().to_string();
    let database = format!("sqlite:{}", folder.path().join("portico.db").display());
    for (name, value) in [
        ("REDIS_URL", "redis://:canary@h/not-a-number"),
        ("REDIS_URL", "redis://h?protocol=canary"),
        ("REDIS_URL", "redis://u:canary@[h"),
        ("DATABASE_URL", "postgres://u:canary@h:port/db"),
        ("MAIL_URL", "smtp://u:canary@h?x=canary"),
        ("MAIL_FROM", "canary"),
        ("PORTICO_PUBLIC_URL", "http://:canary@localhost"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://:canary@localhost:4318"),
        // The database does not exist, so the start fails.
        ("DATABASE_URL", "postgres://u@127.0.0.1:1/portico"),
    ] {
        let env = [
            ("PORTICO_ENV", "development"),
            ("PORTICO_DATA_DIR", folder.path().to_str().unwrap()),
            ("PORTICO_MIGRATE", "off"),
            ("PORTICO_LOG", "trace"),
            ("PGPASSFILE", &*pgpass),
            ("DATABASE_URL", &*database),
            (name, value),
        ];
        let command = if name == "REDIS_URL" { "worker" } else { "migrate" };
        let process = Process::start(binary(), &[command], &env.map(|(name, value)| (name.into(), value.into())));
        assert!(!process.ends().await, "{name}={value}: {:?}", process.logs());
        let lines = process.logs().join("\n");
        assert!(!lines.contains("canary") && lines.contains(name), "{name}={value}: {lines}");
    }
}
