//! The portal users of a client as staff sees and changes them.

use std::{collections::BTreeMap, time::Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Browser, Person, Response, Tenant, World, password,
    paths::{self, PORTAL_USERS},
    post_concurrently, stories, unique, unique_email,
};

/// A UUID that is no id of a row.
const UNKNOWN: &str = "01a1fdba-f86f-76f5-b296-4e548b3691ab";

/// The names in a page of portal users.
async fn names(owner: &Browser, path: &str) -> Vec<String> {
    let page = owner.get(path).await.expect(200);
    page["data"].as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap().to_owned()).collect()
}

/// Invites a new address to a client under this name, and returns the address.
async fn invite_named(tenant: &Tenant, client: &str, name: &str) -> String {
    let email = unique_email("zoe");
    let body = json!({ "email": email, "name": name });
    tenant.owner.post(&paths::portal_user(client), body).await.expect(201);
    email
}

/// The browser once for each API, so that each API gets a request.
fn at_every_api(world: &World, browser: &Browser) -> Vec<Browser> {
    world.apis.iter().map(|api| browser.moved_to(std::slice::from_ref(api))).collect()
}

/// Asserts that within one second, no API serves the session, and no API refreshes it.
async fn assert_revoked_within_a_second(world: &World, browser: &Browser) {
    let started = Instant::now();
    for browser in at_every_api(world, browser) {
        browser.session().await.assert_problem("401 session_revoked");
        browser.refresh().await.assert_problem("401 session_revoked");
    }
    assert!(started.elapsed().as_millis() < 1_000, "{:?}", started.elapsed());
}

/// A person who is an active member of two clients of one tenant, signed in to the first, and the second client.
async fn person_of_two_clients(world: &World, tenant: &Tenant) -> (Person, String) {
    let person = tenant.person(world).await;
    let second = tenant.client("Second Ltd").await;
    tenant.invite(&second, &person.email).await;
    world.mail(&person.email, 2).await;
    (person, second)
}

/// Signs the person in to a client at a new browser.
async fn sign_in_to(world: &World, person: &Person, client: &str) -> (Browser, Response) {
    let (browser, mut body) = (world.browser(), person.credentials());
    body["client_id"] = json!(client);
    let response = browser.post(paths::SIGN_IN, body).await;
    (browser, response)
}

/// The problems of every operation on this portal user of this client.
async fn problems(owner: &Browser, client: &str, id: &str) -> Vec<String> {
    let (member, send_reset) = (paths::member(client, id), paths::send_reset(client, id));
    let responses = [
        owner.patch(&member, json!({ "status": "disabled" })).await,
        owner.delete(&member).await,
        owner.post_empty(&send_reset).await,
    ];
    responses.into_iter().map(|response| response.problem_text()).collect()
}

