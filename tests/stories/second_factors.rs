//! Second factors: one-time passwords, recovery codes and trusted devices of portal users and staff users.

use serde_json::{Value, json};

use crate::support::{
    AuthenticatorApp, Browser, PAST, Person, Response, password,
    paths::{
        self, CHANGE_PASSWORD, MFA, SESSION, SIGN_IN, SIGN_IN_POLICY, STAFF_MFA, STAFF_SESSION, STEP_UP,
        TRUSTED_DEVICES,
    },
    stories, wrong_code,
};

/// A user who has turned second factors on.
pub(crate) struct Factors {
    pub(crate) app: AuthenticatorApp,
    pub(crate) recovery_codes: Vec<String>,
}

/// Turns second factors on in the session of `browser`. `mfa` is the path of the realm.
pub(crate) async fn turn_on(browser: &Browser, mfa: &str) -> Factors {
    let setup = browser.post_empty(&format!("{mfa}/setup")).await.expect(200);
    let app = AuthenticatorApp::new(setup["secret"].as_str().unwrap());
    let enabled = browser.post(&format!("{mfa}/enable"), json!({ "code": app.code().await })).await.expect(200);
    let codes = enabled["recovery_codes"].as_array().unwrap();
    Factors { app, recovery_codes: codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect() }
}

/// Signs the person in with the password in `browser`, and returns the secret of the challenge.
pub(crate) async fn challenge(person: &Person, browser: &Browser) -> Value {
    let response = browser.sign_in(&person.email, &person.password).await;
    assert!(!response.headers.contains_key("set-cookie"), "a challenge sets no cookie");
    let challenge = response.expect(200);
    assert_eq!(challenge["status"], "mfa_required", "{challenge}");
    challenge["challenge"].clone()
}

/// Calls `verify` of the portal.
pub(crate) async fn verify(browser: &Browser, body: Value) -> Response {
    browser.post(&format!("{MFA}/verify"), body).await
}

async fn status(browser: &Browser) -> Value {
    browser.get(&format!("{MFA}/status")).await.expect(200)
}

