//! Faults of processes, Redis, the mail server, the database and the disk: no accepted mail is lost.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::support::{
    Browser, Deployment, Disk, Postgres, Redis, TcpProxy, Tenant, World, database, eventually, http,
    paths::{CLIENTS, LIVE, READY, RESEND_ACTIVATION},
    unique_email,
};

/// A cluster and an invited address, whose invitation mail has arrived.
///
/// The stories request activation mails for it. Unlike a reset link, of which three are valid at a time, such a mail
/// never suppresses another, so each of them must arrive.
struct Invited {
    world: World,
    email: String,
}

impl Invited {
    async fn new() -> Self {
        let unlimited = "1000/1m";
        let settings = [("PORTICO_LIMIT_RECOVERY_ACCOUNT", unlimited), ("PORTICO_LIMIT_RECOVERY_NETWORK", unlimited)];
        let world = World::start(Deployment::Cluster, &settings).await;
        let email = world.tenant().await.create_invitation(&world).await.email;
        Self { world, email }
    }

    /// Requests `count` activation mails.
    async fn request_mails(&self, browser: &Browser, count: usize) {
        for _ in 0..count {
            browser.resend_activation(&self.email).await.expect(200);
        }
    }

    /// The median time of ten requests for a mail.
    async fn median_request_time(&self) -> Duration {
        let browser = self.world.browser();
        let mut times = Vec::new();
        for _ in 0..10 {
            let started = Instant::now();
            self.request_mails(&browser, 1).await;
            times.push(started.elapsed());
        }
        times.sort();
        times[5]
    }

    /// Waits until this address has `count` mails in all, each once.
    async fn wait_for_mails(&self, count: usize) {
        self.world.mail(&self.email, count).await;
        let mails = self.world.mails(&self.email).await;
        let ids: BTreeSet<_> = mails.into_iter().map(|mail| mail.message_id).collect();
        assert_eq!(ids.len(), count, "a mail arrived twice");
    }
}

async fn wait_for_readiness(browser: &Browser, status: &str) {
    eventually(&format!("the API is {status}"), || async {
        (browser.get(READY).await.expect(200)["status"] == status).then_some(())
    })
    .await;
}

/// The number of activation mails that are written.
const ACTIVATIONS: &str = "SELECT count(*) FROM emails WHERE kind = 'activation'";
/// The number of audit events of requested activation mails.
const ACTIVATION_EVENTS: &str = "SELECT count(*) FROM audit_events WHERE action = 'activation.requested'";
const RUNNING_JOBS: &str = "SELECT count(*) FROM background_jobs WHERE state = 'running'";

#[tokio::test]
async fn inf_04_inf_17_without_redis_requests_are_as_fast_and_the_mails_follow_when_it_is_back() {
    let invited = Invited::new().await;
    let (world, browser) = (&invited.world, invited.world.browser());
    let with_redis = invited.median_request_time().await;
    invited.wait_for_mails(11).await;
    world.redis().process.kill();
    let without_redis = invited.median_request_time().await;
    assert!(without_redis < with_redis * 3 + Duration::from_millis(20), "{with_redis:?} {without_redis:?}");
    wait_for_readiness(&browser, "degraded").await;
    let _redis = Redis::start_at(world.redis().port()).await;
    invited.wait_for_mails(21).await;
    wait_for_readiness(&browser, "ok").await;
}

#[tokio::test]
async fn job_22_jobs_that_redis_has_lost_are_pushed_again_from_the_database() {
    let invited = Invited::new().await;
    let world = &invited.world;
    world.workers().iter().for_each(|worker| worker.signal("STOP"));
    invited.request_mails(&world.browser(), 5).await;
    let not_pushed = "SELECT count(*) FROM background_jobs WHERE state = 'queued' AND pushed_at IS NULL";
    world.wait_for_sql("the jobs are in Redis", not_pushed, "0").await;
    world.redis().run(&["FLUSHALL"]);
    world.workers().iter().for_each(|worker| worker.signal("CONT"));
    invited.wait_for_mails(6).await;
}

#[tokio::test]
async fn job_22_a_redis_that_is_frozen_for_three_seconds_loses_and_repeats_no_mail() {
    let invited = Invited::new().await;
    let redis = invited.world.redis();
    redis.process.signal("STOP");
    invited.request_mails(&invited.world.browser(), 5).await;
    sleep(Duration::from_secs(3)).await;
    redis.process.signal("CONT");
    invited.wait_for_mails(6).await;
}

