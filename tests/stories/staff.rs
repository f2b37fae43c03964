//! Staff sign in by a mailed code.

use std::time::Instant;

use serde_json::json;

use crate::support::{Shape, World, eventually, stories};

const SEND: &str = "/api/staff/auth/send-code";
const VERIFY: &str = "/api/staff/auth/verify-code";

/// A code that is not this one.
fn not(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

stories! {
    // OTP-01
    async fn five_wrong_codes_kill_the_code(world) {
        let tenant = world.tenant().await;
        let browser = world.browser();
        let sent = browser.post(SEND, json!({ "email": tenant.owner_email })).await.expect(200);
        let code = world.mail(&tenant.owner_email, 2).await.code.unwrap();
        for _ in 0..5 {
            let wrong = json!({ "flow": sent["flow"], "code": not(&code) });
            browser.post(VERIFY, wrong).await.problem(401, "invalid_code");
        }
        browser.post(VERIFY, json!({ "flow": sent["flow"], "code": code })).await.problem(401, "invalid_code");
    }

    async fn misses_at_a_dead_code_do_not_shut_the_owner_out(world) {
        let tenant = world.tenant().await;
        let stranger = world.browser().post(SEND, json!({ "email": tenant.owner_email })).await.expect(200);
        let code = world.mail(&tenant.owner_email, 2).await.code.unwrap();
        let browsers = [world.browser(), world.browser()];
        for n in 0..30 {
            let wrong = json!({ "flow": stranger["flow"], "code": not(&code) });
            assert!([401, 429].contains(&browsers[n % 2].post(VERIFY, wrong).await.status));
        }
        world.sign_in_staff(&world.browser(), &tenant.owner_email, 3).await;
    }

    // OTP-03, OTP-04
    async fn a_code_works_once_in_its_own_flow_and_a_resend_kills_it(world) {
        let tenant = world.tenant().await;
        let browser = world.browser();
        let first = browser.post(SEND, json!({ "email": tenant.owner_email })).await.expect(200);
        let first_code = world.mail(&tenant.owner_email, 2).await.code.unwrap();
        let again = json!({ "email": tenant.owner_email, "flow": first["flow"] });
        assert_eq!(browser.post(SEND, again).await.expect(200)["flow"], first["flow"]);
        let second_code = world.mail(&tenant.owner_email, 3).await.code.unwrap();
        let other = world.browser().post(SEND, json!({ "email": tenant.owner_email })).await.expect(200);
        let other_code = world.mail(&tenant.owner_email, 4).await.code.unwrap();

        let verify = async |flow: &serde_json::Value, code: &str| browser.post(VERIFY, json!({ "flow": flow, "code": code })).await;
        if first_code != second_code {
            verify(&first["flow"], &first_code).await.problem(401, "invalid_code");
        }
        if other_code != second_code {
            verify(&first["flow"], &other_code).await.problem(401, "invalid_code");
        }
        let session = verify(&first["flow"], &second_code).await.expect(200);
        assert_eq!(session["user"]["tenant"]["slug"], tenant.slug.as_str());
        verify(&first["flow"], &second_code).await.problem(401, "invalid_code");
        // A stranger's flow did not kill ours, nor ours theirs.
        verify(&other["flow"], &other_code).await.expect(200);
    }

    // OTP-05
    async fn a_code_is_text_of_six_digits(world) {
        let flow = "01a1fdba-f86f-76f5-b296-4e548b3691ab";
        for bad in [json!(12345), json!("12345"), json!("1234567"), json!("１２３４５６"), json!(" 12345"), json!("1e5000"), json!("-12345"), json!(null)] {
            assert_eq!(world.browser().post(VERIFY, json!({ "flow": flow, "code": bad })).await.bad_fields(), ["/code"]);
        }
        let unknown = json!({ "flow": flow, "code": "123456" });
        world.browser().post(VERIFY, unknown).await.problem(401, "invalid_code");
        assert_eq!(world.browser().post(VERIFY, json!({ "flow": "x", "code": "123456" })).await.bad_fields(), ["/flow"]);
    }

    async fn a_fourth_code_is_not_sent_while_three_live(world) {
        let tenant = world.tenant().await;
        for nth in 2..5 {
            world.browser().post(SEND, json!({ "email": tenant.owner_email })).await.expect(200);
            world.mail(&tenant.owner_email, nth).await;
        }
        // The sign-in's own code is spent, so three live; a fourth is asked for and suppressed.
        world.browser().post(SEND, json!({ "email": tenant.owner_email })).await.expect(200);
        let other = world.tenant().await;
        assert_eq!(world.mails(&other.owner_email).await.len(), 1);
        assert_eq!(world.mails(&tenant.owner_email).await.len(), 4);
        world.browser().post(SEND, json!({ "email": tenant.owner_email })).await.problem(429, "too_many_requests");
    }
}

// OTP-04, AZ-07
#[tokio::test]
async fn codes_die_of_age_and_a_suspended_tenant_gets_none() {
    let world = World::start(Shape::Alone, &[("PORTICO_CODE_TTL", "1s")]).await;
    let (email, browser) = ("owner@demo.test", world.browser());
    let sent = browser.post(SEND, json!({ "email": email })).await.expect(200);
    let code = world.mail(email, 1).await.code.unwrap();
    let arrived = Instant::now();
    eventually("the code is too old", || async { (arrived.elapsed().as_millis() > 1_000).then_some(()) }).await;
    browser.post(VERIFY, json!({ "flow": sent["flow"], "code": code })).await.problem(401, "invalid_code");

    let tenant = World::start(Shape::Alone, &[]).await;
    let blue = tenant.tenant().await;
    let person = blue.person(&tenant).await;
    tenant.run(&["tenant", "suspend", "--slug", &blue.slug]);
    blue.owner.get("/api/staff/auth/session").await.problem(401, "session_revoked");
    person.browser.get("/api/portal/auth/session").await.problem(401, "session_revoked");
    let body = json!({ "email": person.email, "password": person.password });
    tenant.browser().post("/api/portal/auth/sign-in", body.clone()).await.problem(403, "client_suspended");
    tenant.run(&["tenant", "restore", "--slug", &blue.slug]);
    blue.owner.get("/api/staff/auth/session").await.problem(401, "session_revoked");
    tenant.browser().post("/api/portal/auth/sign-in", body).await.expect(200);
}
