//! Many at once: one winner, and nobody is answered with a failure of ours.

use std::collections::BTreeMap;

use serde_json::json;

use crate::support::{Browser, Deployment, World, all_at_once, eventually, password, psql, stories, unique};

stories! {
    async fn tabs_that_refresh_at_once_all_go_on(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let tabs: Vec<_> = (0..20).map(|_| person.browser.on_new_network()).collect();
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
            let again = browsers.iter().map(Browser::on_new_network).collect();
            let counts = all_at_once(again, "/api/portal/auth/sign-in", bodies).await;
            assert_eq!(counts, BTreeMap::from([(200, 8)]));
        }
        for path in ["/api/portal/auth/sign-out-everywhere", "/api/portal/auth/sign-out"] {
            let mut leaving = Vec::new();
            for _ in 0..40 {
                leaving.push(browsers[0].on_new_network());
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
        let browsers = (0..100).map(|_| tenant.owner.on_new_network()).collect();
        assert_eq!(all_at_once(browsers, "/api/v1/clients", bodies).await, BTreeMap::from([(201, 100)]));
        assert_eq!(tenant.owner.get("/api/v1/clients?limit=100").await.expect(200)["data"].as_array().unwrap().len(), 100);
    }
}

// SQLite has one writer at a time, so there is nothing to wait for.
#[tokio::test]
async fn who_comes_while_a_client_closes_waits_and_finds_it_closed() {
    let world = World::start(Deployment::Cluster, &[]).await;
    let tenant = world.tenant().await;
    for path in ["/api/portal/auth/sign-in", "/api/portal/auth/activate"] {
        let person = tenant.person(&world).await;
        let body = if path.ends_with("sign-in") {
            json!({ "email": person.email, "password": person.password })
        } else {
            let token = tenant.invited(&world, &person.client, &format!("{}@x.test", unique("ann"))).await;
            json!({ "token": token, "password": password() })
        };
        // Has closed the client, and commits when somebody waits for that, or after five seconds in which nobody has.
        let closing = format!(
            "DO $$ BEGIN UPDATE clients SET status = 'archived' WHERE id = '{}'; FOR n IN 1..250 LOOP EXIT WHEN EXISTS \
             (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))); \
             PERFORM pg_sleep(0.02); END LOOP; END $$",
            person.client
        );
        let url = world.setting("DATABASE_URL").to_owned();
        let closing = tokio::task::spawn_blocking(move || psql(&url, &closing));
        eventually("the client is being closed", || async {
            let held = "SELECT count(*) > 0 FROM pg_locks WHERE relation = 'clients'::regclass \
                        AND mode = 'RowExclusiveLock'";
            (world.sql(held) == "t").then_some(())
        })
        .await;
        world.browser().post(path, body).await.problem(403, "client_suspended");
        closing.await.unwrap();
    }
}
