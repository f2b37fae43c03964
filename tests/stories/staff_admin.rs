//! Owners manage the staff of their tenant: over the API, and from the command line.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Browser, Tenant, World, binary, cookies,
    paths::{self, CLIENTS, SERVICE_ACCOUNTS, STAFF, STAFF_PROFILE, STAFF_SESSION, STAFF_TOKENS},
    stories, unique_email,
};

/// A UUID that is no id of a row.
const RANDOM_ID: &str = "01a1fdba-f86f-76f5-b296-4e548b3691ab";

/// A staff user that the owner has invited and who has signed in.
struct Colleague {
    id: String,
    email: String,
    browser: Browser,
}

impl Colleague {
    async fn invite(world: &World, tenant: &Tenant, role: &str) -> Self {
        let (email, browser) = (unique_email("sam"), world.browser());
        let body = json!({ "email": email, "name": "Sam Miller", "role": role });
        let member = tenant.owner.post(STAFF, body).await.expect(201);
        world.sign_in_staff(&browser, &email, 1).await;
        Self { id: member["id"].as_str().unwrap().to_owned(), email, browser }
    }

    fn path(&self) -> String {
        staff_path(&self.id)
    }
}

fn staff_path(id: &str) -> String {
    format!("{STAFF}/{id}")
}

/// Returns the id of the tenant's owner.
async fn owner_id(tenant: &Tenant) -> String {
    let session = tenant.owner.get(STAFF_SESSION).await.expect(200);
    session["user"]["id"].as_str().unwrap().to_owned()
}

/// Returns the addresses and roles of the staff list.
async fn staff_of(browser: &Browser) -> Vec<(Value, Value)> {
    let list = browser.get(STAFF).await.expect(200);
    let members = list["data"].as_array().unwrap();
    members.iter().map(|member| (member["email"].clone(), member["role"].clone())).collect()
}

/// Two owners do this to each other in the same moment: `change` is a PATCH, and without it a DELETE. Returns the
/// statuses, and how many owners are left.
async fn owners_against_each_other(world: &World, change: Option<Value>) -> (BTreeSet<u16>, usize) {
    let tenant = world.tenant().await;
    let other = Colleague::invite(world, &tenant, "owner").await;
    let (first, second) = (staff_path(&owner_id(&tenant).await), other.path());
    let body = change.map(|change| change.to_string());
    let method = if body.is_some() { Method::PATCH } else { Method::DELETE };
    let send = |browser, path| Browser::send(browser, method.clone(), path, body.clone(), &[]);
    let (left, right) = tokio::join!(send(&tenant.owner, &second), send(&other.browser, &first));
    let owners = world.count(&format!(
        "SELECT count(*) FROM staff_users s JOIN tenants t ON t.id = s.tenant_id \
         WHERE t.slug = '{}' AND s.role = 'owner' AND s.removed_at IS NULL",
        tenant.slug
    ));
    ([left.status, right.status].into(), owners)
}

