//! What operators do with background work: pause a lane, look at what failed, try it again, throw it away.

use serde_json::json;

use crate::support::{Deployment, World, eventually, psql, unique};

fn sql(world: &World, sql: &str) -> String {
    let url = &world.env.iter().find(|(name, _)| name == "DATABASE_URL").unwrap().1;
    psql(url, sql)
}

/// Pauses the lane of invitations and waits until every worker has heard of it: then a probe is not run.
async fn pause(world: &World) {
    assert!(world.run(&["jobs", "pause", "bulk"]).contains("Paused"));
    eventually("the workers have heard of it", || async {
        let probe = ["jobs", "canary", "--lane", "bulk", "--count", "4", "--timeout", "1"];
        (!world.try_run(&probe).status.success()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn job_18_a_paused_lane_waits_and_the_others_run() {
    let world = World::start(Deployment::Cluster, &[("PORTICO_LIMIT_RECOVERY_NETWORK", "1000/1m")]).await;
    let tenant = world.tenant().await;
    let client = tenant.client("Acme Ltd").await;
    pause(&world).await;
    assert!(world.run(&["jobs", "list"]).contains("The lane bulk is paused."));
    let emails: Vec<String> = (0..20).map(|_| format!("{}@x.test", unique("ann"))).collect();
    for email in &emails {
        tenant.invite(&client, email).await;
    }
    // A code passes by what waits.
    world.sign_in_staff(&world.browser(), &tenant.owner_email, 2).await;
    let waiting = "SELECT count(*) FROM background_jobs WHERE lane = 'bulk' AND state = 'queued'";
    assert_eq!(sql(&world, waiting), "20");
    assert_eq!(world.run(&["jobs", "list", "--lane", "bulk", "--state", "queued"]).matches("send_mail").count(), 20);
    world.run(&["jobs", "resume", "bulk"]);
    for email in &emails {
        world.mail(email, 1).await;
    }
}

#[tokio::test]
async fn job_18_what_failed_is_listed_tried_again_and_thrown_away() {
    let world = World::start(Deployment::Cluster, &[]).await;
    let tenant = world.tenant().await;
    let client = tenant.client("Acme Ltd").await;
    // A mail whose row makes every attempt fail, until somebody mends it.
    let email = format!("{}@x.test", unique("ann"));
    pause(&world).await;
    tenant.invite(&client, &email).await;
    sql(
        &world,
        "UPDATE background_jobs SET payload = '{\"broken\": true}', attempts = 7 WHERE state = 'queued' AND lane = 'bulk'",
    );
    world.run(&["jobs", "resume", "bulk"]);
    eventually("it is given up", || async {
        world.run(&["jobs", "list", "--state", "dead"]).contains("unreadable payload").then_some(())
    })
    .await;
    assert!(!world.try_run(&["jobs", "retry"]).status.success(), "it wants to know which");
    let row = sql(&world, &format!("SELECT id FROM emails WHERE recipient = '{email}'"));
    let job = sql(&world, "SELECT id FROM background_jobs WHERE state = 'dead'");
    sql(&world, &format!("UPDATE background_jobs SET payload = '{}' WHERE id = '{job}'", json!({ "email": row })));
    assert!(world.run(&["jobs", "retry", &job]).starts_with("1 jobs"));
    world.mail(&email, 1).await;
    assert!(world.run(&["jobs", "retry", "--all"]).starts_with("0 jobs"));

    // Thrown away: it never arrives, and whoever invited sees that it failed.
    pause(&world).await;
    let never = format!("{}@x.test", unique("bob"));
    tenant.invite(&client, &never).await;
    assert!(world.run(&["jobs", "discard", "--state", "queued", "--name", "send_mail"]).starts_with("1 jobs"));
    world.run(&["jobs", "resume", "bulk"]);
    assert_eq!(sql(&world, &format!("SELECT status FROM emails WHERE recipient = '{never}'")), "failed");
    assert!(world.mails(&never).await.is_empty());
}

#[tokio::test]
async fn a_probe_says_how_soon_and_how_fast_jobs_run() {
    let world = World::start(Deployment::Cluster, &[]).await;
    let said = world.run(&["jobs", "canary", "--count", "2500", "--lane", "bulk"]);
    assert!(said.contains("2500 jobs in ") && said.contains("enqueue to start: p50 "), "{said}");
    assert_eq!(sql(&world, "SELECT count(*) FROM background_jobs WHERE name = 'probe'"), "0");
}
