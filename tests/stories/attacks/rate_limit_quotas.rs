//! Every rate limit, used up: its quota, its response, and that the response does not depend on the account.

use serde_json::{Value, json};

use crate::support::{
    Area, Deployment, Response, World, password,
    paths::{self, COLLEAGUES, FORGOT_PASSWORD, LIVE, RESEND_ACTIVATION, SESSION, SIGN_IN, STAFF_SEND_CODE},
    unique_email, wrong_code,
};

const WRONG_PASSWORD: &str = "not the password";

/// Small quotas with periods so long that no unit comes back during a test. `requests` counts every request, so it has
/// a test of its own.
const SMALL_QUOTAS: [(&str, &str); 16] = [
    ("PORTICO_LIMIT_SIGN_IN_RATE", "9/1h"),
    ("PORTICO_LIMIT_SIGN_IN_ACCOUNT", "3/1h"),
    ("PORTICO_LIMIT_SIGN_IN_NETWORK", "5/1h"),
    ("PORTICO_LIMIT_RECOVERY_ACCOUNT", "3/1h"),
    ("PORTICO_LIMIT_RECOVERY_NETWORK", "5/1h"),
    ("PORTICO_LIMIT_SEND_CODE", "3/1h"),
    ("PORTICO_LIMIT_SEND_CODE_NETWORK", "5/1h"),
    ("PORTICO_LIMIT_CODE_MISSES", "4/1h"),
    ("PORTICO_LIMIT_TOKEN_NETWORK", "6/1h"),
    ("PORTICO_LIMIT_INVITE_RECIPIENT", "3/1h"),
    ("PORTICO_LIMIT_INVITE_ACTOR", "5/1h"),
    ("PORTICO_LIMIT_INVITE_COLLEAGUE", "7/1h"),
    ("PORTICO_LIMIT_INVITE_BULK", "5/1h"),
    ("PORTICO_LIMIT_BEARER", "4/1h"),
    ("PORTICO_LIMIT_CHECK_PASSWORD", "8/1h"),
    ("PORTICO_LIMIT_CEREMONIES", "6/1h"),
];

/// Sends requests until the limit `name` refuses one, and returns how many it accepted. Other limits may refuse some.
async fn accepted_by(name: &str, send: impl AsyncFn(usize) -> Response) -> usize {
    for n in 0..200 {
        let response = send(n).await;
        assert_ne!(response.status, 503, "{response:?}");
        if response.status != 429 {
            continue;
        }
        let policy = response.headers["ratelimit-policy"].to_str().unwrap().to_owned();
        if policy.contains(&format!("\"{name}\"")) {
            let problem = response.assert_problem("429 too_many_requests");
            assert!(problem["retry_after"].as_u64().unwrap() >= 1, "{problem}");
            assert!(policy.ends_with(";w=3600"), "{policy}");
            return n;
        }
    }
    panic!("the limit {name} is not reached by 200 requests");
}

async fn assert_sign_in_quotas(world: &World) {
    let (browser, email) = (world.browser(), unique_email("unknown"));
    let accepted = accepted_by("sign_in_account", async |_| browser.sign_in(&email, WRONG_PASSWORD).await).await;
    assert_eq!(accepted, 3);

    let browser = world.browser();
    let guess_at_new_address = async |_| browser.sign_in(&unique_email("unknown"), WRONG_PASSWORD).await;
    assert_eq!(accepted_by("sign_in_network", guess_at_new_address).await, 5);

    // Counted in each process.
    let browser = world.browser();
    let guess_at_new_address = async |_| browser.sign_in(&unique_email("unknown"), WRONG_PASSWORD).await;
    assert_eq!(accepted_by("sign_in_rate", guess_at_new_address).await, 9 * world.apis.len());
}

async fn assert_recovery_quotas(world: &World) {
    for path in [FORGOT_PASSWORD, RESEND_ACTIVATION] {
        let body = json!({ "email": unique_email("unknown") });
        let accepted = accepted_by("recovery_account", async |_| world.browser().post(path, body.clone()).await).await;
        assert_eq!(accepted, 3, "{path}");
    }
    let browser = world.browser();
    let accepted = accepted_by("recovery_network", async |n| {
        let path = if n % 2 == 0 { FORGOT_PASSWORD } else { RESEND_ACTIVATION };
        browser.post(path, json!({ "email": unique_email("unknown") })).await
    });
    assert_eq!(accepted.await, 5);
}

