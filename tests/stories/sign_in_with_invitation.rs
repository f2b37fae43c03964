//! A person who has a password signs in with the link of an invitation, which accepts it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{
    Browser, Person, Response, World, credentials, password,
    paths::{self, SIGN_IN},
    post_concurrently, stories, unique_email,
};

/// A person of one tenant, and an invitation of another tenant to them.
struct InvitedPerson {
    person: Person,
    /// The client of the other tenant.
    client: String,
    token: String,
}

impl InvitedPerson {
    async fn new(world: &World) -> Self {
        let (home, other) = (world.tenant().await, world.tenant().await);
        let person = home.person(world).await;
        let client = other.client("Elsewhere Ltd").await;
        let token = other.invite_again_for_token(world, &client, &person.email, 2).await;
        Self { person, client, token }
    }

    fn body(&self) -> Value {
        with_invitation(&self.person, &self.token)
    }

    /// Asserts that the link of the invitation is still unused.
    async fn assert_unused(&self, world: &World) {
        let checked = world.browser().check_token(&self.token).await.expect(200);
        assert_eq!(checked["purpose"], "accept");
    }
}

/// The body of a sign-in of this person with the secret of a link.
fn with_invitation(person: &Person, token: &str) -> Value {
    let mut body = person.credentials();
    body["invitation"] = json!(token);
    body
}

async fn sign_in(browser: &Browser, person: &Person, token: &str) -> Response {
    browser.post(SIGN_IN, with_invitation(person, token)).await
}

