//! Staff users sign in by a mailed code; the state of their tenant decides whether they may.

use crate::support::{Deployment, World, paths::STAFF_SESSION, stories, wrong_code};

stories! {
    async fn the_session_names_what_the_role_allows(world) {
        let tenant = world.tenant().await;
        let read = ["clients:read", "emails:read", "audit:read", "settings:read", "staff:read"];
        for (role, has, lacks) in [
            ("owner", &["clients:edit", "staff:read", "staff:edit"][..], &[][..]),
            ("admin", &["clients:edit", "emails:edit", "staff:read"], &["staff:edit"]),
            ("support", &["clients:edit", "emails:edit"], &["audit:read", "settings:read", "staff:read"]),
            ("viewer", &read, &["clients:edit", "emails:edit", "staff:edit"]),
        ] {
            let (browser, email) = (world.browser(), format!("{role}-2@{}.test", tenant.slug));
            world.add_staff(&tenant.slug, &email, role);
            world.sign_in_staff(&browser, &email, 1).await;
            let session = browser.get(STAFF_SESSION).await.expect(200);
            let permissions = session["permissions"].as_array().unwrap();
            let allows = |name: &&str| permissions.iter().any(|permission| permission == *name);
            assert!(has.iter().all(allows) && !lacks.iter().any(allows), "{role} {session}");
        }
    }

    async fn wrong_codes_in_another_flow_do_not_lock_the_staff_user_out(world) {
        let tenant = world.tenant().await;
        let (flow, code) = world.request_code(&world.browser(), &tenant.owner_email, 2).await;
        let browsers = world.browsers(2);
        for n in 0..30 {
            let status = browsers[n % 2].verify_code(&flow, &wrong_code(&code)).await.status;
            assert!([401, 429].contains(&status), "{status}");
        }
        world.sign_in_staff(&world.browser(), &tenant.owner_email, 3).await;
    }

    async fn a_fourth_code_is_not_sent_while_three_are_valid(world) {
        let tenant = world.tenant().await;
        // The owner has used the code of the first sign-in, so these three are the valid ones.
        for nth in 2..5 {
            world.request_code(&world.browser(), &tenant.owner_email, nth).await;
        }
        world.browser().send_code(&tenant.owner_email).await.expect(200);
        // This code was requested later, so the fourth one has been handled when its mail has arrived.
        let other = world.tenant().await;
        assert_eq!(world.mails(&other.owner_email).await.len(), 1);
        assert_eq!(world.mails(&tenant.owner_email).await.len(), 4);
        // Production allows 5 codes an hour, development 60.
        let next = world.browser().send_code(&tenant.owner_email).await;
        assert_eq!(next.status, if world.redis.is_some() { 429 } else { 200 });
    }
}

#[tokio::test]
async fn az_07_suspending_a_tenant_revokes_its_sessions_and_refuses_sign_ins_until_it_is_restored() {
    let world = World::start(Deployment::Single, &[]).await;
    let tenant = world.tenant().await;
    let person = tenant.person(&world).await;
    world.run(&["tenant", "suspend", "--slug", &tenant.slug]);
    tenant.owner.get(STAFF_SESSION).await.assert_problem("401 session_revoked");
    person.browser.session().await.assert_problem("401 session_revoked");
    let response = world.browser().sign_in(&person.email, &person.password).await;
    response.assert_problem("403 client_suspended");
    world.run(&["tenant", "restore", "--slug", &tenant.slug]);
    tenant.owner.get(STAFF_SESSION).await.assert_problem("401 session_revoked");
    person.sign_in(&world.browser()).await;
}
