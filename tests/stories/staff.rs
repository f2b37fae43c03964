//! Staff sign in by a mailed code.

use serde_json::json;

use crate::support::{Deployment, World, stories};

const SEND: &str = "/api/staff/auth/send-code";
const VERIFY: &str = "/api/staff/auth/verify-code";

/// A code that is not this one.
fn not(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

stories! {
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

// AZ-07
#[tokio::test]
async fn a_suspended_tenant_lets_nobody_in() {
    let world = World::start(Deployment::Single, &[]).await;
    let blue = world.tenant().await;
    let person = blue.person(&world).await;
    world.run(&["tenant", "suspend", "--slug", &blue.slug]);
    blue.owner.get("/api/staff/auth/session").await.problem(401, "session_revoked");
    person.browser.get("/api/portal/auth/session").await.problem(401, "session_revoked");
    let body = json!({ "email": person.email, "password": person.password });
    world.browser().post("/api/portal/auth/sign-in", body.clone()).await.problem(403, "client_suspended");
    world.run(&["tenant", "restore", "--slug", &blue.slug]);
    blue.owner.get("/api/staff/auth/session").await.problem(401, "session_revoked");
    world.browser().post("/api/portal/auth/sign-in", body).await.expect(200);
}
