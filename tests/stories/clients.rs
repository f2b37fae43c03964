//! The clients of a tenant: what staff users do with them, and what archiving a client does to its portal users.

use serde_json::{Value, json};

use crate::support::{
    Response, password,
    paths::{self, CLIENTS, SIGN_IN},
    stories, unique, unique_email,
};

/// The id of no client.
const UNKNOWN: &str = "01a1fdba-f86f-76f5-b296-4e548b3691ab";

/// Asserts a 404 and returns the problem without the id of the request.
#[track_caller]
fn not_found(response: Response) -> Value {
    let mut problem = response.assert_problem("404 not_found");
    problem["request_id"].take();
    problem
}

stories! {
    async fn a_client_is_created_read_and_changed(world) {
        let tenant = world.tenant().await;
        let (owner, number) = (&tenant.owner, unique("K"));
        let body = json!({ "name": " Acme Ltd ", "external_ref": number });
        let created = owner.post(CLIENTS, body).await.expect(201);
        assert_eq!((&created["name"], &created["status"]), (&json!("Acme Ltd"), &json!("active")));
        let path = paths::client(created["id"].as_str().unwrap());
        assert_eq!(owner.get(&path).await.expect(200), created);

        let changed = owner.patch(&path, json!({ "status": "past_due", "external_ref": null })).await.expect(200);
        assert_eq!((&changed["status"], &changed["external_ref"]), (&json!("past_due"), &json!(null)));
        assert_eq!(owner.patch(&path, json!({})).await.expect(200), changed);
    }

    async fn two_clients_of_a_tenant_cannot_have_the_same_external_ref(world) {
        let tenant = world.tenant().await;
        let client = |name: &str| json!({ "name": name, "external_ref": "K-1" });
        tenant.owner.post(CLIENTS, client("Acme Ltd")).await.expect(201);
        tenant.owner.post(CLIENTS, client("Other Ltd")).await.assert_problem("409 conflict");
    }

    async fn a_change_with_invalid_fields_changes_nothing(world) {
        let tenant = world.tenant().await;
        let path = paths::client(&tenant.client("Acme Ltd").await);
        let before = tenant.owner.get(&path).await.expect(200);
        let invalid = json!({ "name": "", "status": "gone", "id": "x", "external_ref": "" });
        tenant.owner.patch(&path, invalid).await.assert_problem(
            "422 validation_failed: \
             /external_ref external_ref_invalid, /id unknown_field, /name name_empty, /status invalid",
        );
        assert_eq!(tenant.owner.get(&path).await.expect(200), before);
    }

    async fn clients_are_listed_in_pages(world) {
        let tenant = world.tenant().await;
        for n in 0..5 {
            tenant.client(&format!("Client {n}")).await;
        }
        let (mut names, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = tenant.owner.get(&format!("{CLIENTS}?limit=2{cursor}")).await.expect(200);
            names.extend(page["data"].as_array().unwrap().iter().map(|client| client["name"].clone()));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(names, ["Client 0", "Client 1", "Client 2", "Client 3", "Client 4"]);
    }

    async fn clients_are_found_by_the_beginning_of_a_word_and_by_status(world) {
        let tenant = world.tenant().await;
        let body = json!({ "name": "Größe 100%", "external_ref": "K-77" });
        let sized = tenant.owner.post(CLIENTS, body).await.expect(201);
        let acme = tenant.client("Acme Paper_Mill").await;
        world.tenant().await.client("Acme of another tenant").await;
        let found = async |query: &str| -> Vec<Value> {
            let page = tenant.owner.get(&format!("{CLIENTS}?{query}")).await.expect(200);
            page["data"].as_array().unwrap().iter().map(|client| client["name"].clone()).collect()
        };
        for query in ["q=pap", "q=ACME", "q=acme%20paper", "q=paper_", "status=active&q=ac"] {
            assert_eq!(found(query).await, ["Acme Paper_Mill"], "{query}");
        }
        for query in ["q=gr%C3%B6sse", "q=100%25", "q=k-7", "q=GRO%CC%88SSE"] {
            assert_eq!(found(query).await, [sized["name"].clone()], "{query}");
        }
        for query in ["q=cme", "q=__", "q=%25%25", "q=a_", "q=gr%25", "status=archived"] {
            assert_eq!(found(query).await, [] as [Value; 0], "{query}");
        }
        let renamed = json!({ "name": "Zenith", "status": "archived" });
        tenant.owner.patch(&paths::client(&acme), renamed).await.expect(200);
        assert_eq!(found("q=paper").await, [] as [Value; 0]);
        assert_eq!(found("status=archived&q=zen").await, ["Zenith"]);
        let short = tenant.owner.get(&format!("{CLIENTS}?q=a")).await;
        short.assert_problem("422 validation_failed: /q invalid");
    }

    async fn az_08_invalid_parameters_of_a_list_are_refused(world) {
        let owner = world.tenant().await.owner;
        let list = async |query: &str| owner.get(&format!("{CLIENTS}?{query}")).await;
        for limit in ["0", "-1", "101", "1e9", "x"] {
            list(&format!("limit={limit}")).await.assert_problem("422 validation_failed: /limit invalid");
        }
        list("cursor=rubbish").await.assert_problem("422 validation_failed: /cursor cursor_invalid");
        list("Limit=1&p=x").await.assert_problem("422 validation_failed: /Limit unknown_field, /p unknown_field");
        for query in ["limit=1&limit=2", "cursor=%00", "cursor=%ff"] {
            list(query).await.assert_problem("400 malformed_request");
        }
    }

    async fn enum_11_a_client_of_another_tenant_looks_like_an_unknown_one(world) {
        let (tenant, other) = (world.tenant().await, world.tenant().await);
        let foreign = other.client("Theirs").await;
        let problems = async |client: &str| {
            let owner = &tenant.owner;
            let (rename, invite) = (json!({ "name": "Mine" }), json!({ "email": "a@x.test" }));
            [
                not_found(owner.get(&paths::client(client)).await),
                not_found(owner.patch(&paths::client(client), rename).await),
                not_found(owner.post(&paths::portal_user(client), invite.clone()).await),
                not_found(owner.post(&paths::resend_invitation(client), invite).await),
            ]
        };
        assert_eq!(problems(&foreign).await, problems(UNKNOWN).await);
        assert_eq!(tenant.owner.get(CLIENTS).await.expect(200)["data"], json!([]));
        assert_eq!(other.owner.get(&paths::client(&foreign)).await.expect(200)["name"], "Theirs");
    }

    async fn enum_11_a_malformed_client_id_is_404(world) {
        let owner = world.tenant().await.owner;
        not_found(owner.get(&paths::client("not-an-id")).await);
        not_found(owner.patch(&paths::client("not-an-id"), json!({ "name": "Mine" })).await);
        not_found(owner.post(&paths::portal_user("not-an-id"), json!({ "email": "a@x.test" })).await);
    }

    async fn az_03_every_role_reads_clients_and_every_role_but_viewer_changes_them(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        for (role, may_edit) in [("viewer", false), ("support", true), ("admin", true)] {
            let browser = world.browser();
            let email = format!("{role}@{}.test", tenant.slug);
            world.add_staff(&tenant.slug, &email, role);
            world.sign_in_staff(&browser, &email, 1).await;
            browser.get(CLIENTS).await.expect(200);
            browser.get(&paths::client(&client)).await.expect(200);
            let edits = [
                browser.patch(&paths::client(&client), json!({ "name": "Renamed" })).await,
                browser.post(CLIENTS, json!({ "name": "New" })).await,
                browser.post(&paths::portal_user(&client), json!({ "email": unique_email("a") })).await,
            ];
            for edit in edits {
                if may_edit {
                    assert!((200..300).contains(&edit.status), "{role}: {edit:?}");
                } else {
                    edit.assert_problem("403 forbidden");
                }
            }
        }
    }

    async fn az_03_clients_need_a_staff_session(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        for path in [CLIENTS, &paths::client(&client)] {
            world.browser().get(path).await.assert_problem("401 unauthenticated");
        }
        world.browser().post(CLIENTS, json!({})).await.assert_problem("401 unauthenticated");
    }

    async fn archiving_a_client_revokes_its_sessions_and_refuses_sign_ins_until_it_is_active_again(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let path = paths::client(&person.client);
        tenant.owner.patch(&path, json!({ "status": "archived" })).await.expect(200);
        person.browser.session().await.assert_problem("401 session_revoked");
        world.browser().sign_in(&person.email, &person.password).await.assert_problem("403 client_suspended");
        let mut body = person.credentials();
        body["client_id"] = json!(person.client);
        world.browser().post(SIGN_IN, body).await.assert_problem("403 client_suspended");

        tenant.owner.patch(&path, json!({ "status": "active" })).await.expect(200);
        person.browser.session().await.assert_problem("401 session_revoked");
        person.sign_in(&world.browser()).await;
    }

    async fn an_archived_client_refuses_invitations_and_activations_until_it_is_active_again(world) {
        let tenant = world.tenant().await;
        let invitation = tenant.create_invitation(world).await;
        let path = paths::client(&invitation.client);
        tenant.owner.patch(&path, json!({ "status": "archived" })).await.expect(200);
        world.browser().activate(&invitation.token, &password()).await.assert_problem("410 token_revoked");
        let invite = tenant.owner.post(&paths::portal_user(&invitation.client), json!({ "email": "a@x.test" })).await;
        invite.assert_problem("403 client_suspended");
        let body = json!({ "email": invitation.email });
        let resend = tenant.owner.post(&paths::resend_invitation(&invitation.client), body).await;
        resend.assert_problem("403 client_suspended");

        tenant.owner.patch(&path, json!({ "status": "active" })).await.expect(200);
        world.browser().activate(&invitation.token, &password()).await.expect(200);
    }
}