stories! {
    async fn a_person_without_any_membership_returns_with_their_password(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let path = tenant.member_path(&person.client, &person.email).await;
        tenant.owner.delete(&path).await.expect(204);
        let refused = world.browser().sign_in(&person.email, &person.password).await;
        refused.assert_problem("401 invalid_credentials");

        let invited = tenant.invite(&person.client, &person.email).await;
        assert_eq!((&invited["invite_mode"], &invited["portal_user"]["status"]), (&json!("setup"), &json!("invited")));
        let token = world.mail(&person.email, 2).await.token();
        let refused = world.browser().sign_in(&person.email, &person.password).await;
        refused.assert_problem("401 invalid_credentials");
        let browser = world.browser();
        let session = sign_in(&browser, &person, &token).await.expect(200);
        assert_eq!((&session["status"], &session["client"]["id"]), (&json!("signed_in"), &json!(person.client)));
        assert_eq!(browser.session_clients().await.len(), 1);
        assert_eq!(tenant.member(&person.client, &person.email).await["status"], "active");
        sign_in(&world.browser(), &person, &token).await.assert_problem("410 token_used");
        person.sign_in(&world.browser()).await;
    }

    async fn a_sign_in_with_an_invitation_opens_the_session_at_its_client(world) {
        let invited = InvitedPerson::new(world).await;
        let browser = invited.person.browser.on_new_network();
        let session = sign_in(&browser, &invited.person, &format!(" {}\n", invited.token)).await.expect(200);
        assert_eq!((&session["client"]["id"], &session["client"]["role"]), (&json!(invited.client), &json!("member")));
        assert_eq!(browser.session_clients().await.len(), 2);
        // As every sign-in, it ends the session that the browser had.
        invited.person.browser.session().await.assert_problem("401 session_revoked");
    }

    async fn one_of_ten_concurrent_sign_ins_accepts_the_invitation(world) {
        let invited = InvitedPerson::new(world).await;
        let counts = post_concurrently(world.browsers(10), SIGN_IN, vec![Some(invited.body()); 10]).await;
        assert_eq!(counts, BTreeMap::from([(200, 1), (410, 9)]));
        let browser = world.browser();
        assert_eq!(invited.person.sign_in(&browser).await["client"]["id"], json!(invited.client));
        assert_eq!(browser.session_clients().await.len(), 2);
        let accepted = format!(
            "SELECT count(*) FROM audit_events WHERE action = 'invitation.accepted' AND target_id = \
             (SELECT id FROM invitations WHERE email = '{}' AND status = 'accepted' AND client_id = \
             (SELECT client_id FROM sessions WHERE revoked_at IS NULL AND portal_user_id = \
             (SELECT id FROM portal_users WHERE email = '{}') ORDER BY created_at DESC LIMIT 1))",
            invited.person.email, invited.person.email
        );
        assert_eq!(world.count(&accepted), 1);
    }

    async fn inv_04_the_invitation_of_another_person_is_refused_and_stays_unused(world) {
        let invited = InvitedPerson::new(world).await;
        let other = world.tenant().await.person(world).await;
        sign_in(&world.browser(), &other, &invited.token).await.assert_problem("409 wrong_account");
        invited.assert_unused(world).await;
        let browser = world.browser();
        other.sign_in(&browser).await;
        assert_eq!(browser.session_clients().await.len(), 1);
        sign_in(&world.browser(), &invited.person, &invited.token).await.expect(200);
    }

    async fn links_that_are_no_live_invitation_are_answered_as_by_check_token(world) {
        let invited = InvitedPerson::new(world).await;
        let person = &invited.person;
        for token in ["", "x", &"A".repeat(43), &"A".repeat(5_000)] {
            sign_in(&world.browser(), person, token).await.assert_problem("404 token_unknown");
        }
        // A live link of another purpose invites to nothing.
        let reset = person.request_reset(world, 3).await;
        sign_in(&world.browser(), person, &reset).await.assert_problem("404 token_unknown");
        world.browser().check_token(&reset).await.expect(200);

        let expire = |table: &str, column: &str| {
            world.sql(&format!(
                "UPDATE {table} SET expires_at = {column} WHERE invitation_id = (SELECT id FROM invitations \
                 WHERE email = '{}' AND status = 'pending')",
                person.email
            ))
        };
        expire("link_tokens", "created_at");
        sign_in(&world.browser(), person, &invited.token).await.assert_problem("410 token_expired");
        world.browser().check_token(&invited.token).await.assert_problem("410 token_expired");
        person.sign_in(&world.browser()).await;
    }

    async fn an_invitation_that_was_withdrawn_or_whose_client_is_archived_is_refused(world) {
        let tenant = world.tenant().await;
        let person = world.tenant().await.person(world).await;
        let client = tenant.client("Elsewhere Ltd").await;
        let token = tenant.invite_again_for_token(world, &client, &person.email, 2).await;
        tenant.owner.patch(&paths::client(&client), json!({ "status": "archived" })).await.expect(200);
        sign_in(&world.browser(), &person, &token).await.assert_problem("410 token_revoked");
        tenant.owner.patch(&paths::client(&client), json!({ "status": "active" })).await.expect(200);
        let path = tenant.member_path(&client, &person.email).await;
        tenant.owner.delete(&path).await.expect(204);
        sign_in(&world.browser(), &person, &token).await.assert_problem("410 token_revoked");
        let again = tenant.invite_again_for_token(world, &client, &person.email, 3).await;
        sign_in(&world.browser(), &person, &again).await.expect(200);
    }

    async fn enum_07_a_wrong_password_reveals_nothing_about_the_invitation(world) {
        let (invited, used) = (InvitedPerson::new(world).await, InvitedPerson::new(world).await);
        sign_in(&world.browser(), &used.person, &used.token).await.expect(200);
        let refused = async |email: &str, token: Option<&str>| {
            let mut body = credentials(email, &password());
            if let Some(token) = token {
                body["invitation"] = json!(token);
            }
            let response = world.browser().post(SIGN_IN, body).await;
            let mut problem = response.assert_problem("401 invalid_credentials");
            problem["request_id"].take();
            problem
        };
        let expected = refused(&unique_email("unknown"), None).await;
        for token in [&*invited.token, &used.token, "x"] {
            for email in [&invited.person.email, &used.person.email, &unique_email("unknown")] {
                assert_eq!(refused(email, Some(token)).await, expected);
            }
        }
        invited.assert_unused(world).await;
    }

    async fn a_client_beside_the_invitation_must_be_that_of_the_invitation(world) {
        let invited = InvitedPerson::new(world).await;
        let mut body = invited.body();
        for client in [&*invited.person.client, "01a1fdba-f86f-76f5-b296-4e548b3691ab"] {
            body["client_id"] = json!(client);
            let response = world.browser().post(SIGN_IN, body.clone()).await;
            response.assert_problem("422 validation_failed: /client_id client_mismatch");
        }
        invited.assert_unused(world).await;
        body["client_id"] = json!(invited.client);
        world.browser().post(SIGN_IN, body).await.expect(200);
    }

    async fn enum_09_a_refused_invitation_counts_as_a_refused_sign_in(world) {
        let invited = InvitedPerson::new(world).await;
        let browser = world.browser();
        for _ in 0..5 {
            sign_in(&browser, &invited.person, "x").await.assert_problem("404 token_unknown");
        }
        sign_in(&browser, &invited.person, &invited.token).await.assert_problem("429 too_many_requests");
        invited.assert_unused(world).await;
        sign_in(&world.browser(), &invited.person, &invited.token).await.expect(200);
    }

    async fn inv_05_the_link_of_an_account_without_a_password_opens_no_session(world) {
        let tenant = world.tenant().await;
        let invitation = tenant.create_invitation(world).await;
        let mut body = credentials(&invitation.email, &password());
        body["invitation"] = json!(invitation.token);
        world.browser().post(SIGN_IN, body).await.assert_problem("401 invalid_credentials");
        world.browser().activate(&invitation.token, &password()).await.expect(200);
    }
}
