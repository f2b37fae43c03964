//! Passkeys: registering one, signing in with it, as a second factor, at activation, and at a step-up.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{
    Area, Browser, PAST, Person, Tenant, World, authenticator::SoftAuthenticator, paths, post_concurrently, stories,
};

use Area::{Portal, Staff};

/// Sets the sign-in policy of a tenant.
pub(crate) fn set_policy(world: &World, tenant: &Tenant, policy: &Value) {
    world.sql(&format!("UPDATE tenants SET sign_in_policy = '{policy}' WHERE slug = '{}'", tenant.slug));
}

/// Requires a second factor of everyone of a tenant, at once.
pub(crate) fn require_mfa(world: &World, tenant: &Tenant) {
    set_policy(world, tenant, &json!({ "mfa": { "portal": "all", "staff": "all", "grace_days": 0 } }));
}

/// Makes every session of the portal user one that is not fresh.
pub(crate) fn make_stale(world: &World, email: &str) {
    world.sql(&format!(
        "UPDATE sessions SET auth_time = '{PAST}', mfa_at = NULL \
         WHERE portal_user_id = (SELECT id FROM portal_users WHERE email = '{email}')"
    ));
}

/// Returns the current session of a browser.
async fn session(browser: &Browser, area: Area) -> Value {
    browser.get(&area.auth("session")).await.expect(200)["session"].clone()
}

/// Turns second factors on by the passkeys of the user.
async fn enable_mfa(browser: &Browser, area: Area) -> Vec<Value> {
    let enabled = browser.post(&area.auth("mfa/enable"), json!({})).await.expect(200);
    enabled["recovery_codes"].as_array().unwrap().clone()
}

/// Returns the challenge that a sign-in with the password leads to.
async fn challenge(browser: &Browser, person: &Person) -> Value {
    let answer = browser.sign_in(&person.email, &person.password).await.expect(200);
    assert!(answer["challenge"].is_string(), "{answer}");
    answer
}

/// Activates an account with a passkey, which is its only credential.
pub(crate) async fn activate_with_passkey(world: &World, token: &str) -> (Browser, SoftAuthenticator) {
    let (browser, mut authenticator) = (world.browser(), SoftAuthenticator::new());
    let started = browser.start_with(&Portal.auth("passkeys/activation-options"), json!({ "token": token })).await;
    let response = authenticator.create(&started.public_key, &world.origin());
    let passkey = started.body_with(&response, json!({ "name": "Phone" }));
    let answer = browser.post(paths::ACTIVATE, json!({ "token": token, "passkey": passkey })).await.expect(200);
    assert_eq!(answer["status"], "signed_in");
    (browser, authenticator)
}