async fn assert_code_quotas(world: &World) {
    let email = unique_email("unknown");
    assert_eq!(accepted_by("send_code", async |_| world.browser().send_code(&email).await).await, 3);

    let browser = world.browser();
    let send_to_new_address = async |_| browser.send_code(&unique_email("unknown")).await;
    assert_eq!(accepted_by("send_code_network", send_to_new_address).await, 5);

    let owner = world.tenant().await.owner_email;
    let (flow, code) = world.request_code(&world.browser(), &owner, 2).await;
    let wrong = wrong_code(&code);
    assert_eq!(accepted_by("code_misses", async |_| world.browser().verify_code(&flow, &wrong).await).await, 4);
}

// The limit is counted in each process.
async fn assert_ceremony_quota(world: &World) {
    let browser = world.browser();
    let path = Area::Portal.auth("passkeys/sign-in-options");
    let accepted = accepted_by("ceremonies", async |_| browser.post(&path, json!({})).await).await;
    assert_eq!(accepted, 6 * world.apis.len());
}

// Both limits are counted in each process.
async fn assert_link_and_access_token_quotas(world: &World) {
    let browser = world.browser();
    let accepted = accepted_by("token_network", async |_| browser.check_token("x").await).await;
    assert_eq!(accepted, 6 * world.apis.len());

    let browser = world.browser();
    let accepted = accepted_by("token_network", async |_| browser.request_new_link("x").await).await;
    assert_eq!(accepted, 6 * world.apis.len());

    let (browser, judged) = (world.browser(), json!({ "token": "x", "password": "x" }));
    let accepted = accepted_by("token_network", async |_| browser.post(paths::CHECK_PASSWORD, judged.clone()).await);
    assert_eq!(accepted.await, 6 * world.apis.len());

    let browser = world.tenant().await.person(world).await.browser.on_new_network();
    let judged = json!({ "password": "x" });
    let accepted = accepted_by("check_password", async |_| browser.post(paths::CHECK_PASSWORD, judged.clone()).await);
    assert_eq!(accepted.await, 8 * world.apis.len());

    // Passwords that are refused where they would be set have units of their own, also behind an address that has used
    // up those of the meter. Passwords that are set count nothing.
    let tenant = world.tenant().await;
    let (invitation, person) = (tenant.create_invitation(world).await, tenant.person(world).await);
    let reset = person.request_reset(world, 2).await;
    let (office, weak) = (browser.on_same_network(), "passwordpassword");
    for _ in 0..7 * world.apis.len() {
        office.activate(&invitation.token, weak).await.expect(422);
    }
    office.activate(&invitation.token, &password()).await.expect(200);
    let accepted = accepted_by("check_password", async |_| office.reset_password(&reset, weak).await).await;
    assert_eq!(accepted, world.apis.len());
    office.reset_password(&reset, &password()).await.assert_problem("429 too_many_requests");
    world.browser().reset_password(&reset, &password()).await.expect(200);

    let browser = world.browser();
    let accepted = accepted_by("bearer", async |_| browser.get_with_bearer(SESSION, "a.b.c").await).await;
    assert_eq!(accepted, 4 * world.apis.len());
}

async fn assert_invitation_quotas(world: &World) {
    let tenant = world.tenant().await;
    let client = tenant.client("Acme Ltd").await;
    let (invite, resend) = (paths::portal_user(&client), paths::resend_invitation(&client));
    let body = json!({ "email": unique_email("ann") });
    tenant.owner.post(&invite, body.clone()).await.expect(201);

    // The invitation has used one unit of both limits.
    let accepted = accepted_by("invite_recipient", async |_| tenant.owner.post(&resend, body.clone()).await).await;
    assert_eq!(accepted, 3 - 1);
    let invite_new_address = async |_| tenant.owner.post(&invite, json!({ "email": unique_email("ann") })).await;
    assert_eq!(accepted_by("invite_actor", invite_new_address).await, 5 - 1 - accepted);

    // Rows beyond the limit are answered one by one.
    let rows: Vec<_> = (0..8).map(|_| json!({ "email": unique_email("ann") })).collect();
    let result = tenant.owner.post(&paths::bulk_invitations(&client), json!({ "rows": rows })).await.expect(200);
    assert_eq!((&result["counts"]["invited"], &result["counts"]["limited"]), (&json!(5), &json!(3)));
}

