//! A running deployment of Portico: its processes, its services and its settings.

use std::{
    process::{Command, Output},
    sync::Arc,
};

use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::OnceCell;

use super::{
    Browser, Mail, Process, Redis, Sink, Tenant, binary, database, eventually, http, psql,
    secrets::{self, Search},
    unique,
};

/// A time in the past, as a value of SQL in both databases.
pub(crate) const PAST: &str = "2020-01-01T00:00:00.123456+00:00";

/// How the subject of the mail ends that tells a new staff user where to sign in.
const STAFF_INVITATION: &str = "has added you to its staff";

/// How Portico is deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deployment {
    /// `portico dev`: one process, SQLite, mail into a folder.
    Single,
    /// Two API processes and two worker processes with Postgres, Redis and an SMTP server.
    Cluster,
}

/// A running deployment of Portico.
pub(crate) struct World {
    /// In a cluster: first the APIs, then the workers.
    pub(crate) processes: Vec<Process>,
    /// The base URL of each API.
    pub(crate) apis: Vec<String>,
    pub(crate) sink: Option<Sink>,
    pub(crate) redis: Option<Redis>,
    /// The settings of processes that are started from now on.
    pub(crate) env: Vec<(String, String)>,
    pub(crate) folder: TempDir,
    pub(crate) started: Checkpoint,
    /// Whether other stories use this world at the same time.
    is_shared: bool,
}

/// The state of a world at some moment: how many secrets were recorded, and how many lines each process had logged.
#[derive(Default)]
pub(crate) struct Checkpoint {
    secrets: secrets::Checkpoint,
    lines: Vec<usize>,
}

/// The beginning of the subject of a notice of a sign-in from an unknown device.
const NEW_DEVICE: &str = "A new sign-in at ";

type Env = Vec<(String, String)>;

