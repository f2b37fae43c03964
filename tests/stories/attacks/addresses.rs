//! E-mail addresses as identities.

use std::{collections::BTreeMap, process::Command};

use serde_json::json;

use crate::support::{all_at_once, password, stories, unique};

fn portal_user(client: &str) -> String {
    format!("/api/v1/clients/{client}/portal-user")
}

stories! {
    async fn eml_02_one_address_invited_many_times_at_once_is_one_person(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let name = unique("foo");
        let spelling = |n: usize| match n % 3 {
            0 => format!("{name}@x.test"),
            1 => format!("{name}@X.Test"),
            _ => format!("{name}@x.test").to_uppercase(),
        };
        // Fewer than the recipient's limit of ten, which would answer first.
        let bodies = (0..8).map(|n| Some(json!({ "email": spelling(n) }))).collect();
        let browsers = (0..8).map(|_| tenant.owner.on_new_network()).collect();
        let counts = all_at_once(browsers, &portal_user(&client), bodies).await;
        assert_eq!(counts, BTreeMap::from([(201, 1), (409, 7)]));
        world.mail(&format!("{name}@x.test"), 1).await;
        let people = format!("SELECT count(*) FROM portal_users WHERE lower(email) = '{name}@x.test'");
        assert_eq!(world.sql(&people), "1");
    }

    async fn eml_02_one_address_is_one_person_whoever_invites(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let name = unique("foo");
        let spellings = [format!("{name}@X.test"), format!("{}@x.TEST", name.to_uppercase()), format!(" {name}@x.test ")];
        let mut codes = Vec::new();
        for spelling in &spellings {
            codes.push(tenant.owner.post(&portal_user(&client), json!({ "email": spelling })).await.status);
        }
        assert_eq!(codes, [201, 409, 409]);
        // Another tenant invites the same person, not a second one.
        let other = world.tenant().await;
        let elsewhere = other.client("Elsewhere Ltd").await;
        other.invite(&elsewhere, &spellings[1]).await;
        // `a+x@` is somebody else.
        tenant.invite(&client, &format!("{name}+x@x.test")).await;
        world.mail(&format!("{name}@x.test"), 2).await;
        let people = format!("SELECT count(*) FROM portal_users WHERE email LIKE '{name}%'");
        assert_eq!(world.sql(&people), "2");
    }

    async fn eml_02_the_database_takes_one_row_an_address_and_only_its_normal_form(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let refuses = |sql: &str| {
            let url = world.setting("DATABASE_URL");
            let output = match url.strip_prefix("sqlite:") {
                Some(path) => Command::new("sqlite3").args(["-cmd", ".timeout 10000", path, sql]).output(),
                None => Command::new("psql").args([url, "-v", "ON_ERROR_STOP=1", "-qc", sql]).output(),
            };
            !output.unwrap().status.success()
        };
        let copy = |id: &str, email: &str| {
            let id = if world.apis.len() == 1 { format!("x'{id}'") } else { format!("'{id}'") };
            format!(
                "INSERT INTO portal_users (id, email, name, credential_version, created_at) \
                 SELECT {id}, {email}, name, 0, created_at FROM portal_users WHERE email = '{}'",
                person.email
            )
        };
        assert!(refuses(&copy("01a1fdbaf86f76f5b2964e548b3691a0", "email")));
        assert!(refuses(&copy("01a1fdbaf86f76f5b2964e548b3691a1", "upper(email)")));
        // The same statement with an address that is free is taken, so it was the address.
        let free = unique("free");
        assert!(!refuses(&copy(&format!("{:032x}", std::process::id() * 2 + u32::from(world.apis.len() == 1)), &format!("'{free}@x.test'"))));
    }

    async fn eml_05_whether_an_address_is_proved_is_not_the_clients_to_say(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let email = format!("{}@x.test", unique("ann"));
        let claims = [("email_verified", json!(true)), ("verified_at", json!("2026-01-01T00:00:00Z")), ("isVerified", json!({ "isVerified": true })), ("status", json!("active")), ("password", json!(password()))];
        for (field, value) in &claims {
            let body = json!({ "email": email, *field: value });
            assert_eq!(tenant.owner.post(&portal_user(&client), body).await.bad_fields(), [format!("/{field}")]);
        }
        let token = tenant.invited(world, &client, &email).await;
        for (field, value) in &claims[..4] {
            let body = json!({ "token": token, "password": password(), *field: value });
            assert_eq!(world.browser().post("/api/portal/auth/activate", body).await.bad_fields(), [format!("/{field}")]);
        }
        // Inviting proved nothing: without the link there is no way in.
        let body = json!({ "email": email, "password": password() });
        world.browser().post("/api/portal/auth/sign-in", body).await.problem(401, "invalid_credentials");
        let body = json!({ "token": token, "password": password(), "email": "other@x.test" });
        assert_eq!(world.browser().post("/api/portal/auth/activate", body).await.bad_fields(), ["/email"]);
        let opened = world.browser().post("/api/portal/auth/activate", json!({ "token": token, "password": password() })).await.expect(200);
        assert_eq!(opened["user"]["email"], email.as_str());
    }
}
