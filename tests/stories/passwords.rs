//! Password reset links: how many are valid, and for how long.

use crate::support::{Deployment, World, eventually, password, stories};

stories! {
    async fn the_three_newest_reset_links_are_valid(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        // The limit of an account is three mails an hour. A known device has a limit of its own and gets the fourth.
        let known_device = world.browser();
        person.sign_in(&known_device).await;
        let mut tokens = Vec::new();
        for nth in 2..5 {
            tokens.push(person.request_reset(world, nth).await);
        }
        known_device.forgot_password(&person.email).await.expect(200);
        tokens.push(world.mail(&person.email, 5).await.token());
        world.browser().check_token(&tokens[0]).await.assert_problem("410 token_revoked");
        for token in &tokens[1..] {
            assert_eq!(world.browser().check_token(token).await.expect(200)["purpose"], "reset");
        }
    }
}

#[tokio::test]
async fn an_expired_reset_link_sets_no_password_and_requests_a_new_link() {
    let world = World::start(Deployment::Single, &[("PORTICO_RESET_TTL", "2s")]).await;
    let tenant = world.tenant().await;
    let person = tenant.person(&world).await;
    let token = person.request_reset(&world, 2).await;
    let browser = world.browser();
    eventually("the link has expired", || async {
        let response = world.browser().check_token(&token).await;
        (response.status == 410).then(|| response.assert_problem("410 token_expired"))
    })
    .await;
    browser.reset_password(&token, &password()).await.assert_problem("410 token_expired");
    browser.request_new_link(&token).await.expect(200);
    let renewed = world.mail(&person.email, 3).await.token();
    assert_ne!(renewed, token);
    browser.reset_password(&renewed, &password()).await.expect(200);
}
