//! LOG-01: no secret is anywhere but where it must be.
//!
//! These stories use every kind of secret, also with requests that fail, and then search everything that Portico
//! writes. In addition, every world is searched at its end, and the shared ones after each story; see
//! `support/secrets.rs`.

use serde_json::json;

use crate::support::{
    Browser, Deployment, Person, Tenant, World,
    cookies::{PORTAL_ACCESS, PORTAL_REFRESH},
    credentials, eventually, http, password,
    paths::{self, CHANGE_PASSWORD, RESET_PASSWORD, SESSION, SIGN_IN},
    secrets::{self, Search, SecretKind},
    stories, unique, unique_email, wrong_code,
};

/// Uses every kind of secret in requests that succeed and in requests that fail.
async fn use_every_secret(world: &World) {
    let tenant = world.tenant().await;
    let mut person = tenant.person(world).await;
    let browser = world.browser();
    send_wrong_passwords(&browser, &person).await;
    person.sign_in(&world.browser()).await;
    tenant.invite_for_token(world, &person.client, &unique_email("invited")).await;
    person.password = reset_password(world, &browser, &person).await;
    use_codes(world, &browser, &tenant).await;
    reuse_refresh_token(world, &person).await;
    send_authorization_headers(&browser).await;
    let new_session = world.browser();
    person.sign_in(&new_session).await;
    let change = json!({ "current_password": password(), "new_password": password() });
    new_session.post(CHANGE_PASSWORD, change).await.expect(401);
}

/// Sends a password in fields of another meaning, with a wrong type, in invalid JSON, and as a wrong password.
async fn send_wrong_passwords(browser: &Browser, person: &Person) {
    let (email, wrong) = (&person.email, format!("wrong-{}", password()));
    browser.post(SIGN_IN, json!({ "email": email, "password": wrong, "client_id": wrong })).await.expect(422);
    browser.post(SIGN_IN, json!({ "email": wrong, "password": wrong })).await.expect(422);
    browser.post(SIGN_IN, json!({ "email": email, "password": [wrong] })).await.expect(422);
    browser.sign_in(email, &wrong).await.expect(401);
    let mut invalid = credentials(email, &wrong).to_string();
    invalid.pop();
    browser.send(reqwest::Method::POST, SIGN_IN, Some(invalid), &[]).await.expect(400);
}

/// Resets the password and uses the link token where it does not belong and after its use. Returns the new password.
async fn reset_password(world: &World, browser: &Browser, person: &Person) -> String {
    let token = person.request_reset(world, 2).await;
    browser.get(&format!("{SESSION}?token={token}")).await.expect(422);
    browser.post(RESET_PASSWORD, json!({ "token": token, "password": { "x": token } })).await.expect(422);
    let new = password();
    browser.reset_password(&token, &new).await.expect(200);
    browser.reset_password(&token, &password()).await.expect(410);
    world.mail(&person.email, 3).await;
    new
}

async fn use_codes(world: &World, browser: &Browser, tenant: &Tenant) {
    let (flow, code) = world.request_code(browser, &tenant.owner_email, 2).await;
    browser.verify_code(&flow, &wrong_code(&code)).await.expect(401);
    browser.verify_code(&flow, &code).await.expect(200);
}

/// Signs in, refreshes, and sends the first refresh token again.
async fn reuse_refresh_token(world: &World, person: &Person) {
    let browser = world.browser();
    person.sign_in(&browser).await;
    let copied = browser.cookie(PORTAL_REFRESH).unwrap();
    for _ in 0..2 {
        browser.refresh().await.expect(200);
    }
    world.browser().with_cookie(PORTAL_REFRESH, &copied).refresh().await.expect(401);
}

async fn send_authorization_headers(browser: &Browser) {
    for header in [format!("Basic {}", password()), format!("Bearer {}", unique("an-opaque-value-that-is-no-token"))] {
        browser.get_with_headers(SESSION, &[("authorization", &header)]).await.expect(401);
    }
}

/// Lets the mail server refuse Portico's credentials.
async fn refuse_mail_credentials(world: &World) {
    let Some(sink) = &world.sink else { return };
    let person = world.tenant().await.person(world).await;
    // An idle connection of the pool has authenticated already, so the first rule ends it.
    sink.fail(json!([
        { "stage": "mail", "do": "drop", "times": 1 },
        { "stage": "auth", "do": "reject", "code": 535, "times": 1 },
    ]))
    .await;
    world.browser().forgot_password(&person.email).await.expect(200);
    world.wait_for_sql("the server is on hold", "SELECT count(*) FROM mail_holds", "1").await;
    sink.heal().await;
    world.mail_when_due(&person.email, 2).await;
}

/// Lets the statements of requests with secrets fail in the database.
async fn fail_statements(world: &World) {
    let person = world.tenant().await.person(world).await;
    world.sql("ALTER TABLE sessions RENAME TO sessions_away");
    // Not by `Browser`, which checks each response against the OpenAPI document: this 500 is not documented.
    let http = http::client();
    let cookie = |name: &str| format!("{name}={}", person.browser.cookie(name).unwrap());
    let cookies = format!("{}; {}", cookie(PORTAL_ACCESS), cookie(PORTAL_REFRESH));
    for path in [SIGN_IN, paths::REFRESH, paths::SIGN_OUT, paths::SIGN_OUT_EVERYWHERE] {
        let request = http.post(format!("{}{path}", world.apis[0])).header("cookie", &cookies);
        let request = request.header("content-type", "application/json").body(person.credentials().to_string());
        let response = request.send().await.unwrap();
        assert!(response.status().is_server_error(), "{path} {response:?}");
        secrets::record_problem(format!("{:?} {}", response.headers().clone(), response.text().await.unwrap()));
    }
    world.sql("ALTER TABLE sessions_away RENAME TO sessions");
    person.sign_in(&world.browser()).await;
}

