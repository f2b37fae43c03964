//! The queue: what is owed is done once, in its turn, and what cannot be done is given up alone.

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};
use serde_json::json;

use crate::support::{Browser, Deployment, Tenant, UNLIMITED, World, eventually, password, psql, unique};

async fn fleet(settings: &[(&str, &str)]) -> World {
    let mut all = UNLIMITED.to_vec();
    all.extend(settings);
    World::start(Deployment::Cluster, &all).await
}

fn sql(world: &World, sql: &str) -> String {
    psql(world.setting("DATABASE_URL"), sql)
}

/// As many people as wanted, invited, each with one mail.
async fn invited(world: &World, tenant: &Tenant, count: usize) -> Vec<String> {
    let client = tenant.client("Acme Ltd").await;
    let mut people = Vec::new();
    for _ in 0..count {
        let email = format!("{}@x.test", unique("ann"));
        tenant.invite(&client, &email).await;
        people.push(email);
    }
    for email in &people {
        world.mail(email, 1).await;
    }
    people
}

/// Asks for `count` more activation mails, some at a time, spread over these people and both APIs.
async fn ask(world: &World, people: &[String], count: usize) {
    let browsers: Vec<Browser> = (0..16).map(|_| world.browser()).collect();
    stream::iter(0..count)
        .map(|n| {
            let body = json!({ "email": people[n % people.len()] });
            let browser = &browsers[n % browsers.len()];
            async move { browser.post("/api/portal/auth/resend-activation", body).await.expect(200) }
        })
        .buffer_unordered(16)
        .collect::<Vec<_>>()
        .await;
}

/// Every Message-ID that has arrived, with repetition.
async fn message_ids(world: &World) -> Vec<String> {
    world.sink().deliveries(0).await.into_iter().map(|(id, _)| id).collect()
}

#[tokio::test]
async fn job_02_no_mail_leaves_before_its_act_is_committed_nor_without_it() {
    let world = fleet(&[]).await;
    let tenant = world.tenant().await;
    let people = invited(&world, &tenant, 1).await;
    let body = json!({ "email": people[0] });
    let at_commit = |act: &str| {
        sql(
            &world,
            &format!(
                "CREATE OR REPLACE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {act}; RETURN NULL; END $$; \
                 DROP TRIGGER IF EXISTS at_commit ON emails; \
                 CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON emails DEFERRABLE INITIALLY DEFERRED \
                 FOR EACH ROW EXECUTE FUNCTION at_commit()"
            ),
        )
    };
    // The act, its mail and its job are written, and then the commit fails.
    at_commit("RAISE EXCEPTION 'not today' USING ERRCODE = 'serialization_failure'");
    let asked = world.browser().post("/api/portal/auth/resend-activation", body.clone()).await;
    asked.problem(503, "unavailable");
    let rows = "SELECT (SELECT count(*) FROM emails WHERE kind = 'activation'), \
                (SELECT count(*) FROM background_jobs WHERE name = 'send_mail' AND state <> 'done'), \
                (SELECT count(*) FROM audit_events WHERE action = 'activation.requested')";
    assert_eq!(sql(&world, rows), "0|0|0");

    // It takes two seconds, and nothing is seen of it before.
    at_commit("PERFORM pg_sleep(2)");
    let browser = world.browser();
    let asking = browser.post("/api/portal/auth/resend-activation", body);
    let looking = async {
        eventually("the commit waits", || async {
            let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query = 'COMMIT'";
            (sql(&world, waits) == "1").then_some(())
        })
        .await;
        assert_eq!((sql(&world, rows).as_str(), message_ids(&world).await.len()), ("0|0|0", 2));
    };
    let (answer, ()) = futures_util::join!(asking, looking);
    answer.expect(200);
    world.mail(&people[0], 2).await;
}

