//! Inviting people, again, elsewhere and at once.

use serde_json::json;

use crate::support::{Person, password, stories, unique};

const ACTIVATE: &str = "/api/portal/auth/activate";
const ACCEPT: &str = "/api/portal/invitations/accept";

fn portal_user(client: &str) -> String {
    format!("/api/v1/clients/{client}/portal-user")
}

async fn clients_of(person: &Person) -> usize {
    let session = person.browser.get("/api/portal/auth/session").await.expect(200);
    session["clients"].as_array().unwrap().len()
}

stories! {
    async fn sending_again_kills_every_older_link(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let email = format!("{}@x.test", unique("ann"));
        let older = tenant.invited(world, &client, &email).await;
        let resend = format!("{}?action=resend", portal_user(&client));
        let again = tenant.owner.post(&resend, json!({ "email": email })).await.expect(200);
        assert_eq!((&again["invitation"]["sent_count"], &again["invite_mode"]), (&json!(2), &json!("setup")));
        let newer = world.mail(&email, 2).await.token();
        world.browser().post(ACTIVATE, json!({ "token": older, "password": password() })).await.problem(410, "token_revoked");
        world.browser().post(ACTIVATE, json!({ "token": newer, "password": password() })).await.expect(200);
        tenant.owner.post(&resend, json!({ "email": email })).await.problem(409, "already_activated");
        tenant.owner.post(&resend, json!({ "email": "nobody@x.test" })).await.problem(404, "not_found");
        tenant.owner.post(&portal_user(&client), json!({ "email": email })).await.problem(409, "portal_user_exists");
    }

    async fn somebody_of_this_tenant_joins_at_once_and_is_told(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let second = tenant.client("Second Ltd").await;
        let body = json!({ "email": person.email, "role": "admin" });
        let invited = tenant.owner.post(&portal_user(&second), body).await.expect(201);
        assert_eq!((&invited["invite_mode"], &invited["portal_user"]["status"]), (&json!("notification"), &json!("active")));
        let notice = world.mail(&person.email, 2).await;
        assert_eq!(notice.subject, "You now have access to Second Ltd at Blue Harbour");
        assert!(!notice.text.contains("token="));
        assert_eq!(clients_of(&person).await, 2);
        let body = json!({ "email": person.email, "password": person.password, "client_id": second });
        assert_eq!(world.browser().post("/api/portal/auth/sign-in", body).await.expect(200)["client"]["role"], "admin");
    }

    // ENUM-08, INV-04
    async fn somebody_of_another_tenant_looks_new_and_joins_by_accepting(world) {
        let (home, other) = (world.tenant().await, world.tenant().await);
        let person = home.person(world).await;
        let client = other.client("Elsewhere Ltd").await;
        let known = other.invite(&client, &person.email).await;
        let fresh = other.invite(&client, &format!("{}@x.test", unique("fresh"))).await;
        for field in ["mode", "status", "sent_count", "role"] {
            assert_eq!(known["invitation"][field], fresh["invitation"][field]);
        }
        assert_eq!(known["portal_user"]["status"], "invited");
        assert_eq!(known["portal_user"]["name"], "Robin Miller", "the name this tenant typed");
        assert_ne!(known["portal_user"]["id"], known["invitation"]["id"]);

        let mail = world.mail(&person.email, 2).await;
        assert!(mail.links[0].contains("/portal/accept-invitation#token="), "{mail:?}");
        let token = mail.token();
        // It sets no password and opens nothing for anybody else.
        world.browser().post(ACTIVATE, json!({ "token": token, "password": password() })).await.problem(404, "token_unknown");
        world.browser().post(ACCEPT, json!({ "token": token })).await.problem(401, "unauthenticated");
        let bystander = home.person(world).await;
        bystander.browser.post(ACCEPT, json!({ "token": token })).await.problem(409, "wrong_account");
        assert_eq!(clients_of(&person).await, 1);
        person.browser.post(ACCEPT, json!({ "token": token })).await.expect(204);
        person.browser.post(ACCEPT, json!({ "token": token })).await.problem(410, "token_used");
        assert_eq!(clients_of(&person).await, 2);
    }

    async fn one_setup_settles_the_tenants_others_and_offers_the_rest(world) {
        let (home, other) = (world.tenant().await, world.tenant().await);
        let email = format!("{}@x.test", unique("ann"));
        let (first, second, third) = (home.client("First").await, home.client("Second").await, other.client("Third").await);
        let setup = home.invited(world, &first, &email).await;
        home.invite(&second, &email).await;
        let sibling = world.mail(&email, 2).await.token();
        other.invite(&third, &email).await;
        let foreign = world.mail(&email, 3).await.token();

        let (browser, password) = (world.browser(), password());
        browser.post(ACTIVATE, json!({ "token": setup, "password": password })).await.expect(200);
        let person = Person { email: email.clone(), password, browser, client: first };
        assert_eq!(clients_of(&person).await, 2, "both of the same tenant");
        for dead in [sibling, foreign] {
            let body = json!({ "token": dead, "password": crate::support::password() });
            world.browser().post(ACTIVATE, body).await.problem(410, "token_revoked");
        }
        let offer = world.mail(&email, 4).await.token();
        person.browser.post(ACCEPT, json!({ "token": offer })).await.expect(204);
        assert_eq!(clients_of(&person).await, 3);
    }

    // INV-07, MSG-02
    async fn invitations_are_no_relay_for_spam(world) {
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
        assert_eq!(tenant.owner.post(&format!("{path}?action=explode"), json!({ "email": email })).await.bad_fields(), ["/action"]);
    }

    // EML-02
    async fn one_address_is_one_person_whoever_invites(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let name = unique("foo");
        let spellings = [format!("{name}@X.test"), format!("{}@x.TEST", name.to_uppercase()), format!(" {name}@x.test ")];
        let mut codes = Vec::new();
        for spelling in &spellings {
            codes.push(tenant.owner.post(&portal_user(&client), json!({ "email": spelling })).await.status);
        }
        assert_eq!(codes, [201, 409, 409]);
        // `a+x@` is somebody else.
        tenant.invite(&client, &format!("{name}+x@x.test")).await;
        world.mail(&format!("{name}@x.test"), 1).await;
    }
}
