//! API tokens: programs act for a tenant with credentials of their own.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Browser, Deployment, PAST, Response, Tenant, World, cookies, openapi,
    paths::{self, CLIENTS, SESSION, STAFF, STAFF_SESSION, STAFF_TOKENS, TOKEN, TOKENS},
    stories, unique_email,
};

const SCOPES: [&str; 6] = ["clients:read", "clients:edit", "emails:read", "emails:edit", "audit:read", "settings:read"];

/// Creates a personal access token of the browser's staff user. Returns the body of the response.
async fn create(browser: &Browser, scopes: &[&str]) -> Value {
    browser.post(STAFF_TOKENS, json!({ "name": "Nightly export", "scopes": scopes })).await.expect(201)
}

/// Creates a token and returns only its secret.
async fn secret(browser: &Browser, scopes: &[&str]) -> String {
    create(browser, scopes).await["token"].as_str().unwrap().to_owned()
}

/// Sends a request with the token.
async fn send(world: &World, token: &str, method: Method, path: &str, body: Option<Value>) -> Response {
    let headers = [("authorization", &*format!("Bearer {token}"))];
    world.browser().send(method, path, body.map(|body| body.to_string()), &headers).await
}

/// Asserts that every API refuses the token.
async fn assert_refused(world: &World, token: &str) {
    for _ in 0..world.apis.len() {
        world.browser().get_with_bearer(CLIENTS, token).await.assert_problem("401 unauthenticated");
        world.browser().get_with_bearer(TOKEN, token).await.assert_problem("401 unauthenticated");
    }
}

/// Returns the path of a token of the staff user.
fn own_path(token: &Value) -> String {
    format!("{STAFF_TOKENS}/{}", token["id"].as_str().unwrap())
}

/// Adds a staff user who signs in.
async fn colleague(world: &World, tenant: &Tenant, role: &str) -> (String, Browser) {
    let (email, browser) = (unique_email("sam"), world.browser());
    let member = tenant.owner.post(STAFF, json!({ "email": email, "role": role })).await.expect(201);
    world.sign_in_staff(&browser, &email, 1).await;
    (format!("{STAFF}/{}", member["id"].as_str().unwrap()), browser)
}

