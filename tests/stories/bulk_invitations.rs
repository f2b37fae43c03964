//! Inviting many people in one request, as JSON or as a table.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Browser, Deployment, Response, Tenant, World, password, paths, stories, unique, unique_email};

const BOTH: [Deployment; 2] = [Deployment::Single, Deployment::Cluster];

/// Sends rows as JSON.
async fn invite(browser: &Browser, client: &str, rows: &[Value]) -> Value {
    browser.post(&paths::bulk_invitations(client), json!({ "rows": rows })).await.expect(200)
}

/// Sends a table.
async fn send_table(browser: &Browser, client: &str, table: &str, content_type: &str) -> Response {
    let headers = [("content-type", content_type)];
    browser.send(Method::POST, &paths::bulk_invitations(client), Some(table.into()), &headers).await
}

/// The status of each row, and the codes of its errors.
fn outcomes(result: &Value) -> Vec<String> {
    let rows = result["rows"].as_array().unwrap().iter();
    let outcome = |row: &Value| {
        let errors = row["errors"].as_array().unwrap().iter();
        let codes =
            errors.map(|error| format!(" {} {}", error["pointer"].as_str().unwrap(), error["code"].as_str().unwrap()));
        format!("{}{}", row["status"].as_str().unwrap(), codes.collect::<String>())
    };
    rows.map(outcome).collect()
}

fn row(email: &str) -> Value {
    json!({ "email": email })
}

/// How many rows of a table belong to a client.
fn rows_of(world: &World, table: &str, client: &str) -> usize {
    world.count(&format!("SELECT count(*) FROM {table} WHERE client_id = {}", world.sql_id(client)))
}

/// What an invitation has written for a person at a client, without ids and times.
fn written(world: &World, client: &str, email: &str) -> String {
    world.sql(&format!(
        "SELECT memberships.status, memberships.role, memberships.display_name, invitations.status, invitations.mode, \
         emails.kind, audit_events.details \
         FROM invitations \
         JOIN portal_users ON portal_users.id = invitations.portal_user_id \
         JOIN memberships ON memberships.portal_user_id = portal_users.id AND memberships.client_id = invitations.client_id \
         JOIN emails ON emails.invitation_id = invitations.id \
         JOIN audit_events ON audit_events.target_id = invitations.id \
         WHERE invitations.client_id = {} AND portal_users.email = '{email}'",
        world.sql_id(client)
    ))
}

/// Persons of each kind: an address known nowhere, one with a pending invitation elsewhere, one with an account
/// elsewhere, and one with a pending invitation, an active and a disabled membership in the tenant.
async fn one_of_each_kind(world: &World, tenant: &Tenant, elsewhere: &Tenant) -> Vec<String> {
    let (home, other) = (tenant.client("Home Ltd").await, elsewhere.client("Other Ltd").await);
    let (pending_elsewhere, pending_here) = (unique_email("pending"), unique_email("pending"));
    elsewhere.invite(&other, &pending_elsewhere).await;
    tenant.invite(&home, &pending_here).await;
    let active_elsewhere = elsewhere.person_at(world, &other).await.email;
    let active_here = tenant.person_at(world, &home).await.email;
    let disabled_here = tenant.person_at(world, &home).await.email;
    world.sql(&format!(
        "UPDATE memberships SET status = 'disabled' \
         WHERE portal_user_id = (SELECT id FROM portal_users WHERE email = '{disabled_here}')"
    ));
    vec![unique_email("new"), pending_elsewhere, active_elsewhere, pending_here, active_here, disabled_here]
}

