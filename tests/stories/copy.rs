//! `portico copy`: an installation is copied into another database.

use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    second_factors::{Factors, challenge, turn_on, verify},
    support::{
        Browser, Deployment, Invitation, Person, Process, Sink, Tenant, World, binary, database, eventually, images,
        lock_table, password, paths, psql, unique_email,
    },
};

const PUBLIC_URL: (&str, &str) = ("PORTICO_PUBLIC_URL", "http://localhost:4000");
/// How many tables are copied.
const TABLES: usize = 36;

/// Parses the names of the tables and their numbers of rows in the output of `portico copy`.
fn copied_rows(output: &str) -> Vec<(String, u64)> {
    let rows = output.lines().skip(1).take_while(|line| !line.is_empty());
    rows.map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        (words[0].to_owned(), words[1].parse().unwrap())
    })
    .collect()
}

/// A stopped installation on SQLite with at least one row in each table.
struct Installation {
    world: World,
    person: Person,
    /// A reset link of `person`.
    reset: String,
    invitation: Invitation,
    /// A browser that waits for a sign-in code of a staff user, its flow and the code.
    code: (Browser, Value, String),
    /// An API token of a service account.
    token: String,
    /// An invited address whose mail waits in a paused lane.
    queued: String,
    /// The slug of the tenant.
    tenant: String,
    /// A person with second factors.
    factors: (Person, Factors),
}

