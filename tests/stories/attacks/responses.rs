//! HTTP cases about responses: problem documents, the OpenAPI document, connections that several callers share, and
//! what responses must not contain.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use crate::{
    passkeys::{activate_with_passkey, require_mfa},
    second_factors::{challenge, turn_on, verify},
    support::{
        Area, AuthenticatorApp, Browser, Invitation, PAST, Person, Response, Tenant, World,
        authenticator::SoftAuthenticator,
        cookies, images, openapi, password,
        paths::{
            self, AUDIT_EVENTS, AUDIT_EXPORT, CLIENTS, EMAILS, JWKS, LIVE, OPENAPI, READY, SESSION, SIGN_IN,
            STAFF_REFRESH, STAFF_SESSION,
        },
        stories, unique, unique_email,
    },
};

/// A UUID that is no id of a row.
const RANDOM_ID: &str = "01a1fdba-f86f-76f5-b296-4e548b3691ab";

/// Codes that this file's story does not provoke: expired lifetimes, failing servers and slow bodies have stories of
/// their own.
const CODES_SHOWN_ELSEWHERE: [&str; 11] = [
    "session_expired",
    "token_expired",
    "last_admin",
    "last_sign_in_method",
    "mfa_required",
    "required_by_tenant",
    "overloaded",
    "unavailable",
    "request_timeout",
    "uri_too_long",
    "headers_too_large",
];

/// Paths at which other servers show operators' pages, and misspelled paths of Portico.
const NOT_PUBLIC: [&str; 15] = [
    "/metrics",
    "/debug",
    "/debug/pprof",
    "/.env",
    "/.git/config",
    "/admin",
    "/internal",
    "/server-status",
    "/actuator",
    "/api",
    "/api/",
    "/openapi.json",
    "/swagger.json",
    "/api/portal/auth/sign-in/",
    "//api/docs",
];

/// Problems of requests that are refused before any use case runs.
async fn refused_requests(world: &World) -> Vec<Response> {
    let send = async |body: &str, headers: &[(&str, &str)]| {
        world.browser().send(Method::POST, SIGN_IN, Some(body.into()), headers).await
    };
    vec![
        send("{", &[]).await,
        send("{}", &[("origin", "https://evil.test")]).await,
        world.browser().get("/nowhere").await,
        world.browser().get(SIGN_IN).await,
        send(&"x".repeat(70_000), &[]).await,
        send("{}", &[("content-type", "text/plain")]).await,
        send("{}", &[]).await,
    ]
}

/// Problems of missing, wrong and insufficient credentials. Archives the person's client.
async fn refused_credentials(world: &World, tenant: &Tenant, person: &Person) -> Vec<Response> {
    let (viewer, viewer_email) = (world.browser(), format!("viewer@{}.test", tenant.slug));
    world.add_staff(&tenant.slug, &viewer_email, "viewer");
    world.sign_in_staff(&viewer, &viewer_email, 1).await;
    let ended = world.browser();
    person.sign_in(&ended).await;
    let ended_token = ended.cookie(cookies::PORTAL_ACCESS).unwrap();
    ended.sign_out().await.expect(204);
    let mut responses = vec![
        world.browser().session().await,
        world.browser().sign_in(&person.email, &password()).await,
        world.browser().verify_code(&json!(RANDOM_ID), "123456").await,
        world.browser().get_with_bearer(SESSION, &ended_token).await,
        viewer.post(CLIENTS, json!({ "name": "New" })).await,
    ];
    let archive = json!({ "status": "archived" });
    tenant.owner.patch(&paths::client(&person.client), archive).await.expect(200);
    world.sql(&format!(
        "UPDATE sessions SET auth_time = '{PAST}' \
         WHERE staff_user_id = (SELECT id FROM staff_users WHERE email = '{}')",
        tenant.owner_email
    ));
    responses.push(tenant.owner.post(paths::STAFF_TOKENS, json!({})).await);
    responses.push(world.browser().sign_in(&person.email, &person.password).await);
    responses
}

/// Problems of link tokens: unknown, for another account, used and revoked.
async fn refused_link_tokens(world: &World, tenant: &Tenant, person: &Person) -> Vec<Response> {
    let email = unique_email("ann");
    let (revoked, used) = tenant.invite_and_resend(world, &person.client, &email).await;
    world.browser().activate(&used, &password()).await.expect(200);
    let other = world.tenant().await;
    other.invite(&other.client("Elsewhere Ltd").await, &email).await;
    let for_another_person = world.mail(&email, 3).await.token();
    vec![
        world.browser().activate("x", &password()).await,
        person.browser.accept_invitation(&for_another_person).await,
        world.browser().activate(&used, &password()).await,
        world.browser().activate(&revoked, &password()).await,
    ]
}

