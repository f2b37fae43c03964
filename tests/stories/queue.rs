//! The job queue: each job runs once, urgent jobs run first, and a job that cannot succeed does not stop others.

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};
use serde_json::json;

use crate::support::{Browser, Deployment, Tenant, UNLIMITED, World, eventually, password, unique_email};

/// A cluster without rate limits.
async fn cluster(settings: &[(&str, &str)]) -> World {
    World::start(Deployment::Cluster, &[&UNLIMITED, settings].concat()).await
}

/// Invites `count` new addresses to a new client, waits for the mails, and returns the addresses.
async fn invite_many(world: &World, tenant: &Tenant, count: usize) -> Vec<String> {
    let client = tenant.client("Acme Ltd").await;
    let emails: Vec<String> = (0..count).map(|_| unique_email("ann")).collect();
    for email in &emails {
        tenant.invite(&client, email).await;
    }
    for email in &emails {
        world.mail(email, 1).await;
    }
    emails
}

/// Requests `count` more activation mails for these addresses in turn, 16 at a time.
async fn request_mails(world: &World, emails: &[String], count: usize) {
    let browsers: Vec<Browser> = world.browsers(16);
    stream::iter(0..count)
        .map(|n| {
            let (browser, email) = (&browsers[n % browsers.len()], &emails[n % emails.len()]);
            async move { browser.resend_activation(email).await.expect(200) }
        })
        .buffer_unordered(16)
        .collect::<Vec<_>>()
        .await;
}

/// The Message-IDs of all mails that have arrived, each as often as it arrived.
async fn message_ids(world: &World) -> Vec<String> {
    world.sink().deliveries(0).await.into_iter().map(|(id, _)| id).collect()
}

/// Asserts that no mail has arrived twice.
#[track_caller]
fn assert_distinct(message_ids: &[String]) {
    assert_eq!(message_ids.iter().collect::<BTreeSet<_>>().len(), message_ids.len(), "a mail arrived twice");
}

/// Lets every transaction that writes a mail run this PL/pgSQL statement at its commit.
fn run_at_commit(world: &World, statement: &str) {
    world.sql(&format!(
        "CREATE OR REPLACE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql \
         AS $$ BEGIN {statement}; RETURN NULL; END $$; \
         DROP TRIGGER IF EXISTS at_commit ON emails; \
         CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON emails DEFERRABLE INITIALLY DEFERRED \
         FOR EACH ROW EXECUTE FUNCTION at_commit()"
    ));
}

/// The numbers of activation mails, of mail jobs that are not done, and of audit events of requested activations.
const WRITTEN: &str = "SELECT (SELECT count(*) FROM emails WHERE kind = 'activation'), \
                       (SELECT count(*) FROM background_jobs WHERE name = 'send_mail' AND state <> 'done'), \
                       (SELECT count(*) FROM audit_events WHERE action = 'activation.requested')";

#[tokio::test]
async fn job_02_a_failed_commit_leaves_no_mail_no_job_and_no_audit_event() {
    let world = cluster(&[]).await;
    let tenant = world.tenant().await;
    let emails = invite_many(&world, &tenant, 1).await;
    run_at_commit(&world, "RAISE EXCEPTION 'refused' USING ERRCODE = 'serialization_failure'");
    world.browser().resend_activation(&emails[0]).await.assert_problem("503 unavailable");
    assert_eq!(world.sql(WRITTEN), "0|0|0");
}

#[tokio::test]
async fn job_02_a_mail_is_sent_after_the_commit_of_its_transaction_and_not_before() {
    let world = cluster(&[]).await;
    let tenant = world.tenant().await;
    let emails = invite_many(&world, &tenant, 1).await;
    run_at_commit(&world, "PERFORM pg_sleep(2)");
    let browser = world.browser();
    let during_commit = async {
        let committing = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query = 'COMMIT'";
        world.wait_for_sql("the commit is running", committing, "1").await;
        assert_eq!((world.sql(WRITTEN).as_str(), message_ids(&world).await.len()), ("0|0|0", 3));
    };
    let (response, ()) = futures_util::join!(browser.resend_activation(&emails[0]), during_commit);
    response.expect(200);
    world.mail(&emails[0], 2).await;
}

