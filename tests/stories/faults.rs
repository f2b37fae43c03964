//! What breaks, and what holds: no accepted mail is lost, whatever dies.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use serde_json::json;
use tokio::time::timeout;

use crate::support::{Browser, Postgres, Redis, TcpProxy, Deployment, Tenant, World, database, eventually, psql, unique};

const FORGOT: &str = "/api/portal/auth/forgot-password";

/// Asks for one more mail to somebody who was invited. Unlike reset links, of which three live at most, these kill no
/// other, so each of them must arrive.
async fn ask(browser: &Browser, email: &str) {
    browser.post("/api/portal/auth/resend-activation", json!({ "email": email })).await.expect(200);
}

/// Somebody who was invited and has one mail.
async fn invited(world: &World, tenant: &Tenant) -> String {
    let client = tenant.client("Acme Ltd").await;
    let email = format!("{}@x.test", unique("ann"));
    tenant.invited(world, &client, &email).await;
    email
}

/// A small fleet of one's own.
async fn fleet() -> World {
    let unlimited = "1000/1m";
    let settings = [("PORTICO_LIMIT_RECOVERY_ACCOUNT", unlimited), ("PORTICO_LIMIT_RECOVERY_NETWORK", unlimited)];
    World::start(Deployment::Cluster, &settings).await
}

fn sql(world: &World, sql: &str) -> String {
    psql(world.setting("DATABASE_URL"), sql)
}

#[tokio::test]
async fn inf_04_job_22_while_redis_is_down_requests_are_as_fast_and_mail_follows() {
    let world = fleet().await;
    let tenant = world.tenant().await;
    let email = invited(&world, &tenant).await;
    let browser = world.browser();
    let timed = async || {
        let started = Instant::now();
        ask(&browser, &email).await;
        started.elapsed()
    };
    let mut up = Vec::new();
    for _ in 0..10 {
        up.push(timed().await);
    }
    world.mail(&email, 11).await;
    world.redis().process.kill();
    let mut down = Vec::new();
    for _ in 0..10 {
        down.push(timed().await);
    }
    up.sort();
    down.sort();
    assert!(down[5] < up[5] * 3 + std::time::Duration::from_millis(20), "{up:?} {down:?}");
    let readiness = async |status: &str| {
        eventually(status, || async {
            (browser.get("/health/ready").await.expect(200)["status"] == status).then_some(())
        })
        .await;
    };
    readiness("degraded").await;
    let port = world.redis().port();
    let again = Redis::start_at(port).await;
    world.mail(&email, 21).await;
    readiness("ok").await;

    // Flushed: what was on the wire comes back from the database.
    for worker in world.workers() {
        worker.signal("STOP");
    }
    for _ in 0..5 {
        ask(&browser, &email).await;
    }
    eventually("the jobs are on the wire", || async {
        (sql(&world, "SELECT count(*) FROM background_jobs WHERE state = 'queued' AND pushed_at IS NULL") == "0")
            .then_some(())
    })
    .await;
    again.run(&["FLUSHALL"]);
    for worker in world.workers() {
        worker.signal("CONT");
    }
    world.mail(&email, 26).await;

    // Frozen for a while: nothing is lost, nothing comes twice.
    again.process.signal("STOP");
    for _ in 0..5 {
        ask(&browser, &email).await;
    }
    let frozen = Instant::now();
    eventually("three seconds have gone by", || async { (frozen.elapsed().as_secs() >= 3).then_some(()) }).await;
    again.process.signal("CONT");
    world.mail(&email, 31).await;

    // Full: it refuses to take anything, and the jobs wait in the database.
    again.run(&["CONFIG", "SET", "maxmemory", "1"]);
    ask(&browser, &email).await;
    eventually("an API has found out", || async {
        let said = world.processes[..2].iter().flat_map(|api| api.logs());
        said.into_iter().any(|line| line.contains("OOM")).then_some(())
    })
    .await;
    again.run(&["CONFIG", "SET", "maxmemory", "0"]);
    world.mail(&email, 32).await;
}

