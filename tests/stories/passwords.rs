//! Forgotten, reset and changed passwords.

use serde_json::json;

use crate::support::{Deployment, World, eventually, password, stories};

const FORGOT: &str = "/api/portal/auth/forgot-password";
const RESET: &str = "/api/portal/auth/reset-password";

stories! {
    async fn three_reset_links_live_at_once_and_no_more(world) {
        // The account limit is three an hour, so three come by one mailbox and the fourth by its known device.
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let known = world.browser();
        person.sign_in(&known).await;
        let mut tokens = Vec::new();
        for nth in 2..5 {
            tokens.push(person.request_reset(world, nth).await);
        }
        known.post(FORGOT, json!({ "email": person.email })).await.expect(200);
        tokens.push(world.mail(&person.email, 5).await.token());
        let check = async |token: &str| world.browser().post("/api/portal/auth/check-token", json!({ "token": token })).await;
        check(&tokens[0]).await.problem(410, "token_revoked");
        for token in &tokens[1..] {
            assert_eq!(check(token).await.expect(200)["purpose"], "reset");
        }
    }

}

#[tokio::test]
async fn a_link_dies_of_age_and_can_be_traded_for_a_new_one() {
    let world = World::start(Deployment::Single, &[("PORTICO_RESET_TTL", "2s")]).await;
    let tenant = world.tenant().await;
    let person = tenant.person(&world).await;
    let token = person.request_reset(&world, 2).await;
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