stories! {
    async fn an_owner_invites_a_person_who_signs_in_with_a_code(world) {
        let tenant = world.tenant().await;
        let email = unique_email("sam");
        let body = json!({ "email": email.to_uppercase(), "name": "Sam Miller", "role": "support" });
        let mut member = tenant.owner.post(STAFF, body).await.expect(201);
        let id = member["id"].take();
        assert_eq!(member, json!({
            "id": null, "email": email, "name": "Sam Miller", "role": "support", "kind": "person", "status": "active",
            "last_sign_in_at": null,
        }));
        let mail = world.staff_invitation(&email).await;
        assert_eq!(mail.subject, "Blue Harbour has added you to its staff");
        assert!(mail.text.contains("owner has added you to the staff of Blue Harbour"), "{mail:?}");
        assert!(mail.links.len() == 1 && mail.links[0].ends_with("/console/sign-in"), "{mail:?}");
        assert!(mail.code.is_none() && !mail.text.contains("token="), "{mail:?}");
        let session = world.sign_in_staff(&world.browser(), &email, 1).await;
        assert_eq!((&session["user"]["id"], &session["user"]["role"]), (&id, &json!("support")));
        let list = tenant.owner.get(&format!("{STAFF}?limit=1")).await.expect(200);
        let next = list["next_cursor"].as_str().unwrap();
        let rest = tenant.owner.get(&format!("{STAFF}?cursor={next}")).await.expect(200);
        assert_eq!((&rest["data"][0]["id"], &rest["next_cursor"]), (&id, &Value::Null));
        assert!(rest["data"][0]["last_sign_in_at"].is_string());
    }

    async fn a_new_role_takes_effect_at_the_next_request(world) {
        let tenant = world.tenant().await;
        let sam = Colleague::invite(world, &tenant, "viewer").await;
        sam.browser.post(CLIENTS, json!({ "name": "A" })).await.assert_problem("403 forbidden");
        let change = json!({ "role": "support", "name": "Sam M." });
        let changed = tenant.owner.patch(&sam.path(), change).await.expect(200);
        assert_eq!((&changed["role"], &changed["name"]), (&json!("support"), &json!("Sam M.")));
        sam.browser.post(CLIENTS, json!({ "name": "A" })).await.expect(201);
        sam.browser.get(STAFF).await.assert_problem("403 forbidden");
        tenant.owner.patch(&sam.path(), json!({ "role": "viewer" })).await.expect(200);
        sam.browser.post(CLIENTS, json!({ "name": "B" })).await.assert_problem("403 forbidden");
        assert_eq!(staff_of(&sam.browser).await.len(), 2);
    }

    async fn removing_a_person_ends_sessions_and_tokens_at_once_and_keeps_the_name(world) {
        let tenant = world.tenant().await;
        let sam = Colleague::invite(world, &tenant, "admin").await;
        let body = json!({ "name": "Export", "scopes": ["clients:read"] });
        let token = sam.browser.post(STAFF_TOKENS, body).await.expect(201)["token"].take();
        let token = token.as_str().unwrap();
        world.browser().get_with_bearer(CLIENTS, token).await.expect(200);
        tenant.owner.delete(&sam.path()).await.expect(204);
        for _ in 0..2 {
            sam.browser.get(STAFF_SESSION).await.assert_problem("401 session_revoked");
            world.browser().get_with_bearer(CLIENTS, token).await.assert_problem("401 unauthenticated");
        }
        sam.browser.post_empty(paths::STAFF_REFRESH).await.assert_problem("401 session_revoked");
        assert_eq!(staff_of(&tenant.owner).await, [(json!(tenant.owner_email), json!("owner"))]);
        tenant.owner.delete(&sam.path()).await.assert_problem("404 not_found");
        tenant.owner.patch(&sam.path(), json!({ "role": "viewer" })).await.assert_problem("404 not_found");
        let row = format!("SELECT name, role FROM staff_users WHERE email = '{}@removed.invalid'", sam.id);
        assert_eq!(world.sql(&row), "Sam Miller|admin");
    }

    async fn eml_06_a_freed_staff_address_starts_from_nothing(world) {
        let tenant = world.tenant().await;
        let sam = Colleague::invite(world, &tenant, "admin").await;
        let waiting = world.browser();
        let (flow, code) = world.request_code(&waiting, &sam.email, 2).await;
        tenant.owner.delete(&sam.path()).await.expect(204);
        waiting.verify_code(&flow, &code).await.assert_problem("401 invalid_code");
        // A request for a code looks the same and mails nothing.
        let sent = waiting.send_code(&sam.email).await.expect(200);
        waiting.verify_code(&sent["flow"], &code).await.assert_problem("401 invalid_code");
        let other = world.tenant().await;
        let body = json!({ "email": sam.email, "role": "viewer" });
        let new = other.owner.post(STAFF, body).await.expect(201);
        assert_ne!(new["id"], sam.id.as_str());
        world.staff_invitation(&sam.email).await;
        waiting.verify_code(&flow, &code).await.assert_problem("401 invalid_code");
        sam.browser.get(STAFF_SESSION).await.assert_problem("401 session_revoked");
        let session = world.sign_in_staff(&world.browser(), &sam.email, 3).await;
        assert_eq!(session["user"]["tenant"]["slug"], other.slug.as_str());
    }

    async fn an_address_in_use_anywhere_is_one_conflict_that_counts(world) {
        let (tenant, other) = (world.tenant().await, world.tenant().await);
        for email in [&other.owner_email, &tenant.owner_email] {
            let body = json!({ "email": email, "role": "viewer" });
            tenant.owner.post(STAFF, body).await.assert_problem("409 conflict");
        }
        let body = json!({ "email": other.owner_email, "role": "owner" });
        for _ in 0..9 {
            tenant.owner.post(STAFF, body.clone()).await.assert_problem("409 conflict");
        }
        tenant.owner.post(STAFF, body).await.assert_problem("429 too_many_requests");
        assert_eq!(world.mails(&other.owner_email).await.len(), 1, "nothing was mailed");
    }

    async fn the_last_owner_can_be_neither_demoted_nor_removed(world) {
        let tenant = world.tenant().await;
        let own = staff_path(&owner_id(&tenant).await);
        let service = json!({ "name": "Sync", "role": "admin" });
        tenant.owner.post(SERVICE_ACCOUNTS, service).await.expect(201);
        let sam = Colleague::invite(world, &tenant, "admin").await;
        for role in ["admin", "support", "viewer"] {
            let change = json!({ "role": role });
            tenant.owner.patch(&own, change).await.assert_problem("409 last_owner");
        }
        tenant.owner.delete(&own).await.assert_problem("409 last_owner");
        tenant.owner.patch(&own, json!({ "role": "owner", "name": "Olga" })).await.expect(200);
        // With another owner, an owner can give up the role, and leave.
        tenant.owner.patch(&sam.path(), json!({ "role": "owner" })).await.expect(200);
        tenant.owner.patch(&own, json!({ "role": "viewer" })).await.expect(200);
        tenant.owner.patch(&own, json!({ "role": "owner" })).await.assert_problem("403 forbidden");
        sam.browser.patch(&own, json!({ "role": "owner" })).await.expect(200);
        sam.browser.delete(&sam.path()).await.expect(204);
        sam.browser.get(STAFF_SESSION).await.assert_problem("401 session_revoked");
        tenant.owner.delete(&own).await.assert_problem("409 last_owner");
    }

    async fn of_two_owners_who_remove_or_demote_each_other_one_remains(world) {
        for round in 0..6 {
            let change = (round % 2 == 0).then(|| json!({ "role": "admin" }));
            let (statuses, owners) = owners_against_each_other(world, change.clone()).await;
            assert_eq!(owners, 1, "{change:?} {statuses:?}");
            // The loser was refused as the last owner, or was removed or demoted before its request was looked at.
            let success = if change.is_some() { 200 } else { 204 };
            let refused: Vec<_> = statuses.iter().filter(|status| **status != success).collect();
            assert!(matches!(refused[..], [401 | 403 | 409]), "{statuses:?}");
        }
    }

    async fn staff_of_another_tenant_do_not_exist(world) {
        let (tenant, other) = (world.tenant().await, world.tenant().await);
        let foreign = owner_id(&other).await;
        for id in [&foreign, RANDOM_ID, "1"] {
            let path = staff_path(id);
            tenant.owner.patch(&path, json!({ "role": "viewer" })).await.assert_problem("404 not_found");
            tenant.owner.delete(&path).await.assert_problem("404 not_found");
        }
        assert_eq!(staff_of(&other.owner).await, [(json!(other.owner_email), json!("owner"))]);
    }

    async fn az_03_only_owners_edit_staff(world) {
        let tenant = world.tenant().await;
        let own = staff_path(&owner_id(&tenant).await);
        for (role, may_read) in [("admin", true), ("support", false), ("viewer", true)] {
            let colleague = Colleague::invite(world, &tenant, role).await;
            let body = json!({ "email": unique_email("new"), "role": "owner" });
            colleague.browser.post(STAFF, body).await.assert_problem("403 forbidden");
            let up = json!({ "role": "owner" });
            colleague.browser.patch(&colleague.path(), up).await.assert_problem("403 forbidden");
            colleague.browser.delete(&own).await.assert_problem("403 forbidden");
            // The permission comes before the body.
            colleague.browser.post(STAFF, json!({ "x": 1 })).await.assert_problem("403 forbidden");
            assert_eq!(colleague.browser.get(STAFF).await.status, if may_read { 200 } else { 403 }, "{role}");
        }
    }

    async fn az_02_bodies_about_staff_take_no_further_fields(world) {
        let tenant = world.tenant().await;
        let own = staff_path(&owner_id(&tenant).await);
        for field in ["id", "tenant_id", "kind", "status", "permissions", "is_owner", "removed_at", "disabled_at"] {
            let problem = format!("422 validation_failed: /{field} unknown_field");
            let mut body = json!({ "email": unique_email("new"), "role": "viewer" });
            body[field] = json!("x");
            tenant.owner.post(STAFF, body).await.assert_problem(&problem);
            tenant.owner.patch(&own, json!({ field: "x" })).await.assert_problem(&problem);
        }
        for field in ["role", "email", "tenant_id"] {
            let response = tenant.owner.patch(STAFF_PROFILE, json!({ field: "owner" })).await;
            response.assert_problem(&format!("422 validation_failed: /{field} unknown_field"));
        }
        tenant.owner.patch(&own, json!({ "email": "a@x.test" })).await.assert_problem("422 validation_failed: /email unknown_field");
        let wrong = json!({ "email": "x", "name": "", "role": "king" });
        let problem = "422 validation_failed: /email email_invalid, /name name_empty, /role invalid";
        tenant.owner.post(STAFF, wrong).await.assert_problem(problem);
        assert_eq!(staff_of(&tenant.owner).await.len(), 1);
    }

    async fn a_staff_user_changes_their_own_profile(world) {
        let tenant = world.tenant().await;
        let mut profile = tenant.owner.get(STAFF_PROFILE).await.expect(200);
        profile["id"].take();
        assert_eq!(profile, json!({
            "id": null, "email": tenant.owner_email, "name": "owner", "locale": null, "role": "owner",
        }));
        let change = json!({ "name": "Olga Owner", "locale": "de-CH" });
        let changed = tenant.owner.patch(STAFF_PROFILE, change).await.expect(200);
        assert_eq!((&changed["name"], &changed["locale"]), (&json!("Olga Owner"), &json!("de-CH")));
        assert_eq!(tenant.owner.patch(STAFF_PROFILE, json!({})).await.expect(200), changed);
        let cleared = tenant.owner.patch(STAFF_PROFILE, json!({ "locale": null, "name": null })).await.expect(200);
        assert_eq!((&cleared["name"], &cleared["locale"]), (&json!("Olga Owner"), &Value::Null));
        assert_eq!(tenant.owner.get(STAFF_PROFILE).await.expect(200), cleared);
        world.browser().get(STAFF_PROFILE).await.assert_problem("401 unauthenticated");
    }

    async fn operators_list_change_and_remove_staff(world) {
        let tenant = world.tenant().await;
        let email = unique_email("sam");
        world.add_staff(&tenant.slug, &email, "viewer");
        let mail = world.staff_invitation(&email).await;
        assert!(mail.text.contains("You were added to the staff of Blue Harbour"), "{mail:?}");
        let browser = world.browser();
        world.sign_in_staff(&browser, &email, 1).await;
        let list = world.run(&["staff", "list", "--tenant", &tenant.slug]);
        let row = list.lines().find(|line| line.contains(&email)).unwrap();
        assert!(list.lines().count() == 3 && list.starts_with("ADDRESS ") && row.contains("  viewer  active  "), "{list}");
        let json = world.run(&["staff", "list", "--tenant", &tenant.slug, "--json"]);
        let members: Vec<Value> = serde_json::from_str(&json).unwrap();
        assert_eq!((&members[1]["email"], &members[1]["role"]), (&json!(email), &json!("viewer")));
        world.run(&["staff", "role", "--email", &email, "--role", "admin"]);
        browser.post(CLIENTS, json!({ "name": "A" })).await.expect(201);
        world.run(&["staff", "remove", "--email", &email]);
        browser.get(STAFF_SESSION).await.assert_problem("401 session_revoked");
        for args in [&["staff", "remove", "--email", &*tenant.owner_email][..],
            &["staff", "role", "--email", &tenant.owner_email, "--role", "admin"]] {
            let output = world.try_run(args);
            let error = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.code() == Some(1) && error.contains("is the last owner of the tenant"), "{error}");
        }
        let output = world.try_run(&["staff", "remove", "--email", &email]);
        assert!(String::from_utf8_lossy(&output.stderr).contains("no staff user has the address"), "{output:?}");
        let events = world.sql(&format!(
            "SELECT action FROM audit_events e JOIN tenants t ON t.id = e.tenant_id WHERE t.slug = '{}' \
             AND actor_realm = 'system' AND action LIKE 'staff.%' ORDER BY at", tenant.slug
        ));
        assert_eq!(events, "staff.added\nstaff.added\nstaff.changed\nstaff.removed");
    }

    async fn removed_staff_cannot_use_a_session_that_they_open_at_the_same_time(world) {
        let tenant = world.tenant().await;
        for _ in 0..3 {
            let sam = Colleague::invite(world, &tenant, "viewer").await;
            let browser = world.browser();
            let (flow, code) = world.request_code(&browser, &sam.email, 2).await;
            let path = sam.path();
            let (removed, signed_in) = tokio::join!(tenant.owner.delete(&path), browser.verify_code(&flow, &code));
            removed.expect(204);
            if signed_in.status == 200 {
                assert!(browser.cookie(cookies::STAFF_ACCESS).is_some());
                browser.get(STAFF_SESSION).await.assert_problem("401 session_revoked");
            } else {
                signed_in.assert_problem("401 invalid_code");
            }
        }
    }
}

#[test]
fn the_table_of_roles_in_the_documentation_is_current() {
    let output = std::process::Command::new(binary()).arg("roles").env_clear().output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let page = include_str!("../../docs/roles.md");
    assert!(page == printed, "docs/roles.md is not current; run: cargo run -- roles > docs/roles.md");
}
