//! Forgotten, reset and changed passwords.

use serde_json::json;

use crate::support::{Shape, World, eventually, password, stories, unique};

const FORGOT: &str = "/api/portal/auth/forgot-password";
const RESET: &str = "/api/portal/auth/reset-password";
const SIGN_IN: &str = "/api/portal/auth/sign-in";
const CHANGE: &str = "/api/portal/auth/change-password";
const SESSION: &str = "/api/portal/auth/session";

stories! {
    // ENUM-03, RST-03
    async fn forgot_is_answered_alike_and_mailed_to_customers_only(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let invited = format!("{}@x.test", unique("invited"));
        tenant.invited(world, &person.client, &invited).await;
        let stranger = format!("{}@x.test", unique("stranger"));
        let mut answers = Vec::new();
        for address in [&stranger, &person.email.to_uppercase(), &invited] {
            let answer = world.browser().post(FORGOT, json!({ "email": address })).await;
            let names: Vec<_> = answer.headers.keys().map(|name| name.to_string()).collect();
            answers.push((answer.status, answer.text, names));
        }
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
        assert_eq!(world.mail(&person.email, 2).await.subject, "Choose a new password for Blue Harbour");
        // Somebody who has no password yet gets the link that sets the first one.
        assert!(world.mail(&invited, 2).await.links[0].contains("/portal/activate#token="));
        assert!(world.mails(&stranger).await.is_empty());
        for trick in ["mıke@x.test", "ＭＩＫＥ@x.test", "mi\u{212a}e@x.test"] {
            assert_eq!(world.browser().post(FORGOT, json!({ "email": trick })).await.bad_fields(), ["/email"]);
        }
    }

    // RST-14, PWD-08
    async fn a_reset_ends_every_session_and_every_sibling_link(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let elsewhere = world.browser();
        person.sign_in(&elsewhere).await;
        let (older, newer) = (person.forgets(world, 2).await, person.forgets(world, 3).await);
        let anybody = world.browser();

        // A password that is refused does not spend the link.
        let weak = anybody.post(RESET, json!({ "token": newer, "password": "passwordpassword" })).await;
        assert_eq!(weak.problem(422, "validation_failed")["errors"][0]["code"], "password_weak");
        let new = password();
        anybody.post(RESET, json!({ "token": newer, "password": new })).await.expect(200);
        anybody.post(RESET, json!({ "token": newer, "password": password() })).await.problem(410, "token_used");
        anybody.post(RESET, json!({ "token": older, "password": password() })).await.problem(410, "token_revoked");
        let check = "/api/portal/auth/check-token";
        anybody.post(check, json!({ "token": newer })).await.problem(410, "token_used");
        anybody.post(check, json!({ "token": "nonsense" })).await.problem(404, "token_unknown");

        for browser in [&person.browser, &elsewhere] {
            browser.get(SESSION).await.problem(401, "session_revoked");
            browser.call("/api/portal/auth/refresh").await.problem(401, "session_revoked");
        }
        assert!(anybody.cookie("portico_portal").is_none(), "a reset does not sign in");
        anybody.post(SIGN_IN, json!({ "email": person.email, "password": new })).await.expect(200);
        let notice = world.mail(&person.email, 4).await;
        assert!(notice.subject.contains("was changed") && !notice.text.contains("token="), "{notice:?}");
    }

    async fn three_reset_links_live_at_once_and_no_more(world) {
        // The account limit is three an hour, so three come by one mailbox and the fourth by its known device.
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let known = world.browser();
        person.sign_in(&known).await;
        let mut tokens = Vec::new();
        for nth in 2..5 {
            tokens.push(person.forgets(world, nth).await);
        }
        known.post(FORGOT, json!({ "email": person.email })).await.expect(200);
        tokens.push(world.mail(&person.email, 5).await.token());
        let check = async |token: &str| world.browser().post("/api/portal/auth/check-token", json!({ "token": token })).await;
        check(&tokens[0]).await.problem(410, "token_revoked");
        for token in &tokens[1..] {
            assert_eq!(check(token).await.expect(200)["purpose"], "reset");
        }
    }

    // RST-11
    async fn recovery_mail_is_limited_alike_for_strangers(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let stranger = format!("{}@x.test", unique("stranger"));
        for address in [&person.email, &stranger] {
            for _ in 0..3 {
                world.browser().post(FORGOT, json!({ "email": address })).await.expect(200);
            }
            world.browser().post(FORGOT, json!({ "email": address })).await.problem(429, "too_many_requests");
            // Another spelling and another way to ask are the same mailbox.
            let tagged = address.replace('@', "+tag@");
            world.browser().post(FORGOT, json!({ "email": tagged })).await.problem(429, "too_many_requests");
            let resend = "/api/portal/auth/resend-activation";
            world.browser().post(resend, json!({ "email": address })).await.problem(429, "too_many_requests");
        }
        world.mail(&person.email, 4).await;
    }

    // PWD-08
    async fn a_change_keeps_this_session_and_ends_the_others(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let elsewhere = world.browser();
        person.sign_in(&elsewhere).await;
        let new = password();
        let change = |current: &str, new: &str| json!({ "current_password": current, "new_password": new });
        world.browser().post(CHANGE, change("x", "y")).await.problem(401, "unauthenticated");
        person.browser.post(CHANGE, change("not my password", &new)).await.problem(401, "invalid_credentials");
        let weak = person.browser.post(CHANGE, change(&person.password, "short")).await;
        assert_eq!(weak.bad_fields(), ["/new_password"]);
        person.browser.post(CHANGE, change(&person.password, &new)).await.expect(204);

        person.browser.get(SESSION).await.expect(200);
        person.browser.call("/api/portal/auth/refresh").await.expect(200);
        elsewhere.get(SESSION).await.problem(401, "session_revoked");
        let old = json!({ "email": person.email, "password": person.password });
        world.browser().post(SIGN_IN, old).await.problem(401, "invalid_credentials");
        world.browser().post(SIGN_IN, json!({ "email": person.email, "password": new })).await.expect(200);
        world.mail(&person.email, 2).await;
    }

    // PWD-01, PWD-02, PWD-03
    async fn one_policy_on_every_path(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let invited = format!("{}@x.test", unique("invited"));
        let activation = tenant.invited(world, &person.client, &invited).await;
        let reset = person.forgets(world, 2).await;
        let cases = [
            ("tK4!wz%", "password_too_short"),
            (&"e\u{301}".repeat(7), "password_too_short"),
            (&"correct horse battery staple ".repeat(5), "password_too_long"),
            ("passwordpassword", "password_weak"),
            ("123456789012345", "password_weak"),
            ("qwertyuiopasdfgh", "password_weak"),
            ("porticoportico", "password_weak"),
            ("xq-MILLER-7731-zz", "password_weak"),
        ];
        for (bad, code) in cases {
            let tries = [
                (world.browser(), "/api/portal/auth/activate", json!({ "token": activation, "password": bad, "name": "Robin Miller" })),
                (world.browser(), RESET, json!({ "token": reset, "password": bad })),
                (person.browser.moved(), CHANGE, json!({ "current_password": person.password, "new_password": bad })),
            ];
            for (browser, path, body) in tries {
                let answer = browser.post(path, body).await;
                assert!(!answer.text.contains(bad), "{path} echoes a password");
                assert_eq!(answer.problem(422, "validation_failed")["errors"][0]["code"], code, "{path} {bad}");
            }
        }
    }

    // PWD-04, PWD-09
    async fn the_whole_password_counts_and_every_keyboard_types_the_same(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let typed = format!("  Zoe\u{301} & {} \u{1f706} {}  ", password(), "long tail ".repeat(5));
        let token = person.forgets(world, 2).await;
        world.browser().post(RESET, json!({ "token": token, "password": typed })).await.expect(200);
        let sign_in = async |password: &str| {
            world.browser().post(SIGN_IN, json!({ "email": person.email, "password": password })).await.status
        };
        assert_eq!(sign_in(&typed).await, 200);
        assert_eq!(sign_in(&typed.replace("e\u{301}", "\u{e9}")).await, 200, "composed is the same");
        for wrong in [typed.trim(), &typed.to_uppercase(), &typed[..72], &format!("{typed}x")] {
            assert_eq!(sign_in(wrong).await, 401, "{wrong:?}");
        }
    }

    // RST-08
    async fn a_token_belongs_to_one_user(world) {
        let tenant = world.tenant().await;
        let (mine, victim) = (tenant.person(world).await, tenant.person(world).await);
        let token = mine.forgets(world, 2).await;
        for extra in ["user_id", "email", "tenant_id"] {
            let body = json!({ "token": token, "password": password(), extra: victim.email });
            assert_eq!(world.browser().post(RESET, body).await.bad_fields(), [format!("/{extra}")]);
        }
        world.browser().post(RESET, json!({ "token": token, "password": password() })).await.expect(200);
        victim.sign_in(&world.browser()).await;
    }
}

#[tokio::test]
async fn a_link_dies_of_age_and_can_be_traded_for_a_new_one() {
    let world = World::start(Shape::Alone, &[("PORTICO_RESET_TTL", "2s")]).await;
    let tenant = world.tenant().await;
    let person = tenant.person(&world).await;
    let token = person.forgets(&world, 2).await;
    let anybody = world.browser();
    eventually("the link is too old", || async {
        let answer = world.browser().post("/api/portal/auth/check-token", json!({ "token": token })).await;
        (answer.status == 410).then(|| answer.problem(410, "token_expired"))
    })
    .await;
    anybody.post(RESET, json!({ "token": token, "password": password() })).await.problem(410, "token_expired");
    anybody.post("/api/portal/auth/request-new-link", json!({ "token": token })).await.expect(200);
    let renewed = world.mail(&person.email, 3).await.token();
    assert_ne!(renewed, token);
    anybody.post(RESET, json!({ "token": renewed, "password": password() })).await.expect(200);
}