/// Problems of requests that conflict with existing rows.
async fn conflicts(tenant: &Tenant, person: &Person) -> Vec<Response> {
    let owner = &tenant.owner;
    let client = json!({ "name": "One Ltd", "external_ref": unique("K") });
    owner.post(CLIENTS, client.clone()).await.expect(201);
    let member = json!({ "email": person.email });
    let (bulk, key) = (paths::bulk_invitations(&person.client), [("idempotency-key", "import")]);
    let rows = |email: &str| json!({ "rows": [{ "email": email }] });
    owner.post_with_headers(&bulk, rows(&person.email), &key).await.expect(200);
    let session = owner.get(STAFF_SESSION).await.expect(200);
    let own = format!("{}/{}", paths::STAFF, session["user"]["id"].as_str().unwrap());
    vec![
        owner.delete(&own).await,
        owner.post_with_headers(&bulk, rows("other@x.test"), &key).await,
        owner.post(CLIENTS, client).await,
        owner.post(&paths::portal_user(&person.client), member.clone()).await,
        owner.post(&paths::resend_invitation(&person.client), member).await,
    ]
}

/// One problem of each code but [`CODES_SHOWN_ELSEWHERE`].
pub(crate) async fn every_problem(world: &World) -> Vec<Response> {
    let tenant = world.tenant().await;
    let person = tenant.person(world).await;
    let mut responses = refused_requests(world).await;
    responses.extend(refused_link_tokens(world, &tenant, &person).await);
    responses.extend(conflicts(&tenant, &person).await);
    responses.push(rate_limited(world).await);
    responses.extend(refused_credentials(world, &tenant, &person).await);
    responses
}

async fn rate_limited(world: &World) -> Response {
    let email = unique_email("unknown");
    for _ in 0..3 {
        world.browser().forgot_password(&email).await.expect(200);
    }
    world.browser().forgot_password(&email).await
}

/// Calls every operation of staff on sessions and clients, but the sign-outs. Returns a new person.
async fn use_staff_operations(world: &World, tenant: &Tenant) -> Person {
    let owner = &tenant.owner;
    for path in [LIVE, READY, JWKS, STAFF_SESSION] {
        owner.get(path).await.expect(200);
    }
    owner.post_empty(STAFF_REFRESH).await.expect(200);
    use_own_sessions(owner, &[paths::STAFF_SESSIONS]).await;
    let person = tenant.person(world).await;
    let client = paths::client(&person.client);
    owner.get(CLIENTS).await.expect(200);
    owner.get(paths::OVERVIEW).await.expect(200);
    owner.get(&client).await.expect(200);
    owner.patch(&client, json!({ "status": "past_due" })).await.expect(200);
    use_invitation_operations(tenant, &person.client).await;
    use_mail_log_operations(world, tenant).await;
    owner.get(AUDIT_EVENTS).await.expect(200);
    assert_eq!(owner.get(AUDIT_EXPORT).await.status, 200);
    person
}

/// Calls every operation of staff on portal users.
async fn use_portal_user_operations(world: &World, tenant: &Tenant) {
    let person = tenant.person(world).await;
    tenant.owner.get(paths::PORTAL_USERS).await.expect(200);
    let id = tenant.member(&person.client, &person.email).await["id"].as_str().unwrap().to_owned();
    tenant.owner.post_empty(&paths::send_reset(&person.client, &id)).await.expect(200);
    let member = paths::member(&person.client, &id);
    tenant.owner.patch(&member, json!({ "role": "admin", "status": "disabled" })).await.expect(200);
    tenant.owner.delete(&member).await.expect(204);
}