stories! {
    async fn person_turns_second_factors_on_and_signs_in_with_a_code(world) {
        let person = world.tenant().await.person(world).await;
        let other = world.browser();
        person.sign_in(&other).await;
        assert_eq!(status(&person.browser).await["enabled"], false);
        let factors = turn_on(&person.browser, MFA).await;
        assert_eq!(factors.recovery_codes.len(), 10);
        world.mail_with(&person.email, "Second factors were turned on").await;
        other.session().await.assert_problem("401 session_revoked");
        let on = status(&person.browser).await;
        assert_eq!((&on["enabled"], &on["totp"], &on["recovery_codes_left"]), (&json!(true), &json!(true), &json!(10)));

        let browser = world.browser();
        let challenge = challenge(&person, &browser).await;
        browser.session().await.assert_problem("401 unauthenticated");
        let wrong = json!({ "challenge": challenge, "code": factors.app.wrong_code() });
        verify(&browser, wrong).await.assert_problem("401 invalid_code");
        let right = json!({ "challenge": challenge, "code": factors.app.code().await });
        verify(&browser, right.clone()).await.expect(200);
        let session = browser.get(SESSION).await.expect(200)["session"].clone();
        assert_eq!((&session["method"], &session["mfa"]["enabled"]), (&json!("password"), &json!(true)));
        assert!(session["mfa_at"].is_string(), "{session}");
        verify(&browser, right).await.assert_problem("401 invalid_code");
    }

    async fn mfa_10_the_setup_is_shown_as_text_uri_and_qr_code(world) {
        let person = world.tenant().await.person(world).await;
        let setup = person.browser.post_empty(&format!("{MFA}/setup")).await.expect(200);
        let uri = reqwest::Url::parse(setup["otpauth_uri"].as_str().unwrap()).unwrap();
        let query = |name: &str| uri.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        assert_eq!((uri.scheme(), uri.host_str()), ("otpauth", Some("totp")));
        assert_eq!(query("secret").as_deref(), setup["secret"].as_str());
        assert_eq!(uri.query_pairs().filter(|(key, _)| key == "secret").count(), 1);
        let svg = setup["qr_svg"].as_str().unwrap();
        assert!(svg.starts_with("<svg ") && !svg.contains("href") && !svg.contains("style"), "{svg}");
    }

    async fn mfa_07_a_recovery_code_works_once_and_is_reported(world) {
        let person = world.tenant().await.person(world).await;
        let factors = turn_on(&person.browser, MFA).await;
        let code = factors.recovery_codes[3].to_lowercase().replace('-', " ");
        let browser = world.browser();
        let first = challenge(&person, &browser).await;
        verify(&browser, json!({ "challenge": first, "recovery_code": code })).await.expect(200);
        world.mail_with(&person.email, "A recovery code of your account was used").await;
        assert_eq!(status(&browser).await["recovery_codes_left"], 9);
        let second = challenge(&person, &world.browser()).await;
        let again = json!({ "challenge": second, "recovery_code": factors.recovery_codes[3] });
        verify(&browser, again).await.assert_problem("401 invalid_code");

        let new = browser.post_empty(&format!("{MFA}/recovery-codes")).await.expect(200);
        assert_eq!(new["recovery_codes"].as_array().unwrap().len(), 10);
        let third = challenge(&person, &world.browser()).await;
        let old = json!({ "challenge": third, "recovery_code": factors.recovery_codes[4] });
        verify(&browser, old).await.assert_problem("401 invalid_code");
        let fresh = json!({ "challenge": third, "recovery_code": new["recovery_codes"][0] });
        verify(&browser, fresh).await.expect(200);
    }

    async fn trusted_device_is_not_asked_until_it_is_removed(world) {
        let person = world.tenant().await.person(world).await;
        let factors = turn_on(&person.browser, MFA).await;
        let browser = world.browser();
        let asked = challenge(&person, &browser).await;
        let body = json!({ "challenge": asked, "code": factors.app.code().await, "trust_device": true });
        verify(&browser, body).await.expect(200);
        browser.sign_out().await.expect(204);
        assert_eq!(person.sign_in(&browser).await["status"], "signed_in");
        challenge(&person, &world.browser()).await;
        // A trusted device skips the question, and is no second factor.
        let session = browser.get(SESSION).await.expect(200)["session"].clone();
        assert_eq!(session["mfa_at"], Value::Null);
        browser.post_empty(&format!("{MFA}/disable")).await.assert_problem("403 step_up_required");

        let devices = browser.get(TRUSTED_DEVICES).await.expect(200)["data"].clone();
        assert_eq!(devices.as_array().unwrap().len(), 1);
        let device = format!("{TRUSTED_DEVICES}/{}", devices[0]["id"].as_str().unwrap());
        world.tenant().await.person(world).await.browser.delete(&device).await.assert_problem("404 not_found");
        browser.delete(&device).await.expect(204);
        challenge(&person, &browser).await;
    }

    async fn trusted_device_ends_with_a_new_password_and_with_the_policy(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let factors = turn_on(&person.browser, MFA).await;
        let trust = async |browser: &Browser, recovery_code: &str| {
            let asked = challenge(&person, browser).await;
            let body = json!({ "challenge": asked, "recovery_code": recovery_code, "trust_device": true });
            verify(browser, body).await.expect(200);
            assert_eq!(person.sign_in(browser).await["status"], "signed_in");
        };
        let browser = world.browser();
        trust(&browser, &factors.recovery_codes[0]).await;
        tenant.owner.patch(SIGN_IN_POLICY, json!({ "trusted_device_days": 0 })).await.expect(200);
        challenge(&person, &browser).await;
        tenant.owner.patch(SIGN_IN_POLICY, json!({ "trusted_device_days": 30 })).await.expect(200);
        assert_eq!(person.sign_in(&browser).await["status"], "signed_in");

        let new = password();
        let step_up = json!({ "code": factors.app.code().await });
        browser.post(STEP_UP, step_up).await.expect(200);
        let change = json!({ "current_password": person.password, "new_password": new });
        browser.post(CHANGE_PASSWORD, change).await.expect(204);
        let renamed = Person { password: new, ..person };
        challenge(&renamed, &browser).await;
    }

    async fn mfa_06_changes_need_a_fresh_session_with_a_second_factor(world) {
        let person = world.tenant().await.person(world).await;
        let factors = turn_on(&person.browser, MFA).await;
        let make_stale = || world.sql(&format!(
            "UPDATE sessions SET mfa_at = '{PAST}' \
             WHERE portal_user_id = (SELECT id FROM portal_users WHERE email = '{}')",
            person.email
        ));
        make_stale();
        for operation in ["setup", "recovery-codes", "disable"] {
            let refused = person.browser.post_empty(&format!("{MFA}/{operation}")).await;
            refused.assert_problem("403 step_up_required");
        }
        let change = json!({ "current_password": person.password, "new_password": password() });
        person.browser.post(CHANGE_PASSWORD, change).await.assert_problem("403 step_up_required");
        let by_password = json!({ "password": person.password });
        person.browser.post(STEP_UP, by_password).await.assert_problem("403 mfa_required");
        let wrong = json!({ "code": factors.app.wrong_code() });
        person.browser.post(STEP_UP, wrong).await.assert_problem("401 invalid_code");
        person.browser.post(STEP_UP, json!({ "code": factors.app.code().await })).await.expect(200);
        person.browser.post_empty(&format!("{MFA}/disable")).await.expect(204);
        world.mail_with(&person.email, "Second factors were turned off").await;
        assert_eq!(person.sign_in(&world.browser()).await["status"], "signed_in");
    }

    async fn mfa_06_a_new_app_replaces_the_old_one_only_when_it_is_confirmed(world) {
        let person = world.tenant().await.person(world).await;
        let factors = turn_on(&person.browser, MFA).await;
        let first = person.browser.post_empty(&format!("{MFA}/setup")).await.expect(200);
        let second = person.browser.post_empty(&format!("{MFA}/setup")).await.expect(200);
        let enable = async |secret: &Value| {
            let app = AuthenticatorApp::new(secret.as_str().unwrap());
            let body = json!({ "code": app.code().await });
            (app, person.browser.post(&format!("{MFA}/enable"), body).await)
        };
        enable(&first["secret"]).await.1.assert_problem("401 invalid_code");
        let browser = world.browser();
        let asked = challenge(&person, &browser).await;
        let old = json!({ "challenge": asked, "code": factors.app.code().await });
        verify(&browser, old).await.expect(200);
        let (app, enabled) = enable(&second["secret"]).await;
        enabled.expect(200);
        world.mail_with(&person.email, "The authenticator app of your account was replaced").await;
        browser.session().await.assert_problem("401 session_revoked");
        let asked = challenge(&person, &browser).await;
        let old = json!({ "challenge": asked, "recovery_code": factors.recovery_codes[0] });
        verify(&browser, old).await.assert_problem("401 invalid_code");
        verify(&browser, json!({ "challenge": asked, "code": app.code().await })).await.expect(200);
    }

    async fn staff_user_turns_second_factors_on_and_signs_in_with_both(world) {
        let tenant = world.tenant().await;
        let factors = turn_on(&tenant.owner, STAFF_MFA).await;
        world.mail_with(&tenant.owner_email, "Second factors were turned on").await;
        let browser = world.browser();
        let sent = browser.send_code(&tenant.owner_email).await.expect(200);
        let mail = world.nth_mail_with(&tenant.owner_email, "This is your code to sign in", 2).await;
        let asked = browser.verify_code(&sent["flow"], &mail.code.unwrap()).await.expect(200);
        assert_eq!(asked["status"], "mfa_required");
        browser.get(STAFF_SESSION).await.assert_problem("401 unauthenticated");
        let body = json!({ "challenge": asked["challenge"], "code": factors.app.code().await });
        // A challenge of one realm is none in the other.
        verify(&browser, body.clone()).await.assert_problem("401 invalid_code");
        browser.post(&format!("{STAFF_MFA}/verify"), body).await.expect(200);
        let session = browser.get(STAFF_SESSION).await.expect(200)["session"].clone();
        assert_eq!((&session["method"], session["mfa_at"].is_string()), (&json!("code"), true));
    }

    async fn requirement_lets_people_in_until_the_grace_period_ends(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let require = json!({ "mfa": { "portal": "all", "grace_days": 7 } });
        tenant.owner.patch(SIGN_IN_POLICY, require).await.expect(200);
        let session = person.browser.get(SESSION).await.expect(200)["session"].clone();
        assert_eq!(session["mfa"]["required"], true);
        assert!(session["mfa"]["due_at"].is_string(), "{session}");
        assert_eq!(person.sign_in(&world.browser()).await["status"], "signed_in");
        person.browser.get(paths::PROFILE).await.expect(200);

        tenant.owner.patch(SIGN_IN_POLICY, json!({ "mfa": { "grace_days": 0 } })).await.expect(200);
        person.browser.get(paths::PROFILE).await.assert_problem("403 mfa_required");
        person.browser.session().await.expect(200);
        person.browser.post(STEP_UP, json!({ "password": person.password })).await.expect(200);
        turn_on(&person.browser, MFA).await;
        person.browser.get(paths::PROFILE).await.expect(200);
        person.browser.post_empty(&format!("{MFA}/disable")).await.assert_problem("409 required_by_tenant");
    }

    async fn enrolment_in_the_middle_of_a_sign_in_needs_the_mailbox(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let require = json!({ "mfa": { "portal": "all", "grace_days": 0 } });
        tenant.owner.patch(SIGN_IN_POLICY, require).await.expect(200);
        let browser = world.browser();
        let asked = browser.sign_in(&person.email, &person.password).await.expect(200);
        assert_eq!((&asked["status"], &asked["mail_code_required"]), (&json!("mfa_enrolment_required"), &json!(true)));
        let enrol = |operation: &str, body: Value| {
            let mut body = body;
            body["challenge"] = asked["challenge"].clone();
            let (browser, path) = (&browser, format!("{MFA}/enrol/{operation}"));
            async move { browser.post(&path, body).await }
        };
        enrol("setup", json!({})).await.assert_problem("401 invalid_code");
        enrol("send-code", json!({})).await.expect(200);
        let mail = world.mail_with(&person.email, "where a second factor is required").await;
        let code = mail.code.unwrap();
        enrol("setup", json!({ "mail_code": wrong_code(&code) })).await.assert_problem("401 invalid_code");
        let setup = enrol("setup", json!({ "mail_code": code })).await.expect(200);
        let app = AuthenticatorApp::new(setup["secret"].as_str().unwrap());
        enrol("enable", json!({ "code": app.wrong_code() })).await.assert_problem("401 invalid_code");
        let session = enrol("enable", json!({ "code": app.code().await })).await.expect(200);
        assert_eq!(session["recovery_codes"].as_array().unwrap().len(), 10);
        browser.get(paths::PROFILE).await.expect(200);
        let next = challenge(&person, &world.browser()).await;
        verify(&browser, json!({ "challenge": next, "code": app.code().await })).await.expect(200);
    }

    async fn new_person_sets_up_a_second_factor_at_activation(world) {
        let tenant = world.tenant().await;
        let require = json!({ "mfa": { "portal": "all", "grace_days": 0 } });
        tenant.owner.patch(SIGN_IN_POLICY, require).await.expect(200);
        let invitation = tenant.create_invitation(world).await;
        let browser = world.browser();
        let asked = browser.activate(&invitation.token, &password()).await.expect(200);
        // The link has proved the mailbox.
        assert_eq!((&asked["status"], &asked["mail_code_required"]), (&json!("mfa_enrolment_required"), &json!(false)));
        let body = json!({ "challenge": asked["challenge"] });
        let setup = browser.post(&format!("{MFA}/enrol/setup"), body).await.expect(200);
        let app = AuthenticatorApp::new(setup["secret"].as_str().unwrap());
        let body = json!({ "challenge": asked["challenge"], "code": app.code().await });
        browser.post(&format!("{MFA}/enrol/enable"), body).await.expect(200);
        browser.session().await.expect(200);
    }

    async fn requirement_for_staff_lets_no_admin_work_without_a_second_factor(world) {
        let tenant = world.tenant().await;
        let require = json!({ "mfa": { "staff": "admins", "grace_days": 0 } });
        tenant.owner.patch(SIGN_IN_POLICY, require).await.expect(200);
        tenant.owner.get(paths::CLIENTS).await.assert_problem("403 mfa_required");
        let email = format!("viewer@{}.test", tenant.slug);
        world.add_staff(&tenant.slug, &email, "viewer");
        let viewer = world.browser();
        world.sign_in_staff(&viewer, &email, 1).await;
        viewer.get(paths::CLIENTS).await.expect(200);
        turn_on(&tenant.owner, STAFF_MFA).await;
        tenant.owner.get(paths::CLIENTS).await.expect(200);
    }

    async fn policy_that_bars_a_method_ends_its_sessions(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let none = json!({ "methods": { "password": false, "passkey": false, "sso": false } });
        tenant.owner.patch(SIGN_IN_POLICY, none).await.assert_problem("422 validation_failed: /methods methods_empty");
        let code_only = json!({ "methods": { "password": false, "code": true } });
        let policy = tenant.owner.patch(SIGN_IN_POLICY, code_only).await.expect(200);
        assert_eq!(policy["methods"]["code"], true);
        assert_eq!(tenant.owner.get(SIGN_IN_POLICY).await.expect(200), policy);
        person.browser.session().await.assert_problem("401 session_revoked");
        let refused = world.browser().sign_in(&person.email, &person.password).await;
        refused.assert_problem("401 invalid_credentials");
    }

    async fn otp_06_portal_user_signs_in_with_a_mailed_code_where_the_tenant_allows_it(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let send = async |browser: &Browser| {
            browser.post(paths::SEND_PORTAL_CODE, json!({ "email": person.email })).await.expect(200)["flow"].clone()
        };
        let browser = world.browser();
        send(&browser).await;
        let suppressed = format!("SELECT count(*) FROM emails WHERE recipient = '{}' AND status = 'suppressed'", person.email);
        world.wait_for_sql("the code is suppressed", &suppressed, "1").await;
        tenant.owner.patch(SIGN_IN_POLICY, json!({ "methods": { "code": true } })).await.expect(200);
        let flow = send(&browser).await;
        let mail = world.mail_with(&person.email, "This is your code to sign in").await;
        let body = json!({ "flow": flow, "code": mail.code.unwrap() });
        browser.post(paths::STAFF_VERIFY_CODE, body.clone()).await.assert_problem("401 invalid_code");
        let session = browser.post(paths::VERIFY_PORTAL_CODE, body).await.expect(200);
        assert_eq!(session["status"], "signed_in");
        let factors = turn_on(&browser, MFA).await;
        let flow = send(&browser).await;
        let code = world.nth_mail_with(&person.email, "This is your code to sign in", 2).await.code.unwrap();
        let asked = browser.post(paths::VERIFY_PORTAL_CODE, json!({ "flow": flow, "code": code })).await.expect(200);
        assert_eq!(asked["status"], "mfa_required", "a mailed code is one factor");
        let body = json!({ "challenge": asked["challenge"], "code": factors.app.code().await });
        verify(&browser, body).await.expect(200);
    }

    async fn challenge_carries_the_invitation_of_the_sign_in(world) {
        let (tenant, other) = (world.tenant().await, world.tenant().await);
        let person = tenant.person(world).await;
        let factors = turn_on(&person.browser, MFA).await;
        let client = other.client("Elsewhere Ltd").await;
        other.invite(&client, &person.email).await;
        let token = world.mail_with(&person.email, "Elsewhere Ltd").await.token();
        let browser = world.browser();
        let body = json!({ "email": person.email, "password": person.password, "invitation": token });
        let asked = browser.post(SIGN_IN, body).await.expect(200);
        assert_eq!(asked["status"], "mfa_required");
        browser.check_token(&token).await.expect(200);
        let body = json!({ "challenge": asked["challenge"], "code": factors.app.code().await });
        let session = verify(&browser, body).await.expect(200);
        assert_eq!(session["client"]["id"], client.as_str());
        browser.check_token(&token).await.assert_problem("410 token_used");
    }

    async fn enumeration_of_second_factors_needs_the_right_password(world) {
        let tenant = world.tenant().await;
        let (plain, with_factors) = (tenant.person(world).await, tenant.person(world).await);
        turn_on(&with_factors.browser, MFA).await;
        let refused = async |email: &str| {
            let response = world.browser().on_new_network().sign_in(email, &password()).await;
            let mut problem = response.assert_problem("401 invalid_credentials");
            problem.as_object_mut().unwrap().remove("request_id");
            problem
        };
        assert_eq!(refused(&plain.email).await, refused(&with_factors.email).await);
    }
}
