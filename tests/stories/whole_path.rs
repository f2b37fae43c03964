//! The path of one portal user: invitation, activation, sign-in, forgotten password, new password.

use serde_json::json;

use crate::support::{Browser, Mail, Tenant, World, password, paths::ACTIVATE, stories, unique_email};

/// Invites `email` in upper case and returns the mail.
async fn invite(world: &World, tenant: &Tenant, client: &str, email: &str) -> Mail {
    let invited = tenant.invite(client, &email.to_uppercase()).await;
    assert_eq!(invited["invite_mode"], "setup");
    assert_eq!(invited["portal_user"]["email"], email);
    assert_eq!(invited["portal_user"]["status"], "invited");
    assert_eq!(invited["invitation"]["status"], "pending");
    let mail = world.mail(email, 1).await;
    assert_eq!(mail.subject, "Blue Harbour invites you to Acme Ltd");
    assert!(mail.html.contains(&mail.links[0]) && mail.text.contains("Robin Miller"), "{mail:?}");
    mail
}

/// Activates the account and asserts what the browser then sees of the session.
async fn activate(browser: &Browser, token: &str, email: &str, client: &str, password: &str) {
    let checked = browser.check_token(token).await.expect(200);
    assert_eq!((&checked["purpose"], &checked["client_name"]), (&json!("activation"), &json!("Acme Ltd")));
    let body = json!({ "token": token, "password": password, "name": "Ann Baker" });
    let session = browser.post(ACTIVATE, body).await.expect(200);
    assert_eq!(session["status"], "signed_in");
    assert_eq!(session["user"]["name"], "Ann Baker");
    assert_eq!(session["client"]["role"], "member");
    let session = browser.session().await.expect(200);
    assert_eq!(session["user"]["email"], email);
    assert_eq!(session["client"]["id"], client);
    assert_eq!(session["clients"].as_array().unwrap().len(), 1);
}

/// Sets a new password by a reset link, which is the second mail.
async fn reset_password(world: &World, browser: &Browser, email: &str, password: &str) {
    browser.forgot_password(email).await.expect(200);
    let mail = world.mail(email, 2).await;
    assert_eq!(mail.subject, "Choose a new password for Blue Harbour");
    assert_eq!(browser.reset_password(&mail.token(), password).await.expect(200)["status"], "password_reset");
}

stories! {
    async fn a_portal_user_is_invited_activates_signs_in_and_resets_the_password(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let (email, old_password, new_password) = (unique_email("ann"), password(), password());
        let mail = invite(world, &tenant, &client, &email).await;
        let ann = world.browser();
        activate(&ann, &mail.token(), &email, &client, &old_password).await;

        ann.sign_out().await.expect(204);
        ann.session().await.assert_problem("401 unauthenticated");
        ann.sign_in(&email, &old_password).await.expect(200);
        ann.refresh().await.expect(200);

        reset_password(world, &ann, &email, &new_password).await;
        ann.session().await.assert_problem("401 session_revoked");
        ann.sign_in(&email, &old_password).await.assert_problem("401 invalid_credentials");
        ann.sign_in(&email, &new_password).await.expect(200);
        assert_eq!(world.mail(&email, 3).await.subject, "Your password for Blue Harbour was changed");
    }
}
