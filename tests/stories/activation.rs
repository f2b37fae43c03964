//! Setting up an account by a mailed link.

use serde_json::json;

use crate::support::{Deployment, World, eventually, password, stories, unique};

const ACTIVATE: &str = "/api/portal/auth/activate";
const RESEND: &str = "/api/portal/auth/resend-activation";
const CHECK: &str = "/api/portal/auth/check-token";

stories! {
    async fn asking_again_gives_one_more_link_and_kills_none(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let email = format!("{}@x.test", unique("ann"));
        let first = tenant.invited(world, &client, &email).await;
        let stranger = format!("{}@x.test", unique("stranger"));
        let asked = [world.browser().post(RESEND, json!({ "email": email })).await, world.browser().post(RESEND, json!({ "email": stranger })).await];
        assert_eq!(asked[0].text, asked[1].text);
        let second = world.mail(&email, 2).await.token();
        assert_ne!(first, second);
        let expiry = async |token: &str| world.browser().post(CHECK, json!({ "token": token })).await.expect(200)["expires_at"].clone();
        assert_eq!(expiry(&first).await, expiry(&second).await);
        world.browser().post(ACTIVATE, json!({ "token": second, "password": password() })).await.expect(200);
        // The sibling must not touch the account that now has a password.
        world.browser().post(ACTIVATE, json!({ "token": first, "password": password() })).await.problem(410, "token_revoked");
        // Nothing is sent to somebody who has nothing to activate.
        world.browser().post(RESEND, json!({ "email": email })).await.expect(200);
        tenant.invited(world, &client, &stranger).await;
        assert_eq!(world.mails(&email).await.len(), 2);
    }
}

#[tokio::test]
async fn an_expired_invitation_is_renewed_by_the_person_twice_and_no_more() {
    let settings = [("PORTICO_ACTIVATION_TTL", "2s"), ("PORTICO_LIMIT_RECOVERY_ACCOUNT", "100/1m")];
    let world = World::start(Deployment::Single, &settings).await;
    let tenant = world.tenant().await;
    let client = tenant.client("Acme Ltd").await;
    let email = format!("{}@x.test", unique("ann"));
    let mut token = tenant.invited(&world, &client, &email).await;
    for nth in 2..4 {
        expire(&world, &token).await;
        world
            .browser()
            .post(ACTIVATE, json!({ "token": token, "password": password() }))
            .await
            .problem(410, "token_expired");
        world.browser().post("/api/portal/auth/request-new-link", json!({ "token": token })).await.expect(200);
        token = world.mail(&email, nth).await.token();
    }
    expire(&world, &token).await;
    world.browser().post("/api/portal/auth/request-new-link", json!({ "token": token })).await.expect(200);
    // Staff may renew it for ever, and theirs is the next mail that arrives.
    let resend = format!("/api/v1/clients/{client}/portal-user?action=resend");
    tenant.owner.post(&resend, json!({ "email": email })).await.expect(200);
    let renewed = world.mail(&email, 4).await.token();
    world.browser().post(ACTIVATE, json!({ "token": renewed, "password": password() })).await.expect(200);
}

async fn expire(world: &World, token: &str) {
    eventually("the link is too old", || async {
        let answer = world.browser().post(CHECK, json!({ "token": token })).await;
        (answer.status == 410).then_some(())
    })
    .await;
}