async fn assert_colleague_quotas(world: &World) {
    let tenant = world.tenant().await;
    let client = tenant.client("Acme Ltd").await;
    let admin = tenant.admin_at(world, &client).await.browser;
    // Staff users have used up the limit of the recipient. That is not told to the administrator of another client.
    let email = unique_email("ann");
    let other = tenant.client("Other Ltd").await;
    tenant.invite(&other, &email).await;
    let resend = paths::resend_invitation(&other);
    accepted_by("invite_recipient", async |_| tenant.owner.post(&resend, json!({ "email": email })).await).await;
    let invited = admin.post(COLLEAGUES, json!({ "email": email })).await.expect(201);
    let resend = paths::resend_colleague_invitation(invited["invitation"]["id"].as_str().unwrap());
    let accepted = accepted_by("invite_recipient", async |_| admin.post_empty(&resend).await).await;
    assert_eq!(accepted, 3 - 1);
    let invite_new_address = async |_| admin.post(COLLEAGUES, json!({ "email": unique_email("ann") })).await;
    assert_eq!(accepted_by("invite_colleague", invite_new_address).await, 7 - 1 - accepted);
}

async fn assert_every_quota(deployment: Deployment) {
    let world = World::start(deployment, &SMALL_QUOTAS).await;
    assert_sign_in_quotas(&world).await;
    assert_recovery_quotas(&world).await;
    assert_code_quotas(&world).await;
    assert_ceremony_quota(&world).await;
    assert_link_and_access_token_quotas(&world).await;
    assert_invitation_quotas(&world).await;
    assert_colleague_quotas(&world).await;
}

#[tokio::test]
async fn every_limit_has_its_quota_in_a_single_process() {
    assert_every_quota(Deployment::Single).await;
}

#[tokio::test]
async fn every_limit_has_its_quota_in_a_cluster() {
    assert_every_quota(Deployment::Cluster).await;
}

#[tokio::test]
async fn requests_of_one_network_are_limited_in_each_process() {
    let world = World::start(Deployment::Cluster, &[("PORTICO_LIMIT_REQUESTS", "7/1h")]).await;
    let browser = world.browser();
    assert_eq!(accepted_by("requests", async |_| browser.get(LIVE).await).await, 7 * 2);
    world.browser().get(LIVE).await.expect(200);
}

// The people of an office share a network.
#[tokio::test]
async fn each_session_has_requests_of_its_own() {
    let world = World::start(Deployment::Cluster, &[("PORTICO_LIMIT_REQUESTS", "40/1h")]).await;
    let tenant = world.tenant().await;
    let (person, other) = (tenant.person(&world).await, tenant.person(&world).await);
    let accepted = accepted_by("requests", async |_| person.browser.get(SESSION).await).await;
    assert!((70..=80).contains(&accepted), "{accepted}");

    let access = other.browser.cookie("portico_portal").unwrap();
    for api in &world.apis {
        let outsider = person.browser.on_same_network().at(std::slice::from_ref(api));
        let accepted = accepted_by("requests", async |_| outsider.get(LIVE).await).await;
        assert!((30..=40).contains(&accepted), "{accepted}");
        outsider.get_with_bearer(SESSION, &access).await.expect(200);
        // Only a token that Portico has signed proves a session.
        let refresh = other.browser.cookie("portico_portal_refresh").unwrap();
        let (content, _) = access.rsplit_once('.').unwrap();
        for wrong in [format!("{content}.{}", "A".repeat(86)), content.to_owned(), refresh] {
            outsider.get_with_bearer(SESSION, &wrong).await.assert_problem("429 too_many_requests");
        }
    }
}

