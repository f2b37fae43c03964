//! What operators rely on: request ids in the logs, rotation of the server key, a higher cost of password hashes.

use serde_json::json;

use crate::support::{Deployment, Person, Sink, World, eventually, password, paths::FORGOT_PASSWORD, unique_email};

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
const THIRD_KEY: &str = "dGhpcmQtc2VydmVyLWtleS10aGlyZC1zZXJ2ZXIta2V5";

/// The old server key, and an address that outlives a restart.
const WITH_OLD_KEY: [(&str, &str); 2] = [("PORTICO_SECRET", OLD_KEY), ("PORTICO_PUBLIC_URL", "http://localhost:4000")];

/// Starts a single process with the old server key, and a portal user with a reset link.
async fn with_old_key() -> (World, Person, String) {
    let world = World::start(Deployment::Single, &WITH_OLD_KEY).await;
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

/// Replaces the old key at once, as after a theft: seals the audit log by the new key, and starts every process with
/// `secret`.
async fn replace_old_key(world: &mut World, secret: &str) {
    if !world.processes.is_empty() {
        let unsealed = "SELECT count(*) FROM audit_events WHERE sequence IS NULL";
        world.wait_for_sql("every event is sealed", unsealed, "0").await;
    }
    world.change_settings(&[("PORTICO_SECRET", &format!("{NEW_KEY},{OLD_KEY}"))]);
    world.run(&["keys", "reseal"]);
    world.restart_all(&[("PORTICO_SECRET", secret)]).await;
}

/// Asserts that lists of keys without the old one accept nothing that it made.
async fn assert_a_removed_key_ends_what_it_made(deployment: Deployment) {
    let mut world = World::start(deployment, &WITH_OLD_KEY).await;
    let (tenant, other) = (world.tenant().await, world.tenant().await);
    let (person, invitation) = (tenant.person(&world).await, tenant.create_invitation(&world).await);
    other.invite(&other.client("Elsewhere Ltd").await, &person.email).await;
    let accept = world.mail(&person.email, 2).await.token();
    let reset = person.request_reset(&world, 3).await;
    let (flow, code) = world.request_code(&world.browser(), &tenant.owner_email, 2).await;
    for secret in [NEW_KEY.to_owned(), format!("{THIRD_KEY},{NEW_KEY}")] {
        if secret == NEW_KEY {
            replace_old_key(&mut world, &secret).await;
        } else {
            world.restart_all(&[("PORTICO_SECRET", &secret)]).await;
        }
        let browser = person.browser.moved_to(&world.apis);
        for token in [&invitation.token, &accept, &reset] {
            world.browser().check_token(token).await.assert_problem("410 token_revoked");
            world.browser().request_new_link(token).await.assert_problem("410 token_revoked");
        }
        world.browser().activate(&invitation.token, &password()).await.assert_problem("410 token_revoked");
        world.browser().reset_password(&reset, &password()).await.assert_problem("410 token_revoked");
        world.browser().verify_code(&flow, &code).await.assert_problem("401 invalid_code");
        browser.session().await.assert_problem("401 unauthenticated");
        browser.refresh().await.assert_problem("401 unauthenticated");
    }
    // Passwords do not depend on the key, and new links work.
    let signed_in = world.browser();
    person.sign_in(&signed_in).await;
    signed_in.accept_invitation(&accept).await.assert_problem("410 token_revoked");
    let reset = person.request_reset(&world, 4).await;
    world.browser().reset_password(&reset, &password()).await.expect(200);
    world.browser().resend_activation(&invitation.email).await.expect(200);
    let activation = world.mail(&invitation.email, 2).await.token();
    world.browser().activate(&activation, &password()).await.expect(200);
}

#[tokio::test]
async fn a_removed_server_key_ends_what_it_made_in_a_single_process() {
    assert_a_removed_key_ends_what_it_made(Deployment::Single).await;
}

#[tokio::test]
async fn a_removed_server_key_ends_what_it_made_in_a_cluster() {
    assert_a_removed_key_ends_what_it_made(Deployment::Cluster).await;
}

#[tokio::test]
async fn spent_links_stay_spent_after_a_restore_with_a_new_server_key() {
    let (mut world, person, reset) = with_old_key().await;
    let tenant = world.tenant().await;
    let invitation = tenant.create_invitation(&world).await;
    let file = world.folder.path().join("portico.db");
    let backup = world.folder.path().join("backup.db");
    world.sql(&format!(".backup '{}'", backup.display()));
    world.browser().reset_password(&reset, &password()).await.expect(200);
    world.browser().activate(&invitation.token, &password()).await.expect(200);

    world.processes.clear();
    for part in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{part}", file.display()));
    }
    std::fs::copy(&backup, &file).unwrap();
    replace_old_key(&mut world, NEW_KEY).await;
    world.browser().reset_password(&reset, &password()).await.assert_problem("410 token_revoked");
    world.browser().activate(&invitation.token, &password()).await.assert_problem("410 token_revoked");
    // The restored person has the old password again.
    person.sign_in(&world.browser()).await;
}

// The mail server refuses three mails for now, so their links and their code are made before the key is removed.
async fn assert_a_mail_under_way_gets_a_new_secret(mut world: World) {
    let tenant = world.tenant().await;
    let person = tenant.person(&world).await;
    let (invited, client) = (unique_email("invited"), tenant.client("Acme Ltd").await);
    world.sink().fail(json!([{ "stage": "rcpt", "do": "reject", "code": 450 }])).await;
    tenant.invite(&client, &invited).await;
    world.browser().forgot_password(&person.email).await.expect(200);
    let flow = world.browser().send_code(&tenant.owner_email).await.expect(200)["flow"].clone();
    world
        .wait_for_sql(
            "three mails were refused once",
            "SELECT count(*) FROM emails WHERE status = 'queued' AND attempts > 0",
            "3",
        )
        .await;
    replace_old_key(&mut world, NEW_KEY).await;
    world.sink().fail(json!([])).await;

    let activation = world.mail_when_due(&invited, 1).await.token();
    world.browser().activate(&activation, &password()).await.expect(200);
    let reset = world.mail_when_due(&person.email, 2).await.token();
    world.browser().reset_password(&reset, &password()).await.expect(200);
    let code = world.mail_when_due(&tenant.owner_email, 2).await.code.unwrap();
    world.browser().verify_code(&flow, &code).await.expect(200);
    // Each is a new row with a Message-ID of its own, and the old row has ended.
    let replaced = "SELECT count(*) FROM emails AS old JOIN emails AS new ON new.recipient = old.recipient \
                    AND new.kind = old.kind AND new.created_at = old.created_at AND new.message_id <> old.message_id \
                    WHERE old.status = 'suppressed' AND new.status = 'sent'";
    world.wait_for_sql("three mails were replaced", replaced, "3").await;
}

#[tokio::test]
async fn a_mail_under_way_gets_a_new_link_or_code_when_its_server_key_is_removed_from_a_single_process() {
    let sink = Sink::start().await;
    let url = sink.url();
    let settings = [&WITH_OLD_KEY[..], &[("MAIL_URL", &*url)]].concat();
    let mut world = World::start(Deployment::Single, &settings).await;
    world.sink = Some(sink);
    assert_a_mail_under_way_gets_a_new_secret(world).await;
}

#[tokio::test]
async fn a_mail_under_way_gets_a_new_link_or_code_when_its_server_key_is_removed_from_a_cluster() {
    assert_a_mail_under_way_gets_a_new_secret(World::start(Deployment::Cluster, &WITH_OLD_KEY).await).await;
}
