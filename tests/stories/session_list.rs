//! The list of a user's own sessions, in both realms: listing, ending one, ending all others.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Browser, Person, World, eventually,
    paths::{SESSIONS, SIGN_IN, STAFF_SESSION, STAFF_SESSIONS},
    stories,
};

const FIREFOX: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// Signs in at a new browser with this user agent.
async fn sign_in_with(world: &World, person: &Person, user_agent: &str) -> Browser {
    let browser = world.browser();
    browser.post_with_headers(SIGN_IN, person.credentials(), &[("user-agent", user_agent)]).await.expect(200);
    browser
}

async fn list(browser: &Browser, path: &str) -> Vec<Value> {
    browser.get(path).await.expect(200)["data"].as_array().unwrap().clone()
}

/// The id of the current session.
async fn current(browser: &Browser, path: &str) -> String {
    let sessions = list(browser, path).await;
    let current: Vec<_> = sessions.iter().filter(|session| session["current"] == true).collect();
    assert_eq!(current.len(), 1, "{sessions:#?}");
    current[0]["id"].as_str().unwrap().to_owned()
}

stories! {
    async fn a_person_sees_their_sessions_with_device_and_address(world) {
        let person = world.tenant().await.person(world).await;
        let other = sign_in_with(world, &person, FIREFOX).await;
        let sessions = list(&other, SESSIONS).await;
        let seen: Vec<_> = sessions.iter().map(|session| (&session["device"], &session["current"])).collect();
        assert_eq!(seen, [(&json!("Firefox on Windows"), &json!(true)), (&json!("Unknown device"), &json!(false))]);
        assert!(sessions.iter().all(|session| session["ip"].as_str().unwrap().starts_with("198.")), "{sessions:#?}");
        assert_eq!(current(&other, SESSIONS).await, other.session().await.expect(200)["session"]["id"]);
        assert_eq!(current(&person.browser, SESSIONS).await, sessions[1]["id"]);
    }

    async fn ses_02_ending_one_session_ends_it_immediately_and_no_other(world) {
        let person = world.tenant().await.person(world).await;
        let (lost, kept) = (sign_in_with(world, &person, FIREFOX).await, sign_in_with(world, &person, FIREFOX).await);
        let path = format!("{SESSIONS}/{}", current(&lost, SESSIONS).await);
        person.browser.delete(&path).await.expect(204);
        lost.session().await.assert_problem("401 session_revoked");
        lost.refresh().await.assert_problem("401 session_revoked");
        kept.session().await.expect(200);
        assert_eq!(list(&person.browser, SESSIONS).await.len(), 2);
        person.browser.delete(&path).await.assert_problem("404 not_found");
    }

    async fn ses_02_ending_the_other_sessions_keeps_the_current_one(world) {
        let person = world.tenant().await.person(world).await;
        let others = [sign_in_with(world, &person, FIREFOX).await, sign_in_with(world, &person, FIREFOX).await];
        person.browser.delete(SESSIONS).await.expect(204);
        for other in others {
            other.session().await.assert_problem("401 session_revoked");
        }
        person.browser.session().await.expect(200);
        assert_eq!(list(&person.browser, SESSIONS).await.len(), 1);
    }

    async fn a_person_can_end_the_current_session_and_the_browser_forgets_it(world) {
        let person = world.tenant().await.person(world).await;
        let id = current(&person.browser, SESSIONS).await;
        let replay = person.browser.on_new_network();
        person.browser.delete(&format!("{SESSIONS}/{id}")).await.expect(204);
        person.browser.session().await.assert_problem("401 unauthenticated");
        replay.session().await.assert_problem("401 session_revoked");
    }

    async fn ses_10_a_session_of_another_user_is_the_same_404_as_a_random_id(world) {
        let tenant = world.tenant().await;
        let (ann, bob) = (tenant.person(world).await, tenant.person(world).await);
        let staff = current(&tenant.owner, STAFF_SESSIONS).await;
        let random = "01a1fdba-f86f-76f5-b296-4e548b3691ab".to_owned();
        for id in [current(&bob.browser, SESSIONS).await, staff.clone(), random.clone(), "x".to_owned()] {
            ann.browser.delete(&format!("{SESSIONS}/{id}")).await.assert_problem("404 not_found");
        }
        let other_owner = world.tenant().await.owner;
        for id in [current(&ann.browser, SESSIONS).await, staff, random] {
            other_owner.delete(&format!("{STAFF_SESSIONS}/{id}")).await.assert_problem("404 not_found");
        }
        bob.browser.session().await.expect(200);
        tenant.owner.get(STAFF_SESSION).await.expect(200);
    }

    async fn a_staff_user_ends_the_other_sessions_one_by_one_and_all_at_once(world) {
        let tenant = world.tenant().await;
        let browsers = world.browsers(3);
        for (n, browser) in browsers.iter().enumerate() {
            world.sign_in_staff(browser, &tenant.owner_email, n + 2).await;
        }
        let first = current(&browsers[0], STAFF_SESSIONS).await;
        tenant.owner.delete(&format!("{STAFF_SESSIONS}/{first}")).await.expect(204);
        browsers[0].get(STAFF_SESSION).await.assert_problem("401 session_revoked");
        browsers[1].get(STAFF_SESSION).await.expect(200);
        tenant.owner.delete(STAFF_SESSIONS).await.expect(204);
        for browser in &browsers {
            browser.get(STAFF_SESSION).await.assert_problem("401 session_revoked");
        }
        assert_eq!(list(&tenant.owner, STAFF_SESSIONS).await.len(), 1);
    }

    async fn the_list_is_paged_newest_first(world) {
        let person = world.tenant().await.person(world).await;
        for _ in 0..4 {
            sign_in_with(world, &person, FIREFOX).await;
        }
        let all = list(&person.browser, SESSIONS).await;
        let (mut paged, mut cursor) = (Vec::new(), String::new());
        for page_size in [2, 2, 1] {
            let page = person.browser.get(&format!("{SESSIONS}?limit=2{cursor}")).await.expect(200);
            assert_eq!(page["data"].as_array().unwrap().len(), page_size);
            paged.extend(page["data"].as_array().unwrap().clone());
            cursor = format!("&cursor={}", page["next_cursor"].as_str().unwrap_or_default());
        }
        let ids = |sessions: &[Value]| sessions.iter().map(|session| session["id"].clone()).collect::<Vec<_>>();
        assert_eq!((ids(&paged), cursor.as_str()), (ids(&all), "&cursor="));
        for wrong in ["?limit=0", "?limit=101", "?cursor=x", "?q=x"] {
            let path = format!("{SESSIONS}{wrong}");
            person.browser.get(&path).await.expect(422);
        }
    }

    // Each of five browsers ends all others in the same moment. One can remain, and no request fails.
    async fn browsers_that_end_each_other_are_served_or_already_ended(world) {
        let person = world.tenant().await.person(world).await;
        for _ in 0..3 {
            let mut browsers = Vec::new();
            for _ in 0..5 {
                browsers.push(sign_in_with(world, &person, FIREFOX).await);
            }
            let ends = browsers.iter().map(|browser| browser.send(Method::DELETE, SESSIONS, None, &[]));
            let mut counts = BTreeMap::<u16, usize>::new();
            for response in futures_util::future::join_all(ends).await {
                *counts.entry(response.status).or_default() += 1;
            }
            assert!(counts.keys().all(|status| [204, 401].contains(status)) && counts[&204] >= 1, "{counts:?}");
            let mut alive = 0;
            for browser in &browsers {
                alive += usize::from(browser.session().await.status == 200);
            }
            assert!(alive <= 1, "{alive} browsers are signed in");
        }
    }

    async fn ending_a_session_while_it_refreshes_leaves_no_live_token(world) {
        let person = world.tenant().await.person(world).await;
        for _ in 0..5 {
            let browser = sign_in_with(world, &person, FIREFOX).await;
            let path = format!("{SESSIONS}/{}", current(&browser, SESSIONS).await);
            let copies = browser.on_new_networks(4);
            let refreshes = futures_util::future::join_all(copies.iter().map(Browser::refresh));
            let (ended, _) = tokio::join!(person.browser.delete(&path), refreshes);
            ended.expect(204);
            for copy in &copies {
                assert_eq!((copy.session().await.status, copy.refresh().await.status), (401, 401));
            }
        }
    }

    async fn an_expired_session_is_not_listed(world) {
        let person = world.tenant().await.person(world).await;
        let other = sign_in_with(world, &person, FIREFOX).await;
        let id = current(&other, SESSIONS).await;
        world.sql(&format!(
            "UPDATE sessions SET expires_at = created_at WHERE user_agent LIKE '%Firefox%' AND portal_user_id = \
             (SELECT id FROM portal_users WHERE email = '{}')",
            person.email
        ));
        assert_eq!(list(&person.browser, SESSIONS).await.len(), 1);
        person.browser.delete(&format!("{SESSIONS}/{id}")).await.assert_problem("404 not_found");
        eventually("the session has expired", || async { (other.session().await.status == 401).then_some(()) }).await;
    }
}