/// Returns everything of a response that could distinguish it from another, without ids, and with each digit as `0`,
/// because they change.
fn comparable(response: &Response) -> String {
    let mut headers: Vec<_> = response
        .headers
        .iter()
        .filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    headers.sort();
    let mut body = response.json();
    for changing in ["request_id", "flow"] {
        if body.get(changing).is_some() {
            body[changing] = "…".into();
        }
    }
    let text = format!("{headers:?} {body}");
    let text: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    // The remaining seconds have four or five digits.
    let text = if response.status == 429 { text.replace("00000", "0000") } else { text };
    format!("{} {text}", response.status)
}

/// Posts the body with this address five times from one network. The last response must be a 429.
async fn five_responses(world: &World, path: &str, email: &str, body: &Value) -> Vec<String> {
    let mut body = body.clone();
    body["email"] = email.into();
    let (browser, mut responses) = (world.browser(), Vec::new());
    for _ in 0..5 {
        responses.push(comparable(&browser.post(path, body.clone()).await));
    }
    assert!(responses[4].starts_with("429 "), "{responses:#?}");
    responses
}

async fn assert_unknown_addresses_are_limited_like_known_ones(deployment: Deployment) {
    let world = World::start(deployment, &SMALL_QUOTAS).await;
    let tenant = world.tenant().await;
    let (person, other) = (tenant.person(&world).await, tenant.person(&world).await);
    for (path, known, body) in [
        (SIGN_IN, &person.email, json!({ "password": password() })),
        (FORGOT_PASSWORD, &person.email, json!({})),
        (RESEND_ACTIVATION, &other.email, json!({})),
        (STAFF_SEND_CODE, &tenant.owner_email, json!({})),
    ] {
        let known = five_responses(&world, path, known, &body).await;
        let unknown = five_responses(&world, path, &unique_email("unknown"), &body).await;
        // The owner has used one unit of `send_code` to sign in.
        let accepted = if path == STAFF_SEND_CODE { 2 } else { 3 };
        assert_eq!(known[..accepted], unknown[..accepted], "{path}");
        assert_eq!(known[4], unknown[4], "{path}");
    }
}

#[tokio::test]
async fn unknown_addresses_are_limited_like_known_ones_in_a_single_process() {
    assert_unknown_addresses_are_limited_like_known_ones(Deployment::Single).await;
}

#[tokio::test]
async fn unknown_addresses_are_limited_like_known_ones_in_a_cluster() {
    assert_unknown_addresses_are_limited_like_known_ones(Deployment::Cluster).await;
}

#[tokio::test]
async fn successful_sign_ins_are_refunded() {
    let quotas: Vec<_> = SMALL_QUOTAS.iter().copied().filter(|(name, _)| !name.ends_with("_RATE")).collect();
    let world = World::start(Deployment::Cluster, &quotas).await;
    let person = world.tenant().await.person(&world).await;
    let browser = world.browser();
    for _ in 0..12 {
        person.sign_in(&browser).await;
    }
}

// Requests from a known device have counts of their own.
#[tokio::test]
async fn code_requests_of_others_do_not_lock_out_staff_at_a_known_device() {
    let world = World::start(Deployment::Cluster, &[]).await;
    let tenant = world.tenant().await;
    for nth in 2..5 {
        world.request_code(&world.browser(), &tenant.owner_email, nth).await;
    }
    // With three live codes the next request from an unknown device sends no mail; the one after it is refused.
    world.browser().send_code(&tenant.owner_email).await.expect(200);
    world.browser().send_code(&tenant.owner_email).await.assert_problem("429 too_many_requests");
    world.sign_in_staff(&tenant.owner.on_new_network(), &tenant.owner_email, 5).await;
}

#[tokio::test]
async fn a_staff_device_cookie_does_not_count_for_another_address() {
    let world = World::start(Deployment::Cluster, &[]).await;
    let (tenant, other) = (world.tenant().await, world.tenant().await);
    assert!(tenant.owner.cookie("portico_staff_device").is_some());
    for browser in world.browsers(4) {
        browser.send_code(&other.owner_email).await.expect(200);
    }
    let response = tenant.owner.on_new_network().send_code(&other.owner_email).await;
    response.assert_problem("429 too_many_requests");
}
