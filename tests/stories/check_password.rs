//! A form learns what the password policy says before the password is set.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Browser, Response, cookies, new_password, password,
    paths::{ACTIVATE, CHANGE_PASSWORD, CHECK_PASSWORD, RESET_PASSWORD},
    stories,
};

/// Asks about a password for the link with this token.
async fn check(browser: &Browser, token: &str, password: &str) -> Response {
    browser.post(CHECK_PASSWORD, new_password(token, password)).await
}

/// Asks about a password for the signed-in user.
async fn check_own(browser: &Browser, password: &str) -> Response {
    browser.post(CHECK_PASSWORD, json!({ "password": password })).await
}

/// The codes of a refusal and of a judgement: those that both name.
fn first_code(judgement: &Value) -> Option<String> {
    judgement["codes"][0].as_str().map(str::to_owned)
}

stories! {
    async fn pwd_13_the_judgement_is_that_of_the_operation_that_sets_the_password(world) {
        let tenant = world.tenant().await;
        let (person, invitation) = (tenant.person(world).await, tenant.create_invitation(world).await);
        let reset = person.request_reset(world, 2).await;
        for refused in [
            "", "short", "tK4!wz%Q", "passwordpassword", "9x-ROBIN-Kq7-vune", "9x-acme-Kq7-vune", "9x-hArBoUr-Kq7-vune",
            &"k".repeat(129), &format!("{}-Kq7-vune", invitation.email.split('@').next().unwrap()),
            &format!("{}-Kq7-vune", invitation.token),
        ] {
            let judged = check(&world.browser(), &invitation.token, refused).await.expect(200);
            let body = new_password(&invitation.token, refused);
            let problem = world.browser().post(ACTIVATE, body).await.expect(422);
            assert_eq!(first_code(&judged).as_deref(), problem["errors"][0]["code"].as_str(), "{refused}");
        }
        for refused in ["short", "9x-ROBIN-Kq7-vune", "9x-acme-Kq7-vune", &format!("{reset}-Kq7-vune")] {
            let judged = check(&world.browser(), &reset, refused).await.expect(200);
            let problem = world.browser().post(RESET_PASSWORD, new_password(&reset, refused)).await.expect(422);
            assert_eq!(first_code(&judged).as_deref(), problem["errors"][0]["code"].as_str(), "{refused}");
        }
        for refused in ["short", "9x-ROBIN-Kq7-vune", "9x-hArBoUr-Kq7-vune"] {
            let judged = check_own(&person.browser, refused).await.expect(200);
            let body = json!({ "current_password": person.password, "new_password": refused });
            let problem = person.browser.post(CHANGE_PASSWORD, body).await.expect(422);
            assert_eq!(first_code(&judged).as_deref(), problem["errors"][0]["code"].as_str(), "{refused}");
        }
        for judged in [
            check(&world.browser(), &invitation.token, "tqvzkwmrplxjyhgfdsbn").await,
            check(&world.browser(), &reset, "tqvzkwmrplxjyhgfdsbn").await,
            check_own(&person.browser, "tqvzkwmrplxjyhgfdsbn").await,
        ] {
            assert_eq!(judged.expect(200), json!({ "score": 4, "codes": [] }));
        }
    }

    async fn a_judgement_names_everything_that_is_wrong(world) {
        let browser = world.tenant().await.person(world).await.browser;
        let weak = "password_weak";
        for (typed, score, codes) in [
            ("", 0, vec!["password_too_short", weak]),
            ("robin", 0, vec!["password_too_short", weak]),
            ("tqvz-ROBIN-kwmrplxjyhgfdsbn", 2, vec![weak]),
            (&"a".repeat(129), 0, vec!["password_too_long", weak]),
            (&"tqvzkwmrplxjyhgfdsbn".repeat(7), 4, vec!["password_too_long"]),
        ] {
            let judged = check_own(&browser, typed).await.expect(200);
            assert!(judged["score"].as_u64().unwrap() <= score, "{typed} {judged}");
            assert_eq!(judged["codes"], json!(codes), "{typed}");
        }
    }

    async fn pwd_13_a_check_uses_nothing_up_and_stores_nothing(world) {
        let tenant = world.tenant().await;
        let invitation = tenant.create_invitation(world).await;
        let request = "01a1fdba-f86f-76f5-b296-4e548b3691c1";
        for _ in 0..5 {
            let body = new_password(&invitation.token, &password());
            world.browser().post_with_headers(CHECK_PASSWORD, body, &[("x-request-id", request)]).await.expect(200);
        }
        for table in ["audit_events", "background_jobs"] {
            let rows = format!("SELECT count(*) FROM {table} WHERE request_id = '{request}'");
            assert_eq!(world.count(&rows), 0, "{table}");
        }
        world.browser().activate(&invitation.token, &password()).await.expect(200);
    }

    async fn pwd_13_a_link_that_is_not_live_is_answered_as_by_check_token(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let email = crate::support::unique_email("ann");
        let (revoked, used) = tenant.invite_and_resend(world, &client, &email).await;
        world.browser().activate(&used, &password()).await.expect(200);
        let person = tenant.person(world).await;
        let other = world.tenant().await;
        other.invite(&other.client("Elsewhere Ltd").await, &person.email).await;
        let accept = world.mail(&person.email, 2).await.token();
        // An accept link sets no password.
        for (token, problem) in [
            ("x", "404 token_unknown"), ("", "404 token_unknown"), (&*accept, "404 token_unknown"),
            (&*used, "410 token_used"), (&*revoked, "410 token_revoked"),
        ] {
            // A session does not help.
            check(&person.browser, token, &password()).await.assert_problem(problem);
            check(&world.browser(), token, &password()).await.assert_problem(problem);
        }
    }

    async fn pwd_13_without_a_link_a_live_session_is_needed(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let signed_out = world.browser();
        check_own(&signed_out, &password()).await.assert_problem("401 unauthenticated");
        let without_token = json!({ "token": null, "password": "x" });
        signed_out.post(CHECK_PASSWORD, without_token).await.assert_problem("401 unauthenticated");
        check_own(&tenant.owner, &password()).await.assert_problem("401 unauthenticated");
        let token = person.browser.cookie(cookies::PORTAL_ACCESS).unwrap();
        let ended = world.browser().with_cookie(cookies::PORTAL_ACCESS, &token);
        check_own(&ended, &password()).await.expect(200);
        person.browser.sign_out().await.expect(204);
        check_own(&ended, &password()).await.assert_problem("401 session_revoked");
        // The session that has ended does not keep its browser from using a link.
        let invitation = tenant.create_invitation(world).await;
        check(&ended, &invitation.token, &password()).await.expect(200);
        let twice = format!("{0}=a; {0}=b", cookies::PORTAL_ACCESS);
        let body = new_password(&invitation.token, "short").to_string();
        world.browser().send(Method::POST, CHECK_PASSWORD, Some(body), &[("cookie", &twice)]).await.expect(200);
    }
}
