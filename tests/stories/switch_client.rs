//! A person of several clients switches between them in one session.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{
    Browser, Person, Response, Tenant, World, cookies,
    paths::{self, SWITCH_CLIENT},
    post_concurrently, stories,
};

/// A UUID that is no id of a row.
const UNKNOWN: &str = "01a1fdba-f86f-76f5-b296-4e548b3691ab";

async fn switch(browser: &Browser, client: &str) -> Response {
    browser.post(SWITCH_CLIENT, json!({ "client_id": client })).await
}

/// Makes the person an active member of another client of the tenant, and returns the client. The notice is the `nth`
/// mail to the person.
async fn join_another(world: &World, tenant: &Tenant, person: &Person, name: &str, nth: usize) -> String {
    let client = tenant.client(name).await;
    tenant.invite(&client, &person.email).await;
    world.mail(&person.email, nth).await;
    client
}

/// The id of the client that the session acts for.
async fn current_client(browser: &Browser) -> Value {
    browser.session().await.expect(200)["client"]["id"].clone()
}

stories! {
    async fn a_session_switches_to_another_client_and_keeps_its_id(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let second = join_another(world, &tenant, &person, "Second Ltd", 2).await;
        let before = person.browser.session().await.expect(200);
        let switched = switch(&person.browser, &second).await.expect(200);
        assert_eq!((&switched["status"], &switched["client"]["name"]), (&json!("signed_in"), &json!("Second Ltd")));
        let after = person.browser.session().await.expect(200);
        assert_eq!(after["client"]["id"], second);
        assert_eq!(after["session"], before["session"]);
        person.browser.refresh().await.expect(200);
        assert_eq!(current_client(&person.browser).await, second);
        switch(&person.browser, &person.client).await.expect(200);
        assert_eq!(current_client(&person.browser).await, person.client);
    }

    async fn a_token_that_names_the_former_client_is_refused_on_every_process(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let second = join_another(world, &tenant, &person, "Second Ltd", 2).await;
        let former = person.browser.on_new_network();
        switch(&person.browser, &second).await.expect(200);
        for api in &world.apis {
            let former = former.moved_to(std::slice::from_ref(api));
            former.session().await.assert_problem("401 unauthenticated");
            former.get(paths::PROFILE).await.assert_problem("401 unauthenticated");
            switch(&former, &person.client).await.assert_problem("401 unauthenticated");
        }
        // Another tab refreshes, and then acts for the new client too.
        former.refresh().await.expect(200);
        assert_eq!(current_client(&former).await, second);
    }

    async fn a_sign_in_without_a_client_selects_the_one_that_was_switched_to_last(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let second = join_another(world, &tenant, &person, "Second Ltd", 2).await;
        assert_eq!(tenant.member(&second, &person.email).await["last_sign_in_at"], Value::Null);
        switch(&person.browser, &second).await.expect(200);
        assert!(tenant.member(&second, &person.email).await["last_sign_in_at"].is_string());
        let browser = world.browser();
        assert_eq!(person.sign_in(&browser).await["client"]["id"], second);
        switch(&person.browser, &person.client).await.expect(200);
        assert_eq!(person.sign_in(&browser).await["client"]["id"], person.client);
    }

    async fn only_an_active_membership_of_an_open_client_can_be_switched_to(world) {
        let (tenant, other) = (world.tenant().await, world.tenant().await);
        let (person, other_person) = (tenant.person(world).await, tenant.person(world).await);
        let disabled = join_another(world, &tenant, &person, "Disabled Ltd", 2).await;
        let archived = join_another(world, &tenant, &person, "Archived Ltd", 3).await;
        let removed = join_another(world, &tenant, &person, "Removed Ltd", 4).await;
        let invited = other.client("Invited Ltd").await;
        other.invite_again_for_token(world, &invited, &person.email, 5).await;
        let path = tenant.member_path(&disabled, &person.email).await;
        tenant.owner.patch(&path, json!({ "status": "disabled" })).await.expect(200);
        tenant.owner.patch(&paths::client(&archived), json!({ "status": "archived" })).await.expect(200);
        let path = tenant.member_path(&removed, &person.email).await;
        tenant.owner.delete(&path).await.expect(204);
        for client in [&*disabled, &archived, &removed, &invited, &other_person.client, UNKNOWN] {
            switch(&person.browser, client).await.assert_problem("404 not_found");
        }
        assert_eq!(current_client(&person.browser).await, person.client);
        for id in ["not-an-id", ""] {
            switch(&person.browser, id).await.assert_problem("422 validation_failed: /client_id uuid_invalid");
        }
        switch(&world.browser(), &person.client).await.assert_problem("401 unauthenticated");
    }

    async fn a_client_of_a_suspended_tenant_cannot_be_switched_to(world) {
        let (tenant, other) = (world.tenant().await, world.tenant().await);
        let person = tenant.person(world).await;
        let elsewhere = other.client("Elsewhere Ltd").await;
        let token = other.invite_again_for_token(world, &elsewhere, &person.email, 2).await;
        person.browser.accept_invitation(&token).await.expect(204);
        world.run(&["tenant", "suspend", "--slug", &other.slug]);
        switch(&person.browser, &elsewhere).await.assert_problem("404 not_found");
        world.run(&["tenant", "restore", "--slug", &other.slug]);
        switch(&person.browser, &elsewhere).await.expect(200);
    }

    async fn one_of_twenty_concurrent_switches_succeeds(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let second = join_another(world, &tenant, &person, "Second Ltd", 2).await;
        let third = join_another(world, &tenant, &person, "Third Ltd", 3).await;
        let bodies = (0..20).map(|n| Some(json!({ "client_id": if n % 2 == 0 { &second } else { &third } })));
        let browsers = person.browser.on_new_networks(20);
        let counts = post_concurrently(browsers, SWITCH_CLIENT, bodies.collect()).await;
        assert_eq!(counts, BTreeMap::from([(200, 1), (401, 19)]));
        person.browser.refresh().await.expect(200);
        assert!([json!(second), json!(third)].contains(&current_client(&person.browser).await));
    }

    // An access token may be copied from a log or from another program. It must not become a session of 30 days.
    async fn a_switch_with_an_access_token_gives_no_refresh_token(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let token = person.browser.cookie(cookies::PORTAL_ACCESS).unwrap();
        let (thief, body) = (world.browser(), json!({ "client_id": person.client }));
        let headers = [("authorization", &*format!("Bearer {token}"))];
        thief.post_with_headers(SWITCH_CLIENT, body, &headers).await.expect(200);
        assert!(thief.cookie(cookies::PORTAL_ACCESS).is_some() && thief.cookie(cookies::PORTAL_REFRESH).is_none());
    }
}
