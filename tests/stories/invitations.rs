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
        let (older, newer) = tenant.invited_twice(world, &client, &email).await;
        let resend = format!("{}?action=resend", portal_user(&client));
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

}