// The jobs of a killed worker run again within 30 s.
#[tokio::test]
async fn a_killed_workers_mail_is_sent_by_another() {
    let unlimited = ("PORTICO_LIMIT_RECOVERY_ACCOUNT", "1000/1m");
    let mut world = World::start(Deployment::Cluster, &[unlimited]).await;
    let tenant = world.tenant().await;
    let person = tenant.person(&world).await;
    world.sink().fail(json!([{ "stage": "data", "do": "hang" }])).await;
    world.browser().post(FORGOT, json!({ "email": person.email })).await.expect(200);
    eventually("a worker holds the job", || async {
        (sql(&world, "SELECT count(*) FROM background_jobs WHERE state = 'running'") == "1").then_some(())
    })
    .await;
    for worker in world.workers() {
        worker.kill();
    }
    world.sink().heal().await;
    let killed = Instant::now();
    world.start_worker();
    let mail = world.mail(&person.email, 2).await;
    assert!(killed.elapsed().as_secs() < 30, "{:?}", killed.elapsed());
    assert!(mail.subject.contains("Choose a new password"));
    assert_eq!(sql(&world, "SELECT crash_count FROM background_jobs WHERE crash_count > 0"), "1");
}

#[tokio::test]
async fn job_03_what_a_killed_api_has_answered_is_delivered_once() {
    let mut world = fleet().await;
    let tenant = world.tenant().await;
    let email = invited(&world, &tenant).await;
    let mut accepted = 0;
    for round in 0..5 {
        let api = Browser::new(vec![world.apis[0].clone()]);
        for _ in 0..4 {
            ask(&api, &email).await;
            accepted += 1;
        }
        world.processes[0].kill();
        let (apis, processes) = (world.apis.len(), world.processes.len());
        world.start_api("api").await;
        world.apis.swap_remove(0);
        let process = world.processes.swap_remove(0);
        assert_eq!((world.apis.len(), world.processes.len()), (apis, processes), "round {round}");
        drop(process);
    }
    world.mail(&email, 1 + accepted).await;
    let events = "SELECT count(*) FROM audit_events WHERE action = 'activation.requested'";
    assert_eq!(sql(&world, events), accepted.to_string(), "no act without its record");
    let ids =
        world.mails(&email).await.into_iter().map(|mail| mail.message_id).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(ids.len(), 1 + accepted, "nothing came twice");
}

#[tokio::test]
async fn job_07_08_10_11_what_the_mail_server_says_is_understood() {
    let world = fleet().await;
    let tenant = world.tenant().await;
    let sink = world.sink();
    let invite = async |name: &str, client: &str| {
        let email = format!("{}@x.test", unique(name));
        tenant.invite(client, &email).await;
        email
    };
    let client = tenant.client("Acme Ltd").await;
    let row =
        |email: &str| sql(&world, &format!("SELECT status || ' ' || attempts FROM emails WHERE recipient = '{email}'"));
    let settles = async |email: &str, expected: &str| {
        eventually(&format!("{email} is {expected}"), || async { (row(email) == expected).then_some(()) }).await;
    };

    // Not now: the same mail a little later, under the same Message-ID.
    sink.fail(json!([{ "stage": "rcpt", "do": "reject", "code": 450, "times": 1 }])).await;
    let later = invite("later", &client).await;
    world.mail(&later, 1).await;
    settles(&later, "sent 2").await;

    // Never: no second try, and whoever invited sees the same answer.
    sink.fail(json!([{ "stage": "rcpt", "do": "reject", "code": 550 }])).await;
    let never = invite("never", &client).await;
    settles(&never, "failed 1").await;

    // Taken and then cut off before the server could say so: it may come twice, but then it is the same mail.
    sink.fail(json!([{ "stage": "after_data", "do": "drop", "times": 1 }])).await;
    let twice = invite("twice", &client).await;
    settles(&twice, "sent 2").await;
    let mails = world.mails(&twice).await;
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[0].message_id, mails[1].message_id);
    assert_eq!(mails[0].token(), mails[1].token());

    // Our credentials are refused, the connection is dropped, encryption is not offered: the mail waits, unlost.
    for fault in [
        json!([{ "stage": "auth", "do": "reject", "code": 535, "times": 1 }]),
        json!([{ "stage": "connect", "do": "drop", "times": 1 }]),
        json!([{ "stage": "mail", "do": "drop", "times": 1 }]),
        json!([{ "stage": "tls", "do": "hide" }]),
        json!([{ "stage": "tls", "do": "wrong_host" }]),
        json!([{ "stage": "tls", "do": "untrusted" }]),
    ] {
        // An idle connection of the pool would pass the first stages by.
        sink.fail(fault.clone()).await;
        let waits = invite("waits", &client).await;
        if fault[0]["stage"] == "tls" {
            eventually("it was tried", || async { (!row(&waits).ends_with(" 0")).then_some(()) }).await;
            assert!(row(&waits).starts_with("queued ") || row(&waits).starts_with("sent "), "{}", row(&waits));
            sink.heal().await;
        }
        world.mail(&waits, 1).await;
        eventually("it is sent", || async { row(&waits).starts_with("sent ").then_some(()) }).await;
    }
    assert_eq!(sink.stats().await["plaintext_credentials"], 0);
}

