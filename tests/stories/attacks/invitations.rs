//! INV cases: an invitation lets in the invited person, once, with the role that staff chose.

use std::collections::BTreeMap;

use serde_json::json;

use crate::support::{
    Deployment, Invitation, World, cookies, credentials, eventually, new_password, password,
    paths::{self, ACCEPT_INVITATION, ACTIVATE, SESSION, SIGN_IN},
    post_concurrently, stories, unique, unique_email,
};

/// Invites a new address to a new client of a new tenant.
async fn invited(world: &World) -> Invitation {
    world.tenant().await.create_invitation(world).await
}

stories! {
    async fn inv_01_fifty_concurrent_uses_of_an_activation_link_have_one_winner(world) {
        let Invitation { email, token, .. } = invited(world).await;
        let passwords: Vec<_> = (0..50).map(|_| password()).collect();
        let activations = passwords.iter().map(|password| Some(new_password(&token, password))).collect();
        let counts = post_concurrently(world.browsers(50), ACTIVATE, activations).await;
        assert_eq!(counts, BTreeMap::from([(200, 1), (410, 49)]));
        // Only the winner's password signs in.
        let sign_ins = passwords.iter().map(|password| Some(credentials(&email, password))).collect();
        let counts = post_concurrently(world.browsers(50), SIGN_IN, sign_ins).await;
        assert_eq!(counts, BTreeMap::from([(200, 1), (401, 49)]));
    }

    async fn inv_01_twenty_concurrent_acceptances_of_an_invitation_have_one_winner(world) {
        let (home, other) = (world.tenant().await, world.tenant().await);
        let person = home.person(world).await;
        let client = other.client("Elsewhere Ltd").await;
        other.invite(&client, &person.email).await;
        let token = world.mail(&person.email, 2).await.token();
        let (browsers, bodies) = (person.browser.on_new_networks(20), vec![Some(json!({ "token": token })); 20]);
        let counts = post_concurrently(browsers, ACCEPT_INVITATION, bodies).await;
        assert_eq!(counts, BTreeMap::from([(204, 1), (410, 19)]));
        assert_eq!(person.browser.session_clients().await.len(), 2);
    }

    async fn inv_01_a_resend_revokes_the_older_link(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let (older, newer) = tenant.invite_and_resend(world, &client, &unique_email("ann")).await;
        world.browser().check_token(&older).await.assert_problem("410 token_revoked");
        world.browser().activate(&older, &password()).await.assert_problem("410 token_revoked");
        let browser = world.browser();
        browser.activate(&newer, &password()).await.expect(200);
        assert_eq!(browser.session_clients().await.len(), 1);
        browser.on_new_network().activate(&newer, &password()).await.assert_problem("410 token_used");
    }

    async fn inv_01_an_archived_clients_links_do_not_work_until_it_is_active_again(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let (older, newer) = tenant.invite_and_resend(world, &client, &unique_email("ann")).await;
        let path = paths::client(&client);
        tenant.owner.patch(&path, json!({ "status": "archived" })).await.expect(200);
        world.browser().activate(&newer, &password()).await.assert_problem("410 token_revoked");
        tenant.owner.patch(&path, json!({ "status": "active" })).await.expect(200);
        world.browser().activate(&older, &password()).await.assert_problem("410 token_revoked");
        world.browser().activate(&newer, &password()).await.expect(200);
    }

    async fn inv_03_activation_accepts_no_role_address_or_tenant(world) {
        let Invitation { email, token, .. } = invited(world).await;
        for extra in [
            "role", "email", "is_staff", "tenant_id", "email_verified", "clientId", "status", "password_hash",
        ] {
            let body = json!({ "token": token, "password": password(), extra: "admin" });
            let problem = format!("422 validation_failed: /{extra} unknown_field");
            world.browser().post(ACTIVATE, body).await.assert_problem(&problem);
        }
        let session = world.browser().activate(&token, &password()).await.expect(200);
        assert_eq!(session["client"]["role"], "member");
        assert_eq!(session["user"]["email"], email.as_str());
    }

    async fn inv_03_an_activated_users_token_is_not_a_staff_token(world) {
        let (Invitation { token, .. }, browser) = (invited(world).await, world.browser());
        browser.activate(&token, &password()).await.expect(200);
        let portal_token = browser.cookie(cookies::PORTAL_ACCESS).unwrap();
        let staff = world.browser().with_cookie(cookies::STAFF_ACCESS, &portal_token);
        staff.get(paths::CLIENTS).await.assert_problem("401 unauthenticated");
    }

    async fn inv_03_staff_cannot_invite_with_an_unknown_role_or_field(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let (path, email) = (paths::portal_user(&client), unique_email("ann"));
        for role in ["owner", "staff", "viewer", "ADMIN", "", "admin,owner"] {
            let body = json!({ "email": email, "role": role });
            tenant.owner.post(&path, body).await.assert_problem("422 validation_failed: /role invalid");
        }
        for extra in ["is_staff", "tenant_id", "permissions", "client_id", "status", "mode", "password", "id"] {
            let body = json!({ "email": email, extra: unique("value") });
            let problem = format!("422 validation_failed: /{extra} unknown_field");
            tenant.owner.post(&path, body).await.assert_problem(&problem);
        }
        // The refused requests invited no one: `invited` expects the first mail.
        tenant.invite_for_token(world, &client, &email).await;
    }

    async fn inv_03_viewers_and_other_tenants_cannot_invite_or_resend(world) {
        let (tenant, other) = (world.tenant().await, world.tenant().await);
        let client = tenant.client("Acme Ltd").await;
        let email = unique_email("ann");
        let (viewer, viewer_email) = (world.browser(), format!("viewer@{}.test", tenant.slug));
        world.add_staff(&tenant.slug, &viewer_email, "viewer");
        world.sign_in_staff(&viewer, &viewer_email, 1).await;
        for path in [paths::portal_user(&client), paths::resend_invitation(&client)] {
            viewer.post(&path, json!({ "email": email })).await.assert_problem("403 forbidden");
            other.owner.post(&path, json!({ "email": email })).await.assert_problem("404 not_found");
        }
        // The refused requests invited no one: `invited` expects the first mail.
        tenant.invite_for_token(world, &client, &email).await;
    }

    async fn inv_04_only_the_invited_person_can_accept(world) {
        let (home, other) = (world.tenant().await, world.tenant().await);
        let (person, bystander) = (home.person(world).await, home.person(world).await);
        let client = other.client("Elsewhere Ltd").await;
        other.invite(&client, &person.email).await;
        let token = world.mail(&person.email, 2).await.token();
        // The link of an existing person sets no password.
        world.browser().activate(&token, &password()).await.assert_problem("404 token_unknown");
        world.browser().accept_invitation(&token).await.assert_problem("401 unauthenticated");
        other.owner.on_new_network().accept_invitation(&token).await.assert_problem("401 unauthenticated");
        bystander.browser.accept_invitation(&token).await.assert_problem("409 wrong_account");
        let with_email = json!({ "token": token, "email": bystander.email });
        let response = bystander.browser.post(ACCEPT_INVITATION, with_email).await;
        response.assert_problem("422 validation_failed: /email unknown_field");
        assert_eq!(person.browser.session_clients().await.len(), 1);
        person.browser.accept_invitation(&token).await.expect(204);
        person.browser.accept_invitation(&token).await.assert_problem("410 token_used");
        assert_eq!(person.browser.session_clients().await.len(), 2);
    }

    async fn inv_04_an_activation_link_opened_by_another_signed_in_user_activates_the_invited_one(world) {
        let bystander = world.tenant().await.person(world).await;
        let Invitation { email, token, .. } = invited(world).await;
        bystander.browser.accept_invitation(&token).await.assert_problem("404 token_unknown");
        let old_session = bystander.browser.on_new_network();
        let session = bystander.browser.activate(&token, &password()).await.expect(200);
        assert_eq!(session["user"]["email"], email.as_str());
        old_session.session().await.assert_problem("401 session_revoked");
        let new_session = world.browser();
        bystander.sign_in(&new_session).await;
        assert_eq!(new_session.session_clients().await.len(), 1);
    }

    async fn inv_05_before_activation_only_the_activation_link_works(world) {
        let Invitation { email, token, .. } = invited(world).await;
        for password in ["x", "not the password", &token, &email] {
            world.browser().sign_in(&email, password).await.assert_problem("401 invalid_credentials");
        }
        world.browser().reset_password(&token, &password()).await.assert_problem("404 token_unknown");
        world.browser().accept_invitation(&token).await.assert_problem("401 unauthenticated");
        world.browser().get_with_bearer(SESSION, &token).await.assert_problem("401 unauthenticated");
    }

    async fn inv_05_forgot_password_before_activation_mails_an_activation_link(world) {
        let Invitation { email, .. } = invited(world).await;
        // Only staff users get codes, so this request sends no mail.
        world.browser().send_code(&email).await.expect(200);
        world.browser().forgot_password(&email).await.expect(200);
        let mail = world.mail(&email, 2).await;
        assert!(mail.code.is_none() && mail.links.iter().all(|link| !link.contains("reset-password")), "{mail:?}");
        let checked = world.browser().check_token(&mail.token()).await.expect(200);
        assert_eq!(checked["purpose"], "activation");
        let browser = world.browser();
        browser.activate(&mail.token(), &password()).await.expect(200);
        browser.session().await.expect(200);
    }

    async fn inv_07_names_with_links_and_lists_of_addresses_are_refused(world) {
        let tenant = world.tenant().await;
        let path = paths::portal_user(&tenant.client("Acme Ltd").await);
        for name in [
            "Win 1 BTC http://evil.test", "www.evil.test", "see,www.evil.test", "evil.test?q=1",
            "a\r\nBcc: b@x.test", "\u{202e}evil", "evil.com/x", "ann@evil.com", "10.0.0.1/x", "evil\u{ff0e}com/x",
            "=?utf-8?b?V2luIDEgQlRDIGh0dHA6Ly9ldmlsLnRlc3QveA==?=", "=?utf-8?q?www=2Eevil.test?=",
        ] {
            let body = json!({ "email": "a@x.test", "name": name });
            tenant.owner.post(&path, body).await.assert_problem("422 validation_failed: /name name_invalid");
        }
        for name in ["", "\u{200b}", "\u{3164}", "\u{2800} \u{2060}", "\u{e0041}"] {
            let unnamed = json!({ "email": "a@x.test", "name": name });
            tenant.owner.post(&path, unnamed).await.assert_problem("422 validation_failed: /name name_empty");
        }
        for name in ["Rossi S.p.A./S.r.l.", "Acme U.S./Canada", "Ann Ph.D./M.D.", "St.Gallen/Zürich"] {
            let body = json!({ "email": unique_email("ann"), "name": name });
            tenant.owner.post(&path, body).await.expect(201);
            tenant.owner.post(paths::CLIENTS, json!({ "name": name })).await.expect(201);
        }
        for email in [
            "a@x.test, b@x.test", "a@x.test\r\nBcc: b@x.test", "A <a@x.test>", "a@b@x.test", "@x.test", "a",
        ] {
            let response = tenant.owner.post(&path, json!({ "email": email })).await;
            response.assert_problem("422 validation_failed: /email email_invalid");
        }
    }

    async fn inv_07_invitations_to_one_mailbox_are_limited(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let (path, email) = (paths::portal_user(&client), unique_email("ann"));
        tenant.invite(&client, &email).await;
        let resend = paths::resend_invitation(&client);
        for _ in 1..10 {
            tenant.owner.post(&resend, json!({ "email": email })).await.expect(200);
        }
        tenant.owner.post(&resend, json!({ "email": email })).await.assert_problem("429 too_many_requests");
        let tagged = json!({ "email": email.replace('@', "+tag@") });
        tenant.owner.post(&path, tagged).await.assert_problem("429 too_many_requests");
        // An invalid request is refused as invalid even now.
        let unknown_action = format!("{path}?action=explode");
        let response = tenant.owner.post(&unknown_action, json!({ "email": email })).await;
        response.assert_problem("422 validation_failed: /action invalid");
    }

    async fn inv_08_activation_applies_the_password_policy_and_a_refusal_keeps_the_link(world) {
        let (Invitation { token, .. }, browser) = (invited(world).await, world.browser());
        for (bad, reason) in [
            ("short", "password_too_short"),
            ("passwordpassword", "password_weak"),
            // The secret of the link itself.
            (&*token, "password_weak"),
        ] {
            let problem = format!("422 validation_failed: /password {reason}");
            browser.activate(&token, bad).await.assert_problem(&problem);
        }
        browser.activate(&token, &password()).await.expect(200);
        browser.activate(&token, &password()).await.assert_problem("410 token_used");
        browser.check_token(&token).await.assert_problem("410 token_used");
        browser.reset_password(&token, &password()).await.assert_problem("404 token_unknown");
    }

    async fn inv_08_activation_checks_the_chosen_name_and_its_use_in_the_password(world) {
        let (Invitation { token, .. }, browser) = (invited(world).await, world.browser());
        let body = json!({ "token": token, "password": "Zq7-wilhelmina-Zq7", "name": "Wilhelmina Oak" });
        browser.post(ACTIVATE, body).await.assert_problem("422 validation_failed: /password password_weak");
        let body = json!({ "token": token, "password": password(), "name": "see http://evil.test" });
        browser.post(ACTIVATE, body).await.assert_problem("422 validation_failed: /name name_invalid");
        browser.activate(&token, &password()).await.expect(200);
    }
}

// The request compares the expiry time itself; no job has to mark the link as expired.
#[tokio::test]
async fn inv_01_a_link_expires_while_every_worker_is_stopped() {
    let world = World::start(Deployment::Cluster, &[("PORTICO_ACTIVATION_TTL", "6s")]).await;
    let Invitation { token, .. } = invited(&world).await;
    for worker in world.workers() {
        worker.kill();
    }
    eventually("the link expires", || async {
        let response = world.browser().check_token(&token).await;
        (response.status != 200).then(|| response.assert_problem("410 token_expired"))
    })
    .await;
    world.browser().activate(&token, &password()).await.assert_problem("410 token_expired");
}

#[tokio::test]
async fn inv_07_invitations_by_one_staff_user_are_limited() {
    let world = World::start(Deployment::Single, &[("PORTICO_LIMIT_INVITE_ACTOR", "3/1d")]).await;
    let tenant = world.tenant().await;
    let path = paths::portal_user(&tenant.client("Acme Ltd").await);
    for _ in 0..3 {
        tenant.owner.post(&path, json!({ "email": unique_email("ann") })).await.expect(201);
    }
    tenant.owner.post(&path, json!({ "email": unique_email("ann") })).await.assert_problem("429 too_many_requests");
}
