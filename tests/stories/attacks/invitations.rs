//! An invitation lets in whom it was mailed to, once, as what they were invited as.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    support::all_at_once,
    support::{Browser, Deployment, World, eventually, password, stories, unique},
};

const ACTIVATE: &str = "/api/portal/auth/activate";
const ACCEPT: &str = "/api/portal/invitations/accept";
const CHECK: &str = "/api/portal/auth/check-token";
const SESSION: &str = "/api/portal/auth/session";
const SIGN_IN: &str = "/api/portal/auth/sign-in";

fn portal_user(client: &str) -> String {
    format!("/api/v1/clients/{client}/portal-user")
}

async fn clients_of(browser: &Browser) -> Vec<Value> {
    browser.get(SESSION).await.expect(200)["clients"].as_array().unwrap().clone()
}

stories! {
    async fn inv_01_fifty_uses_of_one_setup_link_have_one_winner(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let email = format!("{}@x.test", unique("ann"));
        let token = tenant.invited(world, &client, &email).await;
        let passwords: Vec<_> = (0..50).map(|_| password()).collect();
        let bodies = passwords.iter().map(|password| Some(json!({ "token": token, "password": password }))).collect();
        let browsers = (0..50).map(|_| world.browser()).collect();
        let counts = all_at_once(browsers, ACTIVATE, bodies).await;
        assert_eq!(counts, BTreeMap::from([(200, 1), (410, 49)]));
        // The losers' passwords open nothing.
        let bodies = passwords.iter().map(|password| Some(json!({ "email": email, "password": password }))).collect();
        let browsers = (0..50).map(|_| world.browser()).collect();
        assert_eq!(all_at_once(browsers, SIGN_IN, bodies).await, BTreeMap::from([(200, 1), (401, 49)]));
    }

    async fn inv_01_twenty_uses_of_one_offer_have_one_winner(world) {
        let (home, other) = (world.tenant().await, world.tenant().await);
        let person = home.person(world).await;
        let client = other.client("Elsewhere Ltd").await;
        other.invite(&client, &person.email).await;
        let token = world.mail(&person.email, 2).await.token();
        let browsers = (0..20).map(|_| person.browser.on_new_network()).collect();
        let counts = all_at_once(browsers, ACCEPT, vec![Some(json!({ "token": token })); 20]).await;
        assert_eq!(counts, BTreeMap::from([(204, 1), (410, 19)]));
        assert_eq!(clients_of(&person.browser).await.len(), 2);
    }

    async fn inv_01_an_older_link_is_dead_and_a_closed_clients_too(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let email = format!("{}@x.test", unique("ann"));
        let (older, newer) = tenant.invited_twice(world, &client, &email).await;
        let activate = |token: &str| json!({ "token": token, "password": password() });
        world.browser().post(CHECK, json!({ "token": older })).await.problem(410, "token_revoked");
        world.browser().post(ACTIVATE, activate(&older)).await.problem(410, "token_revoked");
        let path = format!("/api/v1/clients/{client}");
        tenant.owner.patch(&path, json!({ "status": "archived" })).await.expect(200);
        world.browser().post(ACTIVATE, activate(&newer)).await.problem(410, "token_revoked");
        tenant.owner.patch(&path, json!({ "status": "active" })).await.expect(200);
        world.browser().post(ACTIVATE, activate(&older)).await.problem(410, "token_revoked");
        let browser = world.browser();
        browser.post(ACTIVATE, activate(&newer)).await.expect(200);
        assert_eq!(clients_of(&browser).await.len(), 1);
        browser.on_new_network().post(ACTIVATE, activate(&newer)).await.problem(410, "token_used");
    }

    async fn inv_03_whoever_is_invited_becomes_what_they_were_invited_as(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let email = format!("{}@x.test", unique("ann"));
        let token = tenant.invited(world, &client, &email).await;
        for extra in ["role", "email", "is_staff", "tenant_id", "email_verified", "clientId", "status", "password_hash"] {
            let body = json!({ "token": token, "password": password(), extra: "admin" });
            assert_eq!(world.browser().post(ACTIVATE, body).await.bad_fields(), [format!("/{extra}")]);
        }
        let browser = world.browser();
        let session = browser.post(ACTIVATE, json!({ "token": token, "password": password() })).await.expect(200);
        assert_eq!(session["client"]["role"], "member");
        assert_eq!(session["user"]["email"], email.as_str());
        let bearer = browser.cookie("portico_portal").unwrap();
        let staff = world.browser();
        staff.set_cookie("portico_staff", &bearer);
        staff.get("/api/v1/clients").await.problem(401, "unauthenticated");
    }

    async fn inv_03_nobody_invites_to_more_than_there_is_or_without_the_role(world) {
        let (tenant, other) = (world.tenant().await, world.tenant().await);
        let client = tenant.client("Acme Ltd").await;
        let path = portal_user(&client);
        let email = format!("{}@x.test", unique("ann"));
        for role in ["owner", "staff", "viewer", "ADMIN", "", "admin,owner"] {
            let body = json!({ "email": email, "role": role });
            assert_eq!(tenant.owner.post(&path, body).await.bad_fields(), ["/role"], "{role}");
        }
        for extra in ["is_staff", "tenant_id", "permissions", "client_id", "status", "mode", "password", "id"] {
            let body = json!({ "email": email, extra: other.slug });
            assert_eq!(tenant.owner.post(&path, body).await.bad_fields(), [format!("/{extra}")]);
        }
        let viewer = world.browser();
        let viewer_email = format!("viewer@{}.test", tenant.slug);
        world.add_staff(&tenant.slug, &viewer_email, "viewer");
        world.sign_in_staff(&viewer, &viewer_email, 1).await;
        for action in ["", "?action=resend"] {
            viewer.post(&format!("{path}{action}"), json!({ "email": email })).await.problem(403, "forbidden");
            other.owner.post(&format!("{path}{action}"), json!({ "email": email })).await.problem(404, "not_found");
        }
        // Nothing of that has invited anybody: this is the first mail.
        tenant.invited(world, &client, &email).await;
    }

    async fn inv_04_an_invitation_is_for_the_invited_address(world) {
        let (home, other) = (world.tenant().await, world.tenant().await);
        let (person, bystander) = (home.person(world).await, home.person(world).await);
        let client = other.client("Elsewhere Ltd").await;
        other.invite(&client, &person.email).await;
        let offer = world.mail(&person.email, 2).await.token();
        // It sets no password and opens nothing for anybody else.
        world.browser().post(ACTIVATE, json!({ "token": offer, "password": password() })).await.problem(404, "token_unknown");
        world.browser().post(ACCEPT, json!({ "token": offer })).await.problem(401, "unauthenticated");
        other.owner.on_new_network().post(ACCEPT, json!({ "token": offer })).await.problem(401, "unauthenticated");
        bystander.browser.post(ACCEPT, json!({ "token": offer })).await.problem(409, "wrong_account");
        let theirs = json!({ "token": offer, "email": bystander.email });
        assert_eq!(bystander.browser.post(ACCEPT, theirs).await.bad_fields(), ["/email"]);
        assert_eq!(clients_of(&person.browser).await.len(), 1);
        person.browser.post(ACCEPT, json!({ "token": offer })).await.expect(204);
        person.browser.post(ACCEPT, json!({ "token": offer })).await.problem(410, "token_used");
        assert_eq!(clients_of(&person.browser).await.len(), 2);

        // A setup link that is opened where somebody else is signed in makes the invited person, not them.
        let invited = format!("{}@x.test", unique("ann"));
        let setup = other.invited(world, &client, &invited).await;
        bystander.browser.post(ACCEPT, json!({ "token": setup })).await.problem(404, "token_unknown");
        let before = bystander.browser.on_new_network();
        let session = bystander.browser.post(ACTIVATE, json!({ "token": setup, "password": password() })).await.expect(200);
        assert_eq!(session["user"]["email"], invited.as_str());
        before.get(SESSION).await.problem(401, "session_revoked");
        let again = world.browser();
        bystander.sign_in(&again).await;
        assert_eq!(clients_of(&again).await.len(), 1);
    }

    async fn inv_05_before_the_activation_nothing_else_lets_in(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let email = format!("{}@x.test", unique("ann"));
        let token = tenant.invited(world, &client, &email).await;
        for password in ["x", "not the password", &token, &email] {
            let body = json!({ "email": email, "password": password });
            world.browser().post(SIGN_IN, body).await.problem(401, "invalid_credentials");
        }
        let body = json!({ "token": token, "password": password() });
        world.browser().post("/api/portal/auth/reset-password", body).await.problem(404, "token_unknown");
        world.browser().post("/api/staff/auth/send-code", json!({ "email": email })).await.expect(200);
        world.browser().post(ACCEPT, json!({ "token": token })).await.problem(401, "unauthenticated");
        let bearer = [("authorization", &*format!("Bearer {token}"))];
        world.browser().send(reqwest::Method::GET, SESSION, None, &bearer).await.problem(401, "unauthenticated");
        // Forgetting a password that there is not yet leads to the same activation.
        world.browser().post("/api/portal/auth/forgot-password", json!({ "email": email })).await.expect(200);
        let mail = world.mail(&email, 2).await;
        assert!(mail.code.is_none() && mail.links.iter().all(|link| !link.contains("reset-password")), "{mail:?}");
        let checked = world.browser().post(CHECK, json!({ "token": mail.token() })).await.expect(200);
        assert_eq!(checked["purpose"], "activation");
        let browser = world.browser();
        browser.post(ACTIVATE, json!({ "token": mail.token(), "password": password() })).await.expect(200);
        browser.get(SESSION).await.expect(200);
    }

    async fn inv_07_invitations_are_no_relay_for_spam(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let path = portal_user(&client);
        for name in ["Win 1 BTC http://evil.test", "www.evil.test", "see,www.evil.test", "evil.test?q=1", "a\r\nBcc: b@x.test", "\u{202e}evil", ""] {
            let body = json!({ "email": "a@x.test", "name": name });
            assert_eq!(tenant.owner.post(&path, body).await.bad_fields(), ["/name"]);
        }
        for email in ["a@x.test, b@x.test", "a@x.test\r\nBcc: b@x.test", "A <a@x.test>", "a@b@x.test", "@x.test", "a"] {
            assert_eq!(tenant.owner.post(&path, json!({ "email": email })).await.bad_fields(), ["/email"], "{email:?}");
        }
        let email = format!("{}@x.test", unique("ann"));
        tenant.invite(&client, &email).await;
        let resend = format!("{path}?action=resend");
        for _ in 1..10 {
            tenant.owner.post(&resend, json!({ "email": email })).await.expect(200);
        }
        tenant.owner.post(&resend, json!({ "email": email })).await.problem(429, "too_many_requests");
        let tagged = json!({ "email": email.replace('@', "+tag@") });
        tenant.owner.post(&path, tagged).await.problem(429, "too_many_requests");
        assert_eq!(tenant.owner.post(&format!("{path}?action=explode"), json!({ "email": email })).await.bad_fields(), ["/action"]);
    }

    async fn inv_08_activation_applies_the_whole_policy_and_a_refusal_spends_nothing(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let email = format!("{}@x.test", unique("ann"));
        let token = tenant.invited(world, &client, &email).await;
        let browser = world.browser();
        for (bad, reason) in [("short", "password_too_short"), ("passwordpassword", "password_weak"), (&*token, "password_weak")] {
            let answer = browser.post(ACTIVATE, json!({ "token": token, "password": bad })).await;
            assert_eq!(answer.problem(422, "validation_failed")["errors"][0]["code"], reason);
        }
        // The name that is chosen now counts as much as the one that was typed by staff.
        let body = json!({ "token": token, "password": "Zq7-wilhelmina-Zq7", "name": "Wilhelmina Oak" });
        assert_eq!(browser.post(ACTIVATE, body).await.bad_fields(), ["/password"]);
        let body = json!({ "token": token, "password": password(), "name": "see http://evil.test" });
        assert_eq!(browser.post(ACTIVATE, body).await.bad_fields(), ["/name"]);
        browser.post(ACTIVATE, json!({ "token": token, "password": password() })).await.expect(200);
        browser.post(ACTIVATE, json!({ "token": token, "password": password() })).await.problem(410, "token_used");
        browser.post(CHECK, json!({ "token": token })).await.problem(410, "token_used");
        let reset = json!({ "token": token, "password": password() });
        browser.post("/api/portal/auth/reset-password", reset).await.problem(404, "token_unknown");
    }
}