// Whatever a killed API was in the middle of is there whole, with its record and its mail, or not at all.
#[tokio::test]
async fn job_03_http_09_log_03_an_api_killed_in_the_middle_leaves_nothing_half_done() {
    let world = fleet().await;
    let tenant = world.tenant().await;
    let email = invited(&world, &tenant).await;
    let url = format!("{}/api/portal/auth/resend-activation", world.apis[0]);
    let asking = (0..40).map(|_| {
        let request = reqwest::Client::new().post(&url).header("content-type", "application/json");
        let request = request.body(json!({ "email": email }).to_string());
        async move { request.send().await.is_ok_and(|answer| answer.status().is_success()) }
    });
    let asking = tokio::spawn(futures_util::future::join_all(asking.collect::<Vec<_>>()));
    let asked = "SELECT count(*) FROM emails WHERE kind = 'activation'";
    eventually("some are written", || async { (sql(&world, asked) != "0").then_some(()) }).await;
    world.processes[0].kill();
    let answered = asking.await.unwrap().into_iter().filter(|accepted| *accepted).count();

    let written: usize = sql(&world, asked).parse().unwrap();
    assert!(answered <= written, "{answered} answered, {written} written");
    let events = "SELECT count(*) FROM audit_events WHERE action = 'activation.requested'";
    assert_eq!(sql(&world, events), written.to_string(), "no act without its record, nor a record without its act");
    world.mail(&email, 1 + written).await;
}

// As when Postgres restarts, every connection of every process is cut, again and again.
#[tokio::test]
async fn inf_02_cut_off_from_the_database_it_delivers_what_it_has_accepted() {
    let world = fleet().await;
    let tenant = world.tenant().await;
    let email = invited(&world, &tenant).await;
    let browser = world.browser();
    let asked = 40;
    for round in 1..=asked {
        // Nobody notices: a request whose connection turns out to be cut is run again on another.
        browser.post("/api/portal/auth/resend-activation", json!({ "email": email })).await.expect(200);
        if round % 10 == 0 {
            // With many connections open, so that one cut is not the only one to be found.
            let look = || browser.post("/api/portal/auth/check-token", json!({ "token": "nobody-has-this" }));
            futures_util::future::join_all((0..40).map(|_| look())).await;
            let others = "datname = current_database() AND pid <> pg_backend_pid()";
            sql(&world, &format!("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {others}"));
        }
    }
    eventually("all of it has arrived", || async {
        // One that had been accepted when the connection was cut may come again, and then it is the same mail.
        let mails = world.mails(&email).await;
        let ids: std::collections::BTreeSet<_> = mails.into_iter().map(|mail| mail.message_id).collect();
        (ids.len() > asked).then_some(())
    })
    .await;
}

// As when its machine dies or a switch does: no connection is cut, none is answered any more.
#[tokio::test(flavor = "multi_thread")]
async fn inf_02_a_database_that_falls_silent_is_found_again() {
    let direct = database();
    let relay = TcpProxy::to(&direct).await;
    let world = World::start(Deployment::Cluster, &[("DATABASE_URL", relay.url())]).await;
    let tenant = world.tenant().await;
    let email = invited(&world, &tenant).await;
    let browser = world.browser();
    let look = || browser.post("/api/portal/auth/check-token", json!({ "token": "nobody-has-this" }));
    futures_util::future::join_all((0..40).map(|_| look())).await;
    relay.stop_forwarding();
    for api in 0..world.apis.len() {
        let browser = Browser::new(vec![world.apis[api].clone()]);
        eventually("it is served", || async {
            let asked = browser.post("/api/portal/auth/resend-activation", json!({ "email": email }));
            timeout(Duration::from_secs(3), asked).await.is_ok_and(|answer| answer.status == 200).then_some(())
        })
        .await;
    }
    eventually("its mail has arrived", || async { (world.mails(&email).await.len() > 1).then_some(()) }).await;
}