#[tokio::test]
async fn job_12_a_job_whose_worker_is_killed_three_times_is_dead_and_other_jobs_run() {
    let mut world = cluster(&[("PORTICO_JOB_LEASE", "3s")]).await;
    let tenant = world.tenant().await;
    let client = tenant.client("Acme Ltd").await;
    let poison = unique_email("poison");
    // A worker that sends this mail waits for the mail server until it is killed.
    world.sink().fail(json!([{ "stage": "rcpt", "do": "hang", "to": poison }])).await;
    tenant.invite(&client, &poison).await;
    let job = "FROM background_jobs j JOIN emails e ON e.id = (j.payload->>'email')::uuid";
    let job = format!("{job} WHERE e.recipient = '{poison}'");
    for crash_count in 0..3 {
        let running = format!("SELECT j.crash_count {job} AND j.state = 'running'");
        world.wait_for_sql("a worker runs the job", &running, &crash_count.to_string()).await;
        for n in [2, 3] {
            world.processes[n].kill();
            world.restart(n).await;
        }
    }
    world.wait_for_sql("the job is dead", &format!("SELECT j.state, e.status {job}"), "dead|failed").await;
    invite_many(&world, &tenant, 3).await;
    assert_eq!(world.count("SELECT count(*) FROM background_jobs WHERE state = 'dead'"), 1);
}

#[tokio::test]
async fn job_13_a_sign_in_code_overtakes_hundreds_of_bulk_mails() {
    let world = cluster(&[]).await;
    let tenant = world.tenant().await;
    let emails = invite_many(&world, &tenant, 10).await;
    world.sink().fail(json!([{ "stage": "reply", "do": "slow" }])).await;
    request_mails(&world, &emails, 400).await;
    let queued = "SELECT count(*) FROM background_jobs WHERE lane = 'bulk' AND state = 'queued'";
    assert!(world.count(queued) > 200, "{}", world.count(queued));
    world.sign_in_staff(&world.browser(), &tenant.owner_email, 2).await;
    assert!(world.count(queued) > 100, "the bulk mails were sent before the code: {}", world.count(queued));
    world.sink().heal().await;
    world.wait_for_sql("the bulk mails are sent", queued, "0").await;
}

/// Requests twenty reset links, and empties Redis after the eleventh. Returns once each mail is sent or suppressed.
async fn request_twenty_resets(world: &World, email: &str) {
    for n in 0..20 {
        world.browser().forgot_password(email).await.expect(200);
        if n == 10 {
            world.redis().run(&["FLUSHALL"]);
        }
    }
    let ended = "SELECT count(*) FROM emails WHERE kind = 'reset' AND status IN ('sent', 'suppressed')";
    world.wait_for_sql("each mail is sent or suppressed", ended, "20").await;
}

#[tokio::test]
async fn job_15_twenty_reset_requests_leave_three_valid_links() {
    let world = cluster(&[]).await;
    let tenant = world.tenant().await;
    let person = tenant.person(&world).await;
    request_twenty_resets(&world, &person.email).await;
    let mut mails = world.mails(&person.email).await;
    mails.retain(|mail| mail.subject.contains("Choose a new password"));
    let sent = world.count("SELECT count(*) FROM emails WHERE kind = 'reset' AND status = 'sent'");
    assert_eq!(mails.len(), sent, "each mail arrives once");
    let mut valid = Vec::new();
    for mail in &mails {
        let checked = world.browser().check_token(&mail.token()).await;
        if checked.status == 200 {
            valid.push(mail.token());
        } else {
            checked.assert_problem("410 token_revoked");
        }
    }
    assert_eq!(valid.len(), 3);
    world.browser().reset_password(&valid[0], &password()).await.expect(200);
}

#[tokio::test]
async fn job_17_two_workers_send_two_thousand_mails_once_each() {
    let world = cluster(&[]).await;
    let tenant = world.tenant().await;
    let emails = invite_many(&world, &tenant, 20).await;
    request_mails(&world, &emails, 2_000).await;
    let not_done = "SELECT count(*) FROM background_jobs WHERE name = 'send_mail' AND state <> 'done'";
    // The deadline begins again with each mail that is sent.
    let mut left = usize::MAX;
    while left > 0 {
        left = eventually("more mails are sent", || async {
            let now = world.count(not_done);
            (now < left).then_some(now)
        })
        .await;
    }
    let ids = message_ids(&world).await;
    assert_eq!(ids.len(), 2 + 20 + 2_000);
    assert_distinct(&ids);
    assert_eq!(world.count("SELECT count(*) FROM emails WHERE attempts <> 1"), 0);
}

