//! Service accounts: accounts of programs, which stay when people leave.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Browser, Response, Tenant, World,
    paths::{CLIENTS, SERVICE_ACCOUNTS, STAFF, STAFF_SESSION, TOKEN, TOKENS},
    stories, unique_email,
};

/// Creates a service account and returns the path of its tokens.
async fn account(browser: &Browser, role: &str) -> String {
    let account = browser.post(SERVICE_ACCOUNTS, json!({ "name": "Sync", "role": role })).await.expect(201);
    format!("{SERVICE_ACCOUNTS}/{}/tokens", account["id"].as_str().unwrap())
}

/// Creates a token of a service account and returns the body of the response.
async fn create_token(browser: &Browser, tokens: &str, scopes: &[&str]) -> Value {
    browser.post(tokens, json!({ "name": "Sync token", "scopes": scopes })).await.expect(201)
}

/// Sends a request with the token.
async fn send(world: &World, token: &Value, method: Method, path: &str, body: Option<Value>) -> Response {
    let headers = [("authorization", &*format!("Bearer {}", token["token"].as_str().unwrap()))];
    world.browser().send(method, path, body.map(|body| body.to_string()), &headers).await
}

/// Adds a second owner, who signs in.
async fn second_owner(world: &World, tenant: &Tenant) -> (String, String, Browser) {
    let (email, browser) = (unique_email("olga"), world.browser());
    let body = json!({ "email": email, "name": "Olga", "role": "owner" });
    let member = tenant.owner.post(STAFF, body).await.expect(201);
    world.sign_in_staff(&browser, &email, 1).await;
    (format!("{STAFF}/{}", member["id"].as_str().unwrap()), email, browser)
}

