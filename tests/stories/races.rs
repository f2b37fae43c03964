//! Many at once: one winner, and nobody is answered with a failure of ours.

use std::{collections::BTreeMap, sync::Arc};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::{Browser, password, stories, unique};

/// Sends the bodies all at once, each from a network of its own, and counts the statuses.
pub(crate) async fn all_at_once(
    browsers: Vec<Browser>,
    path: &str,
    bodies: Vec<Option<Value>>,
) -> BTreeMap<u16, usize> {
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

    // Whoever signs in again and again from many browsers, and out again, meets no deadlock.
    async fn sign_ins_and_outs_of_one_person_at_once_all_succeed(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let mut browsers = Vec::new();
        for _ in 0..8 {
            let browser = world.browser();
            person.sign_in(&browser).await;
            browsers.push(browser);
        }
        for _ in 0..4 {
            let bodies = browsers.iter().map(|_| Some(json!({ "email": person.email, "password": person.password }))).collect();
            let again = browsers.iter().map(Browser::moved).collect();
            let counts = all_at_once(again, "/api/portal/auth/sign-in", bodies).await;
            assert_eq!(counts, BTreeMap::from([(200, 8)]));
        }
        for path in ["/api/portal/auth/sign-out-everywhere", "/api/portal/auth/sign-out"] {
            let mut leaving = Vec::new();
            for _ in 0..40 {
                leaving.push(browsers[0].moved());
            }
            assert_eq!(all_at_once(leaving, path, vec![None; 40]).await, BTreeMap::from([(204, 40)]));
            person.sign_in(&browsers[0]).await;
        }
    }

    // A client that is closed while people sign in lets none of them back in when it opens again.
    async fn no_session_slips_through_a_closing_client(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let path = format!("/api/v1/clients/{}", person.client);
        for _ in 0..5 {
            let browsers: Vec<_> = (0..6).map(|_| world.browser()).collect();
            let signing_in = async {
                let body = json!({ "email": person.email, "password": person.password });
                let all = browsers.iter().map(|browser| browser.post("/api/portal/auth/sign-in", body.clone()));
                futures_util::future::join_all(all).await
            };
            let (answers, archived) = tokio::join!(signing_in, tenant.owner.patch(&path, json!({ "status": "archived" })));
            archived.expect(200);
            tenant.owner.patch(&path, json!({ "status": "active" })).await.expect(200);
            for (browser, answer) in browsers.iter().zip(answers) {
                assert!([200, 403].contains(&answer.status), "{answer:?}");
                assert_eq!(browser.get("/api/portal/auth/session").await.status, 401);
            }
        }
    }

    // A link that is replaced while the new password is being hashed sets none.
    async fn a_link_replaced_meanwhile_does_not_work(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let resend = format!("/api/v1/clients/{client}/portal-user?action=resend");
        for _ in 0..5 {
            let email = format!("{}@x.test", unique("ann"));
            let token = tenant.invited(world, &client, &email).await;
            let browser = world.browser();
            let activate = browser.post("/api/portal/auth/activate", json!({ "token": token, "password": password() }));
            let (activated, resent) = tokio::join!(activate, tenant.owner.post(&resend, json!({ "email": email })));
            // One of the two was first, and the other has seen it.
            match (activated.status, resent.status) {
                (200, 409) | (410, 200) => {}
                other => panic!("{other:?}: {activated:?} {resent:?}"),
            }
        }
    }

    async fn inf_09_log_03_a_hundred_writers_are_all_served(world) {
        let tenant = world.tenant().await;
        let bodies = (0..100).map(|n| Some(json!({ "name": format!("Client {n}") }))).collect();
        let browsers = (0..100).map(|_| tenant.owner.moved()).collect();
        assert_eq!(all_at_once(browsers, "/api/v1/clients", bodies).await, BTreeMap::from([(201, 100)]));
        assert_eq!(tenant.owner.get("/api/v1/clients?limit=100").await.expect(200)["data"].as_array().unwrap().len(), 100);
    }
}