#[tokio::test]
async fn job_06_a_worker_that_is_told_to_stop_finishes_what_it_has() {
    let world = fleet().await;
    let tenant = world.tenant().await;
    let email = invited(&world, &tenant).await;
    // Slow enough that many are on their way when the signal comes.
    world.sink().fail(json!([{ "stage": "reply", "do": "slow" }])).await;
    for _ in 0..20 {
        ask(&world.browser(), &email).await;
    }
    for worker in world.workers() {
        worker.signal("TERM");
    }
    let told = Instant::now();
    for worker in world.workers() {
        assert!(worker.ends().await, "{:#?}", worker.logs());
    }
    assert!(told.elapsed().as_secs() < 30, "{:?}", told.elapsed());
    world.sink().heal().await;
    assert_eq!(sql(&world, "SELECT count(*) FROM background_jobs WHERE state = 'running'"), "0");
    let arrived = world.mails(&email).await.len();
    assert_eq!(
        sql(&world, "SELECT count(*) FROM emails WHERE status = 'sent' AND kind = 'activation'"),
        (arrived - 1).to_string()
    );
    let mut world = world;
    world.start_worker();
    world.mail(&email, 21).await;
}

#[tokio::test]
async fn job_12_20_a_job_that_nobody_knows_is_left_and_one_that_cannot_be_read_dies_alone() {
    let world = fleet().await;
    let insert = |name: &str, payload: &str, attempts: u32| {
        let id = sql(&world, "SELECT gen_random_uuid()");
        sql(
            &world,
            &format!(
                "INSERT INTO background_jobs (id, name, lane, payload, state, attempts, max_attempts, crash_count, run_at, created_at) \
             VALUES ('{id}', '{name}', 'urgent', '{payload}', 'queued', {attempts}, 8, 0, now(), now() - interval '1 minute')"
            ),
        );
        id
    };
    let unknown = insert("from_the_future", "{}", 0);
    let unreadable = insert("send_mail", "{\"letter\": 5}", 7);
    let state =
        |id: &str| sql(&world, &format!("SELECT state || ' ' || attempts FROM background_jobs WHERE id = '{id}'"));
    eventually("the unreadable one is dead", || async { (state(&unreadable) == "dead 8").then_some(()) }).await;
    eventually("the unknown one waits", || async {
        let later = format!("SELECT run_at > now() FROM background_jobs WHERE id = '{unknown}'");
        (state(&unknown) == "queued 0" && sql(&world, &later) == "t").then_some(())
    })
    .await;
    let tenant = world.tenant().await;
    tenant.person(&world).await;
}

#[tokio::test]
async fn inf_09_one_process_killed_again_and_again_keeps_what_it_has_answered() {
    let mut world = World::start(
        Deployment::Single,
        &[("PORTICO_LIMIT_RECOVERY_ACCOUNT", "1000/1m"), ("PORTICO_PUBLIC_URL", "http://localhost:4000")],
    )
    .await;
    let tenant = world.tenant().await;
    let email = invited(&world, &tenant).await;
    let mut clients = 1;
    let mut mails = 1;
    for _ in 0..5 {
        let owner = tenant.owner.moved_to(&world.apis);
        for n in 0..3 {
            owner.post("/api/v1/clients", json!({ "name": format!("Client {n}") })).await.expect(201);
            ask(&world.browser(), &email).await;
            clients += 1;
            mails += 1;
        }
        world.processes.remove(0).kill();
        world.apis.clear();
        world.start_api("dev").await;
    }
    let owner = tenant.owner.moved_to(&world.apis);
    let listed = owner.get("/api/v1/clients?limit=100").await.expect(200);
    assert_eq!(listed["data"].as_array().unwrap().len(), clients);
    world.mail(&email, mails).await;
    assert_eq!(sqlite(&world, "PRAGMA integrity_check"), "ok");
}