/// Calls every operation of the administrator of a client.
async fn use_colleague_operations(world: &World, tenant: &Tenant) {
    let client = tenant.client("Colleagues Ltd").await;
    let (admin, member) = (tenant.admin_at(world, &client).await.browser, tenant.person_at(world, &client).await);
    admin.get(paths::COLLEAGUES).await.expect(200);
    let colleague = paths::colleague(tenant.member(&client, &member.email).await["id"].as_str().unwrap());
    admin.patch(&colleague, json!({ "role": "admin", "status": "disabled" })).await.expect(200);
    admin.delete(&colleague).await.expect(204);
    let invited = admin.post(paths::COLLEAGUES, json!({ "email": unique_email("kim") })).await.expect(201);
    let invitation = invited["invitation"]["id"].as_str().unwrap();
    admin.get(paths::COLLEAGUE_INVITATIONS).await.expect(200);
    admin.post_empty(&paths::resend_colleague_invitation(invitation)).await.expect(200);
    admin.delete(&paths::colleague_invitation(invitation)).await.expect(204);
}

/// Calls every operation on invitations but the invitation of one person.
async fn use_invitation_operations(tenant: &Tenant, client: &str) {
    let (owner, rows) = (&tenant.owner, json!({ "rows": [{ "email": unique_email("bob") }] }));
    owner.post(&paths::bulk_invitations(client), rows).await.expect(200);
    owner.get(paths::INVITATIONS).await.expect(200);
    let list = owner.get(&format!("{}?status=pending", paths::invitations(client))).await.expect(200);
    let path = |invitation: &Value| paths::invitation(client, invitation["id"].as_str().unwrap());
    let invitation = path(&list["data"][0]);
    owner.post_empty(&format!("{invitation}/resend")).await.expect(200);
    let right = json!({ "email": unique_email("right") });
    let corrected = owner.patch(&invitation, right).await.expect(200);
    owner.send(Method::DELETE, &path(&corrected["invitation"]), None, &[]).await.expect(204);
}

/// Calls every operation on the caller's sessions below each of these paths, and ends no session.
async fn use_own_sessions(browser: &Browser, paths: &[&str]) {
    for path in paths {
        browser.get(path).await.expect(200);
        browser.delete(path).await.expect(204);
    }
}

/// Ends the other session of the caller.
async fn end_other_session(browser: &Browser, path: &str) {
    let sessions = browser.get(path).await.expect(200);
    let other = sessions["data"].as_array().unwrap().iter().find(|session| session["current"] == false).unwrap();
    browser.delete(&format!("{path}/{}", other["id"].as_str().unwrap())).await.expect(204);
}

/// Calls every operation on the mail log.
async fn use_mail_log_operations(world: &World, tenant: &Tenant) {
    for _ in 0..2 {
        let email = tenant.create_invitation(world).await.email;
        world.sql(&format!("UPDATE emails SET status = 'failed' WHERE recipient = '{email}'"));
    }
    let failed = tenant.owner.get(&format!("{EMAILS}?status=failed")).await.expect(200);
    let id = failed["data"][0]["id"].as_str().unwrap();
    tenant.owner.post_empty(&paths::retry_email(id)).await.expect(201);
    tenant.owner.post(paths::RETRY_EMAILS, json!({})).await.expect(202);
}

/// Calls every operation on the brand.
async fn use_branding_operations(tenant: &Tenant) {
    let owner = &tenant.owner;
    owner.get(paths::BRANDING).await.expect(200);
    owner.patch(paths::BRANDING, json!({ "radius": 4 })).await.expect(200);
    images::upload(owner, &images::png(10, 10)).await.expect(200);
    let query = format!("?tenant={}", tenant.slug);
    for path in [paths::BRAND, paths::BRAND_STYLE, paths::LOGO] {
        assert_eq!(owner.get(&format!("{path}{query}")).await.status, 200, "{path}");
    }
    owner.delete(paths::BRANDING_LOGO).await.expect(200);
}

/// Calls every operation on staff, their profile and step-up, and on service accounts.
async fn use_staff_admin_operations(world: &World, tenant: &Tenant) {
    let owner = &tenant.owner;
    owner.get(paths::STAFF_PROFILE).await.expect(200);
    owner.patch(paths::STAFF_PROFILE, json!({ "locale": "en" })).await.expect(200);
    let (flow, code) = world.request_code(owner, &tenant.owner_email, 3).await;
    owner.step_up(&flow, &code).await.expect(200);
    let body = json!({ "email": unique_email("sam"), "role": "viewer" });
    let member = owner.post(paths::STAFF, body).await.expect(201);
    let member = format!("{}/{}", paths::STAFF, member["id"].as_str().unwrap());
    owner.patch(&member, json!({ "role": "support" })).await.expect(200);
    owner.get(paths::STAFF).await.expect(200);
    owner.delete(&member).await.expect(204);
    let account = json!({ "name": "Sync", "role": "viewer" });
    let account = owner.post(paths::SERVICE_ACCOUNTS, account).await.expect(201);
    let account = format!("{}/{}", paths::SERVICE_ACCOUNTS, account["id"].as_str().unwrap());
    owner.get(paths::SERVICE_ACCOUNTS).await.expect(200);
    let (tokens, body) = (format!("{account}/tokens"), json!({ "name": "Sync", "scopes": ["clients:read"] }));
    let token = owner.post(&tokens, body).await.expect(201);
    owner.get(&tokens).await.expect(200);
    owner.delete(&format!("{tokens}/{}", token["id"].as_str().unwrap())).await.expect(204);
    owner.delete(&account).await.expect(204);
}

