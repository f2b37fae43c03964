//! Concurrent requests for the same rows: each is served or refused, and none fails.

use std::collections::BTreeMap;

use serde_json::json;

use crate::support::{
    Browser, Deployment, Person, Process, World, eventually, password,
    paths::{self, CLIENTS, REFRESH, SIGN_IN, SIGN_OUT, SIGN_OUT_EVERYWHERE},
    post_concurrently, psql, stories, unique_email,
};

/// Signs the portal user in at eight browsers.
async fn eight_sessions(world: &World, person: &Person) -> Vec<Browser> {
    let browsers = world.browsers(8);
    for browser in &browsers {
        person.sign_in(browser).await;
    }
    browsers
}

stories! {
    async fn concurrent_refreshes_of_one_session_all_succeed(world) {
        let tenant = world.tenant().await;
        let browser = tenant.person(world).await.browser;
        let counts = post_concurrently(browser.on_new_networks(20), REFRESH, vec![None; 20]).await;
        assert_eq!(counts, BTreeMap::from([(200, 20)]));
        browser.refresh().await.expect(200);
        browser.refresh().await.expect(200);
    }

    async fn concurrent_sign_ins_of_one_portal_user_all_succeed(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let browsers = eight_sessions(world, &person).await;
        for _ in 0..4 {
            let again = browsers.iter().map(Browser::on_new_network).collect();
            let counts = post_concurrently(again, SIGN_IN, vec![Some(person.credentials()); 8]).await;
            assert_eq!(counts, BTreeMap::from([(200, 8)]));
        }
    }

    async fn concurrent_sign_outs_of_one_portal_user_all_succeed(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let browsers = eight_sessions(world, &person).await;
        for path in [SIGN_OUT_EVERYWHERE, SIGN_OUT] {
            let counts = post_concurrently(browsers[0].on_new_networks(40), path, vec![None; 40]).await;
            assert_eq!(counts, BTreeMap::from([(204, 40)]));
            person.sign_in(&browsers[0]).await;
        }
    }

    async fn no_session_of_a_sign_in_survives_a_concurrent_archiving_of_the_client(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let path = paths::client(&person.client);
        for _ in 0..5 {
            let browsers = world.browsers(6);
            let sign_ins = browsers.iter().map(|browser| browser.sign_in(&person.email, &person.password));
            let archive = tenant.owner.patch(&path, json!({ "status": "archived" }));
            let (responses, archived) = tokio::join!(futures_util::future::join_all(sign_ins), archive);
            archived.expect(200);
            tenant.owner.patch(&path, json!({ "status": "active" })).await.expect(200);
            for (browser, response) in browsers.iter().zip(responses) {
                assert!([200, 403].contains(&response.status), "{response:?}");
                assert_eq!(browser.session().await.status, 401);
            }
        }
    }

    async fn a_link_that_is_replaced_while_the_password_is_hashed_sets_no_password(world) {
        let tenant = world.tenant().await;
        for _ in 0..5 {
            let invitation = tenant.create_invitation(world).await;
            let (browser, password) = (world.browser(), password());
            let resend = paths::resend_invitation(&invitation.client);
            let (activated, resent) = tokio::join!(
                browser.activate(&invitation.token, &password),
                tenant.owner.post(&resend, json!({ "email": invitation.email })),
            );
            // One of the two committed first, and the other saw its change.
            let statuses = (activated.status, resent.status);
            assert!([(200, 409), (410, 200)].contains(&statuses), "{statuses:?}: {activated:?} {resent:?}");
        }
    }

    async fn inf_09_log_03_a_hundred_concurrent_writes_all_succeed(world) {
        let owner = world.tenant().await.owner;
        let bodies = (0..100).map(|n| Some(json!({ "name": format!("Client {n}") }))).collect();
        let counts = post_concurrently(owner.on_new_networks(100), CLIENTS, bodies).await;
        assert_eq!(counts, BTreeMap::from([(201, 100)]));
        let listed = owner.get(&format!("{CLIENTS}?limit=100")).await.expect(200);
        assert_eq!(listed["data"].as_array().unwrap().len(), 100);
    }
}

/// Kills the workers and archives the client in a transaction that commits when another connection waits for it, or
/// after five seconds. Returns once the transaction has written.
async fn archive_slowly(world: &World, client: &str) -> tokio::task::JoinHandle<String> {
    // Otherwise a periodic job could be what waits.
    world.workers().iter().for_each(Process::kill);
    let archive = format!(
        "DO $$ BEGIN UPDATE clients SET status = 'archived' WHERE id = '{client}'; \
         FOR n IN 1..250 LOOP EXIT WHEN EXISTS \
         (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))); \
         PERFORM pg_sleep(0.02); END LOOP; END $$"
    );
    let url = world.setting("DATABASE_URL").to_owned();
    let archiving = tokio::task::spawn_blocking(move || psql(&url, &archive));
    eventually("the client's row is written", || async {
        let locked = "SELECT count(*) > 0 FROM pg_locks WHERE relation = 'clients'::regclass \
                      AND mode = 'RowExclusiveLock'";
        (world.sql(locked) == "t").then_some(())
    })
    .await;
    archiving
}

/// On Postgres only: SQLite has one writer at a time, so there is nothing to wait for.
#[tokio::test]
async fn a_sign_in_waits_while_the_client_is_archived_and_is_then_refused() {
    let world = World::start(Deployment::Cluster, &[]).await;
    let person = world.tenant().await.person(&world).await;
    let archiving = archive_slowly(&world, &person.client).await;
    let response = world.browser().sign_in(&person.email, &person.password).await;
    response.assert_problem("403 client_suspended");
    archiving.await.unwrap();
}

/// On Postgres only, as above.
#[tokio::test]
async fn an_activation_waits_while_the_client_is_archived_and_is_then_refused() {
    let world = World::start(Deployment::Cluster, &[]).await;
    let tenant = world.tenant().await;
    let person = tenant.person(&world).await;
    let token = tenant.invite_for_token(&world, &person.client, &unique_email("ann")).await;
    let archiving = archive_slowly(&world, &person.client).await;
    let response = world.browser().activate(&token, &password()).await;
    response.assert_problem("403 client_suspended");
    archiving.await.unwrap();
}