#[tokio::test]
async fn job_22_jobs_wait_in_the_database_while_redis_is_full() {
    let invited = Invited::new().await;
    let (world, redis) = (&invited.world, invited.world.redis());
    redis.run(&["CONFIG", "SET", "maxmemory", "1"]);
    invited.request_mails(&world.browser(), 1).await;
    eventually("an API logs that Redis is full", || async {
        let lines = world.processes[..2].iter().flat_map(|api| api.logs());
        lines.into_iter().any(|line| line.contains("OOM")).then_some(())
    })
    .await;
    redis.run(&["CONFIG", "SET", "maxmemory", "0"]);
    invited.wait_for_mails(2).await;
}

#[tokio::test]
async fn job_09_the_mail_of_a_killed_worker_is_sent_by_another_within_30_seconds() {
    let mut world = World::start(Deployment::Cluster, &[]).await;
    let person = world.tenant().await.person(&world).await;
    world.sink().fail(json!([{ "stage": "data", "do": "hang" }])).await;
    world.browser().forgot_password(&person.email).await.expect(200);
    world.wait_for_sql("a worker runs the job", RUNNING_JOBS, "1").await;
    world.workers().iter().for_each(|worker| worker.kill());
    world.sink().heal().await;
    let killed = Instant::now();
    world.start_worker();
    let mail = world.mail(&person.email, 2).await;
    assert!(killed.elapsed().as_secs() < 30, "{:?}", killed.elapsed());
    assert!(mail.subject.contains("Choose a new password"));
    assert_eq!(world.sql("SELECT crash_count FROM background_jobs WHERE crash_count > 0"), "1");
}

#[tokio::test]
async fn job_03_each_mail_that_a_killed_api_has_accepted_arrives_once_and_has_its_audit_event() {
    let mut invited = Invited::new().await;
    let rounds = 5;
    for _ in 0..rounds {
        let api = invited.world.browser().at(&invited.world.apis[..1]);
        invited.request_mails(&api, 4).await;
        invited.world.processes[0].kill();
        invited.world.restart(0).await;
    }
    invited.wait_for_mails(1 + 4 * rounds).await;
    assert_eq!(invited.world.count(ACTIVATION_EVENTS), 4 * rounds);
}

/// A client to which the stories about the mail server invite addresses.
struct Inviter<'a> {
    world: &'a World,
    tenant: Tenant,
    client: String,
}

impl<'a> Inviter<'a> {
    async fn new(world: &'a World) -> Self {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        Self { world, tenant, client }
    }

    /// Invites a new address while the mail server has this fault, and returns the address.
    async fn invite_during(&self, fault: &Value) -> String {
        self.world.sink().fail(fault.clone()).await;
        let email = unique_email("ann");
        self.tenant.invite(&self.client, &email).await;
        email
    }

    /// The status of the mail and the number of attempts to send it.
    fn mail_state(&self, email: &str) -> String {
        self.world.sql(&format!("SELECT status || ' ' || attempts FROM emails WHERE recipient = '{email}'"))
    }

    /// Makes mails and probes due until the mail to this address is sent.
    async fn wait_for_sent(&self, email: &str) {
        eventually("the mail is sent", || async {
            self.world.make_jobs_due();
            self.mail_state(email).starts_with("sent ").then_some(())
        })
        .await;
    }

    async fn wait_for_mail_state(&self, email: &str, is_expected: impl Fn(&str) -> bool) {
        eventually("the mail has the expected state", || async { is_expected(&self.mail_state(email)).then_some(()) })
            .await;
    }
}

#[tokio::test]
async fn job_07_a_mail_that_the_server_refuses_for_now_is_sent_at_the_second_attempt() {
    let world = World::start(Deployment::Cluster, &[]).await;
    let inviter = Inviter::new(&world).await;
    let fault = json!([{ "stage": "rcpt", "do": "reject", "code": 450, "times": 1 }]);
    let email = inviter.invite_during(&fault).await;
    inviter.wait_for_mail_state(&email, |state| state == "queued 1").await;
    world.make_jobs_due();
    world.mail(&email, 1).await;
    inviter.wait_for_mail_state(&email, |state| state == "sent 2").await;
}