stories! {
    async fn a_program_acts_with_a_token_until_it_is_revoked(world) {
        let tenant = world.tenant().await;
        let mut created = create(&tenant.owner, &["clients:edit", "clients:read", "clients:read"]).await;
        let token = created["token"].as_str().unwrap().to_owned();
        assert_eq!(created["scopes"], json!(["clients:read", "clients:edit"]));
        assert_eq!(created["prefix"], token[..12]);
        let client = send(world, &token, Method::POST, CLIENTS, Some(json!({ "name": "By program" }))).await.expect(201);
        let path = paths::client(client["id"].as_str().unwrap());
        send(world, &token, Method::PATCH, &path, Some(json!({ "status": "past_due" }))).await.expect(200);
        let mut own = send(world, &token, Method::GET, TOKEN, None).await.expect(200);
        assert_eq!((&own["owner"]["kind"], &own["owner"]["name"]), (&json!("person"), &json!("owner")));
        assert_eq!((&own["role"], &own["tenant"]["slug"]), (&json!("owner"), &json!(tenant.slug)));
        for name in ["owner", "role", "tenant"] {
            own.as_object_mut().unwrap().remove(name);
        }
        created.as_object_mut().unwrap().remove("token");
        assert_eq!(own, created);
        let event = world.sql(&format!(
            "SELECT actor_realm, outcome FROM audit_events WHERE action = 'client.created' \
             AND CAST(details AS TEXT) LIKE '%{}%'", created["id"].as_str().unwrap()
        ));
        assert_eq!(event, "staff|success");
        tenant.owner.delete(&own_path(&created)).await.expect(204);
        assert_refused(world, &token).await;
        tenant.owner.delete(&own_path(&created)).await.assert_problem("404 not_found");
    }

    async fn pat_01_a_token_is_shown_once_and_stored_as_a_hash(world) {
        let tenant = world.tenant().await;
        let created = create(&tenant.owner, &["clients:read"]).await;
        let token = created["token"].as_str().unwrap();
        assert!(token.starts_with("pat_") && token.len() == 50 && token[4..].bytes().all(|b| b.is_ascii_alphanumeric()));
        for list in [STAFF_TOKENS, TOKENS] {
            let list = tenant.owner.get(list).await.expect(200);
            assert_eq!(list["data"][0]["id"], created["id"]);
            assert!(list["data"][0].get("token").is_none() && !list.to_string().contains(&token[..13]), "{list}");
        }
        let presented = send(world, token, Method::GET, TOKEN, None).await;
        assert!(!presented.text.contains(&token[..13]));
        assert!(!world.dump().contains(&token[..13]), "the database holds 12 characters of it");
        // Near misses.
        for near in [&token[..49], &token.to_lowercase(), &token.to_uppercase(), &format!("{token}0"), &token[4..]] {
            world.browser().get_with_bearer(CLIENTS, near).await.assert_problem("401 unauthenticated");
        }
        world.browser().get_with_bearer(CLIENTS, token).await.expect(200);
    }

    async fn pat_03_a_token_ends_at_once_for_every_reason(world) {
        let tenant = world.tenant().await;
        let (path, sam) = colleague(world, &tenant, "admin").await;
        let created = create(&sam, &["clients:read"]).await;
        let token = created["token"].as_str().unwrap();
        send(world, token, Method::GET, CLIENTS, None).await.expect(200);
        // Demoted: the token keeps only what the role gives.
        let editing = secret(&sam, &["clients:read", "clients:edit"]).await;
        tenant.owner.patch(&path, json!({ "role": "viewer" })).await.expect(200);
        let body = || Some(json!({ "name": "A" }));
        send(world, &editing, Method::POST, CLIENTS, body()).await.assert_problem("403 forbidden");
        send(world, &editing, Method::GET, CLIENTS, None).await.expect(200);
        tenant.owner.patch(&path, json!({ "role": "support" })).await.expect(200);
        send(world, &editing, Method::POST, CLIENTS, body()).await.expect(201);
        // Expired.
        world.sql(&format!("UPDATE api_tokens SET expires_at = '{PAST}' WHERE prefix = '{}'", &editing[..12]));
        assert_refused(world, &editing).await;
        // The tenant is suspended.
        world.run(&["tenant", "suspend", "--slug", &tenant.slug]);
        assert_refused(world, token).await;
        world.run(&["tenant", "restore", "--slug", &tenant.slug]);
        send(world, token, Method::GET, CLIENTS, None).await.expect(200);
        // The owner of the token is removed.
        world.sign_in_staff(&tenant.owner, &tenant.owner_email, 2).await;
        tenant.owner.delete(&path).await.expect(204);
        assert_refused(world, token).await;
    }

    async fn an_owner_lists_and_revokes_the_tokens_of_everyone(world) {
        let tenant = world.tenant().await;
        let (_, sam) = colleague(world, &tenant, "support").await;
        let created = create(&sam, &["clients:read"]).await;
        let list = tenant.owner.get(TOKENS).await.expect(200);
        assert_eq!(list["data"][0]["id"], created["id"]);
        assert_eq!(list["data"][0]["owner"]["kind"], "person");
        let path = format!("{TOKENS}/{}", created["id"].as_str().unwrap());
        for (browser, problem) in [(&sam, "403 forbidden"), (&world.tenant().await.owner, "404 not_found")] {
            browser.delete(&path).await.assert_problem(problem);
        }
        sam.get(TOKENS).await.assert_problem("403 forbidden");
        tenant.owner.delete(&own_path(&created)).await.assert_problem("404 not_found");
        // Also in a session that is not fresh, because a leaked token must go at once.
        world.sql(&format!("UPDATE sessions SET auth_time = '{PAST}' WHERE staff_user_id = \
                            (SELECT id FROM staff_users WHERE email = '{}')", tenant.owner_email));
        tenant.owner.delete(&path).await.expect(204);
        assert_refused(world, created["token"].as_str().unwrap()).await;
        assert_eq!(sam.get(STAFF_TOKENS).await.expect(200)["data"], json!([]));
    }

    async fn a_program_reads_and_revokes_its_own_token(world) {
        let tenant = world.tenant().await;
        let token = secret(&tenant.owner, &["settings:read"]).await;
        send(world, &token, Method::GET, TOKEN, None).await.expect(200);
        tenant.owner.get(TOKEN).await.assert_problem("404 not_found");
        tenant.owner.delete(TOKEN).await.assert_problem("404 not_found");
        world.browser().get(TOKEN).await.assert_problem("401 unauthenticated");
        send(world, &token, Method::DELETE, TOKEN, None).await.expect(204);
        assert_refused(world, &token).await;
    }

    async fn pat_04_a_token_is_taken_from_the_authorization_header_only(world) {
        let tenant = world.tenant().await;
        let token = secret(&tenant.owner, &["clients:read"]).await;
        for name in [cookies::STAFF_ACCESS, cookies::PORTAL_ACCESS, "token"] {
            let browser = world.browser().with_cookie(name, &token);
            browser.get(CLIENTS).await.assert_problem("401 unauthenticated");
        }
        let basic = "Basic cGF0OnBhdA==";
        world.browser().get_with_headers(CLIENTS, &[("authorization", basic)]).await.assert_problem("401 unauthenticated");
        for scheme in ["Token", "pat"] {
            let headers = [("authorization", &*format!("{scheme} {token}"))];
            world.browser().get_with_headers(CLIENTS, &headers).await.assert_problem("401 unauthenticated");
        }
        // A wrong token beside a right cookie is wrong.
        let wrong = format!("{}{}", &token[..49], if token.ends_with('x') { 'y' } else { 'x' });
        tenant.owner.get_with_bearer(CLIENTS, &wrong).await.assert_problem("401 unauthenticated");
    }

    // Generated from the document: a token opens exactly what its scope names.
    async fn az_03_a_token_opens_exactly_the_operations_of_its_scopes(world) {
        let tenant = world.tenant().await;
        let operations = openapi::secured_operations();
        let mut checked = 0;
        for scope in SCOPES {
            let token = secret(&tenant.owner, &[scope]).await;
            for operation in &operations {
                let is_of_realm = operation.path.starts_with("/api/v1");
                // An operation that also works without a credential looks at the body first.
                let is_optional = operation.path.contains("sign-out") || operation.path == paths::CHECK_PASSWORD;
                if operation.path == TOKEN || is_optional {
                    continue;
                }
                let response = send(world, &token, operation.method.clone(), &operation.path, None).await;
                let expected = match &operation.permission {
                    _ if !is_of_realm => Some(401),
                    Some(permission) if permission == scope && !operation.is_fresh => None,
                    _ => Some(403),
                };
                checked += 1;
                match expected {
                    Some(status) => assert_eq!(response.status, status, "{scope} {operation:?} {response:?}"),
                    None => assert!(![401, 403].contains(&response.status), "{scope} {operation:?} {response:?}"),
                }
                let is_documented = operation.schemes.contains("ApiToken");
                let is_possible = operation.permission.as_ref().is_none_or(|name| SCOPES.contains(&name.as_str()));
                assert_eq!(is_documented, is_of_realm && !operation.is_fresh && is_possible, "{operation:?}");
            }
        }
        assert!(checked >= 6 * 25, "{checked}");
    }

    async fn a_token_is_no_session(world) {
        let tenant = world.tenant().await;
        let token = secret(&tenant.owner, &SCOPES).await;
        for path in [STAFF_SESSION, SESSION, STAFF_TOKENS, paths::STAFF_PROFILE] {
            world.browser().get_with_bearer(path, &token).await.assert_problem("401 unauthenticated");
        }
        let body = json!({ "name": "x", "scopes": ["clients:read"] });
        send(world, &token, Method::POST, STAFF_TOKENS, Some(body)).await.assert_problem("401 unauthenticated");
        let invitation = json!({ "email": unique_email("new"), "role": "owner" });
        send(world, &token, Method::POST, STAFF, Some(invitation)).await.assert_problem("403 forbidden");
    }

    async fn pat_05_names_scopes_and_lifetimes_have_bounds(world) {
        let tenant = world.tenant().await;
        let post = async |body: Value| tenant.owner.post(STAFF_TOKENS, body).await;
        for days in [json!(0), json!(366), json!(-1), json!(9_999_999), json!(1e12), json!("90"), json!(1.5)] {
            let body = json!({ "name": "x", "scopes": ["clients:read"], "expires_in_days": days });
            post(body).await.assert_problem("422 validation_failed: /expires_in_days invalid");
        }
        for (scopes, at) in [
            (json!(["staff:edit"]), "/scopes/0"), (json!(["staff:read"]), "/scopes/0"), (json!([]), "/scopes"),
            (json!(["clients:read", "*"]), "/scopes/1"), (json!("clients:read"), "/scopes"), (json!([1]), "/scopes/0"),
        ] {
            let response = post(json!({ "name": "x", "scopes": scopes })).await;
            response.assert_problem(&format!("422 validation_failed: {at} invalid"));
        }
        for name in [&"x".repeat(10_000), "", "see https://evil.test", "a\u{7}b"] {
            assert_eq!(post(json!({ "name": name, "scopes": ["clients:read"] })).await.status, 422, "{name:.20}");
        }
        let body = json!({ "name": "x", "scopes": ["clients:read"], "owner_id": "y", "expires_at": "2099-01-01" });
        let problem = "422 validation_failed: /expires_at unknown_field, /owner_id unknown_field";
        post(body).await.assert_problem(problem);
        // A viewer cannot create a token that could one day edit.
        let (_, viewer) = colleague(world, &tenant, "viewer").await;
        let body = json!({ "name": "x", "scopes": ["clients:read", "clients:edit"] });
        let response = viewer.post(STAFF_TOKENS, body).await;
        response.assert_problem("422 validation_failed: /scopes scope_not_allowed");
        assert_eq!(tenant.owner.get(STAFF_TOKENS).await.expect(200)["data"], json!([]));
    }

    async fn pat_05_a_staff_user_has_at_most_a_hundred_tokens(world) {
        let tenant = world.tenant().await;
        create(&tenant.owner, &["clients:read"]).await;
        let id = if world.redis.is_some() { "gen_random_uuid()" } else { "randomblob(16)" };
        let row = format!(
            "INSERT INTO api_tokens (id, tenant_id, staff_user_id, name, prefix, token_hash, scopes, created_at, expires_at) \
             SELECT {id}, tenant_id, staff_user_id, name, prefix, token_hash || '-N', scopes, created_at, expires_at \
             FROM api_tokens WHERE length(token_hash) = 64 AND staff_user_id = \
             (SELECT id FROM staff_users WHERE email = '{}')", tenant.owner_email
        );
        let rows: Vec<_> = (0..98).map(|n| row.replace("-N", &format!("-{n}"))).collect();
        world.sql(&rows.join(";\n"));
        let body = json!({ "name": "x", "scopes": ["clients:read"] });
        let post = || tenant.owner.post(STAFF_TOKENS, body.clone());
        let (one, two, three) = tokio::join!(post(), post(), post());
        let mut statuses = [one.status, two.status, three.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409]);
        let page = tenant.owner.get(&format!("{STAFF_TOKENS}?limit=100")).await.expect(200);
        assert_eq!((page["data"].as_array().unwrap().len(), &page["next_cursor"]), (100, &Value::Null));
    }

    async fn creation_is_mailed_and_the_end_is_announced_once(world) {
        let tenant = world.tenant().await;
        let created = create(&tenant.owner, &["clients:read", "emails:read"]).await;
        let (token, prefix) = (created["token"].as_str().unwrap(), created["prefix"].as_str().unwrap());
        let mail = world.mail(&tenant.owner_email, 2).await;
        assert_eq!(mail.subject, "An API token of Blue Harbour was created");
        for part in ["Nightly export", prefix, "clients:read, emails:read"] {
            assert!(mail.text.contains(part) && mail.html.contains(part), "{part} {mail:?}");
        }
        assert!(!mail.text.contains(&token[..13]) && !mail.html.contains(&token[..13]));
        // A token for a week or less has no second mail.
        let short = json!({ "name": "Short", "scopes": ["clients:read"], "expires_in_days": 7 });
        let short = tenant.owner.post(STAFF_TOKENS, short).await.expect(201);
        world.mail(&tenant.owner_email, 3).await;
        let due = |id: &Value| format!("SELECT count(expiry_notice_at) FROM api_tokens WHERE prefix = '{}'", id.as_str().unwrap());
        assert_eq!(world.count(&due(&short["prefix"])), 0);
        world.sql(&format!("UPDATE api_tokens SET expiry_notice_at = created_at WHERE prefix = '{prefix}'"));
        for _ in 0..3 {
            world.run_periodic_job("notify_expiring_tokens");
        }
        let mail = world.mail(&tenant.owner_email, 4).await;
        assert_eq!(mail.subject, "The API token Nightly export of Blue Harbour expires soon");
        let left = "SELECT count(*) FROM background_jobs WHERE name = 'notify_expiring_tokens' AND state <> 'done'";
        world.wait_for_sql("the jobs are done", left, "0").await;
        let mails = format!("SELECT count(*) FROM emails WHERE kind = 'token_expiring' AND recipient = '{}'", tenant.owner_email);
        assert_eq!(world.count(&mails), 1);
    }

    async fn an_id_of_a_foreign_token_is_that_of_no_token(world) {
        let (tenant, other) = (world.tenant().await, world.tenant().await);
        let foreign = create(&other.owner, &["clients:read"]).await;
        let foreign_id = foreign["id"].as_str().unwrap();
        for id in [foreign_id, "01a1fdba-f86f-76f5-b296-4e548b3691ab", "x"] {
            for path in [STAFF_TOKENS, TOKENS] {
                tenant.owner.delete(&format!("{path}/{id}")).await.assert_problem("404 not_found");
            }
        }
        send(world, foreign["token"].as_str().unwrap(), Method::GET, CLIENTS, None).await.expect(200);
        assert_eq!(tenant.owner.get(TOKENS).await.expect(200)["data"], json!([]));
    }
}