fn assert_payloads_hold_ids_only(world: &World) {
    let payloads = world.sql("SELECT payload FROM background_jobs");
    assert!(!payloads.contains('@') && payloads.contains("email"), "{payloads}");
}

/// Fills the queue in Redis while no worker takes jobs from it.
async fn fill_queue(world: &World) {
    for worker in world.workers() {
        worker.signal("STOP");
    }
    for _ in 0..10 {
        world.browser().forgot_password(&unique_email("unknown")).await.expect(200);
    }
    let redis = world.redis();
    eventually("jobs are in Redis", || async { (!redis.run(&["KEYS", "*"]).trim().is_empty()).then_some(()) }).await;
}

/// Searches the logs, the database, all problems, and the internal listeners.
async fn search(world: &World) -> Search {
    let beginning = secrets::Checkpoint::default();
    let mut search = Search::since(beginning);
    search.scan("the log", &world.logs().join("\n"));
    search.scan("the database", &world.dump());
    search.scan_problems(beginning);
    for internal in world.internals().await {
        for path in ["/metrics", paths::READY, paths::LIVE] {
            let response = http::get(format!("{internal}{path}")).await.unwrap();
            search.scan(path, &response.text().await.unwrap());
        }
    }
    search
}

/// Searches the queue in Redis. Its keys must be those of the lanes.
fn search_queue(world: &World, search: &mut Search) {
    let redis = world.redis();
    for key in redis.run(&["KEYS", "*"]).split_whitespace() {
        assert!(key.starts_with("portico:lane:"), "{key}");
        search.scan("Redis", &redis.run(&["ZRANGE", key, "0", "-1", "WITHSCORES"]));
    }
}

/// Asserts that the search was for secrets of these kinds, and found none.
#[track_caller]
fn assert_clean(search: &Search, kinds: &[SecretKind]) {
    let summary = search.summary();
    for (kind, (searched, found)) in &summary {
        eprintln!("{kind:?}: searched for {searched}, found {found}");
    }
    let unused: Vec<_> = kinds.iter().filter(|kind| !summary.contains_key(kind)).collect();
    assert!(unused.is_empty(), "no secret of these kinds was used: {unused:?}");
    search.assert_clean();
}

/// The kinds of secrets that every deployment uses.
const EVERYWHERE: [SecretKind; 8] = [
    SecretKind::Password,
    SecretKind::LinkToken,
    SecretKind::Code,
    SecretKind::AccessToken,
    SecretKind::RefreshToken,
    SecretKind::DeviceCookie,
    SecretKind::Authorization,
    SecretKind::ServerKey,
];

/// The kinds of secrets that only a cluster uses.
const CLUSTER: [SecretKind; 3] =
    [SecretKind::MailCredential, SecretKind::DatabaseCredential, SecretKind::RedisCredential];

#[tokio::test]
async fn log_01_a_single_process_writes_no_secret_to_logs_database_problems_or_metrics() {
    let world = World::start(Deployment::Single, &[]).await;
    use_every_secret(&world).await;
    fail_statements(&world).await;
    assert_clean(&search(&world).await, &EVERYWHERE);
}

#[tokio::test]
async fn log_01_a_cluster_writes_no_secret_to_logs_database_queue_problems_or_metrics() {
    let world = World::start(Deployment::Cluster, &[]).await;
    use_every_secret(&world).await;
    refuse_mail_credentials(&world).await;
    fail_statements(&world).await;
    assert_payloads_hold_ids_only(&world);
    fill_queue(&world).await;
    let mut queued = Search::since(secrets::Checkpoint::default());
    search_queue(&world, &mut queued);
    queued.assert_clean();
    // The workers run again, so that their internal listeners answer.
    world.workers().iter().for_each(|worker| worker.signal("CONT"));
    assert_clean(&search(&world).await, &[&EVERYWHERE[..], &CLUSTER].concat());
}

stories! {
    // A person who copies a link by hand, or a program that encodes its `#`, sends the secret as a part of the path.
    async fn log_01_a_secret_in_a_path_is_not_logged(world) {
        let person = world.tenant().await.person(world).await;
        let token = person.request_reset(world, 2).await;
        let (browser, marker) = (world.browser(), unique("marker"));
        for path in [
            format!("/portal/reset-password%23token={token}"),
            format!("/portal/reset-password%2523token%253D{token}"),
            format!("/portal/reset-password;token={token}"),
            format!("/portal/reset-password/{token}"),
            format!("/portal/activate&token={token}/x?token={token}"),
            format!("/api/v1/clients/{token}"),
            format!("/{token}"),
        ] {
            browser.get(&path).await;
        }
        browser.get(&format!("/nowhere/{marker}")).await.expect(404);
        eventually("the log names the last path", || async {
            world.logs().iter().any(|line| line.contains(&marker)).then_some(())
        })
        .await;
        let lines = world.logs();
        let logged: Vec<_> = lines.iter().filter(|line| line.contains(&token)).collect();
        assert!(logged.is_empty(), "{logged:#?}");
        assert!(lines.iter().any(|line| line.contains("/portal/*")), "the rest of the path is logged");
    }
}
