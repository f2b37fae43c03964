//! The language of mails: that of the person, else that of the invitation, else that of the tenant, else English.

use serde_json::json;

use crate::support::{
    Deployment, Mail, Tenant, World, password,
    paths::{PROFILE, STAFF_PROFILE, STAFF_TOKENS, portal_user},
    stories, unique, unique_email,
};

/// Invites a new address to the client Acme Ltd in this language, and returns the address and the mail.
async fn invited_in(world: &World, tenant: &Tenant, locale: &str) -> (String, Mail) {
    let (client, email) = (tenant.client("Acme Ltd").await, unique_email("robin"));
    let body = json!({ "email": email, "name": "Robin Miller", "locale": locale });
    tenant.owner.post(&portal_user(&client), body).await.expect(201);
    let mail = world.mail(&email, 1).await;
    (email, mail)
}

#[track_caller]
fn assert_written(mail: &Mail, language: &str, subject: &str, part: &str) {
    assert_eq!(mail.subject, subject);
    assert!(mail.html.contains(&format!("<html lang=\"{language}\">")), "{mail:?}");
    assert!(mail.text.contains(part) && mail.html.contains(part), "{part} {mail:?}");
}

stories! {
    async fn a_person_gets_all_mails_in_the_language_of_the_invitation(world) {
        let tenant = world.tenant().await;
        let (email, invitation) = invited_in(world, &tenant, "de-CH").await;
        assert_written(&invitation, "de", "Blue Harbour lädt Sie zu Acme Ltd ein", " Uhr (UTC)");
        world.browser().activate(&invitation.token(), &password()).await.expect(200);
        world.browser().forgot_password(&email).await.expect(200);
        let reset = world.mail(&email, 2).await;
        assert_written(&reset, "de", "Neues Passwort für Blue Harbour festlegen", "Neues Passwort festlegen");
        world.browser().reset_password(&reset.token(), &password()).await.expect(200);
        let changed = world.mail(&email, 3).await;
        assert_written(&changed, "de", "Ihr Passwort für Blue Harbour wurde geändert", "Neues Passwort anfordern");
        tenant.invite(&tenant.client("Second Ltd").await, &email).await;
        let access = world.mail(&email, 4).await;
        assert_written(&access, "de", "Sie haben jetzt Zugang zu Second Ltd bei Blue Harbour", "Zum Portal");
    }

    async fn a_sign_in_from_an_unknown_device_is_reported_in_the_language_of_the_person(world) {
        let person = world.tenant().await.person(world).await;
        person.browser.patch(PROFILE, json!({ "locale": "de" })).await.expect(200);
        person.sign_in(&world.browser()).await;
        let notice = world.mail(&person.email, 2).await;
        assert_written(&notice, "de", "Neue Anmeldung bei Blue Harbour", "Gerät: Unbekanntes Gerät");
        world.browser().check_token(&notice.token()).await.expect(200);
    }

    async fn the_language_in_a_profile_is_stronger_than_that_of_an_invitation(world) {
        let person = world.tenant().await.person(world).await;
        person.browser.patch(PROFILE, json!({ "locale": "fr-BE" })).await.expect(200);
        let other = world.tenant().await;
        let body = json!({ "email": person.email, "locale": "de" });
        other.owner.post(&portal_user(&other.client("Zweite AG").await), body).await.expect(201);
        let invitation = world.mail(&person.email, 2).await;
        let title = "Blue Harbour vous invite à rejoindre Zweite AG";
        assert_written(&invitation, "fr", title, "Accepter l’invitation");
        person.browser.patch(PROFILE, json!({ "locale": null })).await.expect(200);
        world.browser().forgot_password(&person.email).await.expect(200);
        let reset = world.mail(&person.email, 3).await;
        assert_written(&reset, "en", "Choose a new password for Blue Harbour", "Choose a new password");
    }

    async fn a_person_of_several_tenants_gets_a_neutral_mail_in_their_language(world) {
        let person = world.tenant().await.person(world).await;
        let other = world.tenant().await;
        let token = other.invite_again_for_token(world, &other.client("Other Ltd").await, &person.email, 2).await;
        person.browser.accept_invitation(&token).await.expect(204);
        person.browser.patch(PROFILE, json!({ "locale": "de" })).await.expect(200);
        world.browser().forgot_password(&person.email).await.expect(200);
        let reset = world.mail(&person.email, 3).await;
        assert_written(&reset, "de", "Neues Passwort für Kundenportal festlegen", "Guten Tag Robin Miller,");
    }

    async fn the_language_of_a_tenant_is_that_of_persons_without_one(world) {
        let slug = unique("tenant");
        world.run(&["tenant", "add", &slug, "--name", "Puerto Azul", "--locale", "es-419"]);
        assert_eq!(world.run_json(&["tenant", "show", &slug, "--json"])["default_locale"], "es-419");
        let (owner_email, owner) = (format!("owner@{slug}.test"), world.browser());
        world.add_staff(&slug, &owner_email, "owner");
        let welcome = world.mail(&owner_email, 1).await;
        assert_written(&welcome, "es", "Ahora forma parte del equipo de Puerto Azul", "Iniciar sesión");
        world.sign_in_staff(&owner, &owner_email, 2).await;
        let tenant = Tenant { slug, owner, owner_email };
        let invitation = tenant.create_invitation(world).await;
        let mail = world.mail(&invitation.email, 1).await;
        assert_written(&mail, "es", "Puerto Azul le invita a Acme Ltd", "Establecer una contraseña");
        let (_, mail) = invited_in(world, &tenant, "en").await;
        assert_written(&mail, "en", "Puerto Azul invites you to Acme Ltd", "Choose a password");
    }

    async fn staff_users_get_codes_and_notices_in_the_language_of_their_profile(world) {
        let Tenant { owner, owner_email, .. } = world.tenant().await;
        owner.patch(STAFF_PROFILE, json!({ "locale": "fr" })).await.expect(200);
        let browser = world.browser();
        world.sign_in_staff(&browser, &owner_email, 2).await;
        let code = world.mail(&owner_email, 2).await;
        assert_written(&code, "fr", "Votre code de connexion pour Blue Harbour", "pendant 10 minutes");
        browser.post(STAFF_TOKENS, json!({ "name": "Export", "scopes": ["clients:read"] })).await.expect(201);
        let notice = world.mail(&owner_email, 3).await;
        let title = "Un jeton d’API a été créé pour Blue Harbour";
        assert_written(&notice, "fr", title, "«\u{a0}Export\u{a0}»");
    }
}

#[tokio::test]
async fn the_header_of_a_mail_names_its_language() {
    let world = World::shared(Deployment::Cluster).await;
    let tenant = world.tenant().await;
    for (locale, language) in [("fr-CA", "fr"), ("de", "de"), ("en-GB", "en")] {
        let (email, _) = invited_in(&world, &tenant, locale).await;
        let messages = world.sink().messages(&email).await;
        assert_eq!(messages[0]["headers"]["content-language"], language);
    }
}