/// Calls every operation on API tokens.
async fn use_token_operations(world: &World, tenant: &Tenant) {
    let owner = &tenant.owner;
    let mut tokens = Vec::new();
    for _ in 0..3 {
        let body = json!({ "name": "Export", "scopes": ["clients:read"] });
        tokens.push(owner.post(paths::STAFF_TOKENS, body).await.expect(201));
    }
    let login = json!({
        "port": 49152, "state": "a-state-of-the-program", "name": "laptop", "scopes": ["clients:read"],
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    });
    let approved = owner.post(paths::CLI_LOGINS, login).await.expect(201);
    let code = approved["redirect_to"].as_str().unwrap().split(['=', '&']).nth(1).unwrap();
    let exchange = json!({ "code": code, "code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" });
    world.browser().post(paths::EXCHANGE_CLI_LOGIN, exchange).await.expect(201);
    owner.get(paths::STAFF_TOKENS).await.expect(200);
    owner.get(paths::TOKENS).await.expect(200);
    for (token, path) in tokens.iter().zip([paths::STAFF_TOKENS, paths::TOKENS]) {
        owner.delete(&format!("{path}/{}", token["id"].as_str().unwrap())).await.expect(204);
    }
    let authorization = format!("Bearer {}", tokens[2]["token"].as_str().unwrap());
    for (method, status) in [(Method::GET, 200), (Method::DELETE, 204)] {
        let headers = [("authorization", &*authorization)];
        world.browser().send(method, paths::TOKEN, None, &headers).await.expect(status);
    }
}

/// Calls every operation on mailed links.
async fn use_link_operations(world: &World, tenant: &Tenant) {
    let Invitation { client, email, .. } = tenant.create_invitation(world).await;
    tenant.owner.post(&paths::resend_invitation(&client), json!({ "email": email })).await.expect(200);
    world.mail(&email, 2).await;
    world.browser().resend_activation(&email).await.expect(200);
    let token = world.mail(&email, 3).await.token();
    world.browser().check_token(&token).await.expect(200);
    let judged = json!({ "token": token, "password": password() });
    world.browser().post(paths::CHECK_PASSWORD, judged).await.expect(200);
    // A new link can be requested with an expired one.
    world.sql(&format!(
        "UPDATE link_tokens SET expires_at = created_at \
         WHERE portal_user_id = (SELECT id FROM portal_users WHERE email = '{email}')"
    ));
    world.browser().request_new_link(&token).await.expect(200);
}

/// Calls every operation on passkeys of one realm, in a browser that is signed in.
async fn use_passkeys(world: &World, browser: &Browser, area: Area) {
    let (mut authenticator, passkey) = browser.register_passkey(world, area).await;
    let path = area.passkeys(&format!("/{}", passkey["id"].as_str().unwrap()));
    browser.patch(&path, json!({ "name": "Key" })).await.expect(200);
    browser.passkeys(area).await;
    let started = browser.start(&area.auth("step-up/options")).await;
    let response = authenticator.get(&started.public_key, &world.origin());
    browser.post(&area.auth("step-up"), started.body(&response)).await.expect(200);
    world.browser().sign_in_with_passkey(world, area, &mut authenticator).await.expect(200);
    let (_, other) = browser.register_passkey(world, area).await;
    browser.remove_passkey(area, &other).await.expect(204);
}

/// Calls every operation on passkeys.
async fn use_passkey_operations(world: &World) {
    let tenant = world.tenant().await;
    let person = tenant.person(world).await;
    use_passkeys(world, &person.browser, Area::Portal).await;
    use_passkeys(world, &tenant.owner, Area::Staff).await;
    activate_with_passkey(world, &tenant.create_invitation(world).await.token).await;
    complete_sign_ins_with_passkeys(world).await;
}

