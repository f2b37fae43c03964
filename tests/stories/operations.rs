//! What operators rely on: request ids in the logs, rotation of the server key, a higher cost of password hashes.

use serde_json::json;

use crate::support::{Deployment, Person, World, eventually, password, paths::FORGOT_PASSWORD};

#[tokio::test]
async fn a_worker_logs_the_id_of_the_request_that_requested_the_mail() {
    let world = World::start(Deployment::Cluster, &[]).await;
    let tenant = world.tenant().await;
    let person = tenant.person(&world).await;
    let id = "01a1fdba-f86f-76f5-b296-4e548b3691ab";
    let (body, headers) = (json!({ "email": person.email }), [("x-request-id", id)]);
    world.browser().post_with_headers(FORGOT_PASSWORD, body, &headers).await.expect(200);
    eventually("a worker logs the id", || async {
        let lines = world.workers().iter().flat_map(|worker| worker.logs());
        lines.into_iter().any(|line| line.contains(id) && line.contains("accepted a mail")).then_some(())
    })
    .await;
}

const OLD_KEY: &str = "b2xkLXNlcnZlci1rZXktb2xkLXNlcnZlci1rZXktb2xk";
const NEW_KEY: &str = "bmV3LXNlcnZlci1rZXktbmV3LXNlcnZlci1rZXktbmV3";

/// Starts a single process with the old server key, and a portal user with a reset link.
async fn with_old_key() -> (World, Person, String) {
    let settings = [("PORTICO_SECRET", OLD_KEY), ("PORTICO_PUBLIC_URL", "http://localhost:4000")];
    let world = World::start(Deployment::Single, &settings).await;
    let tenant = world.tenant().await;
    let person = tenant.person(&world).await;
    let reset = person.request_reset(&world, 2).await;
    (world, person, reset)
}

#[tokio::test]
async fn sessions_passwords_and_links_remain_valid_when_a_server_key_is_added() {
    let (mut world, person, reset) = with_old_key().await;
    world.restart_single(&[("PORTICO_SECRET", &format!("{NEW_KEY},{OLD_KEY}"))]).await;
    let browser = person.browser.moved_to(&world.apis);
    browser.session().await.expect(200);
    browser.refresh().await.expect(200);
    browser.session().await.expect(200);
    person.sign_in(&world.browser()).await;
    world.browser().reset_password(&reset, &password()).await.expect(200);
}

#[tokio::test]
async fn a_password_is_hashed_again_at_the_next_sign_in_after_cost_and_server_key_have_changed() {
    let (mut world, person, _) = with_old_key().await;
    let both = format!("{NEW_KEY},{OLD_KEY}");
    world.restart_single(&[("PORTICO_SECRET", &both), ("PORTICO_SCRYPT", "ln=13,r=8,p=1")]).await;
    person.sign_in(&world.browser()).await;
    assert!(world.sql("SELECT password_phc FROM portal_users").contains("$scrypt$ln=13,"));
    // The new hash verifies too.
    person.sign_in(&world.browser()).await;
}