stories! {
    async fn portal_users_of_a_client_are_found_by_name_address_and_status(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let zoe = invite_named(&tenant, &person.client, "Zoë Weiß-Müller").await;
        invite_named(&tenant, &tenant.client("Elsewhere Ltd").await, "Zoë Elsewhere").await;
        let list = paths::client_portal_users(&person.client);
        assert_eq!(names(&tenant.owner, &list).await, ["Robin Miller", "Zoë Weiß-Müller"]);
        for query in ["q=ZO%C3%8B", "q=weiss", "q=m%C3%BCll", "status=invited", &format!("q={}", &zoe[..8])] {
            assert_eq!(names(&tenant.owner, &format!("{list}?{query}")).await, ["Zoë Weiß-Müller"], "{query}");
        }
        for query in ["q=robin", "q=mil&status=active", &format!("q={}", person.email.to_uppercase())] {
            assert_eq!(names(&tenant.owner, &format!("{list}?{query}")).await, ["Robin Miller"], "{query}");
        }
        for query in ["q=oe", "q=%25%25", "q=__", "q=r_", "q=ro%25", "q=x.test", "status=disabled", "q=else"] {
            assert_eq!(names(&tenant.owner, &format!("{list}?{query}")).await, [] as [&str; 0], "{query}");
        }
        let member = tenant.member(&person.client, &person.email).await;
        assert_eq!((&member["role"], &member["status"]), (&json!("member"), &json!("active")));
        assert!(member["invited_at"].is_string() && member["last_sign_in_at"].is_string(), "{member}");
        assert_eq!(tenant.member(&person.client, &zoe).await["last_sign_in_at"], Value::Null);
    }

    async fn portal_users_of_all_clients_are_listed_with_their_client(world) {
        let (tenant, other) = (world.tenant().await, world.tenant().await);
        let (person, second) = person_of_two_clients(world, &tenant).await;
        other.invite(&other.client("Elsewhere Ltd").await, &person.email).await;
        let found = tenant.owner.get(&format!("{PORTAL_USERS}?q={}", person.email)).await.expect(200);
        let clients: Vec<_> = found["data"].as_array().unwrap().iter().map(|user| user["client"].clone()).collect();
        let expected = [json!({ "id": person.client, "name": "Acme Ltd" }), json!({ "id": second, "name": "Second Ltd" })];
        assert_eq!(clients, expected);
        let (mut seen, mut cursor) = (0, String::new());
        loop {
            let page = tenant.owner.get(&format!("{PORTAL_USERS}?limit=1&status=active{cursor}")).await.expect(200);
            seen += page["data"].as_array().unwrap().len();
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen, 2);
    }

    async fn az_08_invalid_parameters_of_a_list_of_portal_users_are_refused(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        for list in [PORTAL_USERS, &paths::client_portal_users(&client)] {
            let get = async |query: &str| tenant.owner.get(&format!("{list}?{query}")).await;
            for limit in ["0", "-1", "101", "1e9"] {
                get(&format!("limit={limit}")).await.assert_problem("422 validation_failed: /limit invalid");
            }
            for cursor in ["rubbish", "AAAA", "..%2F..", &"A".repeat(500)] {
                let response = get(&format!("cursor={cursor}")).await;
                response.assert_problem("422 validation_failed: /cursor cursor_invalid");
            }
            get("status=gone").await.assert_problem("422 validation_failed: /status invalid");
            get("q=a").await.assert_problem("422 validation_failed: /q invalid");
            get("role=admin").await.assert_problem("422 validation_failed: /role unknown_field");
        }
    }

    async fn a_disabled_portal_user_loses_access_on_every_process_within_a_second(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        for browser in at_every_api(world, &person.browser) {
            browser.session().await.expect(200);
        }
        let path = tenant.member_path(&person.client, &person.email).await;
        let disabled = tenant.owner.patch(&path, json!({ "status": "disabled" })).await.expect(200);
        assert_revoked_within_a_second(world, &person.browser).await;
        assert_eq!((&disabled["status"], &disabled["role"]), (&json!("disabled"), &json!("member")));
        let sign_in = world.browser().sign_in(&person.email, &person.password).await;
        sign_in.assert_problem("401 invalid_credentials");

        let enabled = tenant.owner.patch(&path, json!({ "status": "active" })).await.expect(200);
        assert_eq!(enabled["status"], "active");
        person.browser.session().await.assert_problem("401 session_revoked");
        person.sign_in(&world.browser()).await;
    }

    async fn a_removed_portal_user_loses_access_on_every_process_within_a_second(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let path = tenant.member_path(&person.client, &person.email).await;
        tenant.owner.delete(&path).await.expect(204);
        assert_revoked_within_a_second(world, &person.browser).await;
        let sign_in = world.browser().sign_in(&person.email, &person.password).await;
        sign_in.assert_problem("401 invalid_credentials");
        let list = paths::client_portal_users(&person.client);
        assert_eq!(names(&tenant.owner, &list).await, [] as [&str; 0]);
        assert_eq!(names(&tenant.owner, &format!("{list}?q=robin")).await, [] as [&str; 0]);
        let words = format!("SELECT count(*) FROM search_words WHERE subject = 'membership' AND word = '{}'", person.email);
        assert_eq!(world.count(&words), 0);
    }

    async fn a_portal_user_who_is_invited_again_does_not_get_the_former_sessions_back(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let path = tenant.member_path(&person.client, &person.email).await;
        tenant.owner.delete(&path).await.expect(204);
        let token = tenant.invite_again_for_token(world, &person.client, &person.email, 2).await;
        let mut body = person.credentials();
        body["invitation"] = json!(token);
        let browser = world.browser();
        browser.post(paths::SIGN_IN, body).await.expect(200);
        person.browser.session().await.assert_problem("401 session_revoked");
        person.browser.refresh().await.assert_problem("401 session_revoked");
        browser.session().await.expect(200);
        // The former membership is another object than the new one.
        tenant.owner.patch(&path, json!({ "role": "admin" })).await.assert_problem("404 not_found");
    }

    async fn az_05_a_membership_that_one_tenant_disables_leaves_those_of_another(world) {
        let (tenant, other) = (world.tenant().await, world.tenant().await);
        let person = tenant.person(world).await;
        let elsewhere = other.client("Elsewhere Ltd").await;
        let token = other.invite_again_for_token(world, &elsewhere, &person.email, 2).await;
        person.browser.accept_invitation(&token).await.expect(204);
        let path = other.member_path(&elsewhere, &person.email).await;
        other.owner.patch(&path, json!({ "role": "admin" })).await.expect(200);
        assert_eq!(person.browser.session().await.expect(200)["client"]["role"], "member");
        let (at_other, signed_in) = sign_in_to(world, &person, &elsewhere).await;
        assert_eq!(signed_in.expect(200)["client"]["role"], "admin");
        other.owner.patch(&path, json!({ "status": "disabled" })).await.expect(200);
        at_other.session().await.assert_problem("401 session_revoked");
        person.browser.session().await.expect(200);
        assert_eq!(tenant.member(&person.client, &person.email).await["status"], "active");
    }

    async fn a_new_role_has_effect_on_every_process_at_the_next_request(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let path = tenant.member_path(&person.client, &person.email).await;
        for role in ["admin", "member", "admin"] {
            let changed = tenant.owner.patch(&path, json!({ "role": role })).await.expect(200);
            assert_eq!((&changed["role"], &changed["status"]), (&json!(role), &json!("active")));
            for browser in at_every_api(world, &person.browser) {
                assert_eq!(browser.session().await.expect(200)["client"]["role"], role);
            }
        }
    }

    async fn the_other_clients_of_a_disabled_or_removed_portal_user_stay_as_they_are(world) {
        let tenant = world.tenant().await;
        let (person, second) = person_of_two_clients(world, &tenant).await;
        let (at_second, signed_in) = sign_in_to(world, &person, &second).await;
        signed_in.expect(200);
        let path = tenant.member_path(&person.client, &person.email).await;
        tenant.owner.patch(&path, json!({ "status": "disabled" })).await.expect(200);
        person.browser.session().await.assert_problem("401 session_revoked");
        at_second.session().await.expect(200);
        tenant.owner.delete(&path).await.expect(204);
        at_second.refresh().await.expect(200);
        assert_eq!(at_second.session_clients().await.len(), 1);
        assert_eq!(tenant.member(&second, &person.email).await["status"], "active");
        let (_, refused) = sign_in_to(world, &person, &person.client).await;
        refused.assert_problem("401 invalid_credentials");
    }

    async fn an_invited_portal_user_can_be_removed_but_not_changed(world) {
        let tenant = world.tenant().await;
        let invitation = tenant.create_invitation(world).await;
        let path = tenant.member_path(&invitation.client, &invitation.email).await;
        for body in [json!({ "status": "active" }), json!({ "status": "disabled" }), json!({ "role": "admin" })] {
            tenant.owner.patch(&path, body).await.assert_problem("409 conflict");
        }
        tenant.owner.delete(&path).await.expect(204);
        world.browser().check_token(&invitation.token).await.assert_problem("410 token_revoked");
        world.browser().activate(&invitation.token, &password()).await.assert_problem("410 token_revoked");
        world.browser().request_new_link(&invitation.token).await.assert_problem("410 token_revoked");
        let body = json!({ "email": invitation.email });
        let resend = tenant.owner.post(&paths::resend_invitation(&invitation.client), body).await;
        resend.assert_problem("404 not_found");
        let status = format!("SELECT status FROM invitations WHERE email = '{}'", invitation.email);
        assert_eq!(world.sql(&status), "cancelled");

        let token = tenant.invite_again_for_token(world, &invitation.client, &invitation.email, 2).await;
        world.browser().activate(&token, &password()).await.expect(200);
        assert_eq!(tenant.member(&invitation.client, &invitation.email).await["status"], "active");
    }

    async fn a_removed_person_cannot_renew_an_expired_invitation(world) {
        let tenant = world.tenant().await;
        let invitation = tenant.create_invitation(world).await;
        world.sql(&format!(
            "UPDATE invitations SET status = 'expired', expires_at = created_at WHERE email = '{}'",
            invitation.email
        ));
        let path = tenant.member_path(&invitation.client, &invitation.email).await;
        tenant.owner.delete(&path).await.expect(204);
        world.browser().resend_activation(&invitation.email).await.expect(200);
        let suppressed = format!(
            "SELECT count(*) FROM emails WHERE recipient = '{}' AND kind = 'activation' AND status = 'suppressed'",
            invitation.email
        );
        world.wait_for_sql("the mail is suppressed", &suppressed, "1").await;
        assert_eq!(world.mails(&invitation.email).await.len(), 1);
    }

    async fn staff_send_a_reset_link_that_only_the_mail_shows(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let id = tenant.member(&person.client, &person.email).await["id"].as_str().unwrap().to_owned();
        let sent = tenant.owner.post_empty(&paths::send_reset(&person.client, &id)).await.expect(200);
        assert_eq!(sent, json!({ "status": "accepted" }));
        let token = world.mail(&person.email, 2).await.token();
        // The password and the session stay until the person uses the link.
        person.browser.session().await.expect(200);
        let password = password();
        world.browser().reset_password(&token, &password).await.expect(200);
        person.browser.session().await.assert_problem("401 session_revoked");
        world.browser().sign_in(&person.email, &password).await.expect(200);
        let in_a_log = format!("SELECT count(*) FROM emails WHERE recipient = '{}' AND kind = 'reset'", person.email);
        assert_eq!(world.count(&in_a_log), 1);
        assert_eq!(world.count(&format!("{in_a_log} AND tenant_id IS NOT NULL")), 0);
    }

    async fn a_reset_link_is_sent_to_active_portal_users_of_open_clients_only(world) {
        let tenant = world.tenant().await;
        let invitation = tenant.create_invitation(world).await;
        let person = tenant.person(world).await;
        let invited = tenant.member(&invitation.client, &invitation.email).await;
        let path = paths::send_reset(&invitation.client, invited["id"].as_str().unwrap());
        tenant.owner.post_empty(&path).await.assert_problem("409 conflict");

        let member = tenant.member(&person.client, &person.email).await;
        let id = member["id"].as_str().unwrap();
        let (path, send_reset) = (paths::member(&person.client, id), paths::send_reset(&person.client, id));
        tenant.owner.patch(&path, json!({ "status": "disabled" })).await.expect(200);
        tenant.owner.post_empty(&send_reset).await.assert_problem("409 conflict");
        tenant.owner.patch(&path, json!({ "status": "active" })).await.expect(200);
        let client = paths::client(&person.client);
        tenant.owner.patch(&client, json!({ "status": "archived" })).await.expect(200);
        tenant.owner.post_empty(&send_reset).await.assert_problem("403 client_suspended");
        let sent = "SELECT count(*) FROM emails WHERE kind = 'reset' AND recipient IN";
        assert_eq!(world.count(&format!("{sent} ('{}', '{}')", invitation.email, person.email)), 0);
    }

    async fn reset_links_that_staff_send_to_one_mailbox_are_limited(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let id = tenant.member(&person.client, &person.email).await["id"].as_str().unwrap().to_owned();
        let path = paths::send_reset(&person.client, &id);
        // The invitation was the first of ten mails.
        let counts = post_concurrently(tenant.owner.on_new_networks(12), &path, vec![None; 12]).await;
        assert_eq!(counts, BTreeMap::from([(200, 9), (429, 3)]));
        tenant.owner.post_empty(&path).await.assert_problem("429 too_many_requests");
    }

    async fn az_09_a_concurrent_change_of_the_role_does_not_undo_a_disabling(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let path = tenant.member_path(&person.client, &person.email).await;
        let send = async |body: Value| {
            let browser = tenant.owner.on_new_network();
            browser.send(Method::PATCH, &path, Some(body.to_string()), &[]).await.expect(200);
        };
        for _ in 0..5 {
            tokio::join!(
                send(json!({ "role": "admin" })),
                send(json!({ "status": "disabled" })),
                send(json!({ "role": "admin" })),
            );
            let member = tenant.member(&person.client, &person.email).await;
            assert_eq!((&member["role"], &member["status"]), (&json!("admin"), &json!("disabled")));
            send(json!({ "role": "member", "status": "active" })).await;
        }
    }

    async fn az_09_a_change_and_a_removal_of_one_portal_user_leave_no_membership(world) {
        let tenant = world.tenant().await;
        for _ in 0..5 {
            let person = tenant.person(world).await;
            let path = tenant.member_path(&person.client, &person.email).await;
            let (changed, removed, again) = tokio::join!(
                tenant.owner.patch(&path, json!({ "status": "active" })),
                tenant.owner.delete(&path),
                tenant.owner.delete(&path),
            );
            assert!([200, 404].contains(&changed.status), "{changed:?}");
            let mut removals = [removed.status, again.status];
            removals.sort_unstable();
            assert_eq!(removals, [204, 404]);
            tenant.owner.patch(&path, json!({ "role": "admin" })).await.assert_problem("404 not_found");
            person.browser.session().await.assert_problem("401 session_revoked");
        }
    }

    async fn no_session_of_a_sign_in_survives_a_concurrent_disabling_or_removal(world) {
        let tenant = world.tenant().await;
        for method in [Method::PATCH, Method::DELETE, Method::PATCH, Method::DELETE] {
            let person = tenant.person(world).await;
            let path = tenant.member_path(&person.client, &person.email).await;
            let body = (method == Method::PATCH).then(|| json!({ "status": "disabled" }).to_string());
            let browsers = world.browsers(6);
            let sign_ins = browsers.iter().map(|browser| browser.sign_in(&person.email, &person.password));
            let end = tenant.owner.send(method, &path, body, &[]);
            let (responses, ended) = tokio::join!(futures_util::future::join_all(sign_ins), end);
            assert!([200, 204].contains(&ended.status), "{ended:?}");
            for (browser, response) in browsers.iter().zip(responses) {
                assert!([200, 401].contains(&response.status), "{response:?}");
                assert_eq!(browser.session().await.status, 401);
            }
        }
    }

    async fn a_removal_and_a_concurrent_activation_leave_no_access(world) {
        let tenant = world.tenant().await;
        for _ in 0..5 {
            let invitation = tenant.create_invitation(world).await;
            let path = tenant.member_path(&invitation.client, &invitation.email).await;
            let (browser, password) = (world.browser(), password());
            let (activated, removed) =
                tokio::join!(browser.activate(&invitation.token, &password), tenant.owner.delete(&path));
            removed.expect(204);
            assert!([200, 403, 410].contains(&activated.status), "{activated:?}");
            assert_eq!(browser.session().await.status, 401);
            let accepted = format!(
                "SELECT count(*) FROM memberships WHERE portal_user_id = \
                 (SELECT id FROM portal_users WHERE email = '{}')",
                invitation.email
            );
            assert_eq!(world.count(&accepted), 0);
        }
    }

    async fn enum_11_a_portal_user_of_another_tenant_or_client_looks_like_an_unknown_one(world) {
        let (tenant, other) = (world.tenant().await, world.tenant().await);
        let (mine, theirs) = (tenant.person(world).await, other.person(world).await);
        let elsewhere = tenant.person(world).await;
        let id = async |tenant: &Tenant, person: &Person| {
            tenant.member(&person.client, &person.email).await["id"].as_str().unwrap().to_owned()
        };
        let (my_id, their_id) = (id(&tenant, &mine).await, id(&other, &theirs).await);
        let unknown = problems(&tenant.owner, &mine.client, UNKNOWN).await;
        assert_eq!(unknown, ["404 not_found"; 3]);
        for (client, id) in [
            (&*theirs.client, &*their_id),
            (&mine.client, &their_id),
            (&theirs.client, &my_id),
            (&elsewhere.client, &my_id),
            (UNKNOWN, &my_id),
            (&mine.client, "not-an-id"),
            (&mine.client, &mine.client),
        ] {
            assert_eq!(problems(&tenant.owner, client, id).await, unknown, "{client} {id}");
        }
        for client in [&*theirs.client, UNKNOWN, "not-an-id"] {
            let list = tenant.owner.get(&paths::client_portal_users(client)).await;
            list.assert_problem("404 not_found");
        }
        theirs.browser.session().await.expect(200);
        mine.browser.session().await.expect(200);
    }

    async fn az_03_every_role_reads_portal_users_and_every_role_but_viewer_changes_them(world) {
        let tenant = world.tenant().await;
        for (role, may_edit) in [("viewer", false), ("support", true), ("admin", true)] {
            let person = tenant.person(world).await;
            let (browser, email) = (world.browser(), format!("{role}-{}@x.test", unique("staff")));
            world.add_staff(&tenant.slug, &email, role);
            world.sign_in_staff(&browser, &email, 1).await;
            browser.get(PORTAL_USERS).await.expect(200);
            browser.get(&paths::client_portal_users(&person.client)).await.expect(200);
            let id = tenant.member(&person.client, &person.email).await["id"].as_str().unwrap().to_owned();
            let member = paths::member(&person.client, &id);
            for response in [
                browser.post_empty(&paths::send_reset(&person.client, &id)).await,
                browser.patch(&member, json!({ "role": "admin" })).await,
                browser.delete(&member).await,
            ] {
                if may_edit {
                    assert!((200..300).contains(&response.status), "{role}: {response:?}");
                } else {
                    response.assert_problem("403 forbidden");
                }
            }
        }
    }

    async fn az_03_portal_users_need_a_staff_session(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let member = tenant.member_path(&person.client, &person.email).await;
        for browser in [world.browser(), person.browser.on_new_network()] {
            browser.get(PORTAL_USERS).await.assert_problem("401 unauthenticated");
            browser.delete(&member).await.assert_problem("401 unauthenticated");
            browser.patch(&member, json!({ "role": "admin" })).await.assert_problem("401 unauthenticated");
        }
    }

    async fn az_02_a_change_of_a_portal_user_takes_its_own_fields_only(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let path = tenant.member_path(&person.client, &person.email).await;
        let before = tenant.member(&person.client, &person.email).await;
        for field in [
            "id", "email", "name", "password", "password_hash", "tenant_id", "client_id", "display_name", "roles",
            "permissions", "is_staff", "lastSignInAt", "created_at", "invited_by", "disabled",
        ] {
            let problem = format!("422 validation_failed: /{field} unknown_field");
            tenant.owner.patch(&path, json!({ field: "admin" })).await.assert_problem(&problem);
        }
        for (body, problem) in [
            (json!({ "status": "invited" }), "/status invalid"),
            (json!({ "role": "owner" }), "/role invalid"),
            (json!({ "role": 1, "status": [] }), "/role invalid, /status invalid"),
        ] {
            let problem = format!("422 validation_failed: {problem}");
            tenant.owner.patch(&path, body).await.assert_problem(&problem);
        }
        for body in [json!({}), json!({ "role": null, "status": null })] {
            assert_eq!(tenant.owner.patch(&path, body).await.expect(200), before);
        }
    }

    async fn an_archived_client_keeps_its_portal_users_and_stops_their_links(world) {
        let tenant = world.tenant().await;
        let (person, second) = person_of_two_clients(world, &tenant).await;
        let invited = unique_email("ann");
        tenant.invite_for_token(world, &person.client, &invited).await;
        let client = paths::client(&person.client);
        tenant.owner.patch(&client, json!({ "status": "archived" })).await.expect(200);
        // A person's own request for a link is accepted as ever, and mails none.
        world.browser().resend_activation(&invited).await.expect(200);
        let suppressed = format!(
            "SELECT count(*) FROM emails WHERE recipient = '{invited}' AND kind = 'activation' AND status = 'suppressed'"
        );
        world.wait_for_sql("the mail is suppressed", &suppressed, "1").await;
        let (at_second, signed_in) = sign_in_to(world, &person, &second).await;
        signed_in.expect(200);
        assert_eq!(at_second.session_clients().await.len(), 1);
        let switch = at_second.post(paths::SWITCH_CLIENT, json!({ "client_id": person.client })).await;
        switch.assert_problem("404 not_found");
        assert_eq!(names(&tenant.owner, &paths::client_portal_users(&person.client)).await.len(), 2);
        let removed = tenant.member_path(&person.client, &invited).await;
        tenant.owner.delete(&removed).await.expect(204);

        tenant.owner.patch(&client, json!({ "status": "active" })).await.expect(200);
        at_second.post(paths::SWITCH_CLIENT, json!({ "client_id": person.client })).await.expect(200);
        assert_eq!(world.mails(&invited).await.len(), 1);
    }
}
