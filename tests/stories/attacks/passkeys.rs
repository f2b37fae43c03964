//! PKY cases: ceremonies that are used again or elsewhere, forged responses, and passkeys of other people.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    passkeys::{activate_with_passkey, make_stale, set_policy},
    support::{
        Area, Browser, PAST, Person, Response, Started, World,
        authenticator::{BE, BS, Fields, SoftAuthenticator, UP, UV},
        paths, stories, unique_email,
    },
};

use Area::{Portal, Staff};

/// Changes what an authenticator answers.
type Edit = Box<dyn FnOnce(&mut Fields)>;

/// An [`Edit`] that captures nothing.
type EditFn = fn(&mut Fields);

/// Sends a response to a sign-in from a new browser.
async fn finish(world: &World, area: Area, started: &Started, response: &Value) -> Response {
    world.browser().post(&area.auth("passkeys/sign-in"), started.body(response)).await
}

/// Tries to sign in with a response whose fields `edit` has changed before they were signed.
async fn sign_in_edited(
    world: &World,
    authenticator: &mut SoftAuthenticator,
    edit: impl FnOnce(&mut Fields),
) -> Response {
    let started = world.browser().start_passkey_sign_in(Portal).await;
    let response = authenticator.get_with(&started.public_key, &world.origin(), edit);
    finish(world, Portal, &started, &response).await
}

/// Makes every ceremony of the world that was not used one that has expired.
fn expire(world: &World, started: &Started) {
    let hash = sha256_hex(started.ceremony.as_str().unwrap());
    world.sql(&format!("UPDATE ceremonies SET expires_at = '{PAST}' WHERE secret_hash = '{hash}'"));
}