#[tokio::test]
async fn job_08_a_mail_that_the_server_refuses_for_good_fails_at_the_first_attempt() {
    let world = World::start(Deployment::Cluster, &[]).await;
    let inviter = Inviter::new(&world).await;
    let fault = json!([{ "stage": "rcpt", "do": "reject", "code": 550, "text": "5.1.1 No such user" }]);
    let email = inviter.invite_during(&fault).await;
    inviter.wait_for_mail_state(&email, |state| state == "failed 1").await;
}

#[tokio::test]
async fn job_10_a_mail_that_the_server_took_without_an_answer_is_sent_again_unchanged() {
    let world = World::start(Deployment::Cluster, &[]).await;
    let inviter = Inviter::new(&world).await;
    let email = inviter.invite_during(&json!([{ "stage": "after_data", "do": "drop", "times": 1 }])).await;
    inviter.wait_for_mail_state(&email, |state| state == "sent 2").await;
    let mails = world.mails(&email).await;
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[0].message_id, mails[1].message_id);
    assert_eq!(mails[0].token(), mails[1].token());
}

#[tokio::test]
async fn job_07_job_11_a_mail_is_sent_after_refused_credentials_or_a_lost_connection() {
    let world = World::start(Deployment::Cluster, &[]).await;
    let inviter = Inviter::new(&world).await;
    for fault in [
        json!([{ "stage": "auth", "do": "reject", "code": 535, "times": 1 }]),
        json!([{ "stage": "connect", "do": "drop", "times": 1 }]),
        json!([{ "stage": "mail", "do": "drop", "times": 1 }]),
    ] {
        let email = inviter.invite_during(&fault).await;
        inviter.wait_for_sent(&email).await;
        world.mail(&email, 1).await;
    }
    assert_eq!(world.sink().stats().await["plaintext_credentials"], 0);
}

#[tokio::test]
async fn job_11_a_mail_waits_while_the_server_offers_no_valid_encryption() {
    let world = World::start(Deployment::Cluster, &[]).await;
    let inviter = Inviter::new(&world).await;
    for fault in ["hide", "wrong_host", "untrusted"] {
        let email = inviter.invite_during(&json!([{ "stage": "tls", "do": fault }])).await;
        inviter.wait_for_mail_state(&email, |state| !state.ends_with(" 0")).await;
        // A connection that was open before the fault is encrypted, so its mail may be sent.
        let state = inviter.mail_state(&email);
        assert!(state.starts_with("queued ") || state.starts_with("sent "), "{state}");
        world.sink().heal().await;
        inviter.wait_for_sent(&email).await;
        world.mail(&email, 1).await;
    }
    assert_eq!(world.sink().stats().await["plaintext_credentials"], 0);
}

#[tokio::test]
async fn job_03_http_09_log_03_requests_of_a_killed_api_are_written_whole_or_not_at_all() {
    let invited = Invited::new().await;
    let (world, browser) = (&invited.world, http::client());
    let requests = (0..40).map(|_| {
        let request = browser.post(format!("{}{RESEND_ACTIVATION}", world.apis[0]));
        let request = request.header("content-type", "application/json");
        request.body(json!({ "email": invited.email }).to_string()).send()
    });
    let requests = tokio::spawn(join_all(requests.collect::<Vec<_>>()));
    eventually("some mails are written", || async { (world.count(ACTIVATIONS) > 0).then_some(()) }).await;
    world.processes[0].kill();
    let responses = requests.await.unwrap();
    let accepted = responses.iter().flatten().filter(|response| response.status().is_success()).count();

    let written = world.count(ACTIVATIONS);
    assert!(accepted <= written, "{accepted} accepted, {written} written");
    assert_eq!(world.count(ACTIVATION_EVENTS), written, "each mail has its audit event");
    invited.wait_for_mails(1 + written).await;
}

/// Opens many database connections of the APIs, so that a fault concerns more than one.
async fn open_connections(browser: &Browser) {
    join_all((0..40).map(|_| browser.check_token("an-unknown-token"))).await;
}