impl Installation {
    async fn new() -> Self {
        let sink = Sink::start().await;
        let mut world = World::start(Deployment::Single, &[PUBLIC_URL, ("MAIL_URL", &sink.url())]).await;
        world.sink = Some(sink);
        let tenant = world.tenant().await;
        images::upload(&tenant.owner, &images::png(1_600, 400)).await.expect(200);
        let person = tenant.person(&world).await;
        let account = tenant.owner.post(paths::SERVICE_ACCOUNTS, json!({ "name": "Sync", "role": "viewer" })).await;
        let tokens = format!("{}/{}/tokens", paths::SERVICE_ACCOUNTS, account.expect(201)["id"].as_str().unwrap());
        let token = json!({ "name": "Sync", "scopes": ["clients:read"] });
        let token = tenant.owner.post(&tokens, token).await.expect(201)["token"].as_str().unwrap().to_owned();
        world.mail(&tenant.owner_email, 2).await;
        let login = json!({
            "port": 49152, "state": "a-state-of-the-program", "name": "laptop", "scopes": ["clients:read"],
            "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        });
        tenant.owner.post(paths::CLI_LOGINS, login).await.expect(201);
        world.browser().sign_in(&person.email, "not-it").await.assert_problem("401 invalid_credentials");
        let reset = person.request_reset(&world, 2).await;
        let invitation = tenant.create_invitation(&world).await;
        let browser = world.browser();
        let (flow, code) = world.request_code(&browser, &tenant.owner_email, 3).await;
        world.sql(
            "INSERT INTO mail_holds (server, stage, held_at, next_probe_at, probes) VALUES \
             ('other', 'auth', '2027-01-15T08:00:00+00:00', '2027-01-15T08:01:00+00:00', 0)",
        );
        let headers = [("idempotency-key", "import-1")];
        let rows = json!({ "rows": [{ "email": unique_email("dan") }] });
        let bulk = paths::bulk_invitations(&person.client);
        tenant.owner.post_with_headers(&bulk, rows, &headers).await.expect(200);
        let factors = person_with_factors(&world, &tenant).await;
        world.sql("INSERT INTO device_cutoffs (address_hash, since) VALUES ('other', '2027-01-15T08:00:00+00:00')");
        world.sql(
            "INSERT INTO audit_exports (tenant_id, slot, holder, expires_at) \
             SELECT id, 0, id, '2027-01-15T08:00:00+00:00' FROM tenants",
        );
        world.sql(
            "INSERT INTO audit_chains (id, sequence, logged_sequence) VALUES (x'01a1fdbaf86f76f5b2964e548b3691ab', 0, 0)",
        );
        world.sql(
            "INSERT INTO audit_anchors (id, chain_id, kind, sequence, mac, digest, key, seal, at) VALUES \
             (x'01a1fdbaf86f76f5b2964e548b3691ac', x'01a1fdbaf86f76f5b2964e548b3691ab', 'cut', 1, '', '', '', '', \
             '2027-01-15T08:00:00+00:00')",
        );
        person.browser.register_passkey(&world, crate::support::Area::Portal).await;
        let queued = invite_in_paused_lane(&mut world, &tenant, &person.client).await;
        world.processes.clear();
        let code = (browser, flow, code);
        Self { world, person, reset, invitation, code, token, queued, tenant: tenant.slug, factors }
    }
}

/// A person who has second factors and a trusted device.
async fn person_with_factors(world: &World, tenant: &Tenant) -> (Person, Factors) {
    let person = tenant.person(world).await;
    let factors = turn_on(&person.browser, paths::MFA).await;
    let browser = world.browser();
    let asked = challenge(&person, &browser).await;
    let body = json!({ "challenge": asked, "recovery_code": factors.recovery_codes[0], "trust_device": true });
    verify(&browser, body).await.expect(200);
    (person, factors)
}

/// Pauses the lane of invitations and invites a new address, so that its mail is queued. Returns the address.
async fn invite_in_paused_lane(world: &mut World, tenant: &Tenant, client: &str) -> String {
    world.run(&["jobs", "pause", "bulk"]);
    // A worker that starts now takes nothing from that lane, while one that runs already may take one more job.
    world.restart_single(&[]).await;
    let email = unique_email("cat");
    let body = json!({ "email": email, "name": "Robin Miller" });
    tenant.owner.moved_to(&world.apis).post(&paths::portal_user(client), body).await.expect(201);
    assert!(world.run(&["jobs", "list", "--lane", "bulk", "--state", "queued"]).contains("send_mail"));
    email
}

/// Copies the installation into a new Postgres database and starts a cluster on it.
async fn copy_to_cluster(old: &Installation) -> World {
    let url = database();
    old.world.run(&["copy", "--anyway", "--to", &url]);
    let secret = std::fs::read_to_string(old.world.folder.path().join("data/secret")).unwrap();
    let settings = [PUBLIC_URL, ("PORTICO_SECRET", secret.trim()), ("DATABASE_URL", &url)];
    World::start(Deployment::Cluster, &settings).await
}

#[tokio::test]
async fn a_copy_to_postgres_copies_every_row_and_says_where_the_server_key_is() {
    let old = Installation::new().await;
    let url = database();
    let output = old.world.run(&["copy", "--anyway", "--to", &url]);
    let copied = copied_rows(&output);
    assert_eq!(copied.len(), TABLES, "{output}");
    for (table, rows) in &copied {
        assert!(*rows > 0, "the installation has no row in {table}");
        assert_eq!(psql(&url, &format!("SELECT count(*) FROM {table}")), rows.to_string(), "{table}");
    }
    let secret = old.world.folder.path().join("data/secret");
    assert!(output.contains(&format!("Set PORTICO_SECRET to what {} holds", secret.display())), "{output}");
}

#[tokio::test]
async fn sessions_passwords_links_and_codes_remain_valid_after_a_copy_to_postgres() {
    let old = Installation::new().await;
    let new = copy_to_cluster(&old).await;
    let (browser, person) = (old.person.browser.moved_to(&new.apis), &old.person);
    browser.session().await.expect(200);
    browser.refresh().await.expect(200);
    person.sign_in(&new.browser()).await;
    let new_password = password();
    new.browser().reset_password(&old.reset, &new_password).await.expect(200);
    browser.session().await.assert_problem("401 session_revoked");
    new.browser().sign_in(&person.email, &new_password).await.expect(200);
    new.browser().activate(&old.invitation.token, &password()).await.expect(200);
    let (staff, flow, code) = &old.code;
    staff.moved_to(&new.apis).verify_code(flow, code).await.expect(200);
    new.browser().get_with_bearer(paths::CLIENTS, &old.token).await.expect(200);
}

#[tokio::test]
async fn log_04_the_audit_log_is_verified_and_continued_after_a_copy_to_postgres() {
    let old = Installation::new().await;
    let new = copy_to_cluster(&old).await;
    // The mail to the new owner is in the lane that was paused before the copy.
    new.run(&["jobs", "resume", "bulk"]);
    let tenant = new.tenant().await;
    tenant.client("Acme Ltd").await;
    let unsealed = "SELECT count(*) FROM audit_events WHERE sequence IS NULL";
    new.wait_for_sql("every event is sealed", unsealed, "0").await;
    for scope in [&["--installation"][..], &["--tenant", &tenant.slug], &["--tenant", &old.tenant]] {
        new.run(&[&["audit", "verify"], scope].concat());
    }
}

#[tokio::test]
async fn a_paused_lane_and_its_queued_mail_are_copied_to_postgres() {
    let old = Installation::new().await;
    let new = copy_to_cluster(&old).await;
    assert!(new.run(&["jobs", "list"]).contains("The lane bulk is paused."));
    assert!(new.mails(&old.queued).await.is_empty());
    new.run(&["jobs", "resume", "bulk"]);
    let token = new.mail(&old.queued, 1).await.token();
    new.browser().activate(&token, &password()).await.expect(200);
}

#[tokio::test]
async fn passwords_and_dead_jobs_are_copied_back_to_sqlite() {
    let old = Installation::new().await;
    let mut new = copy_to_cluster(&old).await;
    new.processes.clear();
    new.sql(
        "UPDATE background_jobs SET state = 'dead', last_error = 'given up by hand' \
         WHERE id = (SELECT id FROM background_jobs WHERE name = 'send_mail' LIMIT 1)",
    );
    let file = format!("sqlite:{}", new.folder.path().join("back/portico.db").display());
    let output = new.run(&["copy", "--anyway", "--to", &file]);
    assert_eq!(copied_rows(&output).len(), TABLES, "{output}");
    assert!(output.contains("Keep PORTICO_SECRET as it is"), "{output}");
    let settings = [PUBLIC_URL, ("PORTICO_SECRET", new.setting("PORTICO_SECRET")), ("DATABASE_URL", &file)];
    let back = World::start(Deployment::Single, &settings).await;
    old.person.sign_in(&back.browser()).await;
    // The secret of the authenticator app is encrypted by the secret that was copied by hand.
    let (person, factors) = &old.factors;
    let browser = back.browser();
    let asked = challenge(person, &browser).await;
    verify(&browser, json!({ "challenge": asked, "code": factors.app.code().await })).await.expect(200);
    assert!(back.run(&["jobs", "list", "--state", "dead"]).contains("given up by hand"));
}

/// A small installation on SQLite without running processes.
struct SmallInstallation {
    env: Vec<(String, String)>,
    folder: TempDir,
}

impl SmallInstallation {
    /// An installation with one tenant and one staff user.
    fn new() -> Self {
        let small = Self::empty();
        small.run(&["tenant", "add", "--slug", "acme", "--name", "Acme Ltd"]);
        small.run(&["staff", "add", "--tenant", "acme", "--email", "owner@acme.test", "--role", "owner"]);
        small
    }

    /// An installation without a database.
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

    /// Copies to `to`, which must fail, and returns what the command prints on stderr.
    #[track_caller]
    fn refused(&self, to: &str) -> String {
        let output = self.try_run(&["copy", "--anyway", "--to", to]);
        assert_eq!(output.status.code(), Some(1), "{to}");
        assert!(output.stdout.is_empty());
        String::from_utf8(output.stderr).unwrap()
    }

    /// Creates an empty Postgres database with all tables and returns its URL.
    fn migrated_target(&self) -> String {
        let url = database();
        let mut command = Command::new(binary());
        command.arg("migrate").env_clear().envs(self.env.iter().cloned()).env("DATABASE_URL", &url);
        assert!(command.output().unwrap().status.success());
        url
    }
}

/// A Postgres URL with the password `canary` that reaches the same database.
fn with_password(url: &str) -> String {
    format!("postgres://portico:canary@{}", url.split_once('@').unwrap().1)
}

#[test]
fn a_copy_names_its_target_without_the_password() {
    let (small, url) = (SmallInstallation::new(), database());
    let output = small.run(&["copy", "--anyway", "--to", &with_password(&url)]);
    let place = url.split_once('@').unwrap().1;
    assert!(output.contains(&format!("to postgres://{place}.")) && !output.contains("canary"), "{output}");
}

#[test]
fn a_copy_to_a_database_with_rows_is_refused() {
    let (small, url) = (SmallInstallation::new(), with_password(&database()));
    small.run(&["copy", "--anyway", "--to", &url]);
    let stderr = small.refused(&url);
    assert!(stderr.contains("the target is not empty: tenants has rows") && !stderr.contains("canary"), "{stderr}");
    let source = &small.env.iter().find(|(name, _)| name == "DATABASE_URL").unwrap().1;
    assert!(small.refused(source).contains("the target is not empty"));
}

#[test]
fn an_invalid_or_unreachable_target_is_refused_without_its_password() {
    let small = SmallInstallation::new();
    for invalid in ["mysql://u:canary@h/x", "postgres://u:canary@h:notaport/x", "canary"] {
        let stderr = small.refused(invalid);
        assert!(stderr.contains("--to must be") && !stderr.contains("canary"), "{stderr}");
    }
    let stderr = small.refused("postgres://u:canary@127.0.0.1:1/x");
    assert!(stderr.contains("--to: cannot migrate the database") && !stderr.contains("canary"), "{stderr}");
}

#[test]
fn a_copy_of_a_missing_an_unmigrated_or_an_empty_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let target = format!("sqlite:{}", folder.path().join("other.db").display());
    let mut small = SmallInstallation::empty();
    let file = small.folder.path().join("portico.db");
    assert!(small.refused(&target).contains("does not exist; `portico migrate` creates it"));
    assert!(!file.exists());
    std::fs::File::create(&file).unwrap();
    small.env.push(("PORTICO_MIGRATE".into(), "off".into()));
    assert!(small.refused(&target).contains("run `portico migrate` first"));
    small.run(&["migrate"]);
    assert!(small.refused(&target).contains("the source has no rows"));
}

const WAITS_FOR_LOCK: &str = "wait_event_type = 'Lock'";
const HOLDS_LOCK: &str = "query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()";

/// Ends the connections to this database for which `condition` holds.
fn end_connections(url: &str, condition: &str) {
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()";
    psql(url, &format!("{end} AND {condition}"));
}

/// A copy that has written the tenants and waits for a lock on the audit events.
struct HalfCopy {
    small: SmallInstallation,
    url: String,
    _holder: Process,
    copy: Process,
}

impl HalfCopy {
    async fn start() -> Self {
        let small = SmallInstallation::new();
        let url = small.migrated_target();
        let holder = lock_table(&url, "audit_events", "EXCLUSIVE").await;
        let copy = Process::start(binary(), &["copy", "--anyway", "--to", &url], &small.env);
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()";
        let waiting = format!("{waiting} AND {WAITS_FOR_LOCK}");
        eventually("the copy waits", || async { (psql(&url, &waiting) == "1").then_some(()) }).await;
        Self { small, url, _holder: holder, copy }
    }