stories! {
    async fn a_service_account_acts_under_its_own_name_and_outlives_its_creator(world) {
        let tenant = world.tenant().await;
        let (creator_path, creator_email, creator) = second_owner(world, &tenant).await;
        let tokens = account(&creator, "support").await;
        let token = create_token(&creator, &tokens, &["clients:read", "clients:edit"]).await;
        // All owners are told.
        for (email, nth) in [(&tenant.owner_email, 2), (&creator_email, 2)] {
            let mail = world.mail(email, nth).await;
            assert!(mail.text.contains("Olga created") && mail.text.contains("service account Sync"), "{mail:?}");
        }
        tenant.owner.delete(&creator_path).await.expect(204);
        let body = Some(json!({ "name": "By service" }));
        let client = send(world, &token, Method::POST, CLIENTS, body).await.expect(201);
        let invite = format!("{CLIENTS}/{}/portal-user", client["id"].as_str().unwrap());
        let invited = send(world, &token, Method::POST, &invite, Some(json!({ "email": unique_email("ann") }))).await.expect(201);
        assert_eq!(invited["invitation"]["created_by"], Value::Null);
        let own = send(world, &token, Method::GET, TOKEN, None).await.expect(200);
        assert_eq!((&own["owner"]["kind"], &own["owner"]["name"]), (&json!("service"), &json!("Sync")));
        let realms = world.sql(&format!(
            "SELECT DISTINCT actor_realm FROM audit_events WHERE CAST(details AS TEXT) LIKE '%{}%'",
            token["id"].as_str().unwrap()
        ));
        assert_eq!(realms, "service");
        let account = tokens.strip_suffix("/tokens").unwrap();
        tenant.owner.delete(account).await.expect(204);
        send(world, &token, Method::GET, CLIENTS, None).await.assert_problem("401 unauthenticated");
        tenant.owner.get(&tokens).await.assert_problem("404 not_found");
        tenant.owner.delete(account).await.assert_problem("404 not_found");
    }

    async fn service_accounts_are_listed_with_the_staff(world) {
        let tenant = world.tenant().await;
        let mut created = tenant.owner.post(SERVICE_ACCOUNTS, json!({ "name": "Sync", "role": "admin" })).await.expect(201);
        assert!(created["created_at"].is_string());
        assert_eq!(tenant.owner.get(SERVICE_ACCOUNTS).await.expect(200)["data"], json!([created]));
        let member = tenant.owner.get(STAFF).await.expect(200)["data"][1].clone();
        assert_eq!(member, json!({
            "id": created["id"].take(), "email": null, "name": "Sync", "role": "admin", "kind": "service",
            "status": "active", "last_sign_in_at": null,
        }));
        let path = format!("{STAFF}/{}", member["id"].as_str().unwrap());
        tenant.owner.patch(&path, json!({ "role": "owner" })).await.assert_problem("404 not_found");
        tenant.owner.delete(&path).await.assert_problem("404 not_found");
    }

    async fn the_role_bounds_the_scopes_of_the_tokens(world) {
        let tenant = world.tenant().await;
        for (role, scope, is_given) in [
            ("viewer", "clients:edit", false), ("viewer", "audit:read", true), ("support", "audit:read", false),
            ("support", "emails:edit", true), ("admin", "settings:read", true), ("admin", "clients:edit", true),
        ] {
            let tokens = account(&tenant.owner, role).await;
            let response = tenant.owner.post(&tokens, json!({ "name": "x", "scopes": [scope] })).await;
            if is_given {
                response.expect(201);
            } else {
                response.assert_problem("422 validation_failed: /scopes scope_not_allowed");
            }
        }
        for role in ["owner", "king"] {
            let response = tenant.owner.post(SERVICE_ACCOUNTS, json!({ "name": "x", "role": role })).await;
            response.assert_problem("422 validation_failed: /role invalid");
        }
    }

    async fn a_token_of_a_service_account_is_revoked_in_two_ways(world) {
        let tenant = world.tenant().await;
        let tokens = account(&tenant.owner, "viewer").await;
        let (first, second) = (
            create_token(&tenant.owner, &tokens, &["clients:read"]).await,
            create_token(&tenant.owner, &tokens, &["clients:read"]).await,
        );
        let listed = tenant.owner.get(&tokens).await.expect(200);
        assert_eq!(listed["data"].as_array().unwrap().len(), 2);
        let other = account(&tenant.owner, "viewer").await;
        let path = |tokens: &str, token: &Value| format!("{tokens}/{}", token["id"].as_str().unwrap());
        tenant.owner.delete(&path(&other, &first)).await.assert_problem("404 not_found");
        tenant.owner.delete(&path(&tokens, &first)).await.expect(204);
        tenant.owner.delete(&path(TOKENS, &second)).await.expect(204);
        for token in [first, second] {
            send(world, &token, Method::GET, CLIENTS, None).await.assert_problem("401 unauthenticated");
        }
        assert_eq!(tenant.owner.get(&tokens).await.expect(200)["data"], json!([]));
    }

    async fn az_05_service_accounts_of_another_tenant_do_not_exist(world) {
        let (tenant, other) = (world.tenant().await, world.tenant().await);
        let foreign = account(&other.owner, "viewer").await;
        let token = create_token(&other.owner, &foreign, &["clients:read"]).await;
        let random = format!("{SERVICE_ACCOUNTS}/01a1fdba-f86f-76f5-b296-4e548b3691ab/tokens");
        for tokens in [&foreign, &random] {
            let body = json!({ "name": "x", "scopes": ["clients:read"] });
            tenant.owner.get(tokens).await.assert_problem("404 not_found");
            tenant.owner.post(tokens, body).await.assert_problem("404 not_found");
            let one = format!("{tokens}/{}", token["id"].as_str().unwrap());
            tenant.owner.delete(&one).await.assert_problem("404 not_found");
            tenant.owner.delete(tokens.strip_suffix("/tokens").unwrap()).await.assert_problem("404 not_found");
        }
        let client = tenant.owner.post(CLIENTS, json!({ "name": "Sealed" })).await.expect(201);
        let path = format!("{CLIENTS}/{}", client["id"].as_str().unwrap());
        send(world, &token, Method::GET, &path, None).await.assert_problem("404 not_found");
        assert_eq!(send(world, &token, Method::GET, CLIENTS, None).await.expect(200)["data"], json!([]));
    }

    async fn a_service_account_cannot_sign_in(world) {
        let tenant = world.tenant().await;
        let tokens = account(&tenant.owner, "admin").await;
        let token = create_token(&tenant.owner, &tokens, &["clients:read"]).await;
        send(world, &token, Method::GET, STAFF_SESSION, None).await.assert_problem("401 unauthenticated");
        let body = Some(json!({ "name": "x", "role": "viewer" }));
        send(world, &token, Method::POST, SERVICE_ACCOUNTS, body).await.assert_problem("403 forbidden");
        send(world, &token, Method::GET, STAFF, None).await.assert_problem("403 forbidden");
    }
}
