//! The profile: what a person changes about their own account.

use serde_json::{Value, json};

use crate::support::{
    Person, Response, World,
    paths::{self, PROFILE},
    stories,
};

async fn update(person: &Person, body: Value) -> Response {
    person.browser.patch(PROFILE, body).await
}

/// A person of a new tenant.
async fn person(world: &World) -> Person {
    world.tenant().await.person(world).await
}

stories! {
    async fn a_person_changes_their_name_and_language(world) {
        let person = person(world).await;
        let before = person.browser.get(PROFILE).await.expect(200);
        assert_eq!(before, person.browser.session().await.expect(200)["user"]);
        assert_eq!((&before["name"], &before["locale"]), (&json!("Robin Miller"), &Value::Null));
        let changed = update(&person, json!({ "name": " Robin Oak ", "locale": "DE-ch" })).await.expect(200);
        assert_eq!((&changed["name"], &changed["locale"]), (&json!("Robin Oak"), &json!("de-CH")));
        assert_eq!(person.browser.get(PROFILE).await.expect(200), changed);
        for (body, name, locale) in [
            (json!({ "name": "Robin Ash" }), "Robin Ash", json!("de-CH")),
            (json!({ "locale": null, "name": null }), "Robin Ash", Value::Null),
            (json!({ "locale": "es-419" }), "Robin Ash", json!("es-419")),
            (json!({}), "Robin Ash", json!("es-419")),
        ] {
            let changed = update(&person, body).await.expect(200);
            assert_eq!((&changed["name"], &changed["locale"]), (&json!(name), &locale));
        }
    }

    async fn a_tenant_keeps_the_name_that_it_has_entered(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        update(&person, json!({ "name": "Robin Oak" })).await.expect(200);
        assert_eq!(tenant.member(&person.client, &person.email).await["name"], "Robin Miller");
        assert_eq!(person.browser.session().await.expect(200)["user"]["name"], "Robin Oak");
        world.browser().forgot_password(&person.email).await.expect(200);
        let mail = world.mail(&person.email, 2).await;
        assert!(mail.text.contains("Robin Oak") && !mail.text.contains("Robin Miller"), "{mail:?}");
    }

    async fn az_02_a_profile_takes_its_own_fields_only(world) {
        let person = person(world).await;
        let before = person.browser.session().await.expect(200);
        for field in [
            "role", "roles", "email", "id", "status", "disabled", "password", "tenant_id", "client_id", "is_staff",
            "permissions", "emailVerified", "created_at", "credential_version",
        ] {
            let problem = format!("422 validation_failed: /{field} unknown_field");
            update(&person, json!({ field: "admin", "name": "Robin Oak" })).await.assert_problem(&problem);
        }
        assert_eq!(person.browser.session().await.expect(200), before);
    }

    async fn names_and_languages_that_are_not_valid_are_refused(world) {
        let person = person(world).await;
        let long = "x".repeat(101);
        for (name, problem) in [
            ("", "name_empty"), ("\u{200b}", "name_empty"), (&*long, "name_too_long"), ("www.evil.test", "name_invalid"),
            ("a\nb", "name_invalid"),
        ] {
            let problem = format!("422 validation_failed: /name {problem}");
            update(&person, json!({ "name": name })).await.assert_problem(&problem);
        }
        for locale in ["", "xx-YY", "it", "en_US", "en-USA", "../../etc/passwd", "deutsch", &"de-".repeat(3_000)] {
            let response = update(&person, json!({ "locale": locale })).await;
            response.assert_problem("422 validation_failed: /locale locale_invalid");
        }
        for (body, problem) in [
            (json!({ "name": 1, "locale": [] }), "422 validation_failed: /locale invalid, /name invalid"),
            (json!([]), "422 validation_failed: (body) invalid"),
            (json!({ "locale": "en\u{0}" }), "400 malformed_request"),
        ] {
            update(&person, body).await.assert_problem(problem);
        }
        assert_eq!(person.browser.get(PROFILE).await.expect(200)["name"], "Robin Miller");
    }

    async fn a_profile_needs_a_portal_session(world) {
        let tenant = world.tenant().await;
        for browser in [&world.browser(), &tenant.owner] {
            browser.get(PROFILE).await.assert_problem("401 unauthenticated");
            browser.patch(PROFILE, json!({ "name": "x" })).await.assert_problem("401 unauthenticated");
        }
        let person = tenant.person(world).await;
        tenant.owner.patch(&paths::client(&person.client), json!({ "status": "archived" })).await.expect(200);
        update(&person, json!({ "name": "x" })).await.assert_problem("401 session_revoked");
    }

    async fn concurrent_changes_of_different_fields_both_remain(world) {
        let person = person(world).await;
        for n in 0..5 {
            let name = format!("Robin {n}");
            let locale = if n % 2 == 0 { "fr" } else { "es" };
            let (named, localized) =
                tokio::join!(update(&person, json!({ "name": name })), update(&person, json!({ "locale": locale })));
            named.expect(200);
            localized.expect(200);
            let profile = person.browser.get(PROFILE).await.expect(200);
            assert_eq!((&profile["name"], &profile["locale"]), (&json!(name), &json!(locale)));
        }
    }
}