/// Lets the mail server refuse connections while a hundred mails are requested, until each was tried.
/// Each connection ends after its mail, so that workers cannot use those that are open.
async fn outage(world: &World, emails: &[String]) {
    world.sink().fail(json!([{ "stage": "listen", "do": "refuse" }, { "stage": "after_ok", "do": "drop" }])).await;
    request_mails(world, emails, 100).await;
    let untried = "SELECT count(*) FROM background_jobs WHERE state <> 'done' AND last_error IS NULL";
    world.wait_for_sql("each mail was tried", untried, "0").await;
}

#[tokio::test]
async fn job_19_mails_that_failed_together_are_retried_at_different_times() {
    let world = cluster(&[]).await;
    let tenant = world.tenant().await;
    let emails = invite_many(&world, &tenant, 10).await;
    outage(&world, &emails).await;
    // The delay is five seconds plus or minus a quarter, then ten. Some mails left on connections that were open.
    let spread = "SELECT count(DISTINCT run_at) = count(*), count(*) > 60, \
                  max(run_at) - min(run_at) > interval '1 second' FROM background_jobs WHERE state <> 'done'";
    assert_eq!(world.sql(spread), "t|t|t");
}

#[tokio::test]
async fn job_19_each_mail_arrives_once_from_a_mail_server_that_is_busy_after_its_outage() {
    let world = cluster(&[]).await;
    let tenant = world.tenant().await;
    let emails = invite_many(&world, &tenant, 10).await;
    outage(&world, &emails).await;
    world.sink().fail(json!([{ "stage": "rcpt", "do": "reject", "code": 450, "times": 30 }])).await;
    eventually("all mails have arrived", || async {
        world.sql("UPDATE background_jobs SET run_at = now() WHERE state = 'queued' AND attempts > 1");
        (message_ids(&world).await.len() >= 112).then_some(())
    })
    .await;
    let ids = message_ids(&world).await;
    assert_eq!(ids.len(), 112);
    assert_distinct(&ids);
}

/// Inserts `count` finished jobs of this age.
fn insert_done_jobs(world: &World, count: usize, age: &str) {
    world.sql(&format!(
        "INSERT INTO background_jobs \
         (id, name, lane, payload, state, attempts, max_attempts, crash_count, run_at, created_at, finished_at) \
         SELECT gen_random_uuid(), 'send_mail', 'bulk', '{{}}', 'done', 1, 8, 0, at, at, at \
         FROM (SELECT now() - interval '{age}' AS at) AS past, generate_series(1, {count})"
    ));
}

#[tokio::test]
async fn job_21_finished_jobs_are_deleted_after_seven_days_while_users_sign_in() {
    let world = cluster(&[]).await;
    let tenant = world.tenant().await;
    let person = tenant.person(&world).await;
    insert_done_jobs(&world, 20_000, "8 days");
    insert_done_jobs(&world, 100, "6 days");
    // Four jobs, so that both workers delete at the same time.
    world.sql(
        "INSERT INTO background_jobs \
         (id, name, lane, payload, state, attempts, max_attempts, crash_count, run_at, created_at) \
         SELECT gen_random_uuid(), 'delete_expired', 'maintenance', '{}', 'queued', 0, 8, 0, now(), \
         now() - interval '1 minute' FROM generate_series(1, 4)",
    );
    let expired = "SELECT count(*) FROM background_jobs WHERE finished_at < now() - interval '7 days'";
    eventually("the expired jobs are deleted", || async {
        person.sign_in(&world.browser()).await;
        (world.count(expired) == 0).then_some(())
    })
    .await;
    let kept = "SELECT count(*) FROM background_jobs WHERE finished_at < now() - interval '5 days'";
    assert_eq!(world.count(kept), 100);
    assert_eq!(world.count("SELECT count(*) FROM background_jobs WHERE state = 'dead'"), 0);
}
