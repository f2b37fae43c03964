//! Sessions, their tokens and their ends.

use reqwest::Method;
use serde_json::json;

use crate::support::{Browser, Deployment, World, eventually, stories};

const SESSION: &str = "/api/portal/auth/session";
const REFRESH: &str = "/api/portal/auth/refresh";

async fn with_bearer(browser: &Browser, path: &str, token: &str) -> crate::support::Answer {
    browser.send(Method::GET, path, None, &[("authorization", &format!("Bearer {token}"))]).await
}

stories! {
    async fn ses_04_a_refresh_rotates_and_keeps_the_time_of_sign_in(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let before = person.browser.get(SESSION).await.expect(200)["session"].clone();
        let old = person.browser.cookie("portico_portal_refresh").unwrap();
        person.browser.call(REFRESH).await.expect(200);
        let new = person.browser.cookie("portico_portal_refresh").unwrap();
        assert_ne!(old, new);
        assert_eq!(person.browser.get(SESSION).await.expect(200)["session"], before);
        // Another tab that was just as fast gets the same successor.
        person.browser.set_cookie("portico_portal_refresh", &old);
        person.browser.call(REFRESH).await.expect(200);
        assert_eq!(person.browser.cookie("portico_portal_refresh").unwrap(), new);
    }

    async fn ses_01_a_copied_refresh_token_ends_the_session_and_says_so(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let copied = person.browser.cookie("portico_portal_refresh").unwrap();
        person.browser.call(REFRESH).await.expect(200);
        person.browser.call(REFRESH).await.expect(200);
        let thief = world.browser();
        thief.set_cookie("portico_portal_refresh", &copied);
        thief.call(REFRESH).await.problem(401, "session_revoked");
        person.browser.get(SESSION).await.problem(401, "session_revoked");
        person.browser.call(REFRESH).await.problem(401, "session_revoked");
        assert_eq!(world.mail(&person.email, 2).await.subject, "A session at Blue Harbour was ended");
    }

    // INF-12
    async fn ses_02_signing_out_means_out_at_once_everywhere(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let session = person.sign_in(&world.browser()).await;
        let access = session["access_token"].as_str().unwrap();
        let replay = world.browser();
        with_bearer(&replay, SESSION, access).await.expect(200);
        let other = world.browser();
        person.sign_in(&other).await;
        person.browser.call("/api/portal/auth/sign-out-everywhere").await.expect(204);
        with_bearer(&replay, SESSION, access).await.problem(401, "session_revoked");
        other.get(SESSION).await.problem(401, "session_revoked");
        other.call(REFRESH).await.problem(401, "session_revoked");
        // Without any credential it is 204 all the same.
        for path in ["/api/portal/auth/sign-out", "/api/portal/auth/sign-out-everywhere"] {
            world.browser().call(path).await.expect(204);
        }
        // The refresh token alone is enough.
        let third = world.browser();
        person.sign_in(&third).await;
        let refresh = third.cookie("portico_portal_refresh").unwrap();
        let only_refresh = world.browser();
        only_refresh.set_cookie("portico_portal_refresh", &refresh);
        only_refresh.call("/api/portal/auth/sign-out").await.expect(204);
        third.get(SESSION).await.problem(401, "session_revoked");
    }

    // SES-07
    async fn ses_12_the_sixth_session_ends_the_oldest_and_a_new_one_its_own_browsers(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let mut browsers = Vec::new();
        for _ in 0..5 {
            let browser = world.browser();
            person.sign_in(&browser).await;
            browsers.push(browser);
        }
        person.browser.get(SESSION).await.problem(401, "session_revoked");
        let access = browsers[0].cookie("portico_portal").unwrap();
        person.sign_in(&browsers[0]).await;
        with_bearer(&world.browser(), SESSION, &access).await.problem(401, "session_revoked");
        for browser in &browsers {
            browser.get(SESSION).await.expect(200);
        }
    }

    // RED-02
    async fn ses_06_cookies_are_kept_from_scripts_and_other_sites(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let body = json!({ "email": person.email, "password": person.password });
        let answer = world.browser().post("/api/portal/auth/sign-in", body).await;
        let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().map(|c| c.to_str().unwrap().to_owned()).collect();
        assert_eq!(cookies.len(), 3);
        for cookie in cookies {
            let strict = cookie.starts_with("portico_portal_refresh=");
            assert!(cookie.contains("; Path=/; HttpOnly; "), "{cookie}");
            assert_eq!(cookie.contains("SameSite=Strict"), strict, "{cookie}");
            assert!(!cookie.contains("Domain"), "{cookie}");
        }
        assert_eq!(answer.headers["cache-control"], "no-store");
    }
}

#[tokio::test]
async fn ses_04_idle_staff_sessions_and_old_portal_sessions_end_by_themselves() {
    let settings = [("PORTICO_STAFF_IDLE_TTL", "2s"), ("PORTICO_REFRESH_TTL", "3s"), ("PORTICO_REFRESH_GRACE", "1s")];
    let world = World::start(Deployment::Single, &settings).await;
    let tenant = world.tenant().await;
    let person = tenant.person(&world).await;
    eventually("the staff session idles out", || async {
        let answer = tenant.owner.get("/api/staff/auth/session").await;
        (answer.status == 401).then(|| answer.problem(401, "session_expired"))
    })
    .await;
    tenant.owner.call("/api/staff/auth/refresh").await.problem(401, "session_expired");
    // However often it is refreshed, a portal session ends when its time has come.
    let cookie = "portico_portal_refresh";
    let answer = eventually("the portal session ends", || async {
        // A browser forgets the cookie when it ends; a thief would not.
        let kept = person.browser.cookie(cookie).unwrap();
        let answer = person.browser.call(REFRESH).await;
        person.browser.set_cookie(cookie, &person.browser.cookie(cookie).unwrap_or(kept));
        (answer.status != 200).then_some(answer)
    })
    .await;
    answer.problem(401, "session_expired");
}
