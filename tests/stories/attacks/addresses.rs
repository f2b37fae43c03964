//! EML cases: one e-mail address is one person, and a client cannot claim that an address is verified.

use std::{collections::BTreeMap, process::Command};

use serde_json::{Value, json};

use crate::support::{
    Invitation, World, new_password, password,
    paths::{self, ACTIVATE},
    post_concurrently, stories, unique,
};

/// Returns the number of people whose address meets the SQL condition.
fn people_where(world: &World, condition: &str) -> usize {
    world.count(&format!("SELECT count(*) FROM portal_users WHERE {condition}"))
}

/// Fields by which a client could claim that an address is verified.
fn claims_of_verification() -> [(&'static str, Value); 4] {
    [
        ("email_verified", json!(true)),
        ("verified_at", json!("2026-01-01T00:00:00Z")),
        ("isVerified", json!({ "isVerified": true })),
        ("status", json!("active")),
    ]
}

stories! {
    async fn eml_02_concurrent_invitations_of_one_address_make_one_person(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let name = unique("foo");
        let spellings =
            [format!("{name}@x.test"), format!("{name}@X.Test"), format!("{name}@x.test").to_uppercase()];
        // At most ten, the rate limit of one recipient.
        let bodies = spellings.iter().cycle().take(8).map(|email| Some(json!({ "email": email }))).collect();
        let counts = post_concurrently(tenant.owner.on_new_networks(8), &paths::portal_user(&client), bodies).await;
        assert_eq!(counts, BTreeMap::from([(201, 1), (409, 7)]));
        world.mail(&format!("{name}@x.test"), 1).await;
        assert_eq!(people_where(world, &format!("lower(email) = '{name}@x.test'")), 1);
    }

    async fn eml_02_all_spellings_of_an_address_are_one_person_in_every_tenant(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let name = unique("foo");
        let upper_case = format!("{}@x.TEST", name.to_uppercase());
        for (spelling, status) in
            [(&format!("{name}@X.test"), 201), (&upper_case, 409), (&format!(" {name}@x.test "), 409)]
        {
            tenant.owner.post(&paths::portal_user(&client), json!({ "email": spelling })).await.expect(status);
        }
        let other = world.tenant().await;
        other.invite(&other.client("Elsewhere Ltd").await, &upper_case).await;
        // An address with a tag is another person.
        tenant.invite(&client, &format!("{name}+x@x.test")).await;
        world.mail(&format!("{name}@x.test"), 2).await;
        assert_eq!(people_where(world, &format!("email LIKE '{name}%'")), 2);
    }

    async fn eml_02_the_database_refuses_a_second_row_and_other_spellings_of_an_address(world) {
        let person = world.tenant().await.person(world).await;
        assert!(!copy_person(world, &person.email, "01a1fdbaf86f76f5b2964e548b3691a0", "email"));
        assert!(!copy_person(world, &person.email, "01a1fdbaf86f76f5b2964e548b3691a1", "upper(email)"));
        // The same statement works with an unused address, so the address was the reason.
        let id = format!("{:032x}", std::process::id() * 2 + u32::from(world.apis.len() == 1));
        assert!(copy_person(world, &person.email, &id, &format!("'{}@x.test'", unique("unused"))));
    }

    async fn eml_05_an_invitation_cannot_claim_that_an_address_is_verified(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        for (field, value) in claims_of_verification().into_iter().chain([("password", json!(password()))]) {
            let body = json!({ "email": "ann@x.test", field: value });
            let response = tenant.owner.post(&paths::portal_user(&client), body).await;
            response.assert_problem(&format!("422 validation_failed: /{field} unknown_field"));
        }
    }

    async fn eml_05_an_activation_cannot_claim_verification_or_another_address(world) {
        let Invitation { email, token, .. } = world.tenant().await.create_invitation(world).await;
        for (field, value) in claims_of_verification().into_iter().chain([("email", json!("other@x.test"))]) {
            let mut body = new_password(&token, &password());
            body[field] = value;
            let response = world.browser().post(ACTIVATE, body).await;
            response.assert_problem(&format!("422 validation_failed: /{field} unknown_field"));
        }
        // An invitation verifies nothing: without its link the address cannot sign in.
        world.browser().sign_in(&email, &password()).await.assert_problem("401 invalid_credentials");
        let session = world.browser().activate(&token, &password()).await.expect(200);
        assert_eq!(session["user"]["email"], email.as_str());
    }
}

/// Inserts a copy of the person with this id, in hexadecimal digits, and the address that an SQL expression returns.
/// Returns false if the database refuses the row.
fn copy_person(world: &World, email: &str, id: &str, address: &str) -> bool {
    let url = world.setting("DATABASE_URL");
    let sqlite = url.strip_prefix("sqlite:");
    let id = if sqlite.is_some() { format!("x'{id}'") } else { format!("'{id}'") };
    let sql = format!(
        "INSERT INTO portal_users (id, email, name, credential_version, created_at) \
         SELECT {id}, {address}, name, 0, created_at FROM portal_users WHERE email = '{email}'"
    );
    let output = match sqlite {
        Some(path) => Command::new("sqlite3").args(["-cmd", ".timeout 10000", path, &sql]).output(),
        None => Command::new("psql").args([url, "-v", "ON_ERROR_STOP=1", "-qc", &sql]).output(),
    };
    output.unwrap().status.success()
}
