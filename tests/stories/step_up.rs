//! Step-up: a staff user proves their identity again before they edit staff or create credentials.

use serde_json::{Value, json};

use crate::support::{
    Browser, PAST, Tenant, World, cookies, openapi,
    paths::{STAFF, STAFF_REFRESH, STAFF_SESSION, STAFF_STEP_UP, STAFF_TOKENS},
    stories, unique_email, wrong_code,
};

/// Makes every session of the staff user one that is not fresh.
fn make_stale(world: &World, email: &str) {
    world.sql(&format!(
        "UPDATE sessions SET auth_time = '{PAST}' \
         WHERE staff_user_id = (SELECT id FROM staff_users WHERE email = '{email}')"
    ));
}

/// A tenant whose owner has signed in too long ago.
async fn stale_tenant(world: &World) -> Tenant {
    let tenant = world.tenant().await;
    make_stale(world, &tenant.owner_email);
    tenant
}

/// Tries to invite a staff user.
async fn status_of_invitation(browser: &Browser) -> String {
    let response = browser.post(STAFF, json!({ "email": unique_email("new"), "role": "viewer" })).await;
    if response.status == 201 { "201".into() } else { response.problem_text() }
}

async fn session(browser: &Browser) -> Value {
    browser.get(STAFF_SESSION).await.expect(200)["session"].clone()
}

stories! {
    async fn ses_08_only_a_code_makes_a_staff_session_fresh_again(world) {
        let tenant = stale_tenant(world).await;
        assert_eq!(status_of_invitation(&tenant.owner).await, "403 step_up_required");
        let before = session(&tenant.owner).await;
        for _ in 0..3 {
            tenant.owner.post_empty(STAFF_REFRESH).await.expect(200);
        }
        assert_eq!(session(&tenant.owner).await["auth_time"], before["auth_time"]);
        assert_eq!(status_of_invitation(&tenant.owner).await, "403 step_up_required");

        let old_token = tenant.owner.cookie(cookies::STAFF_ACCESS);
        let (flow, code) = world.request_code(&tenant.owner, &tenant.owner_email, 2).await;
        let stepped_up = tenant.owner.step_up(&flow, &code).await.expect(200);
        assert_eq!(stepped_up["user"]["email"], tenant.owner_email.as_str());
        let after = session(&tenant.owner).await;
        assert_eq!((&after["id"], &after["expires_at"]), (&before["id"], &before["expires_at"]));
        assert!(after["auth_time"].as_str() > before["auth_time"].as_str());
        assert_ne!(tenant.owner.cookie(cookies::STAFF_ACCESS), old_token);
        assert_eq!(status_of_invitation(&tenant.owner).await, "201");
        tenant.owner.post_empty(STAFF_REFRESH).await.expect(200);
    }

    // Each operation that the document marks, also one that is added later.
    async fn ses_08_every_marked_operation_refuses_a_session_that_is_not_fresh(world) {
        let tenant = stale_tenant(world).await;
        let marked: Vec<_> = openapi::secured_operations().into_iter().filter(|operation| operation.is_fresh).collect();
        assert!(marked.len() >= 8, "{marked:?}");
        let person = tenant.person(world).await;
        world.sql(&format!(
            "UPDATE sessions SET auth_time = '{PAST}' \
             WHERE portal_user_id = (SELECT id FROM portal_users WHERE email = '{}')",
            person.email
        ));
        for operation in marked {
            let is_portal = operation.schemes.contains("PortalCookie");
            let browser = if is_portal { &person.browser } else { &tenant.owner };
            let response = browser.send(operation.method.clone(), &operation.path, None, &[]).await;
            assert_eq!(response.problem_text(), "403 step_up_required", "{operation:?}");
        }
    }

    async fn ses_07_a_code_of_another_address_does_not_elevate_a_session(world) {
        let (tenant, other) = (stale_tenant(world).await, world.tenant().await);
        let (flow, code) = world.request_code(&world.browser(), &other.owner_email, 2).await;
        for _ in 0..6 {
            tenant.owner.step_up(&flow, &code).await.assert_problem("401 invalid_code");
        }
        assert_eq!(status_of_invitation(&tenant.owner).await, "403 step_up_required");
        // The attempts have not used up those of the other person.
        world.browser().verify_code(&flow, &code).await.expect(200);
        let misses = world.count(&format!(
            "SELECT count(*) FROM audit_events e JOIN tenants t ON t.id = e.tenant_id \
             WHERE t.slug = '{}' AND action = 'staff_session.stepped_up' AND outcome = 'failure'", tenant.slug
        ));
        assert_eq!(misses, 6);
    }

    async fn otp_04_a_code_steps_up_once_and_is_then_used_up(world) {
        let tenant = stale_tenant(world).await;
        let (flow, code) = world.request_code(&tenant.owner, &tenant.owner_email, 2).await;
        tenant.owner.step_up(&flow, &code).await.expect(200);
        make_stale(world, &tenant.owner_email);
        tenant.owner.step_up(&flow, &code).await.assert_problem("401 invalid_code");
        world.browser().verify_code(&flow, &code).await.assert_problem("401 invalid_code");
        assert_eq!(status_of_invitation(&tenant.owner).await, "403 step_up_required");
    }

    async fn otp_01_five_wrong_codes_end_a_flow_for_step_up(world) {
        let tenant = stale_tenant(world).await;
        let (flow, code) = world.request_code(&tenant.owner, &tenant.owner_email, 2).await;
        for _ in 0..5 {
            tenant.owner.step_up(&flow, &wrong_code(&code)).await.assert_problem("401 invalid_code");
        }
        tenant.owner.step_up(&flow, &code).await.assert_problem("401 invalid_code");
        assert_eq!(status_of_invitation(&tenant.owner).await, "403 step_up_required");
        tenant.owner.get(STAFF_SESSION).await.expect(200);
    }

    async fn a_session_that_has_ended_cannot_be_elevated(world) {
        let tenant = stale_tenant(world).await;
        let thief = tenant.owner.on_new_network();
        let (flow, code) = world.request_code(&tenant.owner, &tenant.owner_email, 2).await;
        world.browser().step_up(&flow, &code).await.assert_problem("401 unauthenticated");
        tenant.owner.post_empty(crate::support::paths::STAFF_SIGN_OUT).await.expect(204);
        thief.step_up(&flow, &code).await.assert_problem("401 session_revoked");
        // The code was not used up by that.
        world.browser().verify_code(&flow, &code).await.expect(200);
    }

    async fn a_step_up_takes_a_flow_and_six_digits(world) {
        let tenant = stale_tenant(world).await;
        let wrong = json!({ "flow": "x", "code": "12", "sid": "y" });
        let problem = "422 validation_failed: /code code_invalid, /flow uuid_invalid, /sid unknown_field";
        tenant.owner.post(STAFF_STEP_UP, wrong).await.assert_problem(problem);
        // Freshness comes before the body.
        tenant.owner.post(STAFF_TOKENS, json!({ "x": 1 })).await.assert_problem("403 step_up_required");
    }
}