/// Returns tokens of the right form that no one has: with a right checksum or not.
fn guesses(token: &str, count: usize) -> impl Iterator<Item = String> {
    let (start, end) = (token[..20].to_owned(), token[30..].to_owned());
    (0..count).map(move |n| format!("{start}{n:010}{end}"))
}

#[tokio::test]
async fn pat_06_guesses_are_limited_per_network() {
    let world = World::shared(Deployment::Cluster).await;
    let token = secret(&world.tenant().await.owner, &["clients:read"]).await;
    // The limit is counted by each process.
    let browser = world.browser().at(&world.apis[..1]);
    let mut refused = 0;
    for guess in guesses(&token, 70) {
        let status = browser.get_with_bearer(CLIENTS, &guess).await.status;
        assert!([401, 429].contains(&status), "{status}");
        refused += usize::from(status == 429);
    }
    assert!(refused >= 5, "{refused}");
    // Then the network is refused also with a right token, and other networks are not.
    browser.get_with_bearer(CLIENTS, &token).await.assert_problem("429 too_many_requests");
    world.browser().get_with_bearer(CLIENTS, &token).await.expect(200);
}

#[tokio::test]
async fn the_last_use_of_a_token_is_recorded_when_a_process_stops() {
    let world = World::start(Deployment::Single, &[]).await;
    let tenant = world.tenant().await;
    let created = create(&tenant.owner, &["clients:read"]).await;
    let last_used =
        format!("SELECT count(last_used_at) FROM api_tokens WHERE prefix = '{}'", created["prefix"].as_str().unwrap());
    for _ in 0..20 {
        world.browser().get_with_bearer(CLIENTS, created["token"].as_str().unwrap()).await.expect(200);
    }
    assert_eq!(world.count(&last_used), 0, "requests do not write it");
    world.processes[0].signal("TERM");
    assert!(world.processes[0].ends().await);
    assert_eq!(world.count(&last_used), 1);
}