/// Calls every operation by which a passkey completes a sign-in.
async fn complete_sign_ins_with_passkeys(world: &World) {
    let tenant = world.tenant().await;
    let person = tenant.person(world).await;
    require_mfa(world, &tenant);
    let origin = world.origin();
    for area in Area::ALL {
        let mut authenticator = SoftAuthenticator::new();
        for (nth, purpose) in [(2, "mfa/enrol/passkey"), (4, "mfa/passkey")] {
            let browser = world.browser();
            let challenge = if area == Area::Portal {
                browser.sign_in(&person.email, &person.password).await.expect(200)["challenge"].clone()
            } else {
                let nth = if nth == 2 { 2 } else { 5 };
                // The notices of the enrolment come before the second code.
                world.mail(&tenant.owner_email, nth - 1).await;
                let (flow, code) = world.request_code(&browser, &tenant.owner_email, nth).await;
                browser.verify_code(&flow, &code).await.expect(200)["challenge"].clone()
            };
            let own = json!({ "challenge": challenge });
            let mut options = own.clone();
            if area == Area::Portal && nth == 2 {
                browser.post(&area.auth("mfa/enrol/send-code"), own.clone()).await.expect(200);
                options["mail_code"] = world.mail(&person.email, 2).await.code.unwrap().into();
            }
            let started = browser.start_with(&area.auth(&format!("{purpose}-options")), options).await;
            let response = if nth == 2 {
                authenticator.create(&started.public_key, &origin)
            } else {
                authenticator.get(&started.public_key, &origin)
            };
            browser.post(&area.auth(purpose), started.body_with(&response, own)).await.expect(200);
        }
    }
}

/// Calls every operation of portal users.
async fn use_portal_operations(world: &World, person: &Person) {
    let browser = &person.browser;
    person.sign_in(browser).await;
    browser.session().await.expect(200);
    browser.refresh().await.expect(200);
    browser.get(paths::PROFILE).await.expect(200);
    browser.patch(paths::PROFILE, json!({ "name": "Robin Oak", "locale": null })).await.expect(200);
    browser.post(paths::SWITCH_CLIENT, json!({ "client_id": person.client })).await.expect(200);
    use_own_sessions(browser, &[paths::SESSIONS]).await;
    person.sign_in(&world.browser()).await;
    end_other_session(browser, paths::SESSIONS).await;
    let change = json!({ "current_password": person.password, "new_password": password() });
    browser.post(paths::CHANGE_PASSWORD, change).await.expect(204);
    // Mail 2 is the notice of the change.
    world.mail(&person.email, 2).await;
    let other = world.tenant().await;
    other.invite(&other.client("Elsewhere Ltd").await, &person.email).await;
    let invitation = world.mail(&person.email, 3).await.token();
    browser.accept_invitation(&invitation).await.expect(204);
    browser.sign_out().await.expect(204);
    browser.post_empty(paths::SIGN_OUT_EVERYWHERE).await.expect(204);
    world.browser().forgot_password(&unique_email("unknown")).await.expect(200);
    let token = world.new_device_mail(&person.email, 1).await.token();
    world.browser().not_me(&token).await.expect(200);
    let token = world.mail(&person.email, 4).await.token();
    world.browser().reset_password(&token, &password()).await.expect(200);
}