/// Ends every other connection to the database, as a restart of Postgres does.
fn end_connections(world: &World) {
    world.sql(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
}

#[tokio::test]
async fn inf_02_requests_succeed_and_mails_arrive_while_database_connections_are_ended() {
    let invited = Invited::new().await;
    let (world, browser) = (&invited.world, invited.world.browser());
    for _ in 0..4 {
        // A request whose connection was ended runs again on another one.
        invited.request_mails(&browser, 10).await;
        open_connections(&browser).await;
        end_connections(world);
    }
    // A mail may arrive twice if the connection was ended after the mail server had accepted it.
    eventually("all mails have arrived", || async {
        let ids: BTreeSet<_> = world.mails(&invited.email).await.into_iter().map(|mail| mail.message_id).collect();
        (ids.len() == 41).then_some(())
    })
    .await;
}

/// As when the machine of the database or a switch fails: connections stay open but transfer no data.
#[tokio::test(flavor = "multi_thread")]
async fn inf_02_each_api_serves_again_after_its_database_connections_have_fallen_silent() {
    let proxy = TcpProxy::to(&database()).await;
    let world = World::start(Deployment::Cluster, &[("DATABASE_URL", proxy.url())]).await;
    let email = world.tenant().await.create_invitation(&world).await.email;
    open_connections(&world.browser()).await;
    proxy.stop_forwarding();
    for api in &world.apis {
        let browser = Browser::new(vec![api.clone()]);
        eventually("the API answers within three seconds", || async {
            let request = timeout(Duration::from_secs(3), browser.resend_activation(&email));
            request.await.is_ok_and(|response| response.status == 200).then_some(())
        })
        .await;
    }
    eventually("a mail has arrived", || async { (world.mails(&email).await.len() > 1).then_some(()) }).await;
}

#[tokio::test]
async fn job_06_a_worker_that_is_stopped_finishes_its_running_jobs_within_30_seconds() {
    let mut invited = Invited::new().await;
    let world = &invited.world;
    // Slow enough that many mails are being sent when the signal arrives.
    world.sink().fail(json!([{ "stage": "reply", "do": "slow" }])).await;
    invited.request_mails(&world.browser(), 20).await;
    world.workers().iter().for_each(|worker| worker.signal("TERM"));
    let stopped = Instant::now();
    for worker in world.workers() {
        assert!(worker.ends().await, "{:#?}", worker.logs());
    }
    assert!(stopped.elapsed().as_secs() < 30, "{:?}", stopped.elapsed());
    world.sink().heal().await;
    assert_eq!(world.count(RUNNING_JOBS), 0);
    let arrived = world.mails(&invited.email).await.len();
    assert_eq!(world.count(&format!("{ACTIVATIONS} AND status = 'sent'")), arrived - 1);
    invited.world.start_worker();
    invited.wait_for_mails(21).await;
}

/// Inserts a queued job and returns its id.
fn insert_job(world: &World, name: &str, payload: &str, attempts: u32) -> String {
    let id = world.sql("SELECT gen_random_uuid()");
    world.sql(&format!(
        "INSERT INTO background_jobs \
         (id, name, lane, payload, state, attempts, max_attempts, crash_count, run_at, created_at) \
         VALUES ('{id}', '{name}', 'urgent', '{payload}', 'queued', {attempts}, 8, 0, \
         now(), now() - interval '1 minute')"
    ));
    id
}

#[tokio::test]
async fn job_20_a_job_with_an_unknown_name_stays_queued_for_a_newer_worker() {
    let world = World::start(Deployment::Cluster, &[]).await;
    let id = insert_job(&world, "from_the_future", "{}", 0);
    let state = format!("SELECT state, attempts, run_at > now() FROM background_jobs WHERE id = '{id}'");
    world.wait_for_sql("the job is put off", &state, "queued|0|t").await;
    world.tenant().await.person(&world).await;
}

#[tokio::test]
async fn job_12_a_job_with_an_unreadable_payload_is_dead_after_its_last_attempt_and_other_jobs_run() {
    let world = World::start(Deployment::Cluster, &[]).await;
    let id = insert_job(&world, "send_mail", "{\"letter\": 5}", 7);
    let state = format!("SELECT state, attempts FROM background_jobs WHERE id = '{id}'");
    world.wait_for_sql("the job is dead", &state, "dead|8").await;
    world.tenant().await.person(&world).await;
}

#[tokio::test]
async fn inf_09_a_single_process_that_is_killed_repeatedly_keeps_what_it_has_acknowledged() {
    let settings = [("PORTICO_LIMIT_RECOVERY_ACCOUNT", "1000/1m"), ("PORTICO_PUBLIC_URL", "http://localhost:4000")];
    let mut world = World::start(Deployment::Single, &settings).await;
    let tenant = world.tenant().await;
    let email = tenant.create_invitation(&world).await.email;
    let rounds = 5;
    for _ in 0..rounds {
        let owner = tenant.owner.moved_to(&world.apis);
        for n in 0..3 {
            owner.post(CLIENTS, json!({ "name": format!("Client {n}") })).await.expect(201);
            world.browser().resend_activation(&email).await.expect(200);
        }
        world.processes[0].kill();
        world.restart_single(&[]).await;
    }
    let owner = tenant.owner.moved_to(&world.apis);
    let listed = owner.get(&format!("{CLIENTS}?limit=100")).await.expect(200);
    assert_eq!(listed["data"].as_array().unwrap().len(), 1 + 3 * rounds);
    world.mail(&email, 1 + 3 * rounds).await;
    assert_eq!(world.sql("PRAGMA integrity_check"), "ok");
}

/// How many refused requests show that the disk is full.
const REFUSED: usize = 5;

/// Creates clients until [`REFUSED`] requests were refused with 503, and returns how many were created.
/// Calls `after_each` with the number of clients so far.
async fn create_clients_until_refused(tenant: &Tenant, after_each: impl Fn(usize)) -> usize {
    let (mut created, mut refused) = (0, 0);
    while refused < REFUSED {
        assert!(created < 20_000, "the disk does not become full");
        let body = json!({ "name": format!("Client {created}") });
        let response = tenant.owner.on_new_network().post(CLIENTS, body).await;
        match response.status {
            201 => created += 1,
            503 => refused += 1,
            _ => panic!("{response:?}"),
        }
        after_each(created);
    }
    created
}

/// Waits until a client can be created. Until then the response must be 503.
async fn wait_for_writes(tenant: &Tenant) {
    eventually("a client is created", || async {
        let response = tenant.owner.on_new_network().post(CLIENTS, json!({ "name": "After all" })).await;
        assert!([201, 503].contains(&response.status), "{response:?}");
        (response.status == 201).then_some(())
    })
    .await;
}

const CREATED_CLIENTS: &str = "SELECT count(*) FROM clients WHERE name LIKE 'Client %'";

#[tokio::test]
async fn inf_08_a_full_disk_under_sqlite_is_503_for_writes_until_there_is_room_again() {
    let Some(disk) = Disk::mount("6m") else { return };
    let url = format!("sqlite:{}", disk.path().join("portico.db").display());
    let settings = [
        ("DATABASE_URL", url.as_str()),
        ("PORTICO_PUBLIC_URL", "http://localhost:4000"),
        ("PORTICO_LIMIT_INVITE_ACTOR", "1000000/1m"),
    ];
    let world = World::start(Deployment::Single, &settings).await;
    let tenant = world.tenant().await;
    disk.fill();
    // The file of the write-ahead log has some room left.
    let created = create_clients_until_refused(&tenant, |_| ()).await;
    tenant.owner.get(CLIENTS).await.expect(200);
    tenant.owner.get(LIVE).await.expect(200);
    disk.empty();
    wait_for_writes(&tenant).await;
    // `sqlite3` has a connection of its own, which sees only what is committed.
    assert_eq!(world.count(CREATED_CLIENTS), created);
    assert_eq!(world.sql("PRAGMA integrity_check"), "ok");
}

/// Postgres exits when its log has no room. Portico goes on when Postgres is back.
#[tokio::test]
async fn inf_08_a_full_disk_under_postgres_is_503_for_writes_until_there_is_room_again() {
    let Some(disk) = Disk::mount("200m") else { return };
    let mut postgres = Postgres::start_in(disk.path().to_owned()).await;
    let settings = [("DATABASE_URL", &*postgres.url()), ("PORTICO_LIMIT_REQUESTS", "1000000/1m")];
    let world = World::start(Deployment::Cluster, &settings).await;
    let tenant = world.tenant().await;
    disk.fill();
    let created = create_clients_until_refused(&tenant, |created| {
        if created % 100 == 99 {
            postgres.fill_log();
        }
    })
    .await;
    tenant.owner.get(LIVE).await.expect(200);
    disk.empty();
    postgres.kill();
    postgres.start_again().await;
    wait_for_writes(&tenant).await;
    // A refused client may have been written: then the response to its commit was lost.
    let written: usize = postgres.run(CREATED_CLIENTS).parse().unwrap();
    assert!((created..=created + REFUSED).contains(&written), "{created} created, {written} written");
}
