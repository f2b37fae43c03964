//! A server that was the primary becomes a replica, and its connections stay open.

use serde_json::json;

use crate::support::{
    Browser, Deployment, Postgres, Redis, TcpProxy, Tenant, World, eventually,
    paths::{CLIENTS, READY},
    unique_email,
};

/// A browser for each API.
fn browsers(world: &World) -> Vec<Browser> {
    world.apis.iter().map(|api| Browser::new(vec![api.clone()])).collect()
}

/// Waits until each API answers `/health/ready` with this status and word.
async fn wait_for_readiness(world: &World, status: u16, word: &str) {
    for browser in browsers(world) {
        eventually(&format!("the API is {word}"), || async {
            let response = browser.get(READY).await;
            let text = response.json();
            (response.status == status && (text["status"] == word || text["code"] == word)).then_some(())
        })
        .await;
    }
}

/// Waits until a client can be created by each of many requests. Until then the response must be 503.
async fn wait_for_writes(tenant: &Tenant) {
    eventually("clients are created", || async {
        let mut created = 0;
        for _ in 0..8 {
            let response = tenant.owner.on_new_network().post(CLIENTS, json!({ "name": "Acme Ltd" })).await;
            assert!([201, 503].contains(&response.status), "{response:?}");
            created += usize::from(response.status == 201);
        }
        (created == 8).then_some(())
    })
    .await;
}

/// Invites a new address, whose mail must arrive.
async fn assert_mail_arrives(world: &World, tenant: &Tenant) {
    let email = unique_email("ann");
    tenant.invite(&tenant.client("Acme Ltd").await, &email).await;
    world.mail(&email, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn inf_02_writes_go_to_the_new_primary_after_a_fail_over_that_leaves_connections_open() {
    let old = Postgres::start().await;
    let proxy = TcpProxy::to(&old.url()).await;
    let world = World::start(Deployment::Cluster, &[("DATABASE_URL", proxy.url())]).await;
    let tenant = world.tenant().await;
    wait_for_writes(&tenant).await;
    let new = old.start_standby().await;
    eventually("the standby has caught up", || async {
        (old.run("SELECT count(*) FROM pg_stat_replication WHERE replay_lsn = pg_current_wal_lsn()") == "1")
            .then_some(())
    })
    .await;
    // The old primary goes on running, read-only.
    old.run("ALTER SYSTEM SET default_transaction_read_only = on");
    old.run("SELECT pg_reload_conf()");
    new.promote();
    proxy.point_to(&new.url());
    wait_for_writes(&tenant).await;
    assert_mail_arrives(&world, &tenant).await;
    wait_for_readiness(&world, 200, "ok").await;
    let left = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'portico'";
    eventually("no connection to the old primary is left", || async { (old.run(left) == "0").then_some(()) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn inf_02_a_standby_is_not_used_until_it_is_promoted() {
    let primary = Postgres::start().await;
    let proxy = TcpProxy::to(&primary.url()).await;
    let world = World::start(Deployment::Cluster, &[("DATABASE_URL", proxy.url())]).await;
    let tenant = world.tenant().await;
    let standby = primary.start_standby().await;
    proxy.point_to(&standby.url());
    primary.stop().await;
    wait_for_readiness(&world, 503, "unavailable").await;
    standby.promote();
    wait_for_writes(&tenant).await;
    assert_mail_arrives(&world, &tenant).await;
}

/// The ways in which a server becomes read-only for Portico, and is writable again.
const READ_ONLY: [[&str; 2]; 3] = [
    ["ALTER SYSTEM SET default_transaction_read_only = on", "ALTER SYSTEM RESET default_transaction_read_only"],
    [
        "ALTER DATABASE portico SET default_transaction_read_only = on",
        "ALTER DATABASE portico RESET default_transaction_read_only",
    ],
    [
        "ALTER ROLE portico SET default_transaction_read_only = on",
        "ALTER ROLE portico RESET default_transaction_read_only",
    ],
];

#[tokio::test(flavor = "multi_thread")]
async fn inf_02_inf_17_a_process_is_not_ready_while_its_database_is_read_only() {
    let postgres = Postgres::start().await;
    let world = World::start(Deployment::Cluster, &[("DATABASE_URL", &postgres.url())]).await;
    let tenant = world.tenant().await;
    for [begin, end] in READ_ONLY {
        postgres.run(begin);
        postgres.run_writable("SELECT pg_reload_conf()");
        // A setting of a database or a role applies to new sessions.
        postgres.end_connections();
        wait_for_readiness(&world, 503, "unavailable").await;
        postgres.run_writable(end);
        postgres.run_writable("SELECT pg_reload_conf()");
        postgres.end_connections();
        wait_for_writes(&tenant).await;
        wait_for_readiness(&world, 200, "ok").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn inf_04_mails_arrive_through_the_new_primary_after_redis_became_a_replica() {
    let (old, new) = (Redis::start().await, Redis::start().await);
    let proxy = TcpProxy::to(&old.url()).await;
    let world = World::start(Deployment::Cluster, &[("REDIS_URL", proxy.url())]).await;
    let tenant = world.tenant().await;
    wait_for_readiness(&world, 200, "ok").await;
    old.run(&["REPLICAOF", "127.0.0.1", &new.port().to_string()]);
    // Connections that were open remain at the replica, and new ones lead there too.
    wait_for_readiness(&world, 200, "degraded").await;
    proxy.point_to(&new.url());
    assert_mail_arrives(&world, &tenant).await;
    wait_for_readiness(&world, 200, "ok").await;
    let not_pushed = "SELECT count(*) FROM background_jobs WHERE state = 'queued' AND run_at <= now()";
    world.wait_for_sql("each job was pushed", not_pushed, "0").await;
}

#[tokio::test]
async fn inf_04_the_queue_is_degraded_while_redis_refuses_writes() {
    let world = World::start(Deployment::Cluster, &[]).await;
    let (tenant, redis) = (world.tenant().await, world.redis());
    for [begin, end] in [
        ["CONFIG SET min-replicas-to-write 1", "CONFIG SET min-replicas-to-write 0"],
        ["CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"],
        ["ACL SETUSER default -zadd", "ACL SETUSER default +zadd"],
    ] {
        redis.run(&begin.split(' ').collect::<Vec<_>>());
        wait_for_readiness(&world, 200, "degraded").await;
        redis.run(&end.split(' ').collect::<Vec<_>>());
        wait_for_readiness(&world, 200, "ok").await;
        assert_mail_arrives(&world, &tenant).await;
    }
}
