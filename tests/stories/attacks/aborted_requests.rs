//! HTTP-09 and INF-03: a request whose client disconnects or that the database aborts is done completely and once, or
//! not at all.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use serde_json::json;
use tokio::{io::AsyncReadExt, time::timeout};

use super::raw::{Raw, post};
use crate::support::{
    Deployment, Invitation, Tenant, World, eventually,
    paths::{RESEND_ACTIVATION, resend_invitation},
    psql,
};

/// A cluster without low limits on mail to one address, and an invitation in it.
async fn without_mail_limits() -> (World, Tenant, Invitation) {
    let limits = ["RECOVERY_ACCOUNT", "RECOVERY_NETWORK", "REQUESTS", "INVITE_RECIPIENT"];
    let names = limits.map(|limit| format!("PORTICO_LIMIT_{limit}"));
    let settings: Vec<_> = names.iter().map(|name| (name.as_str(), "100000/1m")).collect();
    let world = World::start(Deployment::Cluster, &settings).await;
    let tenant = world.tenant().await;
    let invitation = tenant.create_invitation(&world).await;
    (world, tenant, invitation)
}

/// The `n`th client sends a part of the request, or all of it and waits up to 40 ms; then it disconnects.
async fn send_and_disconnect(api: &str, request: &str, n: usize) {
    let mut raw = Raw::connect(api).await;
    if n.is_multiple_of(4) {
        raw.send(&request.as_bytes()[..n * 7 % request.len()]).await;
    } else {
        raw.send(request).await;
        let _ = timeout(Duration::from_millis((n % 40) as u64), raw.0.read(&mut [0; 1])).await;
    }
}

#[tokio::test]
async fn http_09_requests_of_disconnected_clients_are_done_completely_or_not_at_all() {
    let (world, _, Invitation { email, .. }) = without_mail_limits().await;
    let body = json!({ "email": email }).to_string();
    let request = post(RESEND_ACTIVATION, &format!("content-length: {}\r\n", body.len())) + &body;
    let clients = (0..400).map(|n| send_and_disconnect(&world.apis[n % 2], &request, n));
    stream::iter(clients).buffer_unordered(20).collect::<Vec<()>>().await;
    world.browser().resend_activation(&email).await.expect(200);
    let open = "SELECT count(*) FROM pg_stat_activity \
         WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
    world.wait_for_sql("no transaction is open", open, "0").await;
    let mails = "SELECT count(*) FROM emails WHERE kind = 'activation'";
    let events = "SELECT count(*) FROM audit_events WHERE action = 'activation.requested'";
    let jobs = "SELECT count(*) FROM background_jobs WHERE name = 'send_mail' \
         AND payload->>'email' IN (SELECT id::text FROM emails WHERE kind = 'activation')";
    eventually("every mail has its audit event and its job", || async {
        let count = world.count(mails);
        (count > 100 && world.count(events) == count && world.count(jobs) == count).then_some(())
    })
    .await;
    // And the mail of the invitation.
    world.mail(&email, 1 + world.count(mails)).await;
}

/// Causes a deadlock with the next resend to this client: locks the client's row, waits until a request waits for it,
/// and then wants the invitation's row, which that request has locked. Its `deadlock_timeout` is long, so that Postgres
/// aborts the request and not this transaction.
fn cause_deadlock(url: &str, client: &str) {
    psql(
        url,
        &format!(
            "SET deadlock_timeout = '60s'; DO $$ BEGIN PERFORM id FROM clients WHERE id = '{client}' FOR UPDATE; \
             LOOP EXIT WHEN EXISTS \
                 (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))); \
             PERFORM pg_sleep(0.02); END LOOP; UPDATE invitations SET name = name WHERE client_id = '{client}'; END $$"
        ),
    );
}

#[tokio::test]
async fn inf_03_a_request_that_is_aborted_by_a_deadlock_is_run_again_and_counts_once() {
    let (world, tenant, Invitation { client, email, .. }) = without_mail_limits().await;
    let is_client_locked =
        "SELECT count(*) > 0 FROM pg_locks WHERE relation = 'clients'::regclass AND mode = 'RowShareLock'";
    for _ in 0..3 {
        let (url, id) = (world.setting("DATABASE_URL").to_owned(), client.clone());
        let deadlock = tokio::task::spawn_blocking(move || cause_deadlock(&url, &id));
        world.wait_for_sql("the client's row is locked", is_client_locked, "t").await;
        tenant.owner.post(&resend_invitation(&client), json!({ "email": email })).await.expect(200);
        deadlock.await.unwrap();
    }
    let logs = world.processes[..2].iter().flat_map(|api| api.logs());
    assert!(logs.filter(|line| line.contains("running the request again")).count() >= 3);
    assert_eq!(world.sql("SELECT deadlocks >= 3 FROM pg_stat_database WHERE datname = current_database()"), "t");
    assert_eq!(world.count("SELECT count(*) FROM audit_events WHERE action = 'invitation.resent'"), 3);
    assert_eq!(world.count("SELECT sent_count FROM invitations"), 4);
    world.mail(&email, 4).await;
}