#[tokio::test]
async fn job_12_a_job_that_takes_its_worker_down_three_times_is_given_up() {
    let mut world = fleet(&[("PORTICO_JOB_LEASE", "3s")]).await;
    let tenant = world.tenant().await;
    let client = tenant.client("Acme Ltd").await;
    let poison = format!("{}@x.test", unique("poison"));
    // Whoever sends this mail hangs in the middle of it, and is killed there.
    world.sink().fail(json!([{ "stage": "rcpt", "do": "hang", "to": poison }])).await;
    tenant.invite(&client, &poison).await;
    let job = "FROM background_jobs j JOIN emails e ON e.id = (j.payload->>'email')::uuid";
    let job = format!("{job} WHERE e.recipient = '{poison}'");
    for crash_count in 0..3 {
        eventually("a worker holds it", || async {
            let running = format!("SELECT j.crash_count {job} AND j.state = 'running'");
            (sql(&world, &running) == crash_count.to_string()).then_some(())
        })
        .await;
        for n in [2, 3] {
            world.processes[n].kill();
            world.restart(n).await;
        }
    }
    eventually("it is given up", || async {
        (sql(&world, &format!("SELECT j.state, e.status {job}")) == "dead|failed").then_some(())
    })
    .await;
    // Nobody else has suffered.
    invited(&world, &tenant, 3).await;
    assert_eq!(sql(&world, "SELECT count(*) FROM background_jobs WHERE state = 'dead'"), "1");
}

#[tokio::test]
async fn job_13_a_code_overtakes_a_flood_of_invitations() {
    let world = fleet(&[]).await;
    let tenant = world.tenant().await;
    let people = invited(&world, &tenant, 10).await;
    world.sink().fail(json!([{ "stage": "reply", "do": "slow" }])).await;
    ask(&world, &people, 400).await;
    let waits = || -> usize {
        sql(&world, "SELECT count(*) FROM background_jobs WHERE lane = 'bulk' AND state = 'queued'").parse().unwrap()
    };
    assert!(waits() > 200, "{}", waits());
    world.sign_in_staff(&world.browser(), &tenant.owner_email, 2).await;
    assert!(waits() > 100, "the flood was over before the code came: {}", waits());
    world.sink().heal().await;
    eventually("the flood is through", || async { (waits() == 0).then_some(()) }).await;
}

// Each request is a mail, but for those that were overtaken before they left; the three newest links live.
#[tokio::test]
async fn job_15_twenty_times_forgotten_leaves_three_links_that_live() {
    let world = fleet(&[]).await;
    let tenant = world.tenant().await;
    let person = tenant.person(&world).await;
    for n in 0..20 {
        world.browser().post("/api/portal/auth/forgot-password", json!({ "email": person.email })).await.expect(200);
        if n == 10 {
            world.redis().run(&["FLUSHALL"]);
        }
    }
    let of = |status: &str| -> usize {
        let count = format!("SELECT count(*) FROM emails WHERE kind = 'reset' AND status = '{status}'");
        sql(&world, &count).parse().unwrap()
    };
    eventually("all have had their end", || async { (of("sent") + of("suppressed") == 20).then_some(()) }).await;
    let mut mails = world.mails(&person.email).await;
    mails.retain(|mail| mail.subject.contains("Choose a new password"));
    assert_eq!(mails.len(), of("sent"), "none twice");
    let mut live = Vec::new();
    for mail in &mails {
        let checked = world.browser().post("/api/portal/auth/check-token", json!({ "token": mail.token() })).await;
        match checked.status {
            200 => live.push(mail.token()),
            _ => drop(checked.problem(410, "token_revoked")),
        }
    }
    assert_eq!(live.len(), 3);
    let body = json!({ "token": live[0], "password": password() });
    world.browser().post("/api/portal/auth/reset-password", body).await.expect(200);
}

