//! Activation links: how they are sent again, and how they expire.

use serde_json::json;

use crate::support::{Deployment, World, eventually, password, paths, stories, unique_email};

stories! {
    async fn resend_activation_answers_the_same_for_an_unknown_address(world) {
        let tenant = world.tenant().await;
        let invitation = tenant.create_invitation(world).await;
        let invited = world.browser().resend_activation(&invitation.email).await;
        let unknown = world.browser().resend_activation(&unique_email("unknown")).await;
        assert_eq!((invited.status, unknown.status), (200, 200));
        assert_eq!(invited.text, unknown.text);
    }

    async fn a_link_that_was_sent_again_expires_with_the_first_and_one_of_them_activates(world) {
        let tenant = world.tenant().await;
        let invitation = tenant.create_invitation(world).await;
        world.browser().resend_activation(&invitation.email).await.expect(200);
        let second = world.mail(&invitation.email, 2).await.token();
        assert_ne!(invitation.token, second);
        let expires_at = async |token: &str| world.browser().check_token(token).await.expect(200)["expires_at"].clone();
        assert_eq!(expires_at(&invitation.token).await, expires_at(&second).await);
        world.browser().activate(&second, &password()).await.expect(200);
        // The other link must not change the account, which has a password now.
        world.browser().activate(&invitation.token, &password()).await.assert_problem("410 token_revoked");
    }

    async fn a_valid_link_is_not_replaced_and_stays_valid(world) {
        let (tenant, other) = (world.tenant().await, world.tenant().await);
        let invitation = tenant.create_invitation(world).await;
        let person = tenant.person(world).await;
        let accept = {
            other.invite(&other.client("Elsewhere Ltd").await, &person.email).await;
            world.mail(&person.email, 2).await.token()
        };
        let reset = person.request_reset(world, 3).await;
        for (purpose, token) in [("activation", &invitation.token), ("accept", &accept), ("reset", &reset)] {
            world.browser().request_new_link(token).await.assert_problem("409 conflict");
            assert_eq!(world.browser().check_token(token).await.expect(200)["purpose"], purpose);
        }
        // The refused requests do not count: the mailbox has two of its three mails left.
        for nth in 4..6 {
            person.request_reset(world, nth).await;
        }
    }

    async fn resend_activation_sends_nothing_to_an_active_account(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        world.browser().resend_activation(&person.email).await.expect(200);
        // This mail was requested later, so the request above has been handled when it has arrived.
        tenant.invite_for_token(world, &person.client, &unique_email("later")).await;
        assert_eq!(world.mails(&person.email).await.len(), 1);
    }
}

#[tokio::test]
async fn an_expired_invitation_can_be_renewed_twice_by_its_recipient_and_again_by_staff() {
    let settings = [("PORTICO_ACTIVATION_TTL", "2s"), ("PORTICO_LIMIT_RECOVERY_ACCOUNT", "100/1m")];
    let world = World::start(Deployment::Single, &settings).await;
    let tenant = world.tenant().await;
    let invitation = tenant.create_invitation(&world).await;
    let (email, mut token) = (&invitation.email, invitation.token.clone());
    for nth in 2..4 {
        wait_until_expired(&world, &token).await;
        world.browser().activate(&token, &password()).await.assert_problem("410 token_expired");
        world.browser().request_new_link(&token).await.expect(200);
        token = world.mail(email, nth).await.token();
    }
    wait_until_expired(&world, &token).await;
    world.browser().request_new_link(&token).await.expect(200);
    // The third request sends nothing, so the fourth mail is that of the staff user.
    let resend = paths::resend_invitation(&invitation.client);
    tenant.owner.post(&resend, json!({ "email": email })).await.expect(200);
    let renewed = world.mail(email, 4).await.token();
    world.browser().activate(&renewed, &password()).await.expect(200);
}

async fn wait_until_expired(world: &World, token: &str) {
    eventually("the link has expired", || async {
        (world.browser().check_token(token).await.status == 410).then_some(())
    })
    .await;
}
