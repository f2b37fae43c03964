//! The command line logs in with a code that a staff user approves in a browser.

use serde_json::{Value, json};

use crate::support::{
    Browser, Deployment, PAST, Response, Tenant, World,
    paths::{self, CLI_LOGINS, CLIENTS, EXCHANGE_CLI_LOGIN, STAFF_TOKENS, TOKEN},
    post_concurrently, stories, unique,
};

/// The secret of the program: the example of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// The hash of the secret.
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const STATE: &str = "a-state-of-the-program";

/// The body that approves a login.
fn login() -> Value {
    json!({
        "port": 49152, "state": STATE, "code_challenge": CHALLENGE, "name": "laptop",
        "scopes": ["clients:read", "clients:edit"],
    })
}

/// The body that approves a login, with another value of a field.
fn login_with(field: &str, value: Value) -> Value {
    let mut body = login();
    body[field] = value;
    body
}

/// Approves a login and returns its code.
async fn approve(staff: &Browser) -> String {
    let redirect = staff.post(CLI_LOGINS, login()).await.expect(201)["redirect_to"].as_str().unwrap().to_owned();
    let code = redirect.strip_prefix("http://127.0.0.1:49152/callback?code=").expect(&redirect);
    code.strip_suffix(&format!("&state={STATE}")).expect(&redirect).to_owned()
}

/// Exchanges a code with a secret.
async fn exchange(world: &World, code: &str, verifier: &str) -> Response {
    let body = json!({ "code": code, "code_verifier": verifier });
    world.browser().post(EXCHANGE_CLI_LOGIN, body).await
}

/// Asserts that a code gives no token.
async fn assert_refused(world: &World, code: &str) {
    exchange(world, code, VERIFIER).await.assert_problem("401 invalid_code");
}

/// The condition of the logins that the owner of a tenant has approved.
fn of_owner(tenant: &Tenant) -> String {
    format!(
        "session_id IN (SELECT s.id FROM sessions s JOIN staff_users u ON u.id = s.staff_user_id WHERE u.email = '{}')",
        tenant.owner_email
    )
}

/// Changes when the codes expire that the owner of a tenant has not used yet.
fn expire(world: &World, tenant: &Tenant, at: &str) {
    let unused = format!("used_at IS NULL AND {}", of_owner(tenant));
    world.sql(&format!("UPDATE cli_logins SET expires_at = '{at}' WHERE {unused}"));
}

/// The number of API tokens of a tenant.
async fn tokens(tenant: &Tenant) -> usize {
    tenant.owner.get(paths::TOKENS).await.expect(200)["data"].as_array().unwrap().len()
}