stories! {
    async fn each_row_gets_its_own_answer_and_good_rows_are_invited(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let (ann, bob) = (unique_email("ann"), unique_email("bob"));
        let rows = [
            json!({ "email": format!(" {} ", ann.to_uppercase()), "name": "Ann Baker", "role": "admin", "locale": "de" }),
            json!({ "email": "no-address", "name": "", "role": "owner", "phone": "1" }),
            row(&person.email),
            row(&ann),
            json!({ "name": "No Address" }),
            json!(["x"]),
            json!({ "email": bob, "name": null }),
        ];
        let result = invite(&tenant.owner, &person.client, &rows).await;
        assert_eq!(
            outcomes(&result),
            [
                "invited",
                "invalid /email email_invalid /name name_empty /phone unknown_field /role invalid",
                "exists",
                "duplicate",
                "invalid /email required",
                "invalid  invalid",
                "invited",
            ]
        );
        let counts = json!({ "invited": 2, "exists": 1, "duplicate": 1, "limited": 0, "invalid": 3 });
        assert_eq!(result["counts"], counts);
        let first = &result["rows"][0];
        assert_eq!((&first["row"], &first["email"], &first["invite_mode"]), (&json!(1), &json!(ann), &json!("setup")));
        assert_eq!((&result["rows"][1]["email"], &result["rows"][4]["email"]), (&json!("no-address"), &json!(null)));
        let session = world.browser().activate(&world.mail(&ann, 1).await.token(), &password()).await.expect(200);
        assert_eq!((&session["user"]["name"], &session["client"]["role"]), (&json!("Ann Baker"), &json!("admin")));
        world.mail(&bob, 1).await;
    }

    async fn a_dry_run_answers_as_the_real_run_and_writes_nothing(world) {
        let (tenant, elsewhere) = (world.tenant().await, world.tenant().await);
        let people = one_of_each_kind(world, &tenant, &elsewhere).await;
        let client = tenant.client("Acme Ltd").await;
        let mut rows: Vec<_> = people.iter().map(|email| row(email)).collect();
        rows.extend([row("no-address"), row(&people[0])]);
        let body = json!({ "rows": rows });
        let dry = format!("{}?dry_run=true", paths::bulk_invitations(&client));
        let planned = tenant.owner.post(&dry, body.clone()).await.expect(200);
        for table in ["memberships", "invitations", "emails", "idempotency_keys"] {
            assert_eq!(rows_of(world, table, &client), 0, "{table}");
        }
        let persons = format!("SELECT count(*) FROM portal_users WHERE email = '{}'", people[0]);
        assert_eq!(world.count(&persons), 0);
        assert_eq!(planned, tenant.owner.post(&dry, body.clone()).await.expect(200));
        assert_eq!(planned, tenant.owner.post(&paths::bulk_invitations(&client), body).await.expect(200));
    }

    async fn a_row_is_treated_as_a_single_invitation_of_the_same_person(world) {
        let (tenant, elsewhere) = (world.tenant().await, world.tenant().await);
        let people = one_of_each_kind(world, &tenant, &elsewhere).await;
        let (single, bulk) = (tenant.client("Single Ltd").await, tenant.client("Bulk Ltd").await);
        let mut modes = Vec::new();
        for email in &people {
            let invited = tenant.invite(&single, email).await;
            modes.push(invited["invite_mode"].clone());
        }
        let expected = ["setup", "setup", "setup", "setup", "notification", "setup"];
        assert_eq!(modes, expected);
        // The first invitation makes no one active who was not.
        let rows: Vec<_> = people.iter().map(|email| json!({ "email": email, "name": "Robin Miller" })).collect();
        let result = invite(&tenant.owner, &bulk, &rows).await;
        let bulk_modes: Vec<_> =
            result["rows"].as_array().unwrap().iter().map(|row| row["invite_mode"].clone()).collect();
        // The person who was active stays so, and no other person has become active.
        assert_eq!(bulk_modes, modes);
        for email in &people {
            let at_single = written(world, &single, email);
            assert!(!at_single.is_empty(), "{email}");
            assert_eq!(written(world, &bulk, email), at_single, "{email}");
        }
        let exists = invite(&tenant.owner, &bulk, &rows).await;
        assert_eq!(exists["counts"]["exists"], 6);
    }

    async fn tables_of_spreadsheet_programs_are_taken(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let [a, b, c, d] = ["a", "b", "c", "d"].map(unique_email);
        for (table, email, content_type) in [
            (format!("email,name\n{a},\"Jürgen, \"\"J\"\"\"\n"), &a, "text/csv"),
            (format!("\u{feff}Name;Email;Role\r\nJürgen, \"J\";{b};member\r\n\r\n"), &b, "text/csv; charset=utf-8"),
            (format!("email\tname\n{c}\t\"Jürgen, \"\"J\"\"\""), &c, "text/csv;header=present"),
        ] {
            let result = send_table(&tenant.owner, &client, &table, content_type).await.expect(200);
            assert_eq!(outcomes(&result), ["invited"], "{table}");
            let mail = world.mail(email, 1).await;
            assert!(mail.text.contains("Hello Jürgen, \"J\","), "{}", mail.text);
        }
        // A cell that a spreadsheet would read as a formula stays as it is, and a tab is no part of a name.
        let table = format!("email;name;role\n{d};=1+1;\n{d};x;y;z\n;only a name;\n{d};\"a\tb\";owner\n");
        let result = send_table(&tenant.owner, &client, &table, "text/csv").await.expect(200);
        assert_eq!(
            outcomes(&result),
            ["invited", "invalid  csv_cells_invalid", "invalid /email required", "invalid /name name_invalid /role invalid"]
        );
        assert!(world.mail(&d, 1).await.text.contains("=1+1"));
    }

    async fn a_table_in_windows_1252_is_read_as_a_spreadsheet_wrote_it(world) {
        let tenant = world.tenant().await;
        let path = paths::bulk_invitations(&tenant.client("Acme Ltd").await);
        for (name, written) in [("Jürgen €", &b"J\xfcrgen \x80"[..]), ("Zoë “O”", b"Zo\xeb \x93O\x94"), ("Œuf", b"\x8cuf")] {
            let email = unique_email("ann");
            let table = [b"email;name\r\n", email.as_bytes(), b";", written, b"\r\n"].concat();
            let sent = tenant.owner.send_bytes(Method::POST, &path, Some(table), &[("content-type", "text/csv")]).await;
            assert_eq!(outcomes(&sent.expect(200)), ["invited"]);
            assert!(world.mail(&email, 1).await.text.contains(&format!("Hello {name},")));
        }
    }

    async fn a_body_without_a_readable_table_is_refused_as_a_whole(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let email = unique_email("ann");
        let too_many = format!("email\n{}", format!("{email}\n").repeat(1_001));
        for (table, problem) in [
            ("", "422 validation_failed: /header csv_header_invalid"),
            ("a@x.test,Ann\n", "422 validation_failed: /header csv_header_invalid"),
            ("email,phone\na@x.test,1\n", "422 validation_failed: /header csv_header_invalid"),
            ("email,name\n", "422 validation_failed: /rows invalid"),
            ("email,name\na@x.test,\"Ann\n", "422 validation_failed: /rows csv_quotes_invalid"),
            ("email,name\na@x.test,\"Ann\" B\n", "422 validation_failed: /rows csv_quotes_invalid"),
            ("email\na\0@x.test\n", "400 malformed_request"),
            (&too_many, "422 validation_failed: /rows invalid"),
        ] {
            send_table(&tenant.owner, &client, table, "text/csv").await.assert_problem(problem);
        }
        for content_type in ["text/plain", "text/csv; charset=utf-16", "application/vnd.ms-excel", "text/csv; x=y"] {
            let response = send_table(&tenant.owner, &client, "email\na@x.test", content_type).await;
            response.assert_problem("415 unsupported_media_type");
        }
        let path = paths::bulk_invitations(&client);
        for (body, problem) in [
            (json!({}), "422 validation_failed: /rows required"),
            (json!({ "rows": [] }), "422 validation_failed: /rows invalid"),
            (json!({ "rows": {} }), "422 validation_failed: /rows invalid"),
            (json!({ "rows": [row(&email)], "dry_run": true }), "422 validation_failed: /dry_run unknown_field"),
            (json!({ "rows": vec![row(&email); 1_001] }), "422 validation_failed: /rows invalid"),
            (json!([row(&email)]), "422 validation_failed: (body) invalid"),
        ] {
            tenant.owner.post(&path, body).await.assert_problem(problem);
        }
        let dry = tenant.owner.post(&format!("{path}?dry_run=maybe"), json!({ "rows": [row(&email)] })).await;
        dry.assert_problem("422 validation_failed: /dry_run invalid");
        assert_eq!(rows_of(world, "invitations", &client), 0);
    }

    async fn only_this_operation_takes_two_mebibytes(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let rows = |bytes: usize| format!("email,name\n{},\"{}\"", unique_email("ann"), "x".repeat(bytes));
        let large = send_table(&tenant.owner, &client, &rows(2_000_000), "text/csv").await.expect(200);
        assert_eq!(outcomes(&large), ["invalid /name name_too_long"]);
        let problem = send_table(&tenant.owner, &client, &rows(2 * 1024 * 1024), "text/csv").await;
        let problem = problem.assert_problem("413 body_too_large");
        assert_eq!(problem["detail"], "The request body may have at most 2 MiB.");
        let other = json!({ "email": unique_email("ann"), "name": "x".repeat(65 * 1024) });
        let problem = tenant.owner.post(&paths::portal_user(&client), other).await.assert_problem("413 body_too_large");
        assert_eq!(problem["detail"], "The request body may have at most 64 KiB.");
    }

    async fn a_request_with_a_key_is_done_once(world) {
        let tenant = world.tenant().await;
        let (client, other) = (tenant.client("Acme Ltd").await, tenant.client("Other Ltd").await);
        let email = unique_email("ann");
        let body = json!({ "rows": [row(&email), row("no-address")] });
        let headers = [("idempotency-key", "import-1")];
        let send = async |client: &str, body: &Value, query: &str| {
            let path = format!("{}{query}", paths::bulk_invitations(client));
            tenant.owner.post_with_headers(&path, body.clone(), &headers).await
        };
        // A dry run does not take the key.
        let planned = send(&client, &body, "?dry_run=true").await.expect(200);
        let first = send(&client, &body, "").await.expect(200);
        assert_eq!(first, planned);
        assert_eq!(outcomes(&first), ["invited", "invalid /email email_invalid"]);
        assert_eq!(send(&client, &body, "").await.expect(200), first);
        let another = json!({ "rows": [row(&unique_email("bob"))] });
        send(&client, &another, "").await.assert_problem("409 idempotency_mismatch");
        // The key of another client, and of another caller, is another key.
        assert_eq!(outcomes(&send(&other, &another, "").await.expect(200)), ["invited"]);
        for (key, code) in [("", "invalid"), ("a b", "invalid"), ("ä", "idempotency_key_invalid"), (&*"x".repeat(256), "invalid")] {
            let headers = [("idempotency-key", key)];
            let refused = tenant.owner.post_with_headers(&paths::bulk_invitations(&client), body.clone(), &headers).await;
            refused.assert_problem(&format!("422 validation_failed: /Idempotency-Key {code}"));
        }
        let sent = format!("SELECT count(*) FROM emails WHERE recipient = '{email}'");
        assert_eq!(world.count(&sent), 1);
    }

    async fn concurrent_requests_with_one_key_get_one_answer(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let emails: Vec<_> = (0..50).map(|_| unique_email("ann")).collect();
        let body = json!({ "rows": emails.iter().map(|email| row(email)).collect::<Vec<_>>() });
        let headers = [("idempotency-key", "import-2")];
        let path = paths::bulk_invitations(&client);
        let send = || tenant.owner.post_with_headers(&path, body.clone(), &headers);
        let (a, b, c, d) = tokio::join!(send(), send(), send(), send());
        let first = a.expect(200);
        assert_eq!(first["counts"]["invited"], 50);
        for response in [b, c, d] {
            assert_eq!(response.expect(200), first);
        }
        assert_eq!(rows_of(world, "emails", &client), 50);
    }

    async fn concurrent_requests_invite_each_person_once(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let emails: Vec<_> = (0..40).map(|_| unique_email("ann")).collect();
        let rows: Vec<_> = emails.iter().map(|email| row(email)).collect();
        let reversed: Vec<_> = rows.iter().rev().cloned().collect();
        let (a, b, c) = tokio::join!(
            invite(&tenant.owner, &client, &rows),
            invite(&tenant.owner, &client, &reversed),
            invite(&tenant.owner, &client, &rows),
        );
        let invited = [&a, &b, &c].map(|result| result["counts"]["invited"].as_u64().unwrap());
        assert_eq!(invited.iter().sum::<u64>(), 40, "{invited:?}");
        assert_eq!(rows_of(world, "invitations", &client), 40);
    }

    async fn inv_03_viewers_and_other_tenants_cannot_invite_many(world) {
        let (tenant, other) = (world.tenant().await, world.tenant().await);
        let client = tenant.client("Acme Ltd").await;
        let (viewer, viewer_email) = (world.browser(), format!("viewer@{}.test", tenant.slug));
        world.add_staff(&tenant.slug, &viewer_email, "viewer");
        world.sign_in_staff(&viewer, &viewer_email, 1).await;
        let body = json!({ "rows": [row(&unique_email("ann"))] });
        let path = paths::bulk_invitations(&client);
        viewer.post(&path, body.clone()).await.assert_problem("403 forbidden");
        other.owner.post(&path, body.clone()).await.assert_problem("404 not_found");
        world.browser().post(&path, body.clone()).await.assert_problem("401 unauthenticated");
        tenant.owner.patch(&paths::client(&client), json!({ "status": "archived" })).await.expect(200);
        tenant.owner.post(&path, body).await.assert_problem("403 client_suspended");
        assert_eq!(rows_of(world, "invitations", &client), 0);
    }
}

