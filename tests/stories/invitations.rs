//! Invitations of new and of known portal users, to one client and to several.

use serde_json::json;

use crate::support::{Browser, World, password, paths, stories, unique_email};

/// An address with three pending invitations: to two clients of one tenant and to a client of another tenant.
struct ThreeInvitations {
    email: String,
    first: String,
    same_tenant: String,
    other_tenant: String,
}

impl ThreeInvitations {
    async fn new(world: &World) -> Self {
        let (home, other) = (world.tenant().await, world.tenant().await);
        let email = unique_email("ann");
        let first = home.invite_for_token(world, &home.client("First").await, &email).await;
        home.invite(&home.client("Second").await, &email).await;
        let same_tenant = world.mail(&email, 2).await.token();
        other.invite(&other.client("Third").await, &email).await;
        let other_tenant = world.mail(&email, 3).await.token();
        Self { email, first, same_tenant, other_tenant }
    }

    /// Activates the account by the first invitation.
    async fn activate(&self, world: &World) -> Browser {
        let browser = world.browser();
        browser.activate(&self.first, &password()).await.expect(200);
        browser
    }
}

stories! {
    async fn resending_an_invitation_revokes_the_older_link(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let (older, newer) = tenant.invite_and_resend(world, &client, &unique_email("ann")).await;
        world.browser().activate(&older, &password()).await.assert_problem("410 token_revoked");
        world.browser().activate(&newer, &password()).await.expect(200);
    }

    async fn only_a_pending_invitation_can_be_sent_again(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let resend = paths::resend_invitation(&person.client);
        let email = |email: &str| json!({ "email": email });
        tenant.owner.post(&resend, email(&person.email)).await.assert_problem("409 already_activated");
        tenant.owner.post(&resend, email("unknown@x.test")).await.assert_problem("404 not_found");
        let invite = paths::portal_user(&person.client);
        tenant.owner.post(&invite, email(&person.email)).await.assert_problem("409 portal_user_exists");
    }

    async fn a_portal_user_of_the_tenant_gets_access_immediately_and_a_notice_by_mail(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let second = tenant.client("Second Ltd").await;
        let body = json!({ "email": person.email, "role": "admin" });
        let invited = tenant.owner.post(&paths::portal_user(&second), body).await.expect(201);
        assert_eq!(invited["invite_mode"], "notification");
        assert_eq!(invited["portal_user"]["status"], "active");
        let notice = world.mail(&person.email, 2).await;
        assert_eq!(notice.subject, "You now have access to Second Ltd at Blue Harbour");
        assert!(!notice.text.contains("token="));
        assert_eq!(person.browser.session_clients().await.len(), 2);
        let mut body = person.credentials();
        body["client_id"] = json!(second);
        assert_eq!(world.browser().post(paths::SIGN_IN, body).await.expect(200)["client"]["role"], "admin");
    }

    async fn one_activation_accepts_all_invitations_of_its_tenant_and_revokes_their_links(world) {
        let invitations = ThreeInvitations::new(world).await;
        let browser = invitations.activate(world).await;
        assert_eq!(browser.session_clients().await.len(), 2);
        for token in [&invitations.same_tenant, &invitations.other_tenant] {
            world.browser().activate(token, &password()).await.assert_problem("410 token_revoked");
        }
    }

    async fn after_an_activation_the_invitation_of_another_tenant_is_sent_as_a_link_to_accept(world) {
        let invitations = ThreeInvitations::new(world).await;
        let browser = invitations.activate(world).await;
        let token = world.mail(&invitations.email, 4).await.token();
        browser.accept_invitation(&token).await.expect(204);
        assert_eq!(browser.session_clients().await.len(), 3);
    }
}