#[tokio::test]
async fn job_17_two_workers_send_two_thousand_mails_once_each() {
    let world = fleet(&[]).await;
    let tenant = world.tenant().await;
    let people = invited(&world, &tenant, 20).await;
    ask(&world, &people, 2_000).await;
    let owed = "SELECT count(*) FROM background_jobs WHERE name = 'send_mail' AND state <> 'done'";
    let mut left = usize::MAX;
    while left > 0 {
        left = eventually("some more are sent", || async {
            let now: usize = sql(&world, owed).parse().unwrap();
            (now < left).then_some(now)
        })
        .await;
    }
    let ids = message_ids(&world).await;
    assert_eq!(ids.len(), 1 + 20 + 2_000);
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "none twice");
    let workers = "SELECT count(*) FROM emails WHERE attempts <> 1";
    assert_eq!(sql(&world, workers), "0", "none tried twice");
}

#[tokio::test]
async fn job_19_after_an_outage_mail_does_not_come_back_all_at_once() {
    let world = fleet(&[]).await;
    let tenant = world.tenant().await;
    let people = invited(&world, &tenant, 10).await;
    world.sink().fail(json!([{ "stage": "listen", "do": "refuse" }, { "stage": "after_ok", "do": "drop" }])).await;
    ask(&world, &people, 100).await;
    eventually("each was tried", || async {
        let untried = "SELECT count(*) FROM background_jobs WHERE state <> 'done' AND last_error IS NULL";
        (sql(&world, untried) == "0").then_some(())
    })
    .await;
    // Five seconds and a quarter of that either way, then ten: no two of a hundred that failed together agree.
    // (Some of them left over connections that were open already.)
    let spread = "SELECT count(DISTINCT run_at) = count(*), count(*) > 60, max(run_at) - min(run_at) > interval '1 second' \
                  FROM background_jobs WHERE state <> 'done'";
    assert_eq!(sql(&world, spread), "t|t|t");
    // Up again, and at first it takes a few only.
    let later = json!({ "stage": "rcpt", "do": "reject", "code": 450, "times": 30 });
    world.sink().fail(json!([later])).await;
    eventually("all of it has arrived", || async {
        sql(&world, "UPDATE background_jobs SET run_at = now() WHERE state = 'queued' AND attempts > 1");
        (message_ids(&world).await.len() >= 111).then_some(())
    })
    .await;
    let ids = message_ids(&world).await;
    assert_eq!((ids.len(), ids.iter().collect::<BTreeSet<_>>().len()), (111, 111));
}

#[tokio::test]
async fn job_21_the_cleaner_takes_what_is_over_while_people_sign_in() {
    let world = fleet(&[]).await;
    let tenant = world.tenant().await;
    let person = tenant.person(&world).await;
    let insert = "INSERT INTO background_jobs \
        (id, name, lane, payload, state, attempts, max_attempts, crash_count, run_at, created_at, finished_at) \
        SELECT gen_random_uuid(), 'send_mail', 'bulk', '{}', 'done', 1, 8, 0, at, at, at FROM";
    sql(&world, &format!("{insert} (SELECT now() - interval '8 days' AS at) AS past, generate_series(1, 20000)"));
    sql(&world, &format!("{insert} (SELECT now() - interval '6 days' AS at) AS past, generate_series(1, 100)"));
    // On both workers at once.
    for _ in 0..4 {
        sql(
            &world,
            "INSERT INTO background_jobs (id, name, lane, payload, state, attempts, max_attempts, crash_count, run_at, created_at) \
             VALUES (gen_random_uuid(), 'delete_expired', 'maintenance', '{}', 'queued', 0, 8, 0, now(), now() - interval '1 minute')",
        );
    }
    eventually("the cleaner is done", || async {
        person.sign_in(&world.browser()).await;
        let over = "SELECT count(*) FROM background_jobs WHERE finished_at < now() - interval '7 days'";
        (sql(&world, over) == "0").then_some(())
    })
    .await;
    let kept = "SELECT count(*) FROM background_jobs WHERE finished_at < now() - interval '5 days'";
    assert_eq!(sql(&world, kept), "100");
    assert_eq!(sql(&world, "SELECT count(*) FROM background_jobs WHERE state = 'dead'"), "0");
}