// A link dies with its time, not when a worker comes to say so.
#[tokio::test]
async fn inv_01_a_link_expires_while_every_worker_is_stopped() {
    let world = World::start(Deployment::Cluster, &[("PORTICO_ACTIVATION_TTL", "6s")]).await;
    let tenant = world.tenant().await;
    let client = tenant.client("Acme Ltd").await;
    let token = tenant.invited(&world, &client, &format!("{}@x.test", unique("ann"))).await;
    for worker in world.workers() {
        worker.kill();
    }
    eventually("the link is too old", || async {
        let answer = world.browser().post(CHECK, json!({ "token": token })).await;
        (answer.status != 200).then(|| answer.problem(410, "token_expired"))
    })
    .await;
    let body = json!({ "token": token, "password": password() });
    world.browser().post(ACTIVATE, body).await.problem(410, "token_expired");
}

#[tokio::test]
async fn inv_07_one_of_staff_invites_so_many_a_day_and_no_more() {
    let world = World::start(Deployment::Single, &[("PORTICO_LIMIT_INVITE_ACTOR", "3/1d")]).await;
    let tenant = world.tenant().await;
    let client = tenant.client("Acme Ltd").await;
    let invite = async || {
        let body = json!({ "email": format!("{}@x.test", unique("ann")) });
        tenant.owner.post(&portal_user(&client), body).await
    };
    for _ in 0..3 {
        invite().await.expect(201);
    }
    invite().await.problem(429, "too_many_requests");
}