/// Runs SQL on the one process's database by `sqlite3`, and returns what it prints.
fn sqlite(world: &World, sql: &str) -> String {
    let path = world.setting("DATABASE_URL").trim_start_matches("sqlite:").to_owned();
    let output = std::process::Command::new("sqlite3").args([&path, sql]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

// Nothing is acknowledged that is not written, reading goes on, and space alone mends it.
#[tokio::test]
async fn inf_08_a_full_disk_under_sqlite_is_a_503_until_there_is_room_again() {
    let Some(disk) = Disk::of("6m") else { return };
    let url = format!("sqlite:{}", disk.0.path().join("portico.db").display());
    let settings = [
        ("DATABASE_URL", url.as_str()),
        ("PORTICO_PUBLIC_URL", "http://localhost:4000"),
        ("PORTICO_LIMIT_INVITE_ACTOR", "1000000/1m"),
    ];
    let world = World::start(Deployment::Single, &settings).await;
    let tenant = world.tenant().await;
    disk.fill();
    // The write-ahead log has some room left inside its file.
    let made = clients_until_refused(&tenant, |_| ()).await;
    tenant.owner.get("/api/v1/clients").await.expect(200);
    tenant.owner.get("/health/live").await.expect(200);
    disk.empty();
    writes_again(&tenant).await;
    // Through another connection than Portico's, which might see what it has not committed.
    assert_eq!(sqlite(&world, "SELECT count(*) FROM clients WHERE name LIKE 'Client %'"), made.to_string());
    assert_eq!(sqlite(&world, "PRAGMA integrity_check"), "ok");
}

// Postgres ends itself when its log has no room; Portico does not, and goes on when it is back.
#[tokio::test]
async fn inf_08_a_full_disk_under_postgres_is_a_503_until_there_is_room_again() {
    let Some(disk) = Disk::of("200m") else { return };
    let mut postgres = Postgres::start_in(disk.0.path().to_owned()).await;
    let url = postgres.url();
    let world = World::start(Deployment::Cluster, &[("DATABASE_URL", &url), ("PORTICO_LIMIT_REQUESTS", "1000000/1m")]).await;
    let tenant = world.tenant().await;
    disk.fill();
    let made = clients_until_refused(&tenant, |made| {
        if made % 100 == 99 {
            // Most of a segment of the log, without the requests that would fill it.
            postgres.try_run("CREATE TABLE IF NOT EXISTS t (t text); INSERT INTO t SELECT repeat(md5(n::text), 60) FROM generate_series(1, 5000) n");
        }
    })
    .await;
    tenant.owner.get("/health/live").await.expect(200);
    disk.empty();
    postgres.kill();
    postgres.start_again().await;
    writes_again(&tenant).await;
    let written: usize = postgres.run("SELECT count(*) FROM clients WHERE name LIKE 'Client %'").parse().unwrap();
    // One that was refused may have been written all the same: the answer of its commit was lost.
    assert!((made..=made + REFUSED).contains(&written), "{made} made, {written} written");
}

/// How many refusals in all show that the disk is full.
const REFUSED: usize = 5;

/// Makes clients until Portico has refused some, and says how many it made.
async fn clients_until_refused(tenant: &Tenant, between: impl Fn(usize)) -> usize {
    let (mut made, mut refused) = (0, 0);
    while refused < REFUSED {
        assert!(made < 20_000, "the disk is never full");
        let answer = tenant.owner.on_new_network().post("/api/v1/clients", json!({ "name": format!("Client {made}") })).await;
        match answer.status {
            201 => made += 1,
            503 => refused += 1,
            _ => panic!("{answer:?}"),
        }
        between(made);
    }
    made
}

async fn writes_again(tenant: &Tenant) {
    eventually("it writes again", || async {
        let answer = tenant.owner.on_new_network().post("/api/v1/clients", json!({ "name": "After all" })).await;
        assert!([201, 503].contains(&answer.status), "{answer:?}");
        (answer.status == 201).then_some(())
    })
    .await;
}

/// A small disk of its own, which root alone can mount.
struct Disk(tempfile::TempDir);

impl Disk {
    fn of(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size},mode=755"), "tmpfs"]).arg(folder.path());
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        if !mounted {
            eprintln!("skipped: no disk can be mounted here to be filled");
        }
        mounted.then_some(Self(folder))
    }

    /// Leaves no room at all.
    fn fill(&self) {
        let zeros = vec![0; 4_096];
        let mut file = std::fs::File::create(self.0.path().join("filling")).unwrap();
        while file.write_all(&zeros).is_ok() {}
    }

    fn empty(&self) {
        std::fs::remove_file(self.0.path().join("filling")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}
