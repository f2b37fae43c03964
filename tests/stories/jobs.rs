//! The `portico jobs` commands: pause and resume a lane, list, retry and discard jobs, run canary jobs.

use serde_json::json;

use crate::support::{Deployment, World, eventually, unique_email};

/// Pauses the lane of invitations and waits until no worker runs a job of it: then canary jobs time out.
async fn pause_bulk(world: &World) {
    assert!(world.run(&["jobs", "pause", "bulk"]).contains("Paused"));
    eventually("the workers have paused the lane", || async {
        let canary = ["jobs", "canary", "--lane", "bulk", "--count", "4", "--timeout", "1"];
        (!world.try_run(&canary).status.success()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn job_18_jobs_of_a_paused_lane_wait_until_it_is_resumed() {
    let world = World::start(Deployment::Cluster, &[("PORTICO_LIMIT_RECOVERY_NETWORK", "1000/1m")]).await;
    let tenant = world.tenant().await;
    let client = tenant.client("Acme Ltd").await;
    pause_bulk(&world).await;
    assert!(world.run(&["jobs", "list"]).contains("The lane bulk is paused."));
    let emails: Vec<String> = (0..20).map(|_| unique_email("ann")).collect();
    for email in &emails {
        tenant.invite(&client, email).await;
    }
    // The other lanes run: a code arrives.
    world.sign_in_staff(&world.browser(), &tenant.owner_email, 2).await;
    assert_eq!(world.count("SELECT count(*) FROM background_jobs WHERE lane = 'bulk' AND state = 'queued'"), 20);
    let listed = world.run(&["jobs", "list", "--lane", "bulk", "--state", "queued"]);
    assert_eq!(listed.matches("send_mail").count(), 20);
    world.run(&["jobs", "resume", "bulk"]);
    for email in &emails {
        world.mail(email, 1).await;
    }
}

/// Invites an address and breaks the job of its mail, so that the job is dead. Returns the address and the job's id.
async fn dead_job(world: &World) -> (String, String) {
    let tenant = world.tenant().await;
    let client = tenant.client("Acme Ltd").await;
    let email = unique_email("ann");
    pause_bulk(world).await;
    tenant.invite(&client, &email).await;
    world.sql(
        "UPDATE background_jobs SET payload = '{\"broken\": true}', attempts = 7 \
         WHERE state = 'queued' AND lane = 'bulk'",
    );
    world.run(&["jobs", "resume", "bulk"]);
    eventually("the job is dead", || async {
        world.run(&["jobs", "list", "--state", "dead"]).contains("unreadable payload").then_some(())
    })
    .await;
    (email, world.sql("SELECT id FROM background_jobs WHERE state = 'dead'"))
}

#[tokio::test]
async fn job_18_a_dead_job_is_listed_and_runs_when_it_is_retried() {
    let world = World::start(Deployment::Cluster, &[]).await;
    let (email, job) = dead_job(&world).await;
    assert!(!world.try_run(&["jobs", "retry"]).status.success(), "retry needs to be told which jobs");
    let row = world.sql(&format!("SELECT id FROM emails WHERE recipient = '{email}'"));
    let payload = json!({ "email": row });
    world.sql(&format!("UPDATE background_jobs SET payload = '{payload}' WHERE id = '{job}'"));
    assert!(world.run(&["jobs", "retry", &job]).starts_with("1 job will run again."));
    world.mail(&email, 1).await;
    assert_eq!(world.run(&["jobs", "retry", "--all"]).trim(), "No dead jobs.");
}

#[tokio::test]
async fn job_18_the_mail_of_a_discarded_job_is_marked_failed_and_never_sent() {
    let world = World::start(Deployment::Cluster, &[]).await;
    let tenant = world.tenant().await;
    let client = tenant.client("Acme Ltd").await;
    pause_bulk(&world).await;
    let email = unique_email("bob");
    tenant.invite(&client, &email).await;
    assert!(
        world.run(&["jobs", "discard", "--state", "queued", "--name", "send_mail"]).starts_with("1 job discarded.")
    );
    world.run(&["jobs", "resume", "bulk"]);
    assert_eq!(world.sql(&format!("SELECT status FROM emails WHERE recipient = '{email}'")), "failed");
    assert!(world.mails(&email).await.is_empty());
}

#[tokio::test]
async fn canary_jobs_report_throughput_and_start_latency_and_leave_no_rows() {
    let world = World::start(Deployment::Cluster, &[]).await;
    let output = world.run(&["jobs", "canary", "--count", "2500", "--lane", "bulk"]);
    assert!(output.contains("2500 jobs in ") && output.contains("enqueue to start: p50 "), "{output}");
    assert_eq!(world.count("SELECT count(*) FROM background_jobs WHERE name = 'canary'"), 0);
}
