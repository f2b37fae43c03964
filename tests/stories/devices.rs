//! Known devices, the notice of a sign-in from an unknown one, and the link that reports it.

use serde_json::json;

use crate::support::{
    Person, World,
    cookies::DEVICE,
    new_password, password,
    paths::{CHANGE_PASSWORD, RESET_PASSWORD, SIGN_IN},
    post_concurrently, stories,
};

const SAFARI: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                      Version/18.5 Mobile/15E148 Safari/604.1";

/// Signs in at a new browser and returns the link token of the notice, which is the `nth`.
async fn unknown_sign_in(world: &World, person: &Person, nth: usize) -> (crate::support::Browser, String) {
    let browser = world.browser();
    person.sign_in(&browser).await;
    (browser, world.new_device_mail(&person.email, nth).await.token())
}

stories! {
    async fn a_sign_in_from_an_unknown_device_is_mailed_once(world) {
        let person = world.tenant().await.person(world).await;
        let headers = [("user-agent", SAFARI)];
        let phone = world.browser();
        phone.post_with_headers(SIGN_IN, person.credentials(), &headers).await.expect(200);
        let mail = world.new_device_mail(&person.email, 1).await;
        assert!(mail.text.contains("Safari on iPhone") && mail.text.contains("IP address: 198."), "{mail:?}");
        assert!(mail.links[0].contains("/portal/not-me#token="), "{mail:?}");
        for _ in 0..2 {
            person.sign_in(&phone).await;
        }
        // The browser of the activation is known too. A further unknown one is mailed.
        person.sign_in(&person.browser).await;
        unknown_sign_in(world, &person, 2).await;
    }

    async fn a_user_agent_puts_no_text_into_the_notice(world) {
        let person = world.tenant().await.person(world).await;
        let user_agent = "<b>Call +1 555</b> https://evil.test/ Firefox/1.0";
        let headers = [("user-agent", user_agent)];
        world.browser().post_with_headers(SIGN_IN, person.credentials(), &headers).await.expect(200);
        let mail = world.new_device_mail(&person.email, 1).await;
        let content = format!("{}{}{}", mail.subject, mail.text, mail.html);
        assert!(content.contains("Device: Firefox") && !content.contains("evil.test") && !content.contains("555"));
    }

    async fn a_failed_sign_in_is_not_mailed(world) {
        let person = world.tenant().await.person(world).await;
        for _ in 0..2 {
            world.browser().sign_in(&person.email, "not-it").await.assert_problem("401 invalid_credentials");
        }
        // Only this one is.
        unknown_sign_in(world, &person, 1).await;
    }

    async fn ses_13_reporting_a_sign_in_ends_all_sessions_and_locks_the_password_until_a_reset(world) {
        let mut person = world.tenant().await.person(world).await;
        let (thief, token) = unknown_sign_in(world, &person, 1).await;
        let info = world.browser().check_token(&token).await.expect(200);
        assert_eq!((&info["purpose"], &info["email"]), (&json!("not_me"), &json!(person.email)));
        assert_eq!(world.browser().not_me(&token).await.expect(200), json!({ "status": "accepted" }));
        for browser in [&thief, &person.browser] {
            browser.session().await.assert_problem("401 session_revoked");
            browser.refresh().await.assert_problem("401 session_revoked");
            // Neither browser is a known device any more, so neither can use the locked password.
            browser.sign_in(&person.email, &person.password).await.assert_problem("401 invalid_credentials");
        }
        let reset = world.mail(&person.email, 2).await.token();
        person.password = password();
        world.browser().reset_password(&reset, &person.password).await.expect(200);
        person.sign_in(&world.browser()).await;
        for used in [world.browser().not_me(&token).await, world.browser().check_token(&token).await] {
            used.assert_problem("410 token_used");
        }
    }

    async fn ses_13_a_sign_in_can_be_reported_after_its_session_has_ended(world) {
        let person = world.tenant().await.person(world).await;
        let (thief, token) = unknown_sign_in(world, &person, 1).await;
        thief.sign_out().await.expect(204);
        world.browser().not_me(&token).await.expect(200);
        person.browser.session().await.assert_problem("401 session_revoked");
        world.mail(&person.email, 2).await.token();
    }

    async fn ses_13_a_sign_in_can_be_reported_after_the_thief_has_changed_the_password(world) {
        let person = world.tenant().await.person(world).await;
        let (thief, token) = unknown_sign_in(world, &person, 1).await;
        let changed = password();
        let change = json!({ "current_password": person.password, "new_password": changed });
        thief.post(CHANGE_PASSWORD, change).await.expect(204);
        world.mail(&person.email, 2).await;
        world.browser().not_me(&token).await.expect(200);
        thief.session().await.assert_problem("401 session_revoked");
        for password in [&changed, &person.password] {
            thief.sign_in(&person.email, password).await.assert_problem("401 invalid_credentials");
        }
        let reset = world.mail(&person.email, 3).await.token();
        world.browser().reset_password(&reset, &password()).await.expect(200);
    }

    async fn ses_13_a_report_needs_a_live_link_of_its_own_kind(world) {
        let person = world.tenant().await.person(world).await;
        let (_, token) = unknown_sign_in(world, &person, 1).await;
        let reset = person.request_reset(world, 2).await;
        for unknown in [&*reset, "x", &"A".repeat(43)] {
            world.browser().not_me(unknown).await.assert_problem("404 token_unknown");
        }
        let as_reset = world.browser().post(RESET_PASSWORD, new_password(&token, &password())).await;
        as_reset.assert_problem("404 token_unknown");
        world.sql(&format!(
            "UPDATE link_tokens SET expires_at = created_at WHERE purpose = 'not_me' AND portal_user_id = \
             (SELECT id FROM portal_users WHERE email = '{}')",
            person.email
        ));
        world.browser().not_me(&token).await.assert_problem("410 token_expired");
        // A person who comes too late gets a reset link, which ends all sessions too.
        world.browser().request_new_link(&token).await.expect(200);
        assert_eq!(world.mail(&person.email, 3).await.subject, "Choose a new password for Blue Harbour");
        person.browser.session().await.expect(200);
    }

    async fn ses_13_of_concurrent_reports_one_succeeds(world) {
        let person = world.tenant().await.person(world).await;
        let (_, token) = unknown_sign_in(world, &person, 1).await;
        let bodies = vec![Some(json!({ "token": token })); 8];
        let counts = post_concurrently(world.browsers(8), crate::support::paths::NOT_ME, bodies).await;
        assert_eq!(counts.into_iter().collect::<Vec<_>>(), [(200, 1), (410, 7)]);
        world.mail(&person.email, 2).await;
    }

    async fn ses_13_a_device_cookie_has_the_time_of_its_session_so_that_a_later_report_voids_it(world) {
        let person = world.tenant().await.person(world).await;
        let signed_in = world.browser();
        person.sign_in(&signed_in).await;
        // The browser of the person has activated the account.
        for browser in [&person.browser, &signed_in] {
            let session = browser.session().await.expect(200);
            let opened: chrono::DateTime<chrono::Utc> = session["session"]["created_at"].as_str().unwrap().parse().unwrap();
            let cookie = browser.cookie(DEVICE).unwrap();
            let time = format!(".{}.{:06}.", opened.timestamp(), opened.timestamp_subsec_micros());
            assert!(cookie.contains(&time), "{cookie}: {opened}");
        }
    }

    async fn ses_13_no_sign_in_with_the_old_password_outlives_a_report(world) {
        let tenant = world.tenant().await;
        for _ in 0..4 {
            let person = tenant.person(world).await;
            let (_, token) = unknown_sign_in(world, &person, 1).await;
            let browsers = world.browsers(5);
            let sign_ins = browsers.iter().map(|browser| browser.sign_in(&person.email, &person.password));
            let reporter = world.browser();
            let (_, reported) = tokio::join!(futures_util::future::join_all(sign_ins), reporter.not_me(&token));
            reported.expect(200);
            for browser in &browsers {
                assert_eq!(browser.session().await.status, 401);
                let again = browser.sign_in(&person.email, &person.password).await;
                again.assert_problem("401 invalid_credentials");
            }
        }
    }

    async fn a_reset_makes_known_devices_unknown_and_the_next_sign_in_is_mailed(world) {
        let mut person = world.tenant().await.person(world).await;
        let old = person.browser.cookie(DEVICE).unwrap();
        let token = person.request_reset(world, 2).await;
        person.password = password();
        world.browser().reset_password(&token, &person.password).await.expect(200);
        let browser = world.browser().with_cookie(DEVICE, &old);
        person.sign_in(&browser).await;
        world.new_device_mail(&person.email, 1).await;
        // The sign-in has made the browser known again.
        assert_ne!(browser.cookie(DEVICE).unwrap(), old);
        person.sign_in(&browser).await;
        unknown_sign_in(world, &person, 2).await;
    }
}
