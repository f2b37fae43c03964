//! An installation moves into another database.

use std::process::{Command, Output};

use serde_json::json;
use tempfile::TempDir;

use crate::support::{Process, Deployment, Sink, World, binary, database, eventually, password, psql, unique};

const PUBLIC_URL: (&str, &str) = ("PORTICO_PUBLIC_URL", "http://localhost:4000");

/// The table of rows that the command prints: names and how many.
fn counts(said: &str) -> Vec<(String, u64)> {
    let rows = said.lines().skip(1).take_while(|line| !line.is_empty());
    rows.map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        (words[0].to_owned(), words[1].parse().unwrap())
    })
    .collect()
}

#[tokio::test]
async fn a_lived_in_installation_moves_to_postgres_and_back_and_its_people_notice_nothing() {
    let sink = Sink::start().await;
    let mut old = World::start(Deployment::Single, &[PUBLIC_URL, ("MAIL_URL", &sink.url())]).await;
    old.sink = Some(sink);
    let tenant = old.tenant().await;
    let mut person = tenant.person(&old).await;
    let wrong = json!({ "email": person.email, "password": "not-it" });
    old.browser().post("/api/portal/auth/sign-in", wrong).await.problem(401, "invalid_credentials");
    let reset = person.request_reset(&old, 2).await;
    let invited = format!("{}@x.test", unique("ann"));
    let invitation = tenant.invited(&old, &person.client, &invited).await;
    let asking = old.browser();
    let sent = asking.post("/api/staff/auth/send-code", json!({ "email": tenant.owner_email })).await.expect(200);
    let code = old.mail(&tenant.owner_email, 2).await.code.unwrap();
    // One mail waits in a paused lane.
    old.run(&["jobs", "pause", "bulk"]);
    // A worker that starts now takes nothing from that lane, while one that runs may take one more.
    old.processes.clear();
    old.apis.clear();
    old.start_api("dev").await;
    let late = format!("{}@x.test", unique("cat"));
    let path = format!("/api/v1/clients/{}/portal-user", person.client);
    let body = json!({ "email": late, "name": "Robin Miller" });
    tenant.owner.moved_to(&old.apis).post(&path, body).await.expect(201);
    assert!(old.run(&["jobs", "list", "--lane", "bulk", "--state", "queued"]).contains("send_mail"));
    old.processes.clear();

    let url = database();
    let said = old.run(&["copy", "--to", &url]);
    let copied = counts(&said);
    assert_eq!(copied.len(), 17, "{said}");
    for (table, rows) in &copied {
        assert!(*rows > 0, "the story leaves no row in {table}");
        assert_eq!(psql(&url, &format!("SELECT count(*) FROM {table}")), rows.to_string(), "{table}");
    }
    let secret = old.folder.path().join("data/secret");
    assert!(said.contains(&format!("Set PORTICO_SECRET to what {} holds", secret.display())), "{said}");

    let secret = std::fs::read_to_string(secret).unwrap();
    let secret = ("PORTICO_SECRET", secret.trim());
    let mut new = World::start(Deployment::Cluster, &[PUBLIC_URL, secret, ("DATABASE_URL", &url)]).await;
    let browser = person.browser.moved_to(&new.apis);
    browser.get("/api/portal/auth/session").await.expect(200);
    browser.call("/api/portal/auth/refresh").await.expect(200);
    person.sign_in(&new.browser()).await;
    person.password = password();
    let body = json!({ "token": reset, "password": person.password });
    new.browser().post("/api/portal/auth/reset-password", body).await.expect(200);
    browser.get("/api/portal/auth/session").await.problem(401, "session_revoked");
    person.sign_in(&new.browser()).await;
    let body = json!({ "token": invitation, "password": password() });
    new.browser().post("/api/portal/auth/activate", body).await.expect(200);
    let body = json!({ "flow": sent["flow"], "code": code });
    asking.moved_to(&new.apis).post("/api/staff/auth/verify-code", body).await.expect(200);
    // What waited has not come yet; then it does, with a link that works.
    assert!(new.run(&["jobs", "list"]).contains("The lane bulk is paused."));
    assert!(new.mails(&late).await.is_empty());
    new.run(&["jobs", "resume", "bulk"]);
    let body = json!({ "token": new.mail(&late, 1).await.token(), "password": password() });
    new.browser().post("/api/portal/auth/activate", body).await.expect(200);

    new.processes.clear();
    let gives_up = "UPDATE background_jobs SET state = 'dead', last_error = 'given up by hand' \
                    WHERE id = (SELECT id FROM background_jobs WHERE name = 'send_mail' LIMIT 1)";
    psql(&url, gives_up);
    let file = format!("sqlite:{}", new.folder.path().join("back/portico.db").display());
    let said = new.run(&["copy", "--to", &file]);
    assert_eq!(counts(&said).len(), 17, "{said}");
    assert!(said.contains("Keep PORTICO_SECRET as it is"), "{said}");
    let back = World::start(Deployment::Single, &[PUBLIC_URL, secret, ("DATABASE_URL", &file)]).await;
    person.sign_in(&back.browser()).await;
    assert!(back.run(&["jobs", "list", "--state", "dead"]).contains("given up by hand"));
}

/// A small installation on SQLite in which nothing runs.
struct Small {
    env: Vec<(String, String)>,
    folder: TempDir,
}

impl Small {
    fn new() -> Self {
        let small = Self::empty();
        small.run(&["tenant", "add", "--slug", "acme", "--name", "Acme Ltd"]);
        small.run(&["staff", "add", "--tenant", "acme", "--email", "owner@acme.test", "--role", "owner"]);
        small
    }

    fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let env = [
            ("PORTICO_ENV", "development".to_owned()),
            ("PORTICO_DATA_DIR", path("data")),
            ("DATABASE_URL", format!("sqlite:{}", path("portico.db"))),
            ("MAIL_URL", format!("folder:{}", path("mail"))),
        ];
        Self { env: env.map(|(name, value)| (name.to_owned(), value)).to_vec(), folder }
    }

    fn try_run(&self, args: &[&str]) -> Output {
        Command::new(binary()).args(args).env_clear().envs(self.env.iter().cloned()).output().unwrap()
    }

    fn run(&self, args: &[&str]) -> String {
        let output = self.try_run(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What the command says about not copying to there.
    fn refused(&self, to: &str) -> String {
        let output = self.try_run(&["copy", "--to", to]);
        assert_eq!(output.status.code(), Some(1), "{to}");
        assert!(output.stdout.is_empty());
        String::from_utf8(output.stderr).unwrap()
    }

    /// An empty Postgres database with all tables.
    fn migrated(&self) -> String {
        let url = database();
        let mut command = Command::new(binary());
        command.arg("migrate").env_clear().envs(self.env.iter().cloned()).env("DATABASE_URL", &url);
        assert!(command.output().unwrap().status.success());
        url
    }
}

#[test]
fn what_cannot_be_copied_is_refused_by_name_and_no_password_is_shown() {
    let small = Small::new();
    let url = database();
    let (_, place) = url.split_once('@').unwrap();
    let with_password = format!("postgres://portico:canary@{place}");
    let said = small.run(&["copy", "--to", &with_password]);
    assert!(said.contains(&format!("to postgres://{place}.")) && !said.contains("canary"), "{said}");
    let said = small.refused(&with_password);
    assert!(said.contains("the target is not empty: tenants has rows") && !said.contains("canary"), "{said}");
    let itself = small.env.iter().find(|(name, _)| name == "DATABASE_URL").unwrap().1.clone();
    assert!(small.refused(&itself).contains("the target is not empty"));
    for wrong in ["mysql://u:canary@h/x", "postgres://u:canary@h:notaport/x", "canary"] {
        let said = small.refused(wrong);
        assert!(said.contains("--to must be") && !said.contains("canary"), "{said}");
    }
    let said = small.refused("postgres://u:canary@127.0.0.1:1/x");
    assert!(said.contains("--to: cannot migrate the database") && !said.contains("canary"), "{said}");
    let file = format!("sqlite:{}", small.folder.path().join("other.db").display());
    assert!(Small::empty().refused(&file).contains("the source is empty"));
    let mut old = Small::empty();
    old.env.push(("PORTICO_MIGRATE".into(), "off".into()));
    assert!(old.refused(&file).contains("run `portico migrate` first"));
}

/// Nobody can write to this table until the connection ends.
async fn holds(url: &str, table: &str) -> Process {
    let hold = format!("BEGIN; LOCK TABLE {table} IN EXCLUSIVE MODE; SELECT pg_sleep(600)");
    let holder = Process::start("psql", &[url, "-c", &hold], &[]);
    let held = format!(
        "SELECT count(*) FROM pg_locks WHERE relation = '{table}'::regclass AND mode = 'ExclusiveLock' AND granted"
    );
    eventually("the table is held", || async { (psql(url, &held) == "1").then_some(()) }).await;
    holder
}

/// Ends the connections of which this holds.
fn end(url: &str, which: &str) {
    psql(
        url,
        &format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND {which}"
        ),
    );
}

const WAITS: &str = "wait_event_type = 'Lock'";
const HOLDS: &str = "query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()";

/// Starts copying and returns when it is half-way: it has written tenants and waits for the events of the audit log.
async fn copies_half(small: &Small, url: &str) -> Process {
    let copying = Process::start(binary(), &["copy", "--to", url], &small.env);
    let waiting = format!("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND {WAITS}");
    eventually("it waits", || async { (psql(url, &waiting) == "1").then_some(()) }).await;
    copying
}

#[tokio::test]
async fn an_interrupted_copy_leaves_nothing_and_can_be_repeated() {
    let small = Small::new();
    let url = small.migrated();
    let is_empty = || psql(&url, "SELECT (SELECT count(*) FROM tenants) + (SELECT count(*) FROM audit_events)") == "0";
    let _holder = holds(&url, "audit_events").await;
    let copying = copies_half(&small, &url).await;
    end(&url, WAITS);
    assert!(!copying.ends().await);
    assert!(
        copying.logs().iter().any(|line| line.contains("the target failed at audit_events")),
        "{:?}",
        copying.logs()
    );
    assert!(is_empty());
    // The process itself is killed.
    let copying = copies_half(&small, &url).await;
    copying.kill();
    end(&url, HOLDS);
    eventually("the server has noticed", || async {
        let others =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
        (psql(&url, others) == "0").then_some(())
    })
    .await;
    assert!(is_empty());
    small.run(&["copy", "--to", &url]);
    assert_eq!(psql(&url, "SELECT slug FROM tenants"), "acme");
}

#[tokio::test]
async fn a_source_that_is_written_to_meanwhile_is_noticed() {
    let small = Small::new();
    let url = small.migrated();
    let _holder = holds(&url, "audit_events").await;
    let copying = copies_half(&small, &url).await;
    small.run(&["tenant", "add", "--slug", "other", "--name", "Other Ltd"]);
    end(&url, HOLDS);
    assert!(!copying.ends().await);
    let said = copying.logs().join("\n");
    assert!(said.contains("tenants of the source changed meanwhile: stop every Portico process"), "{said}");
    assert_eq!(psql(&url, "SELECT count(*) FROM tenants"), "0");
}