stories! {
    async fn a_person_registers_a_passkey_and_signs_in_with_it(world) {
        let person = world.tenant().await.person(world).await;
        let (mut authenticator, passkey) = person.browser.register_passkey(world, Portal).await;
        assert_eq!((&passkey["name"], &passkey["usable"], &passkey["backed_up"]), (&json!("Laptop"), &json!(true), &json!(true)));
        assert_eq!(passkey["last_used_at"], Value::Null);
        world.mail_with(&person.email, "A passkey was added").await;

        let browser = world.browser();
        let answer = browser.sign_in_with_passkey(world, Portal, &mut authenticator).await.expect(200);
        assert_eq!((&answer["status"], &answer["user"]["email"]), (&json!("signed_in"), &json!(person.email)));
        let session = session(&browser, Portal).await;
        assert_eq!((&session["method"], &session["mfa_at"]), (&json!("passkey"), &session["auth_time"]));
        let listed = browser.passkeys(Portal).await;
        assert!(listed.len() == 1 && listed[0]["last_used_at"].is_string(), "{listed:?}");
        let status = browser.get(&Portal.auth("mfa/status")).await.expect(200);
        assert_eq!((&status["passkeys"], &status["enabled"]), (&json!(1), &json!(false)));
    }

    async fn a_staff_user_registers_a_passkey_and_signs_in_with_it(world) {
        let tenant = world.tenant().await;
        let (mut authenticator, passkey) = tenant.owner.register_passkey(world, Staff).await;
        world.mail_with(&tenant.owner_email, "A passkey was added").await;
        let browser = world.browser();
        browser.sign_in_with_passkey(world, Staff, &mut authenticator).await.expect(200);
        assert_eq!(session(&browser, Staff).await["method"], "passkey");
        let renamed = Staff.passkeys(&format!("/{}", passkey["id"].as_str().unwrap()));
        assert_eq!(browser.patch(&renamed, json!({ "name": "Key" })).await.expect(200)["name"], "Key");
        // A staff user can sign in with a code, so the last passkey can go.
        tenant.owner.remove_passkey(Staff, &passkey).await.expect(204);
        world.browser().sign_in_with_passkey(world, Staff, &mut authenticator).await.assert_problem("401 invalid_credentials");
    }

    async fn a_passkey_completes_a_sign_in_that_needs_a_second_factor(world) {
        let person = world.tenant().await.person(world).await;
        person.browser.post(&Portal.auth("mfa/enable"), json!({})).await.assert_problem("409 conflict");
        let (mut authenticator, _) = person.browser.register_passkey(world, Portal).await;
        // A passkey alone does not turn second factors on.
        person.sign_in(&world.browser()).await;
        assert_eq!(enable_mfa(&person.browser, Portal).await.len(), 10);
        // From now on, a fresh session is one in which a second factor was proved.
        person.browser.post(&Portal.auth("mfa/enable"), json!({})).await.assert_problem("403 step_up_required");

        let browser = world.browser();
        let answer = challenge(&browser, &person).await;
        assert_eq!(answer["methods"], json!(["passkey", "recovery_code"]));
        let own = json!({ "challenge": answer["challenge"] });
        let started = browser.start_with(&Portal.auth("mfa/passkey-options"), own.clone()).await;
        assert_eq!(started.public_key["allowCredentials"].as_array().unwrap().len(), 1);
        let response = authenticator.get(&started.public_key, &world.origin());
        let completed = browser.post(&Portal.auth("mfa/passkey"), started.body_with(&response, own)).await.expect(200);
        assert_eq!(completed["status"], "signed_in");
        let session = session(&browser, Portal).await;
        assert_eq!((&session["method"], &session["mfa_at"]), (&json!("password"), &session["auth_time"]));
    }

    async fn an_invited_person_activates_with_a_passkey_and_can_set_a_password_later(world) {
        let tenant = world.tenant().await;
        let invitation = tenant.create_invitation(world).await;
        let (browser, mut authenticator) = activate_with_passkey(world, &invitation.token).await;
        assert_eq!(session(&browser, Portal).await["method"], "passkey");
        assert_eq!(browser.passkeys(Portal).await[0]["name"], "Phone");
        assert_eq!(tenant.member(&invitation.client, &invitation.email).await["status"], "active");
        // The account is activated, so the link is dead.
        let again = json!({ "token": invitation.token });
        world.browser().post(&Portal.auth("passkeys/activation-options"), again).await.assert_problem("410 token_used");
        world.browser().sign_in_with_passkey(world, Portal, &mut authenticator).await.expect(200);

        world.browser().forgot_password(&invitation.email).await.expect(200);
        let reset = world.mail(&invitation.email, 2).await;
        assert!(reset.links.iter().any(|link| link.contains("/portal/reset-password#token=")), "{:?}", reset.links);
        let password = crate::support::password();
        world.browser().reset_password(&reset.token(), &password).await.expect(200);
        world.browser().sign_in(&invitation.email, &password).await.expect(200);
        world.browser().sign_in_with_passkey(world, Portal, &mut authenticator).await.expect(200);
    }

    async fn a_person_without_a_password_joins_another_client_like_one_with_a_password(world) {
        let tenant = world.tenant().await;
        let invitation = tenant.create_invitation(world).await;
        let (browser, _) = activate_with_passkey(world, &invitation.token).await;
        let at_once = tenant.invite(&tenant.client("Beta Ltd").await, &invitation.email).await;
        assert_eq!(at_once["invite_mode"], "notification");
        world.mail(&invitation.email, 2).await;
        let other = world.tenant().await;
        let elsewhere = other.invite(&other.client("Elsewhere Ltd").await, &invitation.email).await;
        assert_eq!(elsewhere["invite_mode"], "setup");
        let mail = world.mail(&invitation.email, 3).await;
        assert!(mail.links.iter().any(|link| link.contains("/portal/accept-invitation#token=")), "{:?}", mail.links);
        browser.accept_invitation(&mail.token()).await.expect(204);
        let member = tenant.member(&invitation.client, &invitation.email).await;
        let path = paths::send_reset(&invitation.client, member["id"].as_str().unwrap());
        assert!(tenant.owner.post_empty(&path).await.status < 300);
    }

    async fn a_person_registers_a_passkey_during_a_sign_in_that_requires_a_second_factor(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        require_mfa(world, &tenant);
        let browser = world.browser();
        let answer = challenge(&browser, &person).await;
        assert_eq!((&answer["status"], &answer["methods"]), (&json!("mfa_enrolment_required"), &json!(["passkey", "totp"])));
        let own = json!({ "challenge": answer["challenge"] });
        let options = Portal.auth("mfa/enrol/passkey-options");
        browser.post(&options, own.clone()).await.assert_problem("401 invalid_code");
        browser.post(&Portal.auth("mfa/enrol/send-code"), own.clone()).await.expect(200);
        let code = world.mail(&person.email, 2).await.code.unwrap();
        let with_code = json!({ "challenge": answer["challenge"], "mail_code": code });
        let started = browser.start_with(&options, with_code).await;
        let mut authenticator = SoftAuthenticator::new();
        let response = authenticator.create(&started.public_key, &world.origin());
        let body = started.body_with(&response, own);
        let completed = browser.post(&Portal.auth("mfa/enrol/passkey"), body).await.expect(200);
        assert_eq!((&completed["status"], completed["recovery_codes"].as_array().unwrap().len()), (&json!("signed_in"), 10));
        assert_eq!(browser.get(&Portal.auth("mfa/status")).await.expect(200)["enabled"], true);
        assert_eq!(browser.passkeys(Portal).await.len(), 1);
        // The other session has ended.
        person.browser.session().await.assert_problem("401 session_revoked");
    }

    async fn a_staff_user_registers_a_passkey_during_a_sign_in_that_requires_a_second_factor(world) {
        let tenant = world.tenant().await;
        require_mfa(world, &tenant);
        let browser = world.browser();
        let (flow, code) = world.request_code(&browser, &tenant.owner_email, 2).await;
        let answer = browser.verify_code(&flow, &code).await.expect(200);
        assert_eq!(answer["mail_code_required"], false);
        let own = json!({ "challenge": answer["challenge"] });
        let started = browser.start_with(&Staff.auth("mfa/enrol/passkey-options"), own.clone()).await;
        let response = SoftAuthenticator::new().create(&started.public_key, &world.origin());
        browser.post(&Staff.auth("mfa/enrol/passkey"), started.body_with(&response, own)).await.expect(200);
        browser.get(paths::CLIENTS).await.expect(200);
    }

    async fn a_person_who_owes_a_second_factor_proves_the_passkey_that_they_have(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let (mut authenticator, _) = person.browser.register_passkey(world, Portal).await;
        require_mfa(world, &tenant);
        let browser = world.browser();
        let answer = challenge(&browser, &person).await;
        assert_eq!((&answer["status"], &answer["methods"]), (&json!("mfa_required"), &json!(["passkey"])));
        assert_eq!(answer["trusted_device_days"], 0);
        let own = json!({ "challenge": answer["challenge"] });
        let started = browser.start_with(&Portal.auth("mfa/passkey-options"), own.clone()).await;
        let response = authenticator.get(&started.public_key, &world.origin());
        browser.post(&Portal.auth("mfa/passkey"), started.body_with(&response, own)).await.expect(200);
        browser.get(paths::PROFILE).await.expect(200);
        // A passkey alone is both factors.
        let other = world.browser();
        other.sign_in_with_passkey(world, Portal, &mut authenticator).await.expect(200);
        other.get(paths::PROFILE).await.expect(200);
    }

    async fn a_passkey_makes_a_session_fresh(world) {
        let person = world.tenant().await.person(world).await;
        person.browser.post_empty(&Portal.auth("step-up/options")).await.assert_problem("409 conflict");
        let (mut authenticator, passkey) = person.browser.register_passkey(world, Portal).await;
        make_stale(world, &person.email);
        person.browser.remove_passkey(Portal, &passkey).await.assert_problem("403 step_up_required");
        let before = session(&person.browser, Portal).await;
        let started = person.browser.start(&Portal.auth("step-up/options")).await;
        let response = authenticator.get(&started.public_key, &world.origin());
        person.browser.post(&Portal.auth("step-up"), started.body(&response)).await.expect(200);
        let after = session(&person.browser, Portal).await;
        assert_eq!((&after["id"], &after["mfa_at"]), (&before["id"], &after["auth_time"]));
        person.browser.remove_passkey(Portal, &passkey).await.expect(204);
    }

    async fn removing_a_passkey_ends_the_sessions_that_it_opened(world) {
        let person = world.tenant().await.person(world).await;
        let (mut authenticator, passkey) = person.browser.register_passkey(world, Portal).await;
        let (opened, other) = (world.browser(), world.browser());
        opened.sign_in_with_passkey(world, Portal, &mut authenticator).await.expect(200);
        person.sign_in(&other).await;
        person.browser.remove_passkey(Portal, &passkey).await.expect(204);
        opened.session().await.assert_problem("401 session_revoked");
        other.session().await.expect(200);
        person.browser.session().await.expect(200);
        world.mail_with(&person.email, "was removed").await;
        person.browser.remove_passkey(Portal, &passkey).await.assert_problem("404 not_found");
        world.browser().sign_in_with_passkey(world, Portal, &mut authenticator).await.assert_problem("401 invalid_credentials");
    }

    async fn the_last_second_factor_goes_only_by_turning_second_factors_off(world) {
        let person = world.tenant().await.person(world).await;
        let (mut authenticator, passkey) = person.browser.register_passkey(world, Portal).await;
        enable_mfa(&person.browser, Portal).await;
        let started = person.browser.start(&Portal.auth("step-up/options")).await;
        let response = authenticator.get(&started.public_key, &world.origin());
        person.browser.post(&Portal.auth("step-up"), started.body(&response)).await.expect(200);
        person.browser.remove_passkey(Portal, &passkey).await.assert_problem("409 conflict");
        person.browser.post_empty(&Portal.auth("mfa/disable")).await.expect(204);
        // Passkeys stay.
        assert_eq!(person.browser.passkeys(Portal).await.len(), 1);
        person.browser.remove_passkey(Portal, &passkey).await.expect(204);
    }

    async fn a_passkey_of_another_rp_id_is_listed_and_not_usable(world) {
        let person = world.tenant().await.person(world).await;
        let (mut authenticator, passkey) = person.browser.register_passkey(world, Portal).await;
        world.sql(&format!(
            "UPDATE passkeys SET rp_id = 'former.example' WHERE id = {}",
            world.sql_id(passkey["id"].as_str().unwrap())
        ));
        assert_eq!(person.browser.passkeys(Portal).await[0]["usable"], false);
        assert_eq!(person.browser.get(&Portal.auth("mfa/status")).await.expect(200)["passkeys"], 0);
        world.browser().sign_in_with_passkey(world, Portal, &mut authenticator).await.assert_problem("401 invalid_credentials");
        person.browser.remove_passkey(Portal, &passkey).await.expect(204);
    }

    async fn one_of_twenty_concurrent_uses_of_a_ceremony_succeeds(world) {
        let person = world.tenant().await.person(world).await;
        let started = person.browser.start(&Portal.passkeys("/register-options")).await;
        let mut authenticator = SoftAuthenticator::new().into_security_key();
        let body = started.body(&authenticator.create(&started.public_key, &world.origin()));
        let browsers = person.browser.on_new_networks(20);
        let counts = post_concurrently(browsers, &Portal.passkeys("/register"), vec![Some(body); 20]).await;
        assert_eq!(counts, BTreeMap::from([(201, 1), (401, 19)]));

        let started = world.browser().start_passkey_sign_in(Portal).await;
        let body = started.body(&authenticator.get(&started.public_key, &world.origin()));
        let counts =
            post_concurrently(world.browsers(20), &Portal.auth("passkeys/sign-in"), vec![Some(body); 20]).await;
        assert_eq!(counts, BTreeMap::from([(200, 1), (401, 19)]));
        let sessions = format!(
            "SELECT count(*) FROM sessions WHERE method = 'passkey' AND portal_user_id = \
             (SELECT id FROM portal_users WHERE email = '{}')",
            person.email
        );
        assert_eq!(world.count(&sessions), 1);
    }
}