stories! {
    async fn a_staff_user_approves_a_login_and_the_program_gets_a_token(world) {
        let tenant = world.tenant().await;
        let code = approve(&tenant.owner).await;
        assert_eq!(tokens(&tenant).await, 0, "there is no token before the exchange");
        let created = exchange(world, &code, VERIFIER).await.expect(201);
        assert_eq!((&created["name"], &created["scopes"]), (&json!("laptop"), &json!(["clients:read", "clients:edit"])));
        let token = created["token"].as_str().unwrap();
        world.browser().get_with_bearer(CLIENTS, token).await.expect(200);
        let presented = world.browser().get_with_bearer(TOKEN, token).await.expect(200);
        assert_eq!((&presented["owner"]["kind"], &presented["tenant"]["slug"]), (&json!("person"), &json!(tenant.slug)));
        assert_eq!(tenant.owner.get(STAFF_TOKENS).await.expect(200)["data"][0]["id"], created["id"]);
        let notice = world.mail(&tenant.owner_email, 2).await;
        assert!(notice.subject.contains("API token") && notice.text.contains("laptop"), "{notice:?}");
        assert!(!notice.text.contains(token));
    }

    async fn pat_07_a_code_is_valid_once_and_for_a_minute(world) {
        let tenant = world.tenant().await;
        let code = approve(&tenant.owner).await;
        exchange(world, &code, VERIFIER).await.expect(201);
        assert_refused(world, &code).await;
        let code = approve(&tenant.owner).await;
        expire(world, &tenant, PAST);
        assert_refused(world, &code).await;
        // A time that a wrong clock has recorded.
        let code = approve(&tenant.owner).await;
        expire(world, &tenant, "2099-01-01T00:00:00+00:00");
        assert_refused(world, &code).await;
        assert_eq!(tokens(&tenant).await, 1);
    }

    async fn pat_07_only_the_program_with_the_secret_gets_the_token(world) {
        let tenant = world.tenant().await;
        let code = approve(&tenant.owner).await;
        for wrong in [VERIFIER.replace('d', "e"), VERIFIER.to_uppercase(), format!("{VERIFIER}~")] {
            exchange(world, &code, &wrong).await.assert_problem("401 invalid_code");
        }
        for malformed in ["", "short", &VERIFIER[1..], &VERIFIER.repeat(3), &VERIFIER.replace('d', "/")] {
            let refused = exchange(world, &code, malformed).await;
            refused.assert_problem("422 validation_failed: /code_verifier code_verifier_invalid");
        }
        for unknown in ["", "x", &code[1..], &format!("{code}A"), &code.to_uppercase()] {
            assert_refused(world, unknown).await;
        }
        assert_eq!(tokens(&tenant).await, 0);
        // None of this has used the code up.
        exchange(world, &code, VERIFIER).await.expect(201);
    }

    async fn pat_07_of_twenty_exchanges_at_the_same_time_one_gets_a_token(world) {
        let tenant = world.tenant().await;
        let code = approve(&tenant.owner).await;
        let body = json!({ "code": code, "code_verifier": VERIFIER });
        let counts = post_concurrently(world.browsers(20), EXCHANGE_CLI_LOGIN, vec![Some(body); 20]).await;
        assert_eq!(counts, [(201, 1), (401, 19)].into());
        assert_eq!(tokens(&tenant).await, 1);
    }

    async fn pat_07_a_code_ends_with_the_session_in_which_it_was_approved(world) {
        let tenant = world.tenant().await;
        let (staff, email) = (world.browser(), format!("{}@x.test", unique("sam")));
        world.add_staff(&tenant.slug, &email, "admin");
        world.sign_in_staff(&staff, &email, 1).await;
        let code = approve(&staff).await;
        staff.post_empty(paths::STAFF_SIGN_OUT).await.expect(204);
        assert_refused(world, &code).await;

        world.sign_in_staff(&staff, &email, 2).await;
        let id = staff.get(paths::STAFF_SESSION).await.expect(200)["user"]["id"].as_str().unwrap().to_owned();
        let code = approve(&staff).await;
        tenant.owner.patch(&format!("{}/{id}", paths::STAFF), json!({ "role": "viewer" })).await.expect(200);
        assert_refused(world, &code).await;
        staff.post(CLI_LOGINS, login()).await.assert_problem("422 validation_failed: /scopes scope_not_allowed");

        let code = {
            let body = login_with("scopes", json!(["clients:read"]));
            let redirect = staff.post(CLI_LOGINS, body).await.expect(201)["redirect_to"].as_str().unwrap().to_owned();
            redirect.split(['=', '&']).nth(1).unwrap().to_owned()
        };
        tenant.owner.delete(&format!("{}/{id}", paths::STAFF)).await.expect(204);
        assert_refused(world, &code).await;
        assert_eq!(tokens(&tenant).await, 0);
    }

    async fn pat_07_the_database_holds_only_the_hash_of_a_code(world) {
        let code = approve(&world.tenant().await.owner).await;
        let dump = world.dump();
        assert!(!dump.contains(&code) && dump.contains(CHALLENGE));
    }

    async fn pat_08_the_browser_goes_to_the_literal_loopback_address_only(world) {
        let owner = world.tenant().await.owner;
        for port in [json!(1023), json!(80), json!(0), json!(-1), json!(65536), json!("8080"), json!(1024.5), json!(null)] {
            owner.post(CLI_LOGINS, login_with("port", port)).await.expect(422);
        }
        for port in [1024, 65535] {
            let approved = owner.post(CLI_LOGINS, login_with("port", json!(port))).await.expect(201);
            let redirect = approved["redirect_to"].as_str().unwrap();
            assert!(redirect.starts_with(&format!("http://127.0.0.1:{port}/callback?code=")), "{redirect}");
        }
        for (field, value, code) in [
            ("state", "", "state_invalid"), ("state", "a&code=b&code=c-d-e-f-g", "state_invalid"),
            ("state", "x\r\nlocation: https://evil.test", "state_invalid"), ("code_challenge", VERIFIER.get(1..).unwrap(), "code_challenge_invalid"),
            ("code_challenge", "", "code_challenge_invalid"),
        ] {
            let refused = owner.post(CLI_LOGINS, login_with(field, json!(value))).await;
            refused.assert_problem(&format!("422 validation_failed: /{field} {code}"));
        }
        for field in ["redirect_to", "redirect_uri", "host"] {
            owner.post(CLI_LOGINS, login_with(field, json!("https://evil.test"))).await.expect(422);
        }
    }

    async fn pat_08_approving_needs_a_fresh_session_and_scopes_of_the_role(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        for caller in [&world.browser(), &person.browser] {
            caller.post(CLI_LOGINS, login()).await.assert_problem("401 unauthenticated");
        }
        for scopes in [json!([]), json!(["staff:edit"]), json!(["x"]), json!(null)] {
            tenant.owner.post(CLI_LOGINS, login_with("scopes", scopes)).await.expect(422);
        }
        let token = exchange(world, &approve(&tenant.owner).await, VERIFIER).await.expect(201);
        let headers = [("authorization", &*format!("Bearer {}", token["token"].as_str().unwrap()))];
        world.browser().post_with_headers(CLI_LOGINS, login(), &headers).await.assert_problem("401 unauthenticated");
        world.sql(&format!(
            "UPDATE sessions SET auth_time = '{PAST}' \
             WHERE staff_user_id = (SELECT id FROM staff_users WHERE email = '{}')", tenant.owner_email
        ));
        tenant.owner.post(CLI_LOGINS, login()).await.assert_problem("403 step_up_required");
    }

    async fn expired_logins_are_deleted(world) {
        let tenant = world.tenant().await;
        approve(&tenant.owner).await;
        let left = format!("SELECT count(*) FROM cli_logins WHERE {}", of_owner(&tenant));
        assert_eq!(world.count(&left), 1);
        expire(world, &tenant, PAST);
        world.run_periodic_job("delete_expired");
        world.wait_for_sql("the expired login is deleted", &left, "0").await;
    }
}

#[tokio::test]
async fn pat_07_wrong_codes_are_limited_per_network_and_a_code_of_another_installation_is_unknown() {
    let (world, other) = tokio::join!(World::start(Deployment::Single, &[]), World::start(Deployment::Single, &[]));
    let tenant = world.tenant().await;
    let code = approve(&tenant.owner).await;
    assert_refused(&other, &code).await;
    let guesser = world.browser();
    for _ in 0..20 {
        let body = json!({ "code": unique("wrong"), "code_verifier": VERIFIER });
        guesser.post(EXCHANGE_CLI_LOGIN, body).await.assert_problem("401 invalid_code");
    }
    let body = json!({ "code": code, "code_verifier": VERIFIER });
    guesser.post(EXCHANGE_CLI_LOGIN, body).await.assert_problem("429 too_many_requests");
    exchange(&world, &code, VERIFIER).await.expect(201);
}