#[tokio::test]
async fn rows_beyond_a_limit_are_limited_and_a_dry_run_uses_nothing_up() {
    for deployment in BOTH {
        let settings = [("PORTICO_LIMIT_INVITE_BULK", "5/1d"), ("PORTICO_LIMIT_INVITE_RECIPIENT", "2/1d")];
        let world = World::start(deployment, &settings).await;
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let name = unique("ann");
        let mut rows: Vec<_> = (0..3).map(|n| row(&format!("{name}+{n}@x.test"))).collect();
        rows.push(row("no-address"));
        rows.extend((0..4).map(|_| row(&unique_email("bob"))));
        // The third address of a mailbox, and what five units for the tenant do not cover.
        let invalid = "invalid /email email_invalid";
        let expected = ["invited", "invited", "limited", invalid, "invited", "invited", "invited", "limited"];
        let dry = format!("{}?dry_run=true", paths::bulk_invitations(&client));
        for _ in 0..2 {
            let planned = tenant.owner.post(&dry, json!({ "rows": rows })).await.expect(200);
            assert_eq!(outcomes(&planned), expected);
        }
        assert_eq!(outcomes(&invite(&tenant.owner, &client, &rows).await), expected);
        // The five units are used up. Rows of which nothing was sent have used none of their mailbox.
        let again = invite(&tenant.owner, &client, &rows).await;
        let expected = ["exists", "exists", "limited", invalid, "exists", "exists", "exists", "limited"];
        assert_eq!(outcomes(&again), expected);
        for (status, email) in [(201, "cat"), (429, &name)] {
            let response = tenant.owner.post(&paths::portal_user(&client), row(&format!("{email}+9@x.test"))).await;
            assert_eq!(response.status, status, "{response:?}");
        }
    }
}

// Worlds of their own: a thousand mails would delay those of other stories.
#[tokio::test]
async fn a_thousand_people_are_invited_by_one_request() {
    for deployment in BOTH {
        let world = World::start(deployment, &[]).await;
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let prefix = unique("many");
        let rows: String = (0..1_000).map(|n| format!("{prefix}-{n}@x.test,Person {n}\r\n")).collect();
        let result = send_table(&tenant.owner, &client, &format!("email,name\r\n{rows}"), "text/csv").await.expect(200);
        assert_eq!(result["counts"]["invited"], 1_000);
        for table in ["memberships", "invitations", "emails"] {
            assert_eq!(rows_of(&world, table, &client), 1_000, "{table}");
        }
        let created = "SELECT count(*) FROM audit_events WHERE action = 'invitation.created'";
        assert_eq!(world.count(created), 1_000);
        let list = format!("{}?q={prefix}-999", paths::invitations(&client));
        assert_eq!(tenant.owner.get(&list).await.expect(200)["data"].as_array().unwrap().len(), 1);
    }
}