/// Calls every operation for second factors and for the sign-in policy, in a tenant of its own.
async fn use_second_factor_operations(world: &World) {
    let tenant = world.tenant().await;
    let person = tenant.person(world).await;
    let enrolled = tenant.person(world).await;
    let browser = world.browser();
    tenant.owner.get(paths::SIGN_IN_POLICY).await.expect(200);
    let all = json!({ "methods": { "code": true }, "mfa": { "portal": "all", "staff": "all", "grace_days": 0 } });
    tenant.owner.patch(paths::SIGN_IN_POLICY, all).await.expect(200);

    let asked = browser.sign_in(&enrolled.email, &enrolled.password).await.expect(200)["challenge"].clone();
    enrol(world, &browser, paths::MFA, &enrolled.email, asked).await;
    let staff = world.browser();
    let sent = staff.send_code(&tenant.owner_email).await.expect(200);
    let code = world.nth_mail_with(&tenant.owner_email, "This is your code to sign in", 2).await.code.unwrap();
    let asked = staff.verify_code(&sent["flow"], &code).await.expect(200)["challenge"].clone();
    enrol(world, &staff, paths::STAFF_MFA, &tenant.owner_email, asked).await;
    let off = json!({ "mfa": { "portal": "off", "staff": "off" } });
    staff.patch(paths::SIGN_IN_POLICY, off).await.expect(200);
    let recovery_codes = staff.post_empty(&format!("{}/recovery-codes", paths::STAFF_MFA)).await.expect(200);
    for (nth, operation) in [(3, "verify"), (4, "cancel")] {
        let sent = staff.send_code(&tenant.owner_email).await.expect(200);
        let code = world.nth_mail_with(&tenant.owner_email, "This is your code to sign in", nth).await.code.unwrap();
        let asked = staff.verify_code(&sent["flow"], &code).await.expect(200)["challenge"].clone();
        let mut body = json!({ "challenge": asked });
        if operation == "verify" {
            body["recovery_code"] = recovery_codes["recovery_codes"][0].clone();
        }
        let response = staff.post(&format!("{}/{operation}", paths::STAFF_MFA), body).await;
        assert!([200, 204].contains(&response.status), "{}", response.text);
    }

    let flow =
        browser.post(paths::SEND_PORTAL_CODE, json!({ "email": person.email })).await.expect(200)["flow"].clone();
    let code = world.mail_with(&person.email, "This is your code to sign in").await.code.unwrap();
    browser.post(paths::VERIFY_PORTAL_CODE, json!({ "flow": flow, "code": code })).await.expect(200);
    browser.post(paths::STEP_UP, json!({ "password": person.password })).await.expect(200);
    for (browser, mfa) in [(&browser, paths::MFA), (&staff, paths::STAFF_MFA)] {
        let factors = turn_on(browser, mfa).await;
        assert_eq!(browser.get(&format!("{mfa}/status")).await.expect(200)["totp"], true);
        browser.post_empty(&format!("{mfa}/recovery-codes")).await.expect(200);
        drop(factors);
        browser.post_empty(&format!("{mfa}/disable")).await.expect(204);
    }
    browser.get(paths::TRUSTED_DEVICES).await.expect(200);
    let again = world.browser();
    let factors = turn_on(&browser, paths::MFA).await;
    for (trusting, code) in [&again, &world.browser()].into_iter().zip(&factors.recovery_codes) {
        let asked = challenge(&person, trusting).await;
        let body = json!({ "challenge": asked, "recovery_code": code, "trust_device": true });
        verify(trusting, body).await.expect(200);
    }
    let devices = again.get(paths::TRUSTED_DEVICES).await.expect(200);
    let device = format!("{}/{}", paths::TRUSTED_DEVICES, devices["data"][0]["id"].as_str().unwrap());
    again.delete(&device).await.expect(204);
    again.delete(paths::TRUSTED_DEVICES).await.expect(204);
    let asked = challenge(&person, &world.browser()).await;
    again.post(&format!("{}/cancel", paths::MFA), json!({ "challenge": asked })).await.expect(204);
}

/// Sets up an authenticator app during a sign-in, then signs in with it and cancels a further sign-in.
async fn enrol(world: &World, browser: &Browser, mfa: &str, email: &str, challenge: Value) {
    let post = async |operation: &str, mut body: Value| {
        body["challenge"] = challenge.clone();
        browser.post(&format!("{mfa}/{operation}"), body).await
    };
    let mut setup = json!({});
    post("enrol/send-code", json!({})).await.expect(200);
    // The code of a staff user's sign-in has proved the mailbox.
    if mfa == paths::MFA {
        let code = world.mail_with(email, "where a second factor is required").await.code.unwrap();
        setup = json!({ "mail_code": code });
    }
    let setup = post("enrol/setup", setup).await.expect(200);
    let app = AuthenticatorApp::new(setup["secret"].as_str().unwrap());
    post("enrol/enable", json!({ "code": app.code().await })).await.expect(200);
}

/// A request of a connection that several callers share, and the expected response.
struct SharedRequest {
    text: String,
    status: u16,
    /// A text that the body of the response contains: the caller's address, or the code of the problem.
    contains: String,
}

fn get(path: &str, headers: &str, status: u16, contains: &str) -> SharedRequest {
    let text = format!("GET {path} HTTP/1.1\r\nhost: x\r\n{headers}\r\n");
    SharedRequest { text, status, contains: contains.into() }
}

/// Returns the header line with this cookie of the browser.
fn cookie_header(browser: &Browser, name: &str) -> String {
    format!("cookie: {name}={}\r\n", browser.cookie(name).unwrap())
}