fn pairs(values: &[(&str, &str)]) -> Env {
    values.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

/// The settings of both deployments: cheap password hashes, free ports, and a trusted proxy, so that each browser can
/// have a network of its own.
fn common_env() -> Env {
    pairs(&[
        ("PORTICO_SCRYPT", "ln=12,r=8,p=1"),
        ("PORTICO_LISTEN", "127.0.0.1:0"),
        ("PORTICO_INTERNAL_LISTEN", "127.0.0.1:0"),
        ("PORTICO_TRUSTED_PROXIES", "127.0.0.0/8"),
        ("PORTICO_DRAIN_DELAY", "0s"),
        ("PORTICO_LOG", "trace"),
    ])
}

/// The settings of all processes of a cluster.
pub(crate) fn cluster_env(database: &str, redis: &str, mail: &str) -> Env {
    let mut env = common_env();
    env.extend(pairs(&[
        ("PORTICO_ENV", "production"),
        ("PORTICO_PUBLIC_URL", "http://localhost:4000"),
        ("PORTICO_SECRET", "cG9ydGljby1zdG9yaWVzLXBvcnRpY28tc3Rvcmllcy0="),
        ("DATABASE_URL", database),
        ("PORTICO_DATABASE_CONNECTIONS", "8"),
        ("REDIS_URL", redis),
        ("MAIL_URL", mail),
        ("MAIL_FROM", "Portal <portal@portico.test>"),
    ]));
    env
}

impl World {
    /// The world that all ordinary stories share. Each story creates tenants of its own.
    pub(crate) async fn shared(deployment: Deployment) -> Arc<World> {
        static SINGLE: OnceCell<Arc<World>> = OnceCell::const_new();
        static CLUSTER: OnceCell<Arc<World>> = OnceCell::const_new();
        let world = if deployment == Deployment::Single { &SINGLE } else { &CLUSTER };
        let start = || async {
            let mut world = Self::start(deployment, &[]).await;
            world.is_shared = true;
            Arc::new(world)
        };
        world.get_or_init(start).await.clone()
    }

    /// A world without processes.
    pub(crate) fn empty(env: Env, sink: Option<Sink>, redis: Option<Redis>, folder: TempDir) -> World {
        let started = Checkpoint { secrets: secrets::checkpoint(), lines: vec![] };
        World { processes: vec![], apis: vec![], sink, redis, env, folder, started, is_shared: false }
    }

    /// Starts a world that no other story uses, with these settings.
    pub(crate) async fn start(deployment: Deployment, settings: &[(&str, &str)]) -> World {
        let folder = tempfile::tempdir().unwrap();
        let (mut env, sink, redis) = match deployment {
            Deployment::Single => {
                let path = |name: &str| folder.path().join(name).display().to_string();
                let mut env = common_env();
                env.extend([
                    ("PORTICO_DATA_DIR".into(), path("data")),
                    ("DATABASE_URL".into(), format!("sqlite:{}", path("portico.db"))),
                    ("MAIL_URL".into(), format!("folder:{}", path("mail"))),
                ]);
                (env, None, None)
            }
            Deployment::Cluster => {
                let (sink, redis) = (Sink::start().await, Redis::start().await);
                (cluster_env(&database(), &redis.url(), &sink.url()), Some(sink), Some(redis))
            }
        };
        env.retain(|(name, _)| !settings.iter().any(|(set, _)| set == name));
        env.extend(pairs(settings));
        env.iter().for_each(|(name, value)| secrets::record_setting(name, value));
        let mut world = Self::empty(env, sink, redis, folder);
        match deployment {
            Deployment::Single => {
                world.start_api("dev").await;
                let key = std::fs::read_to_string(world.folder.path().join("data/secret")).unwrap_or_default();
                secrets::record_setting("PORTICO_SECRET", &key);
            }
            Deployment::Cluster => {
                world.start_api("api").await;
                world.start_api("api").await;
                world.start_worker();
                world.start_worker();
            }
        }
        world
    }

    /// Starts one more process that serves the API: `command` is `api` or `dev`.
    pub(crate) async fn start_api(&mut self, command: &str) {
        let process = Process::start(binary(), &[command], &self.env);
        let listen = process.wait_for_log("the API listens", listening).await;
        self.apis.push(format!("http://{listen}"));
        self.processes.push(process);
    }

    /// Starts the `n`th process of a cluster again, at the same address and with the current settings.
    pub(crate) async fn restart(&mut self, n: usize) {
        let process = match self.apis.get(n) {
            Some(api) => {
                let mut env = self.env.clone();
                env.retain(|(name, _)| name != "PORTICO_LISTEN");
                env.push(("PORTICO_LISTEN".into(), api.trim_start_matches("http://").into()));
                let process = Process::start(binary(), &["api"], &env);
                process.wait_for_log("the API listens", listening).await;
                process
            }
            None => {
                let process = Process::start(binary(), &["worker"], &self.env);
                process
                    .wait_for_log("the worker has started", |line| line.contains("worker started").then_some(()))
                    .await;
                process
            }
        };
        self.processes[n] = process;
    }

    /// Stops the process of a single deployment and starts it again with these settings changed.
    /// The API then listens at another address; see [`Browser::moved_to`].
    pub(crate) async fn restart_single(&mut self, settings: &[(&str, &str)]) {
        self.processes.clear();
        self.apis.clear();
        self.change_settings(settings);
        self.start_api("dev").await;
    }

    /// Stops every process and starts it again with these settings changed. Browsers of a single deployment must move
    /// to the new address; see [`Browser::moved_to`].
    pub(crate) async fn restart_all(&mut self, settings: &[(&str, &str)]) {
        if self.redis.is_none() {
            return self.restart_single(settings).await;
        }
        self.change_settings(settings);
        for n in 0..self.processes.len() {
            self.processes[n].kill();
            self.restart(n).await;
        }
    }

    /// Changes these settings for the processes that are started from now on.
    pub(crate) fn change_settings(&mut self, settings: &[(&str, &str)]) {
        self.env.retain(|(name, _)| !settings.iter().any(|(changed, _)| changed == name));
        self.env.extend(pairs(settings));
        self.env.iter().for_each(|(name, value)| secrets::record_setting(name, value));
    }

    /// Starts one more worker.
    pub(crate) fn start_worker(&mut self) {
        self.processes.push(Process::start(binary(), &["worker"], &self.env));
    }

    /// The base URL of the internal listener of each process.
    pub(crate) async fn internals(&self) -> Vec<String> {
        let mut addresses = Vec::new();
        for process in &self.processes {
            let address =
                process.wait_for_log("the internal listener listens", |line| address(line, "internal_listen")).await;
            addresses.push(format!("http://{address}"));
        }
        addresses
    }

    /// The workers of a cluster.
    pub(crate) fn workers(&self) -> &[Process] {
        &self.processes[2..]
    }

    /// The mail server of a cluster.
    pub(crate) fn sink(&self) -> &Sink {
        self.sink.as_ref().expect("a cluster has a mail server")
    }

    /// The Redis server of a cluster.
    pub(crate) fn redis(&self) -> &Redis {
        self.redis.as_ref().expect("a cluster has a Redis")
    }

    /// A browser in a network of its own.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.apis.clone())
    }

    /// `count` browsers, each in a network of its own.
    pub(crate) fn browsers(&self, count: usize) -> Vec<Browser> {
        (0..count).map(|_| self.browser()).collect()
    }

    /// Runs a command of the binary and returns its output. The command must succeed.
    pub(crate) fn run(&self, args: &[&str]) -> String {
        let output = self.try_run(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command of the binary, which must succeed, and returns its output as JSON.
    pub(crate) fn run_json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.run(args)).unwrap()
    }

    /// Runs a command of the binary that may fail.
    pub(crate) fn try_run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(binary());
        command.args(args).env_clear().env("PORTICO_ENV", "development").envs(self.env.iter().cloned());
        command.output().unwrap()
    }

    /// Creates a tenant and signs its owner in.
    pub(crate) async fn tenant(&self) -> Tenant {
        let slug = unique("tenant");
        self.run(&["tenant", "add", "--slug", &slug, "--name", "Blue Harbour"]);
        let (owner_email, owner) = (format!("owner@{slug}.test"), self.browser());
        self.add_staff(&slug, &owner_email, "owner");
        if !self.is_shared {
            // This story may stop the mail server or pause lanes, and must not meet this mail then.
            self.staff_invitation(&owner_email).await;
        }
        self.sign_in_staff(&owner, &owner_email, 1).await;
        Tenant { slug, owner, owner_email }
    }

    /// Creates a staff user, who gets a mail that says where to sign in.
    pub(crate) fn add_staff(&self, slug: &str, email: &str, role: &str) {
        self.run(&["staff", "add", "--tenant", slug, "--email", email, "--role", role]);
    }

    /// Signs a staff user in by a code that is in the `nth` mail to this address.
    pub(crate) async fn sign_in_staff(&self, browser: &Browser, email: &str, nth: usize) -> Value {
        let (flow, code) = self.request_code(browser, email, nth).await;
        browser.verify_code(&flow, &code).await.expect(200)
    }

    /// Requests a sign-in code and returns the flow and the code. The code is in the `nth` mail to this address.
    pub(crate) async fn request_code(&self, browser: &Browser, email: &str, nth: usize) -> (Value, String) {
        let sent = browser.send_code(email).await.expect(200);
        let mail = self.mail(email, nth).await;
        let code = mail.code.clone().unwrap_or_else(|| panic!("the mail has no code: {mail:#?}"));
        (sent["flow"].clone(), code)
    }

    /// The mails that have arrived at this address, newest first, without two kinds that arrive at some time among
    /// those of a story: the notices of sign-ins from unknown devices, and the mail that tells a new staff user where
    /// to sign in.
    pub(crate) async fn mails(&self, to: &str) -> Vec<Mail> {
        let is_aside = |mail: &Mail| mail.subject.starts_with(NEW_DEVICE) || mail.subject.ends_with(STAFF_INVITATION);
        self.all_mails(to).await.into_iter().filter(|mail| !is_aside(mail)).collect()
    }

    /// Waits for a mail to this address whose text contains `part`, and returns the newest.
    pub(crate) async fn mail_with(&self, to: &str, part: &str) -> Mail {
        self.nth_mail_with(to, part, 1).await
    }

    /// Waits until `count` mails to this address have a text that contains `part`, and returns the newest. White space
    /// counts as one space, because mail programs wrap lines.
    pub(crate) async fn nth_mail_with(&self, to: &str, part: &str, count: usize) -> Mail {
        eventually(&format!("{count} mails to {to} with {part:?}"), || async {
            let words = |mail: &Mail| mail.text.split_whitespace().collect::<Vec<_>>().join(" ");
            let found: Vec<_> = self.mails(to).await.into_iter().filter(|mail| words(mail).contains(part)).collect();
            (found.len() >= count).then(|| found[0].clone())
        })
        .await
    }

    /// Waits until the mail that tells a new staff user where to sign in has arrived, and returns it.
    pub(crate) async fn staff_invitation(&self, to: &str) -> Mail {
        eventually(&format!("the invitation of {to}"), || async {
            self.all_mails(to).await.into_iter().find(|mail| mail.subject.ends_with(STAFF_INVITATION))
        })
        .await
    }

    /// Waits until `nth` notices of sign-ins from unknown devices have arrived at this address and returns the newest.
    /// Fails if there are more.
    pub(crate) async fn new_device_mail(&self, to: &str, nth: usize) -> Mail {
        eventually(&format!("notice {nth} to {to}"), || async {
            let mut mails = self.all_mails(to).await;
            mails.retain(|mail| mail.subject.starts_with(NEW_DEVICE));
            assert!(mails.len() <= nth, "{} notices to {to}, not {nth}: {mails:#?}", mails.len());
            (mails.len() == nth).then(|| mails[0].clone())
        })
        .await
    }

    /// All mails that have arrived at this address, newest first.
    async fn all_mails(&self, to: &str) -> Vec<Mail> {
        let mails = match &self.sink {
            Some(sink) => sink.messages(to).await,
            None => {
                let url = format!("{}/dev/mail.json?to={}", self.apis[0], to.replace('+', "%2B"));
                let mails: Value = http::get(url).await.unwrap().json().await.unwrap();
                mails.as_array().unwrap().clone()
            }
        };
        mails.iter().map(Mail::from).collect()
    }

    /// Waits until `nth` mails have arrived at this address and returns the newest. Fails if there are more.
    pub(crate) async fn mail(&self, to: &str, nth: usize) -> Mail {
        eventually(&format!("mail {nth} to {to}"), || async {
            let mails = self.mails(to).await;
            assert!(mails.len() <= nth, "{} mails to {to}, not {nth}: {mails:#?}", mails.len());
            (mails.len() == nth).then(|| mails[0].clone())
        })
        .await
    }

    /// Makes jobs due until `nth` mails have arrived at this address, and returns the newest.
    pub(crate) async fn mail_when_due(&self, to: &str, nth: usize) -> Mail {
        eventually(&format!("mail {nth} to {to}"), || async {
            self.make_jobs_due();
            (self.mails(to).await.len() >= nth).then_some(())
        })
        .await;
        self.mail(to, nth).await
    }

    /// All lines that the processes have logged.
    pub(crate) fn logs(&self) -> Vec<String> {
        self.processes.iter().flat_map(Process::logs).collect()
    }

    /// The value of a setting.
    pub(crate) fn setting(&self, name: &str) -> &str {
        &self.env.iter().find(|(given, _)| given == name).unwrap().1
    }

    /// Runs SQL and returns a line for each row, columns separated by `|`. Ids are BLOBs on SQLite and UUIDs on
    /// Postgres.
    pub(crate) fn sql(&self, sql: &str) -> String {
        let url = self.setting("DATABASE_URL");
        // `psql` refuses parameters that it does not know.
        let Some(path) = url.strip_prefix("sqlite:") else { return psql(&url.replace("?pooler=transaction", ""), sql) };
        let output = Command::new("sqlite3").args(["-cmd", ".timeout 10000", path, sql]).output().unwrap();
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Returns an id as SQL.
    pub(crate) fn sql_id(&self, id: &str) -> String {
        let is_sqlite = self.setting("DATABASE_URL").starts_with("sqlite:");
        if is_sqlite { format!("X'{}'", id.replace('-', "")) } else { format!("'{id}'") }
    }

    /// Returns an SQL expression that makes a new id for each row.
    pub(crate) fn random_id_sql(&self) -> &'static str {
        if self.setting("DATABASE_URL").starts_with("sqlite:") { "randomblob(16)" } else { "gen_random_uuid()" }
    }

    /// Makes every job that waits due, and the next probe of a mail server that is on hold.
    pub(crate) fn make_jobs_due(&self) {
        let past = if self.setting("DATABASE_URL").starts_with("sqlite:") {
            "'2020-01-01T00:00:00.123456+00:00'"
        } else {
            "timestamptz '2020-01-01'"
        };
        self.sql(&format!("UPDATE mail_holds SET next_probe_at = {past}"));
        self.sql(&format!("UPDATE emails SET unconfirmed_at = {past} WHERE unconfirmed_at IS NOT NULL"));
        self.sql(&format!("UPDATE background_jobs SET run_at = {past} WHERE state = 'queued'"));
    }

    /// Enqueues a periodic job by its name, as its schedule does. The sweeper finds it.
    pub(crate) fn run_periodic_job(&self, name: &str) {
        let is_sqlite = self.setting("DATABASE_URL").starts_with("sqlite:");
        let id = if is_sqlite { "randomblob(16)" } else { "gen_random_uuid()" };
        self.sql(&format!(
            "INSERT INTO background_jobs \
             (id, name, lane, payload, state, attempts, max_attempts, crash_count, run_at, created_at) \
             VALUES ({id}, '{name}', 'maintenance', '{{}}', 'queued', 0, 8, 0, '{PAST}', '{PAST}')"
        ));
    }

    /// Waits until this SQL returns `expected`.
    pub(crate) async fn wait_for_sql(&self, what: &str, sql: &str, expected: &str) {
        let last = std::cell::RefCell::new(String::new());
        eventually(what, || async {
            let found = self.sql(sql);
            let is_expected = found == expected;
            if *last.borrow() != found {
                // The test harness shows this if the story fails.
                eprintln!("{what}: {found}, waiting for {expected}");
                *last.borrow_mut() = found;
            }
            is_expected.then_some(())
        })
        .await;
    }

    /// Runs SQL that returns one number.
    pub(crate) fn count(&self, sql: &str) -> usize {
        self.sql(sql).parse().unwrap()
    }

    /// All rows of all tables, as SQL.
    pub(crate) fn dump(&self) -> String {
        let url = self.setting("DATABASE_URL");
        let output = match url.strip_prefix("sqlite:") {
            Some(path) => Command::new("sqlite3").args(["-cmd", ".timeout 10000", path, ".dump"]).output(),
            None => Command::new("pg_dump").args(["--data-only", "--inserts", url]).output(),
        };
        let output = output.unwrap();
        assert!(output.status.success() && output.stdout.len() > 1_000, "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The state of this world now.
    pub(crate) fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            secrets: secrets::checkpoint(),
            lines: self.processes.iter().map(|process| process.log_length()).collect(),
        }
    }

    /// Asserts that no secret since `checkpoint` is in the logs, or in a response with a status of 400 or more
    /// (LOG-01).
    #[track_caller]
    pub(crate) fn assert_no_leaks(&self, checkpoint: &Checkpoint) {
        let mut search = Search::since(checkpoint.secrets);
        for (n, process) in self.processes.iter().enumerate() {
            let from = checkpoint.lines.get(n).copied().unwrap_or_default();
            search.scan("the log", &process.logs_from(from).join("\n"));
        }
        search.scan_problems(checkpoint.secrets);
        search.assert_clean();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.assert_no_leaks(&self.started);
        }
    }
}

fn listening(line: &str) -> Option<String> {
    address(line, "listen")
}

/// The value of the field `name` in a log line with the message `listening`, in either log format.
fn address(line: &str, name: &str) -> Option<String> {
    if !line.contains("listening") {
        return None;
    }
    if let Ok(json) = serde_json::from_str::<Value>(line) {
        return json[name].as_str().map(str::to_owned);
    }
    let (_, rest) = line.split_once(&format!(" {name}="))?;
    rest.split_whitespace().next().map(str::to_owned)
}
