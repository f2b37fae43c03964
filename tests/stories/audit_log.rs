//! The audit log: staff users read and export the events of their tenant, and operators verify that no event was
//! changed.

use std::{
    process::Output,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::support::{
    Browser, Deployment, Response, Tenant, World, cookies, eventually,
    paths::{self, AUDIT_EVENTS, AUDIT_EXPORT, CLIENTS},
    stories, unique, unique_email,
};

const OLD_KEY: &str = "b2xkLXNlcnZlci1rZXktb2xkLXNlcnZlci1rZXktb2xk";
const NEW_KEY: &str = "bmV3LXNlcnZlci1rZXktbmV3LXNlcnZlci1rZXktbmV3";

/// A condition that selects the events of a tenant.
fn of(tenant: &Tenant) -> String {
    format!("tenant_id = (SELECT id FROM tenants WHERE slug = '{}')", tenant.slug)
}

/// Returns the events of a page with these query parameters.
async fn events(browser: &Browser, query: &str) -> Vec<Value> {
    let page = browser.get(&format!("{AUDIT_EVENTS}?{query}")).await.expect(200);
    page["data"].as_array().unwrap().clone()
}

/// Returns the actions of a page with these query parameters.
async fn actions(browser: &Browser, query: &str) -> Vec<String> {
    events(browser, query).await.iter().map(|event| event["action"].as_str().unwrap().to_owned()).collect()
}

/// Returns the lines of an export, the last one apart.
fn lines(response: Response) -> (Vec<Value>, Value) {
    assert_eq!((response.status, &response.headers["content-type"]), (200, &"application/x-ndjson".parse().unwrap()));
    assert!(response.text.ends_with('\n') && response.headers["cache-control"] == "no-store");
    let mut lines: Vec<Value> = response.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let end = lines.pop().unwrap();
    (lines, end)
}

/// The event without its number in the chain, which it has when it is sealed.
fn without_number(event: &Value) -> Value {
    let mut event = event.clone();
    event["sequence"].take();
    event
}

/// Waits until every event of a tenant is sealed.
async fn wait_until_sealed(world: &World, tenant: &Tenant) {
    let unsealed = format!("SELECT count(*) FROM audit_events WHERE sequence IS NULL AND {}", of(tenant));
    world.wait_for_sql("every event is sealed", &unsealed, "0").await;
}

/// Runs `portico audit verify` for a tenant. Returns the exit code and the report.
fn verify(world: &World, tenant: &Tenant, further: &[&str]) -> (i32, Value) {
    let args = [&["audit", "verify", "--tenant", &tenant.slug, "--json"], further].concat();
    let Output { status, stdout, stderr } = world.try_run(&args);
    let reports = serde_json::from_slice::<Value>(&stdout);
    let reports = reports.unwrap_or_else(|_| panic!("{args:?}: {}", String::from_utf8_lossy(&stderr)));
    (status.code().unwrap(), reports[0].clone())
}

/// Returns a tenant with about ten sealed events.
async fn tenant_with_sealed_events(world: &World) -> Tenant {
    let tenant = world.tenant().await;
    for n in 0..8 {
        tenant.client(&format!("Client {n}")).await;
    }
    wait_until_sealed(world, &tenant).await;
    tenant
}

stories! {
    async fn an_event_says_who_did_what_from_where(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let me = tenant.owner.get(paths::STAFF_SESSION).await.expect(200)["user"].clone();
        let event = events(&tenant.owner, "").await.remove(0);
        let actor = json!({ "realm": "staff", "id": me["id"], "name": me["name"] });
        assert_eq!((&event["action"], &event["actor"]), (&json!("client.created"), &actor));
        assert_eq!(event["target"], json!({ "kind": "client", "id": client }));
        assert_eq!((&event["client_id"], &event["outcome"]), (&json!(client), &json!("success")));
        assert!(event["ip"].as_str().unwrap().starts_with("198.") && event["request_id"].is_string(), "{event}");
        assert!(event["details"].is_object());
    }

    async fn events_are_listed_newest_first_in_pages(world) {
        let tenant = world.tenant().await;
        for n in 0..5 {
            tenant.client(&format!("Client {n}")).await;
        }
        let all = events(&tenant.owner, "limit=100").await;
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = tenant.owner.get(&format!("{AUDIT_EVENTS}?limit=2{cursor}")).await.expect(200);
            found.extend(page["data"].as_array().unwrap().iter().map(|event| event["id"].clone()));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(found, all.iter().map(|event| event["id"].clone()).collect::<Vec<_>>());
        assert!(all.windows(2).all(|pair| pair[0]["at"].as_str() >= pair[1]["at"].as_str()));
        let invalid = tenant.owner.get(&format!("{AUDIT_EVENTS}?cursor=x")).await;
        invalid.assert_problem("422 validation_failed: /cursor cursor_invalid");
    }

    async fn each_filter_selects_events(world) {
        let tenant = world.tenant().await;
        let (owner, person) = (&tenant.owner, tenant.person(world).await);
        let other = tenant.client("Other Ltd").await;
        let created = events(owner, &format!("target={other}")).await.remove(0);
        let (staff, at) = (created["actor"]["id"].as_str().unwrap(), created["at"].as_str().unwrap().replace('+', "%2B"));
        assert_eq!(actions(owner, &format!("client_id={other}")).await, ["client.created"]);
        let of_person = events(owner, "action=portal_user.activated").await.remove(0);
        let actor = of_person["actor"]["id"].as_str().unwrap();
        let by_person = ["portal_user.activated", "invitation.accepted"];
        assert_eq!(actions(owner, &format!("actor={actor}")).await, by_person);
        assert_eq!(actions(owner, &format!("actor={actor}&client_id={}", person.client)).await, by_person);
        assert_eq!(actions(owner, &format!("actor={actor}&client_id={other}")).await, Vec::<String>::new());
        assert_eq!(actions(owner, &format!("from={at}&actor={staff}")).await, ["client.created"]);
        let before = actions(owner, &format!("to={at}&limit=100")).await;
        assert_eq!(before.len() + 1, events(owner, "limit=100").await.len());
        assert!(actions(owner, "outcome=failure").await.is_empty());
        assert_eq!(actions(owner, "outcome=success&limit=1").await, ["client.created"]);
        for (query, problem) in [
            ("actor=x", "/actor"),
            ("action=%25", "/action"),
            ("action=session", "/action"),
            ("outcome=unknown", "/outcome"),
            ("from=yesterday", "/from"),
            ("tenant=x", "/tenant"),
            ("limit=101", "/limit"),
        ] {
            for path in [AUDIT_EVENTS, AUDIT_EXPORT] {
                let refused = owner.get(&format!("{path}?{query}")).await;
                assert!(refused.problem_text().starts_with(&format!("422 validation_failed: {problem} ")), "{query}");
            }
        }
    }

    async fn log_04_a_tenant_sees_its_own_events_and_a_role_without_the_permission_sees_none(world) {
        let (tenant, other) = (world.tenant().await, world.tenant().await);
        let client = other.client("Elsewhere Ltd").await;
        let event = events(&other.owner, "action=client.created").await.remove(0);
        for query in [format!("target={client}"), format!("client_id={client}"), format!("actor={}", event["actor"]["id"].as_str().unwrap())] {
            assert!(events(&tenant.owner, &query).await.is_empty(), "{query}");
            let (lines, end) = lines(tenant.owner.get(&format!("{AUDIT_EXPORT}?{query}")).await);
            assert_eq!((lines.len(), end), (0, json!({ "end": true, "count": 0 })));
        }
        for (role, problem) in [("support", Some("403 forbidden")), ("viewer", None), ("admin", None)] {
            let (email, browser) = (unique_email(role), world.browser());
            world.add_staff(&tenant.slug, &email, role);
            world.sign_in_staff(&browser, &email, 1).await;
            for path in [AUDIT_EVENTS, AUDIT_EXPORT] {
                match problem {
                    Some(problem) => drop(browser.get(path).await.assert_problem(problem)),
                    None => assert_eq!(browser.get(path).await.status, 200, "{role} {path}"),
                }
            }
        }
        let person = tenant.person(world).await;
        for browser in [&person.browser, &world.browser()] {
            browser.get(AUDIT_EVENTS).await.assert_problem("401 unauthenticated");
            browser.get(AUDIT_EXPORT).await.assert_problem("401 unauthenticated");
        }
    }

    async fn log_04_a_tenant_sees_the_name_of_a_person_that_it_typed_itself(world) {
        let (tenant, other) = (world.tenant().await, world.tenant().await);
        let person = tenant.person(world).await;
        let client = other.client("Elsewhere Ltd").await;
        let invite = json!({ "email": person.email, "name": "Name elsewhere" });
        other.owner.post(&paths::portal_user(&client), invite).await.expect(201);
        let accept = world.mail(&person.email, 2).await.token();
        person.browser.accept_invitation(&accept).await.expect(204);
        let reset = person.request_reset(world, 3).await;
        world.browser().reset_password(&reset, &crate::support::password()).await.expect(200);
        for (tenant, name, count) in [(&tenant, "Robin Miller", 3), (&other, "Name elsewhere", 2)] {
            let found = events(&tenant.owner, "limit=100").await;
            let of_person: Vec<_> = found.iter().filter(|event| event["actor"]["realm"] == "portal").collect();
            assert_eq!(of_person.len(), count, "{found:#?}");
            assert!(of_person.iter().all(|event| event["actor"]["name"] == name), "{of_person:#?}");
        }
    }

    async fn the_name_of_an_actor_stays_as_it_was(world) {
        let tenant = world.tenant().await;
        tenant.client("Acme Ltd").await;
        let before = events(&tenant.owner, "").await.remove(0)["actor"]["name"].clone();
        world.sql(&format!("UPDATE staff_users SET name = 'Renamed' WHERE email = '{}'", tenant.owner_email));
        tenant.client("Beta Ltd").await;
        let names: Vec<_> = events(&tenant.owner, "limit=2").await.iter().map(|event| event["actor"]["name"].clone()).collect();
        assert_eq!(names, [json!("Renamed"), before]);
    }

    async fn events_are_sealed_within_seconds_and_numbered_without_gaps(world) {
        let tenant = tenant_with_sealed_events(world).await;
        let found = events(&tenant.owner, "limit=100").await;
        let mut sequences: Vec<_> = found.iter().map(|event| event["sequence"].as_u64().unwrap()).collect();
        sequences.reverse();
        assert_eq!(sequences, (1..=found.len() as u64).collect::<Vec<_>>());
        let (code, report) = verify(world, &tenant, &[]);
        assert_eq!((code, &report["status"], &report["events"]), (0, &json!("intact"), &json!(found.len())));
    }

    async fn an_export_has_every_event_and_an_end(world) {
        let tenant = world.tenant().await;
        for n in 0..30 {
            tenant.client(&format!("Client {n}")).await;
        }
        let (all, end) = lines(tenant.owner.get(AUDIT_EXPORT).await);
        assert_eq!(end, json!({ "end": true, "count": all.len() }));
        // An event may be sealed between the two requests.
        let newest = events(&tenant.owner, "limit=3").await;
        assert_eq!(all[..3].iter().map(without_number).collect::<Vec<_>>(), newest.iter().map(without_number).collect::<Vec<_>>());
        assert_eq!(all.iter().filter(|event| event["action"] == "client.created").count(), 30);
        let (some, end) = lines(tenant.owner.get(&format!("{AUDIT_EXPORT}?action=client.created")).await);
        assert_eq!((some.len(), end["count"].as_u64()), (30, Some(30)));
        let exports = events(&tenant.owner, "action=audit_log.exported").await;
        let details: Vec<_> = exports.iter().map(|event| event["details"].clone()).collect();
        assert_eq!(details, [json!({ "action": "client.created" }), json!({})]);
    }

    async fn two_exports_of_a_tenant_run_at_once_over_all_processes(world) {
        let tenant = world.tenant().await;
        let hold = |slot: u8, until: &str| {
            let values = format!("SELECT id, {slot}, id, '{until}-01-01T00:00:00.000000+00:00'");
            let values = if world.setting("DATABASE_URL").starts_with("sqlite:") { values } else { format!("{values}::timestamptz") };
            format!("INSERT INTO audit_exports (tenant_id, slot, holder, expires_at) {values} FROM tenants WHERE slug = '{}'", tenant.slug)
        };
        world.sql(&hold(0, "2099"));
        lines(tenant.owner.get(AUDIT_EXPORT).await);
        // The slot of the finished export becomes free.
        let taken = format!("SELECT count(*) FROM audit_exports WHERE {}", of(&tenant));
        world.wait_for_sql("the export has given its slot back", &taken, "1").await;
        world.sql(&hold(1, "2099"));
        for _ in 0..3 {
            tenant.owner.get(AUDIT_EXPORT).await.assert_problem("503 overloaded");
        }
        lines(world.tenant().await.owner.get(AUDIT_EXPORT).await);
        // The lease of a process that was killed expires.
        world.sql(&format!("DELETE FROM audit_exports WHERE slot = 1 AND {}", of(&tenant)));
        world.sql(&hold(1, "2020"));
        lines(tenant.owner.get(AUDIT_EXPORT).await);
    }

    async fn log_04_a_change_of_the_database_from_outside_is_found(world) {
        let tampered = |change: &str, sequence: i64| format!("UPDATE audit_events SET {change} WHERE sequence = {sequence}");
        for (change, finding, sequence) in [
            (tampered("action = 'client.undone'", 3), "changed", 3),
            (tampered("actor_name = 'Mallory'", 4), "changed", 4),
            (tampered("sequence = -5", 5), "inserted", -5),
            ("DELETE FROM audit_events WHERE sequence = 6".to_owned(), "removed", 6),
            ("DELETE FROM audit_events WHERE sequence > 6".to_owned(), "cut_off", 7),
            ("DELETE FROM audit_events WHERE sequence > 0".to_owned(), "cut_off", 1),
        ] {
            let tenant = tenant_with_sealed_events(world).await;
            assert_eq!(verify(world, &tenant, &[]).0, 0);
            world.sql(&format!("{change} AND {}", of(&tenant)));
            let (code, report) = verify(world, &tenant, &[]);
            assert_eq!((code, &report["status"]), (1, &json!("broken")), "{change}: {report}");
            assert_eq!((&report["problem"]["finding"], &report["problem"]["sequence"]), (&json!(finding), &json!(sequence)), "{change}");
        }
    }

    async fn log_04_a_logged_head_shows_that_the_end_was_cut_off(world) {
        let tenant = tenant_with_sealed_events(world).await;
        let head = eventually("the head is logged", || async {
            let logs = world.logs();
            let line = logs.iter().find(|line| line.contains("head of the audit log") && line.contains(&tenant.slug))?;
            let words = line.split(|c: char| !c.is_ascii_hexdigit() && c != ':');
            words.into_iter().find(|word| word.len() > 64 && word.contains(':')).map(|word| word.trim_matches(':').to_owned())
        })
        .await;
        let (code, report) = verify(world, &tenant, &["--head", &head]);
        assert_eq!((code, &report["status"]), (0, &json!("intact")), "{report}");
        let (sequence, mac) = head.split_once(':').unwrap();
        let later = format!("{}:{mac}", sequence.parse::<i64>().unwrap() + 50);
        let (code, report) = verify(world, &tenant, &["--head", &later]);
        assert_eq!((code, &report["problem"]["finding"]), (1, &json!("cut_off")), "{report}");
        let forged = format!("{sequence}:{}", "0".repeat(64));
        assert_eq!(verify(world, &tenant, &["--head", &forged]).0, 1);
        assert!(!world.try_run(&["audit", "verify", "--head", &head]).status.success());
    }

    async fn erasing_a_name_leaves_the_chain_intact(world) {
        let tenant = tenant_with_sealed_events(world).await;
        world.sql(&format!("UPDATE audit_events SET actor_name = NULL, actor_name_salt = NULL WHERE sequence > 4 AND {}", of(&tenant)));
        let (code, report) = verify(world, &tenant, &[]);
        let count = report["events"].as_u64().unwrap() - 4;
        assert_eq!((code, report["erased_values"].as_u64()), (0, Some(count)), "{report}");
    }

    async fn operators_list_and_export_events(world) {
        let tenant = world.tenant().await;
        let client = tenant.client(&unique("Acme")).await;
        let of_tenant = ["--tenant", &tenant.slug, "--json"];
        let listed = world.run(&[&["audit", "list", "--target", &client][..], &of_tenant].concat());
        let event = serde_json::from_str::<Value>(&listed).unwrap()[0].clone();
        assert_eq!((&event["action"], &event["actor"]["address"]), (&json!("client.created"), &json!(tenant.owner_email)));
        let text = world.run(&["audit", "list", "--tenant", &tenant.slug]);
        assert!(text.lines().any(|line| line.contains("client.created") && line.contains(&tenant.owner_email)), "{text}");
        let exported = world.run(&[&["audit", "export"][..], &of_tenant].concat());
        let end: Value = serde_json::from_str(exported.lines().last().unwrap()).unwrap();
        assert_eq!(end, json!({ "end": true, "count": exported.lines().count() - 1 }));
        assert!(!world.try_run(&["audit", "list", "--tenant", "no-such-tenant"]).status.success());
        let none = world.run(&["audit", "list", "--installation", "--action", "tenant.none"]);
        assert_eq!(none.trim(), "No events match.");
    }
}

/// Asserts that a process of this world does not start with `secret`, and that it says what to do.
fn assert_start_is_refused(world: &mut World, secret: &str) {
    let before = world.setting("PORTICO_SECRET").to_owned();
    world.change_settings(&[("PORTICO_SECRET", secret)]);
    let command = if world.redis.is_some() { "worker" } else { "dev" };
    let output = world.try_run(&[command]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && error.contains("portico keys reseal"), "{error}");
    assert!(error.contains("chains of the audit log"), "{error}");
    let check = world.try_run(&["check-config", "--connect"]);
    let error = String::from_utf8_lossy(&check.stderr).into_owned();
    assert!(!check.status.success() && error.contains("chains of the audit log"), "{error}");
    world.change_settings(&[("PORTICO_SECRET", &before)]);
}

async fn assert_a_server_key_is_replaced_in_three_rollouts(deployment: Deployment) {
    let settings = [("PORTICO_SECRET", OLD_KEY), ("PORTICO_PUBLIC_URL", "http://localhost:4000")];
    let mut world = World::start(deployment, &settings).await;
    let mut tenant = tenant_with_sealed_events(&world).await;
    assert_start_is_refused(&mut world, NEW_KEY);
    for secret in [format!("{OLD_KEY},{NEW_KEY}"), format!("{NEW_KEY},{OLD_KEY}")] {
        world.restart_all(&[("PORTICO_SECRET", &secret)]).await;
        tenant.owner = tenant.owner.moved_to(&world.apis);
        tenant.owner.post(CLIENTS, json!({ "name": "Acme Ltd" })).await.expect(201);
        wait_until_sealed(&world, &tenant).await;
    }
    world.wait_for_sql("each chain has a checkpoint", "SELECT count(DISTINCT key) FROM audit_chains", "1").await;
    world.restart_all(&[("PORTICO_SECRET", NEW_KEY)]).await;
    let (code, report) = verify(&world, &tenant, &[]);
    assert_eq!((code, &report["status"]), (0, &json!("intact")), "{report}");
    assert!(report["verified_by_checkpoint_up_to"].as_u64() > Some(5), "{report}");
    world.run(&["audit", "verify"]);
    assert_start_is_refused(&mut world, OLD_KEY);
    world.change_settings(&[("PORTICO_SECRET", OLD_KEY)]);
    let (code, report) = verify(&world, &tenant, &[]);
    assert_eq!((code, &report["status"]), (3, &json!("unverifiable")), "{report}");
}

#[tokio::test]
async fn a_server_key_is_replaced_in_three_rollouts_in_a_single_process() {
    assert_a_server_key_is_replaced_in_three_rollouts(Deployment::Single).await;
}

#[tokio::test]
async fn a_server_key_is_replaced_in_three_rollouts_in_a_cluster() {
    assert_a_server_key_is_replaced_in_three_rollouts(Deployment::Cluster).await;
}

/// Adds 600 events of 60 kB to the log of a tenant: more than one page of an export, and more than a connection
/// buffers.
fn add_long_events(world: &World, tenant: &Tenant) {
    world.sql(&format!(
        "INSERT INTO audit_events (id, tenant_id, actor_realm, action, outcome, details, at) \
         SELECT gen_random_uuid(), id, 'system', 'tenant.tested', 'success', \
             jsonb_build_object('text', repeat('x', 60000)), now() \
         FROM tenants, generate_series(1, 600) WHERE slug = '{}'",
        tenant.slug
    ));
}

#[tokio::test]
async fn pat_03_an_export_ends_when_its_caller_may_no_longer_read_the_log() {
    let world = World::shared(Deployment::Cluster).await;
    let tenant = world.tenant().await;
    add_long_events(&world, &tenant);
    let token = tenant.owner.cookie(cookies::STAFF_ACCESS).unwrap();
    let pat = json!({ "name": "Export", "scopes": ["audit:read"] });
    let pat = tenant.owner.post(paths::STAFF_TOKENS, pat).await.expect(201)["token"].as_str().unwrap().to_owned();
    let role = |role: &str| format!("UPDATE staff_users SET role = '{role}' WHERE email = '{}'", tenant.owner_email);
    let revoke = |table: &str| format!("UPDATE {table} SET revoked_at = now() WHERE {}", of(&tenant));
    let end_sessions = "UPDATE sessions SET revoked_at = now() FROM staff_users \
                        WHERE staff_users.id = staff_user_id AND email = ";
    let end_sessions = format!("{end_sessions}'{}'", tenant.owner_email);
    for (token, change) in [(&token, role("support")), (&pat, revoke("api_tokens")), (&token, end_sessions)] {
        world.sql(&role("owner"));
        let mut export = tenant.owner.get_slowly(AUDIT_EXPORT, token).await;
        assert!(export.status() == 200 && export.chunk().await.unwrap().is_some());
        world.sql(&change);
        let mut length = 0;
        let interrupted = loop {
            match export.chunk().await {
                Ok(Some(chunk)) => length += chunk.len(),
                Ok(None) => panic!("{change}: the export was complete, {length} bytes"),
                Err(error) => break error,
            }
        };
        assert!(length < 33_000_000, "{change}: {length} bytes before {interrupted}");
    }
}

#[tokio::test]
async fn a_log_and_its_chain_that_were_deleted_are_reported() {
    let world = World::start(Deployment::Single, &[]).await;
    let tenant = tenant_with_sealed_events(&world).await;
    world.sql(&format!("DELETE FROM audit_events WHERE {}", of(&tenant)));
    world.sql(&format!("DELETE FROM audit_chains WHERE id = (SELECT id FROM tenants WHERE slug = '{}')", tenant.slug));
    let all = world.try_run(&["audit", "verify"]);
    let report = String::from_utf8_lossy(&all.stdout).into_owned();
    assert_eq!(all.status.code(), Some(1), "{report}");
    assert!(report.contains(&tenant.slug) && report.contains("the log is empty"), "{report}");
    assert_eq!(verify(&world, &tenant, &[]).0, 1);
}

#[tokio::test]
async fn an_export_goes_on_for_a_reader_of_32_kilobytes_per_second() {
    let world = World::shared(Deployment::Cluster).await;
    let tenant = world.tenant().await;
    add_long_events(&world, &tenant);
    let token = tenant.owner.cookie(cookies::STAFF_ACCESS).unwrap();
    let mut export = tenant.owner.get_slowly(AUDIT_EXPORT, &token).await;
    let (started, mut read) = (Instant::now(), 0);
    while started.elapsed() < Duration::from_secs(45) {
        if Duration::from_secs(read as u64 / 32_000) < started.elapsed() {
            read += export.chunk().await.unwrap().expect("the export goes on").len();
        } else {
            sleep(Duration::from_millis(20)).await;
        }
    }
}