/// Requests of two portal users, a staff user and callers without credentials, in turn.
fn requests_of_several_callers(ann: &Person, bob: &Person, tenant: &Tenant) -> Vec<SharedRequest> {
    let ann_cookie = cookie_header(&ann.browser, cookies::PORTAL_ACCESS);
    let bob_cookie = cookie_header(&bob.browser, cookies::PORTAL_ACCESS);
    let staff_cookie = cookie_header(&tenant.owner, cookies::STAFF_ACCESS);
    let sign_in = SharedRequest {
        text: format!(
            "POST {SIGN_IN} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}"
        ),
        status: 422,
        contains: "validation_failed".into(),
    };
    vec![
        get(SESSION, &ann_cookie, 200, &ann.email),
        get(SESSION, "", 401, "unauthenticated"),
        get(SESSION, &bob_cookie, 200, &bob.email),
        get(SESSION, "authorization: Bearer x\r\n", 401, "unauthenticated"),
        get("/nowhere", &ann_cookie, 404, "not_found"),
        get(STAFF_SESSION, &staff_cookie, 200, &tenant.owner_email),
        get(SESSION, "", 401, "unauthenticated"),
        sign_in,
        get(SESSION, &bob_cookie, 200, &bob.email),
    ]
}

/// Reads the next response on a connection and asserts that it is the expected one and names no other caller.
async fn assert_next_response(socket: &mut BufReader<TcpStream>, request: &SharedRequest, emails: [&str; 3]) {
    let SharedRequest { text, status, contains } = request;
    let (got, body) = read_response(socket).await;
    assert_eq!(got, *status, "{text} {body}");
    assert!(body.contains(contains), "{text} {body}");
    let others = emails.into_iter().filter(|email| email != contains);
    assert!(others.into_iter().all(|other| !body.contains(other)), "{text} {body}");
}

/// Returns the status and the body of the next response on a connection.
async fn read_response(socket: &mut BufReader<TcpStream>) -> (u16, String) {
    let (mut status, mut length, mut line) = (0, 0, String::new());
    loop {
        line.clear();
        socket.read_line(&mut line).await.unwrap();
        let text = line.trim_end().to_ascii_lowercase();
        if let Some(rest) = text.strip_prefix("http/1.1 ") {
            status = rest[..3].parse().unwrap();
        } else if let Some(value) = text.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        } else if text.is_empty() && status != 0 {
            break;
        }
    }
    let mut body = vec![0; length];
    socket.read_exact(&mut body).await.unwrap();
    (status, String::from_utf8(body).unwrap())
}

/// Sends a request with this header, asserts that no response header repeats the value, and returns the request id.
async fn request_id_of(world: &World, name: &str, value: &str) -> String {
    let response = world.browser().get_with_headers(LIVE, &[(name, value)]).await;
    let is_repeated = response.headers.values().any(|header| header == value);
    assert!(!is_repeated || value == RANDOM_ID, "{name} is repeated: {value}");
    response.headers["x-request-id"].to_str().unwrap().to_owned()
}

