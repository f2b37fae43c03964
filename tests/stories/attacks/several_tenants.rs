//! ENUM-08 cases: a tenant that invites a person learns nothing of the person's other tenants and changes nothing
//! there.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{
    Tenant, World, eventually, password,
    paths::{self, AUDIT_EVENTS, CHANGE_PASSWORD},
    stories, unique_email,
};

/// Returns what a tenant sees of its newest invitation of an address, without ids and times.
async fn seen(tenant: &Tenant, client: &str, email: &str) -> Value {
    let list = tenant.owner.get(&format!("{}?q={email}", paths::invitations(client))).await.expect(200);
    let found = &list["data"][0];
    json!({ "status": found["status"], "delivery": found["delivery"]["status"], "sent_count": found["sent_count"] })
}

/// Lets every invitation of an address expire.
fn expire(world: &World, email: &str) {
    world.sql(&format!("UPDATE invitations SET expires_at = created_at WHERE email = '{email}'"));
}

stories! {
    async fn enum_08_a_tenant_sees_no_password_event_of_a_person_who_has_not_joined(world) {
        let (home, other) = (world.tenant().await, world.tenant().await);
        let person = home.person(world).await;
        other.invite(&other.client("Elsewhere Ltd").await, &person.email).await;
        let new = password();
        let change = json!({ "current_password": person.password, "new_password": new });
        person.browser.post(CHANGE_PASSWORD, change).await.expect(204);
        for (tenant, count) in [(&home, 1), (&other, 0)] {
            let found = tenant.owner.get(&format!("{AUDIT_EVENTS}?action=password.changed")).await.expect(200);
            assert_eq!(found["data"].as_array().unwrap().len(), count, "{found}");
        }
    }

    async fn enum_08_a_renewal_by_the_person_is_shown_to_no_inviter(world) {
        let (home, other) = (world.tenant().await, world.tenant().await);
        let client = other.client("Elsewhere Ltd").await;
        let (known, newcomer, invited_later) = (home.person(world).await.email, unique_email("kim"), unique_email("kim"));
        for email in [&known, &newcomer, &invited_later] {
            other.invite(&client, email).await;
        }
        let newer = home.client("Acme Ltd").await;
        home.invite(&newer, &invited_later).await;
        for (email, nth) in [(&known, 2), (&newcomer, 1), (&invited_later, 2)] {
            world.mail(email, nth).await;
            expire(world, email);
        }
        world.browser().forgot_password(&known).await.expect(200);
        world.browser().forgot_password(&newcomer).await.expect(200);
        world.browser().resend_activation(&invited_later).await.expect(200);
        let mut shown = Vec::new();
        for (email, nth) in [(&known, 3), (&newcomer, 2), (&invited_later, 3)] {
            world.mail(email, nth).await;
            shown.push(seen(&other, &client, email).await);
            let pending = format!("{}?status=pending&q={email}", paths::INVITATIONS);
            assert_eq!(other.owner.get(&pending).await.expect(200)["data"], json!([]), "{email}");
        }
        assert_eq!(shown, vec![json!({ "status": "expired", "delivery": "sent", "sent_count": 1 }); 3]);
        // The renewed link works.
        let token = world.mail(&newcomer, 2).await.token();
        world.browser().activate(&token, &password()).await.expect(200);
        assert_eq!(seen(&other, &client, &newcomer).await["status"], "accepted");
    }

    async fn enum_08_a_person_has_the_name_and_language_of_the_invitation_that_they_accept(world) {
        let (other, home) = (world.tenant().await, world.tenant().await);
        let (email, elsewhere) = (unique_email("bea"), other.client("Elsewhere Ltd").await);
        let planted = json!({ "email": email, "name": "Planted", "locale": "fr" });
        other.owner.post(&paths::portal_user(&elsewhere), planted).await.expect(201);
        let body = json!({ "email": email, "name": "Bea", "locale": "de" });
        home.owner.post(&paths::portal_user(&home.client("Acme Ltd").await), body).await.expect(201);
        let mails = eventually("both invitations arrive", || async {
            Some(world.mails(&email).await).filter(|mails| mails.len() == 2)
        });
        let mails = mails.await;
        let of_home = mails.iter().find(|mail| mail.text.contains("Guten Tag Bea,")).unwrap();
        let session = world.browser().activate(&of_home.token(), &password()).await.expect(200);
        assert_eq!((&session["user"]["name"], &session["user"]["locale"]), (&json!("Bea"), &json!("de")));
    }

    async fn enum_08_an_archived_client_of_another_tenant_hides_no_invitation(world) {
        let (home, other) = (world.tenant().await, world.tenant().await);
        let (email, elsewhere) = (unique_email("kim"), other.client("Elsewhere Ltd").await);
        home.invite(&home.client("Acme Ltd").await, &email).await;
        other.invite(&elsewhere, &email).await;
        world.mail(&email, 2).await;
        other.owner.patch(&format!("{}/{elsewhere}", paths::CLIENTS), json!({ "status": "archived" })).await.expect(200);
        world.browser().resend_activation(&email).await.expect(200);
        let token = world.mail(&email, 3).await.token();
        let session = world.browser().activate(&token, &password()).await.expect(200);
        assert_eq!(session["client"]["name"], "Acme Ltd");
    }

    async fn msg_03_an_invitation_changes_no_mail_of_another_tenant(world) {
        let (home, other) = (world.tenant().await, world.tenant().await);
        world.sql(&format!("UPDATE tenants SET name = 'Red Quay' WHERE slug = '{}'", home.slug));
        let person = home.person(world).await;
        other.invite(&other.client("Elsewhere Ltd").await, &person.email).await;
        world.mail(&person.email, 2).await;
        person.request_reset(world, 3).await;
        assert!(world.mail(&person.email, 3).await.text.contains("Red Quay"));
    }

    async fn inv_01_of_concurrent_resends_the_link_of_one_stays_valid(world) {
        let tenant = world.tenant().await;
        let (client, email) = (tenant.client("Acme Ltd").await, unique_email("ann"));
        tenant.invite_for_token(world, &client, &email).await;
        let resend = paths::resend_invitation(&client);
        let resends = (0..8).map(|_| tenant.owner.post(&resend, json!({ "email": email })));
        for response in join_all(resends).await {
            response.expect(200);
        }
        let queued = format!("SELECT count(*) FROM emails WHERE recipient = '{email}' AND status = 'queued'");
        world.wait_for_sql("every mail is sent or suppressed", &queued, "0").await;
        let mut valid = 0;
        for mail in world.mails(&email).await {
            valid += usize::from(world.browser().check_token(&mail.token()).await.status == 200);
        }
        assert_eq!(valid, 1);
    }
}