fn sha256_hex(text: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A portal user with a passkey.
async fn person_with_passkey(world: &World) -> (Person, SoftAuthenticator, Value) {
    let person = world.tenant().await.person(world).await;
    let (authenticator, passkey) = person.browser.register_passkey(world, Portal).await;
    (person, authenticator, passkey)
}

/// The response to a registration of a new authenticator, whose fields `edit` has changed.
async fn register_edited(world: &World, browser: &Browser, edit: impl FnOnce(&mut Fields)) -> Response {
    let started = browser.start(&Portal.passkeys("/register-options")).await;
    let response = SoftAuthenticator::new().create_with(&started.public_key, &world.origin(), edit);
    browser.on_new_network().post(&Portal.passkeys("/register"), started.body(&response)).await
}

fn count_events(world: &World, action: &str, passkey: &Value) -> usize {
    let id = passkey["id"].as_str().unwrap();
    world.count(&format!(
        "SELECT count(*) FROM audit_events WHERE action = '{action}' AND outcome = 'failure' \
         AND target_id = {}",
        world.sql_id(id)
    ))
}

stories! {
    async fn pky_01_each_ceremony_takes_one_response(world) {
        let (_, mut authenticator, _) = person_with_passkey(world).await;
        let started = world.browser().start_passkey_sign_in(Portal).await;
        let response = authenticator.get(&started.public_key, &world.origin());
        finish(world, Portal, &started, &response).await.expect(200);
        finish(world, Portal, &started, &response).await.assert_problem("401 invalid_credentials");

        // A malformed response uses the ceremony up too.
        let started = world.browser().start_passkey_sign_in(Portal).await;
        finish(world, Portal, &started, &json!({ "id": 1 })).await.assert_problem("401 invalid_credentials");
        let response = authenticator.get(&started.public_key, &world.origin());
        finish(world, Portal, &started, &response).await.assert_problem("401 invalid_credentials");

        let started = world.browser().start_passkey_sign_in(Portal).await;
        let response = authenticator.get(&started.public_key, &world.origin());
        expire(world, &started);
        finish(world, Portal, &started, &response).await.assert_problem("401 invalid_credentials");
        let unknown = Started { ceremony: json!("x"), ..started };
        finish(world, Portal, &unknown, &response).await.assert_problem("401 invalid_credentials");
    }

    async fn pky_01_a_response_to_the_ceremony_of_another_browser_is_refused(world) {
        let (_, mut authenticator, _) = person_with_passkey(world).await;
        let (own, other) =
            (world.browser().start_passkey_sign_in(Portal).await, world.browser().start_passkey_sign_in(Portal).await);
        let response = authenticator.get(&other.public_key, &world.origin());
        finish(world, Portal, &own, &response).await.assert_problem("401 invalid_credentials");
    }

    async fn pky_01_a_ceremony_of_one_kind_completes_no_other(world) {
        let (person, mut authenticator, _) = person_with_passkey(world).await;
        let (browser, origin) = (&person.browser, world.origin());
        // One for a step-up signs no user in, and the reverse.
        let started = browser.start(&Portal.auth("step-up/options")).await;
        let response = authenticator.get(&started.public_key, &origin);
        finish(world, Portal, &started, &response).await.assert_problem("401 invalid_credentials");
        let started = world.browser().start_passkey_sign_in(Portal).await;
        let response = authenticator.get(&started.public_key, &origin);
        browser.post(&Portal.auth("step-up"), started.body(&response)).await.assert_problem("401 invalid_code");
        // One for a registration verifies no use, and the reverse.
        let started = browser.start(&Portal.passkeys("/register-options")).await;
        let options = json!({ "challenge": started.public_key["challenge"], "rpId": started.public_key["rp"]["id"] });
        let response = authenticator.get(&options, &origin);
        finish(world, Portal, &started, &response).await.assert_problem("401 invalid_credentials");
        let started = world.browser().start_passkey_sign_in(Portal).await;
        let options = json!({
            "challenge": started.public_key["challenge"], "rp": { "id": started.public_key["rpId"] },
            "user": { "id": "AAAAAAAAAAAAAAAAAAAAAA" },
        });
        let response = SoftAuthenticator::new().create(&options, &origin);
        let register = Portal.passkeys("/register");
        browser.post(&register, started.body(&response)).await.assert_problem("401 invalid_code");
    }

    async fn pky_01_a_ceremony_of_one_realm_is_refused_in_the_other(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let (mut of_person, _) = person.browser.register_passkey(world, Portal).await;
        let (mut of_owner, _) = tenant.owner.register_passkey(world, Staff).await;
        for (area, other) in [(Portal, Staff), (Staff, Portal)] {
            for authenticator in [&mut of_person, &mut of_owner] {
                let started = world.browser().start_passkey_sign_in(area).await;
                let response = authenticator.get(&started.public_key, &world.origin());
                finish(world, other, &started, &response).await.assert_problem("401 invalid_credentials");
            }
        }
        // A passkey of one realm opens no session in the other.
        let (portal, staff) = (world.browser(), world.browser());
        portal.sign_in_with_passkey(world, Portal, &mut of_owner).await.assert_problem("401 invalid_credentials");
        staff.sign_in_with_passkey(world, Staff, &mut of_person).await.assert_problem("401 invalid_credentials");
    }

    async fn pky_01_a_registration_belongs_to_its_session(world) {
        let (person, other) = (world.tenant().await.person(world).await, world.tenant().await.person(world).await);
        let own = world.browser();
        person.sign_in(&own).await;
        let register = Portal.passkeys("/register");
        for browser in [&own, &other.browser] {
            let started = person.browser.start(&Portal.passkeys("/register-options")).await;
            let response = SoftAuthenticator::new().create(&started.public_key, &world.origin());
            browser.post(&register, started.body(&response)).await.assert_problem("401 invalid_code");
        }
        assert!(person.browser.passkeys(Portal).await.is_empty() && other.browser.passkeys(Portal).await.is_empty());
    }

    async fn pky_02_flags_origin_and_owner_are_verified(world) {
        let (_, mut ann, _) = person_with_passkey(world).await;
        let (_, bob, _) = person_with_passkey(world).await;
        let (bobs_handle, bobs_id) = (bob.user_handle.clone(), bob.credential_id.clone());
        let client_data = |name: &'static str, value: Value| {
            Box::new(move |fields: &mut Fields| {
                fields.client_data.insert(name.into(), value);
            }) as Edit
        };
        let port = format!("{}1", world.origin());
        let sub = world.origin().replace("localhost", "localhost.evil.test");
        let edits: Vec<(&str, Edit)> = vec![
            ("no user verification", Box::new(|fields| fields.flags &= !UV)),
            ("no user presence", Box::new(|fields| fields.flags &= !UP)),
            ("foreign origin", client_data("origin", json!("https://evil.test"))),
            ("https", client_data("origin", json!(world.origin().replace("http:", "https:")))),
            ("origin with the same beginning", client_data("origin", json!(sub))),
            ("other port", client_data("origin", json!(port))),
            ("embedded page", client_data("crossOrigin", json!(true))),
            ("top origin", client_data("topOrigin", json!("https://evil.test"))),
            ("type of a registration", client_data("type", json!("webauthn.create"))),
            ("other RP ID", Box::new(|fields| fields.rp_id = "evil.test".into())),
            ("wrong signature", Box::new(|fields| fields.has_wrong_signature = true)),
            ("user handle of another person", Box::new(|fields| fields.user_handle = Some(bobs_handle))),
            ("no user handle", Box::new(|fields| fields.user_handle = None)),
            ("empty user handle", Box::new(|fields| fields.user_handle = Some(vec![]))),
            ("credential id of another person", Box::new(|fields| fields.raw_id = Some(bobs_id))),
        ];
        let mut answers = std::collections::BTreeSet::new();
        for (name, edit) in edits {
            let mut response = sign_in_edited(world, &mut ann, edit).await;
            assert_eq!(response.problem_text(), "401 invalid_credentials", "{name}");
            assert!(!response.headers.contains_key("set-cookie"), "{name}");
            let mut body = response.json();
            body["request_id"] = Value::Null;
            response.text.clear();
            answers.insert(body.to_string());
        }
        assert_eq!(answers.len(), 1, "{answers:?}");
        sign_in_edited(world, &mut ann, |_| {}).await.expect(200);
    }

    async fn pky_02_a_step_up_takes_only_passkeys_of_the_same_person(world) {
        let (ann, mut anns, _) = person_with_passkey(world).await;
        let (_, mut bobs, _) = person_with_passkey(world).await;
        let started = ann.browser.start(&Portal.auth("step-up/options")).await;
        let response = bobs.get(&started.public_key, &world.origin());
        ann.browser.post(&Portal.auth("step-up"), started.body(&response)).await.assert_problem("401 invalid_code");
        // Ann's id with the key of Bob.
        let started = ann.browser.start(&Portal.auth("step-up/options")).await;
        let (id, handle) = (anns.credential_id.clone(), anns.user_handle.clone());
        let response = bobs.get_with(&started.public_key, &world.origin(), |fields| {
            fields.raw_id = Some(id);
            fields.user_handle = Some(handle);
        });
        ann.browser.post(&Portal.auth("step-up"), started.body(&response)).await.assert_problem("401 invalid_code");
        let started = ann.browser.start(&Portal.auth("step-up/options")).await;
        let response = anns.get(&started.public_key, &world.origin());
        ann.browser.post(&Portal.auth("step-up"), started.body(&response)).await.expect(200);
    }

    async fn pky_03_a_known_credential_id_is_not_taken_over(world) {
        let (ann, mut anns, _) = person_with_passkey(world).await;
        let bob = world.tenant().await.person(world).await;
        let id = anns.credential_id.clone();
        let refused = register_edited(world, &bob.browser, |fields| fields.credential_id = id).await;
        let problem = refused.assert_problem("409 conflict");
        assert_eq!(problem["detail"], "This passkey is registered already.", "it does not say whose it is");
        let id = anns.credential_id.clone();
        let refused = register_edited(world, &ann.browser, |fields| fields.credential_id = id).await;
        refused.assert_problem("401 invalid_code");
        assert!(bob.browser.passkeys(Portal).await.is_empty());
        let answer = world.browser().sign_in_with_passkey(world, Portal, &mut anns).await.expect(200);
        assert_eq!(answer["user"]["email"], ann.email.as_str());
    }

    async fn pky_03_wrong_registrations_are_refused_and_a_person_has_ten_passkeys(world) {
        let person = world.tenant().await.person(world).await;
        let edits: [(&str, EditFn); 4] = [
            ("too long id", |fields| fields.credential_id = vec![7; 1_024]),
            ("too short id", |fields| fields.credential_id = vec![7; 15]),
            ("attestation garbage", |fields| fields.attestation_format = "fido-u2f".into()),
            ("not verified", |fields| fields.flags &= !UV),
        ];
        for (name, edit) in edits {
            let refused = register_edited(world, &person.browser, edit).await;
            assert_eq!(refused.problem_text(), "401 invalid_code", "{name}");
        }
        for _ in 0..10 {
            person.browser.register_passkey(world, Portal).await;
        }
        let options = Portal.passkeys("/register-options");
        person.browser.post_empty(&options).await.assert_problem("409 conflict");
        assert_eq!(person.browser.passkeys(Portal).await.len(), 10);
    }

    async fn pky_04_hostile_responses_are_refused(world) {
        let (_, mut authenticator, _) = person_with_passkey(world).await;
        let nested = (0..60).fold(json!(1), |value, _| json!([value]));
        let edits: Vec<(&str, Edit)> = vec![
            ("truncated", Box::new(|fields| fields.authenticator_data = Some(vec![0; 10]))),
            ("long", Box::new(|fields| fields.authenticator_data = Some(vec![0; 4_000]))),
            ("not JSON", Box::new(|fields| fields.client_data_bytes = Some(b"\xef\xbb\xbf{\"type\": NaN}".to_vec()))),
            ("deep", Box::new(|fields| {
                fields.members.insert("x".into(), nested);
            })),
            ("large", Box::new(|fields| {
                fields.members.insert("x".into(), json!("x".repeat(17_000)));
            })),
        ];
        for (name, edit) in edits {
            let refused = sign_in_edited(world, &mut authenticator, edit).await;
            assert_eq!(refused.problem_text(), "401 invalid_credentials", "{name}");
        }
        let browser = world.browser();
        let sign_in = Portal.auth("passkeys/sign-in");
        for wrong in [json!(null), json!([]), json!("x"), json!(5)] {
            let body = json!({ "ceremony": "x", "response": wrong });
            browser.post(&sign_in, body).await.assert_problem("422 validation_failed: /response invalid");
        }
        // An unknown member is ignored.
        sign_in_edited(world, &mut authenticator, |fields| {
            fields.members.insert("unknown".into(), json!({ "a": [1] }));
        })
        .await
        .expect(200);
    }

    async fn pky_05_a_session_that_is_not_fresh_registers_and_removes_no_passkey(world) {
        let (person, _, passkey) = person_with_passkey(world).await;
        let started = person.browser.start(&Portal.passkeys("/register-options")).await;
        let response = SoftAuthenticator::new().create(&started.public_key, &world.origin());
        make_stale(world, &person.email);
        for _ in 0..2 {
            person.browser.refresh().await.expect(200);
        }
        let (options, register) = (Portal.passkeys("/register-options"), Portal.passkeys("/register"));
        person.browser.post_empty(&options).await.assert_problem("403 step_up_required");
        person.browser.post(&register, started.body(&response)).await.assert_problem("403 step_up_required");
        person.browser.remove_passkey(Portal, &passkey).await.assert_problem("403 step_up_required");
        assert_eq!(person.browser.passkeys(Portal).await.len(), 1);
    }

    async fn pky_06_a_counter_that_goes_back_and_a_changed_backup_flag_are_refused_and_recorded(world) {
        let person = world.tenant().await.person(world).await;
        let key = SoftAuthenticator::new().into_security_key();
        let (mut key, passkey) = person.browser.register_at(world, Portal, key).await;
        for _ in 0..3 {
            world.browser().sign_in_with_passkey(world, Portal, &mut key).await.expect(200);
        }
        let repeated = key.counter;
        for counter in [repeated, repeated - 1, 0] {
            let refused = sign_in_edited(world, &mut key, |fields| fields.counter = counter).await;
            assert_eq!(refused.problem_text(), "401 invalid_credentials", "{counter}");
        }
        assert_eq!(count_events(world, "passkey.counter_decreased", &passkey), 3);
        let refused = sign_in_edited(world, &mut key, |fields| fields.flags |= BE | BS).await;
        assert_eq!(refused.problem_text(), "401 invalid_credentials");
        assert_eq!(count_events(world, "passkey.backup_changed", &passkey), 1);
        world.browser().sign_in_with_passkey(world, Portal, &mut key).await.expect(200);
    }

    async fn pky_07_passkeys_of_others_are_not_found(world) {
        let (ann, mut anns, passkey) = person_with_passkey(world).await;
        let tenant = world.tenant().await;
        let bob = tenant.person(world).await;
        let id = passkey["id"].as_str().unwrap();
        for (browser, area) in [(&bob.browser, Portal), (&tenant.owner, Staff)] {
            let path = area.passkeys(&format!("/{id}"));
            browser.patch(&path, json!({ "name": "Mine" })).await.assert_problem("404 not_found");
            browser.delete(&path).await.assert_problem("404 not_found");
        }
        world.browser().sign_in_with_passkey(world, Portal, &mut anns).await.expect(200);
        assert_eq!(ann.browser.passkeys(Portal).await[0]["name"], "Laptop");
    }

    async fn pky_07_the_last_way_to_sign_in_cannot_be_removed(world) {
        let invitation = world.tenant().await.create_invitation(world).await;
        let (browser, mut first) = activate_with_passkey(world, &invitation.token).await;
        let only = browser.passkeys(Portal).await.remove(0);
        browser.remove_passkey(Portal, &only).await.assert_problem("409 last_sign_in_method");
        let (_, second) = browser.register_passkey(world, Portal).await;
        // Of two concurrent removals of both passkeys, one is refused.
        let paths = [&only, &second].map(|passkey| Portal.passkeys(&format!("/{}", passkey["id"].as_str().unwrap())));
        let [a, b] = [browser.on_new_network(), browser.on_new_network()];
        let (a, b) = tokio::join!(
            a.send(Method::DELETE, &paths[0], None, &[]),
            b.send(Method::DELETE, &paths[1], None, &[])
        );
        let mut statuses = [a.status, b.status];
        statuses.sort_unstable();
        assert_eq!(statuses[0], 204);
        assert!(statuses[1] == 409 || statuses[1] == 401, "{statuses:?}");
        let left = format!(
            "SELECT count(*) FROM passkeys WHERE portal_user_id = (SELECT id FROM portal_users WHERE email = '{}')",
            invitation.email
        );
        assert_eq!(world.count(&left), 1);
        let _ = first.get(&world.browser().start_passkey_sign_in(Portal).await.public_key, &world.origin());
    }

    async fn enum_06_the_options_of_a_sign_in_are_the_same_for_every_address(world) {
        let (person, _, _) = person_with_passkey(world).await;
        let tenant = world.tenant().await;
        let without = tenant.person(world).await;
        let invited = tenant.create_invitation(world).await;
        let addresses = [person.email, without.email, invited.email, unique_email("unknown")];
        let bodies = addresses.iter().map(|email| json!({ "email": email })).chain([json!({})]);
        let mut shapes = std::collections::BTreeSet::new();
        for body in bodies {
            for area in Area::ALL {
                let path = area.auth("passkeys/sign-in-options");
                for _ in 0..2 {
                    let response = world.browser().post(&path, body.clone()).await;
                    assert!(!response.headers.contains_key("set-cookie"));
                    let mut answer = response.expect(200);
                    assert!(answer["public_key"].get("allowCredentials").is_none());
                    assert_eq!(answer["ceremony"].as_str().unwrap().len(), 43);
                    answer["ceremony"] = Value::Null;
                    answer["public_key"]["challenge"] = Value::Null;
                    shapes.insert(answer.to_string());
                }
            }
        }
        assert_eq!(shapes.len(), 1, "{shapes:?}");
    }

    async fn enum_06_a_passkey_that_may_not_sign_in_is_answered_like_an_unknown_one(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let person = tenant.person_at(world, &client).await;
        let (mut authenticator, _) = person.browser.register_passkey(world, Portal).await;
        let mut answers = std::collections::BTreeSet::new();
        let mut refused = async |name: &str, authenticator: &mut SoftAuthenticator| {
            let response = world.browser().sign_in_with_passkey(world, Portal, authenticator).await;
            assert_eq!(response.problem_text(), "401 invalid_credentials", "{name}");
            let mut body = response.json();
            body["request_id"] = Value::Null;
            answers.insert(body.to_string());
        };
        let mut unknown = SoftAuthenticator::new();
        unknown.user_handle = vec![1; 64];
        refused("unknown", &mut unknown).await;
        set_policy(world, &tenant, &json!({ "methods": { "passkey": false } }));
        refused("not allowed", &mut authenticator).await;
        set_policy(world, &tenant, &json!({}));
        let member = tenant.member_path(&client, &person.email).await;
        tenant.owner.patch(&member, json!({ "status": "disabled" })).await.expect(200);
        refused("disabled", &mut authenticator).await;
        tenant.owner.patch(&member, json!({ "status": "active" })).await.expect(200);
        tenant.owner.patch(&paths::client(&client), json!({ "status": "archived" })).await.expect(200);
        refused("archived", &mut authenticator).await;
        tenant.owner.patch(&paths::client(&client), json!({ "status": "active" })).await.expect(200);
        world.browser().sign_in_with_passkey(world, Portal, &mut authenticator).await.expect(200);
        world.run(&["tenant", "suspend", "--slug", &tenant.slug]);
        refused("suspended", &mut authenticator).await;
        assert_eq!(answers.len(), 1, "{answers:?}");
    }

    async fn inv_05_an_invited_person_gets_a_passkey_only_by_the_link(world) {
        let tenant = world.tenant().await;
        let invitation = tenant.create_invitation(world).await;
        let options = Portal.auth("passkeys/activation-options");
        world.browser().post(&options, json!({ "token": "x" })).await.assert_problem("404 token_unknown");
        let started = world.browser().start_with(&options, json!({ "token": invitation.token })).await;
        let mut authenticator = SoftAuthenticator::new();
        let response = authenticator.create(&started.public_key, &world.origin());
        // Another link does not complete the ceremony, and neither credential or both are no activation.
        let other = tenant.create_invitation(world).await;
        let body = json!({ "token": other.token, "passkey": started.body(&response) });
        world.browser().post(paths::ACTIVATE, body).await.assert_problem("401 invalid_code");
        let body = json!({ "token": invitation.token });
        let neither = world.browser().post(paths::ACTIVATE, body).await;
        neither.assert_problem("422 validation_failed: /password required");
        let both = json!({ "token": invitation.token, "password": "x", "passkey": started.body(&response) });
        let both = world.browser().post(paths::ACTIVATE, both).await;
        both.assert_problem("422 validation_failed: /passkey credential_invalid");
        // The ceremony is used up, and no passkey is stored.
        let body = json!({ "token": invitation.token, "passkey": started.body(&response) });
        world.browser().post(paths::ACTIVATE, body).await.assert_problem("401 invalid_code");
        world.browser().sign_in_with_passkey(world, Portal, &mut authenticator).await.assert_problem("401 invalid_credentials");
        activate_with_passkey(world, &invitation.token).await;
        world.browser().sign_in(&invitation.email, &crate::support::password()).await.assert_problem("401 invalid_credentials");
        set_policy(world, &tenant, &json!({ "methods": { "passkey": false } }));
        world.browser().post(&options, json!({ "token": other.token })).await.assert_problem("401 invalid_credentials");
    }
}