stories! {
    // `Browser` compares every response of every story with the OpenAPI document and the table of codes.
    async fn http_02_every_code_has_a_problem_document(world) {
        let mut seen: BTreeSet<_> = CODES_SHOWN_ELSEWHERE.map(String::from).into();
        for response in every_problem(world).await {
            for header in ["x-request-id", "content-security-policy", "referrer-policy", "strict-transport-security"] {
                assert!(response.headers.contains_key(header), "{header} {response:?}");
            }
            assert_eq!(response.headers["cache-control"], "no-store");
            let problem = response.problem_text();
            let code = response.assert_problem(&problem)["code"].as_str().unwrap().to_owned();
            assert!(seen.insert(code.clone()), "{code} twice");
        }
        let missing: Vec<_> = openapi::codes().into_iter().filter(|code| !seen.contains(code)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    async fn http_03_the_served_openapi_document_is_the_committed_one(world) {
        let served = world.browser().get(OPENAPI).await.expect(200);
        let committed: Value = serde_json::from_str(include_str!("../../../openapi/openapi.json")).unwrap();
        assert_eq!(served, committed, "refresh it: cargo run -- openapi > openapi/openapi.json");
    }

    // `Browser` compares every response with the OpenAPI document; here each operation succeeds once.
    async fn http_03_every_operation_succeeds_as_documented(world) {
        let tenant = world.tenant().await;
        let person = use_staff_operations(world, &tenant).await;
        use_portal_user_operations(world, &tenant).await;
        use_colleague_operations(world, &tenant).await;
        world.sign_in_staff(&world.browser(), &tenant.owner_email, 2).await;
        end_other_session(&tenant.owner, paths::STAFF_SESSIONS).await;
        use_staff_admin_operations(world, &tenant).await;
        use_branding_operations(&tenant).await;
        use_token_operations(world, &tenant).await;
        use_link_operations(world, &tenant).await;
        use_portal_operations(world, &person).await;
        use_second_factor_operations(world).await;
        use_passkey_operations(world).await;
        tenant.owner.post_empty(paths::STAFF_SIGN_OUT).await.expect(204);
        tenant.owner.post_empty(paths::STAFF_SIGN_OUT_EVERYWHERE).await.expect(204);
        let succeeded = openapi::succeeded();
        let unused: Vec<_> = openapi::operations().into_iter().filter(|id| !succeeded.contains(id)).collect();
        assert!(unused.is_empty(), "{unused:?}");
    }

    async fn http_10_requests_of_several_callers_on_one_connection_are_not_mixed_up(world) {
        let tenant = world.tenant().await;
        let (ann, bob) = (tenant.person(world).await, tenant.person(world).await);
        let requests = requests_of_several_callers(&ann, &bob, &tenant);
        for api in &world.apis {
            let socket = TcpStream::connect(api.strip_prefix("http://").unwrap()).await.unwrap();
            let mut socket = BufReader::new(socket);
            for request in &requests {
                socket.write_all(request.text.as_bytes()).await.unwrap();
                assert_next_response(&mut socket, request, [&ann.email, &bob.email, &tenant.owner_email]).await;
            }
            // Pipelined: all requests are sent before the first response.
            let all: String = requests.iter().map(|request| request.text.as_str()).collect();
            socket.write_all(all.as_bytes()).await.unwrap();
            for request in &requests {
                assert_next_response(&mut socket, request, [&ann.email, &bob.email, &tenant.owner_email]).await;
            }
        }
    }

    async fn http_12_only_a_uuid_is_taken_as_the_request_id(world) {
        assert_eq!(request_id_of(world, "x-request-id", RANDOM_ID).await, RANDOM_ID);
        // White space around a field value is not part of it (RFC 9110, section 5.5).
        assert_eq!(request_id_of(world, "x-request-id", &format!("{RANDOM_ID}\t")).await, RANDOM_ID);
        for invalid in ["x", "{\"level\":\"info\"}", &"9".repeat(5_000), "\u{1f706}"] {
            let id = request_id_of(world, "x-request-id", invalid).await;
            assert!(id != invalid && id.len() == 36, "{id}");
        }
    }

    async fn http_12_traceparent_and_user_agent_are_not_repeated(world) {
        for value in ["x", "{\"level\":\"info\"}", &"9".repeat(5_000), "\u{1f706}", &format!("{RANDOM_ID}\t")] {
            for name in ["traceparent", "user-agent"] {
                let id = request_id_of(world, name, value).await;
                assert!(id != value && id.len() == 36, "{name} {id}");
            }
        }
    }

    async fn http_12_at_most_200_characters_of_a_user_agent_are_stored(world) {
        let person = world.tenant().await.person(world).await;
        let user_agent = format!("{{\"level\":\"info\"}}{}", "x".repeat(10_000));
        let headers = [("user-agent", &*user_agent)];
        world.browser().post_with_headers(SIGN_IN, person.credentials(), &headers).await.expect(200);
        assert_eq!(world.count("SELECT max(length(user_agent)) FROM sessions"), 200);
    }

    async fn http_14_operators_pages_are_not_public(world) {
        for path in NOT_PUBLIC {
            world.browser().get(path).await.assert_problem("404 not_found");
        }
    }

    async fn http_14_public_responses_do_not_name_the_software_or_its_version(world) {
        for path in [LIVE, READY] {
            assert_eq!(world.browser().get(path).await.expect(200), json!({ "status": "ok" }));
        }
        for path in [LIVE, READY, SESSION] {
            let response = world.browser().get(path).await;
            for header in ["server", "x-powered-by", "via"] {
                assert!(!response.headers.contains_key(header), "{response:?}");
            }
            assert!(!response.text.contains(env!("CARGO_PKG_VERSION")), "{response:?}");
        }
    }
}