    #[track_caller]
    fn assert_target_is_empty(&self) {
        let rows = "SELECT (SELECT count(*) FROM tenants) + (SELECT count(*) FROM audit_events)";
        assert_eq!(psql(&self.url, rows), "0");
    }

    /// Asserts that a second copy to the same target succeeds.
    #[track_caller]
    fn assert_can_be_repeated(&self) {
        end_connections(&self.url, "pid <> pg_backend_pid()");
        self.small.run(&["copy", "--anyway", "--to", &self.url]);
        assert_eq!(psql(&self.url, "SELECT slug FROM tenants"), "acme");
    }
}

#[tokio::test]
async fn a_copy_whose_connection_is_lost_leaves_the_target_empty_and_can_be_repeated() {
    let half = HalfCopy::start().await;
    end_connections(&half.url, WAITS_FOR_LOCK);
    assert!(!half.copy.ends().await);
    let lines = half.copy.logs();
    assert!(lines.iter().any(|line| line.contains("the target database failed at audit_events")), "{lines:?}");
    half.assert_target_is_empty();
    half.assert_can_be_repeated();
}

#[tokio::test]
async fn a_killed_copy_leaves_the_target_empty_and_can_be_repeated() {
    let half = HalfCopy::start().await;
    half.copy.kill();
    end_connections(&half.url, HOLDS_LOCK);
    let others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    eventually("the server has ended the connections", || async { (psql(&half.url, others) == "0").then_some(()) })
        .await;
    half.assert_target_is_empty();
    half.assert_can_be_repeated();
}

#[tokio::test]
async fn a_copy_fails_if_its_source_changes() {
    let half = HalfCopy::start().await;
    half.small.run(&["tenant", "add", "--slug", "other", "--name", "Other Ltd"]);
    end_connections(&half.url, HOLDS_LOCK);
    assert!(!half.copy.ends().await);
    let output = half.copy.logs().join("\n");
    let says = |text: &str| output.contains(text);
    assert!(says("tenants of the source changed") && says("stop every Portico process"), "{output}");
    assert_eq!(psql(&half.url, "SELECT count(*) FROM tenants"), "0");
}
