//! Many at once: one winner, and nobody is answered with a failure of ours.

use std::{collections::BTreeMap, sync::Arc};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::{Browser, password, stories, unique};

/// Sends the bodies all at once, each from a network of its own, and counts the statuses.
async fn all_at_once(browsers: Vec<Browser>, path: &str, bodies: Vec<Option<Value>>) -> BTreeMap<u16, usize> {
    let start = Arc::new(tokio::sync::Barrier::new(browsers.len()));
    let mut tasks = JoinSet::new();
    for (browser, body) in browsers.into_iter().zip(bodies) {
        let (path, start) = (path.to_owned(), start.clone());
        tasks.spawn(async move {
            start.wait().await;
            browser.send(Method::POST, &path, body.map(|body| body.to_string()), &[]).await.status
        });
    }
    let mut counts = BTreeMap::new();
    while let Some(status) = tasks.join_next().await {
        *counts.entry(status.unwrap()).or_default() += 1;
    }
    counts
}

stories! {
    async fn fifty_uses_of_one_reset_link_have_one_winner(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let token = person.forgets(world, 2).await;
        let bodies = (0..50).map(|_| Some(json!({ "token": token, "password": password() }))).collect();
        let browsers = (0..50).map(|_| world.browser()).collect();
        let counts = all_at_once(browsers, "/api/portal/auth/reset-password", bodies).await;
        assert_eq!(counts, BTreeMap::from([(200, 1), (410, 49)]));
        world.mail(&person.email, 3).await;
    }

    // INV-01
    async fn fifty_uses_of_one_setup_link_have_one_winner(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let token = tenant.invited(world, &client, &format!("{}@x.test", unique("ann"))).await;
        let bodies = (0..50).map(|_| Some(json!({ "token": token, "password": password() }))).collect();
        let browsers = (0..50).map(|_| world.browser()).collect();
        let counts = all_at_once(browsers, "/api/portal/auth/activate", bodies).await;
        assert_eq!(counts, BTreeMap::from([(200, 1), (410, 49)]));
    }

    // OTP-01, OTP-04
    async fn many_uses_of_one_code_have_one_winner_and_five_tries_are_five(world) {
        let tenant = world.tenant().await;
        let send = "/api/staff/auth/send-code";
        let sent = world.browser().post(send, json!({ "email": tenant.owner_email })).await.expect(200);
        let code = world.mail(&tenant.owner_email, 2).await.code.unwrap();
        let bodies = (0..10).map(|_| Some(json!({ "flow": sent["flow"], "code": code }))).collect();
        let browsers = (0..10).map(|_| world.browser()).collect();
        let counts = all_at_once(browsers, "/api/staff/auth/verify-code", bodies).await;
        assert_eq!(counts, BTreeMap::from([(200, 1), (401, 9)]));

        let sent = world.browser().post(send, json!({ "email": tenant.owner_email })).await.expect(200);
        let code = world.mail(&tenant.owner_email, 3).await.code.unwrap();
        let wrong = format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000);
        let bodies = (0..12).map(|_| Some(json!({ "flow": sent["flow"], "code": wrong }))).collect();
        let browsers = (0..12).map(|_| world.browser()).collect();
        assert_eq!(all_at_once(browsers, "/api/staff/auth/verify-code", bodies).await, BTreeMap::from([(401, 12)]));
        let right = json!({ "flow": sent["flow"], "code": code });
        world.browser().post("/api/staff/auth/verify-code", right).await.problem(401, "invalid_code");
    }

    // EML-02
    async fn one_address_invited_many_times_at_once_is_one_person(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let name = unique("foo");
        let spelling = |n: usize| if n.is_multiple_of(2) { format!("{name}@x.test") } else { format!("{name}@X.TEST").to_uppercase() };
        // Fewer than the recipient's limit of ten, which would answer first.
        let bodies = (0..8).map(|n| Some(json!({ "email": spelling(n) }))).collect();
        let browsers = (0..8).map(|_| tenant.owner.moved()).collect();
        let counts = all_at_once(browsers, &format!("/api/v1/clients/{client}/portal-user"), bodies).await;
        assert_eq!(counts, BTreeMap::from([(201, 1), (409, 7)]));
        world.mail(&format!("{name}@x.test"), 1).await;
    }

    async fn tabs_that_refresh_at_once_all_go_on(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let tabs: Vec<_> = (0..20).map(|_| person.browser.moved()).collect();
        let counts = all_at_once(tabs, "/api/portal/auth/refresh", vec![None; 20]).await;
        assert_eq!(counts, BTreeMap::from([(200, 20)]));
        person.browser.call("/api/portal/auth/refresh").await.expect(200);
        person.browser.call("/api/portal/auth/refresh").await.expect(200);
    }

    // PWD-12
    async fn many_sign_ins_of_one_person_at_once_all_succeed(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let bodies = (0..20).map(|_| Some(json!({ "email": person.email, "password": person.password }))).collect();
        let browsers = (0..20).map(|_| world.browser()).collect();
        let counts = all_at_once(browsers, "/api/portal/auth/sign-in", bodies).await;
        assert_eq!(counts, BTreeMap::from([(200, 20)]));
    }

    // INF-09, LOG-03
    async fn a_hundred_writers_are_all_served(world) {
        let tenant = world.tenant().await;
        let bodies = (0..100).map(|n| Some(json!({ "name": format!("Client {n}") }))).collect();
        let browsers = (0..100).map(|_| tenant.owner.moved()).collect();
        assert_eq!(all_at_once(browsers, "/api/v1/clients", bodies).await, BTreeMap::from([(201, 100)]));
        assert_eq!(tenant.owner.get("/api/v1/clients?limit=100").await.expect(200)["data"].as_array().unwrap().len(), 100);
    }
}
