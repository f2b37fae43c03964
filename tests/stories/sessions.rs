//! Sessions of portal and staff users: refresh, sign-out, limits of number and age, cookies.

use crate::support::{
    Deployment, Tenant, World,
    cookies::{PORTAL_ACCESS, PORTAL_REFRESH},
    eventually,
    paths::{SESSION, SIGN_OUT, SIGN_OUT_EVERYWHERE, STAFF_REFRESH, STAFF_SESSION},
    stories,
};

stories! {
    async fn ses_04_a_refresh_rotates_the_refresh_token_and_keeps_the_times_of_the_session(world) {
        let tenant = world.tenant().await;
        let browser = tenant.person(world).await.browser;
        let before = browser.session().await.expect(200)["session"].clone();
        let old = browser.cookie(PORTAL_REFRESH).unwrap();
        browser.refresh().await.expect(200);
        assert_ne!(browser.cookie(PORTAL_REFRESH).unwrap(), old);
        assert_eq!(browser.session().await.expect(200)["session"], before);
    }

    async fn two_tabs_that_refresh_with_the_same_token_get_the_same_successor(world) {
        let tenant = world.tenant().await;
        let browser = tenant.person(world).await.browser;
        let old = browser.cookie(PORTAL_REFRESH).unwrap();
        browser.refresh().await.expect(200);
        let new = browser.cookie(PORTAL_REFRESH).unwrap();
        browser.set_cookie(PORTAL_REFRESH, &old);
        browser.refresh().await.expect(200);
        assert_eq!(browser.cookie(PORTAL_REFRESH).unwrap(), new);
    }

    async fn ses_01_a_reused_refresh_token_revokes_the_session_and_is_reported_by_mail(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let copied = person.browser.cookie(PORTAL_REFRESH).unwrap();
        person.browser.refresh().await.expect(200);
        person.browser.refresh().await.expect(200);
        let attacker = world.browser().with_cookie(PORTAL_REFRESH, &copied);
        attacker.refresh().await.assert_problem("401 session_revoked");
        person.browser.session().await.assert_problem("401 session_revoked");
        person.browser.refresh().await.assert_problem("401 session_revoked");
        assert_eq!(world.mail(&person.email, 2).await.subject, "A session at Blue Harbour was ended");
    }

    async fn ses_02_inf_12_sign_out_everywhere_revokes_access_and_refresh_tokens_immediately(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let session = person.sign_in(&world.browser()).await;
        let access_token = session["access_token"].as_str().unwrap();
        let replay = world.browser();
        replay.get_with_bearer(SESSION, access_token).await.expect(200);
        let other = world.browser();
        person.sign_in(&other).await;
        person.browser.post_empty(SIGN_OUT_EVERYWHERE).await.expect(204);
        replay.get_with_bearer(SESSION, access_token).await.assert_problem("401 session_revoked");
        other.session().await.assert_problem("401 session_revoked");
        other.refresh().await.assert_problem("401 session_revoked");
    }

    async fn ses_02_sign_out_without_a_credential_is_204(world) {
        for path in [SIGN_OUT, SIGN_OUT_EVERYWHERE] {
            world.browser().post_empty(path).await.expect(204);
        }
    }

    async fn ses_02_the_refresh_token_alone_is_enough_to_sign_out(world) {
        let tenant = world.tenant().await;
        let browser = tenant.person(world).await.browser;
        let refresh_token = browser.cookie(PORTAL_REFRESH).unwrap();
        world.browser().with_cookie(PORTAL_REFRESH, &refresh_token).sign_out().await.expect(204);
        browser.session().await.assert_problem("401 session_revoked");
    }

    async fn ses_12_the_sixth_session_revokes_the_oldest(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let browsers = world.browsers(5);
        for browser in &browsers {
            person.sign_in(browser).await;
        }
        person.browser.session().await.assert_problem("401 session_revoked");
        for browser in &browsers {
            browser.session().await.expect(200);
        }
    }

    async fn ses_07_ses_12_a_sign_in_revokes_the_earlier_session_of_its_browser_and_no_other(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let browsers = world.browsers(5);
        for browser in &browsers {
            person.sign_in(browser).await;
        }
        let access_token = browsers[0].cookie(PORTAL_ACCESS).unwrap();
        person.sign_in(&browsers[0]).await;
        let replay = world.browser().get_with_bearer(SESSION, &access_token).await;
        replay.assert_problem("401 session_revoked");
        for browser in &browsers {
            browser.session().await.expect(200);
        }
    }

    async fn ses_06_red_02_cookies_are_hidden_from_scripts_and_other_sites(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let response = world.browser().sign_in(&person.email, &person.password).await;
        let cookies = response.headers.get_all("set-cookie").iter();
        let cookies: Vec<_> = cookies.map(|cookie| cookie.to_str().unwrap()).collect();
        assert_eq!(cookies.len(), 3);
        for cookie in cookies {
            let is_refresh = cookie.starts_with(&format!("{PORTAL_REFRESH}="));
            assert!(cookie.contains("; Path=/; HttpOnly; "), "{cookie}");
            assert_eq!(cookie.contains("SameSite=Strict"), is_refresh, "{cookie}");
            assert!(!cookie.contains("Domain"), "{cookie}");
        }
        assert_eq!(response.headers["cache-control"], "no-store");
    }
}

/// A tenant whose staff sessions expire after two idle seconds, and whose portal sessions expire after three seconds.
async fn short_sessions() -> (World, Tenant) {
    let settings = [("PORTICO_STAFF_IDLE_TTL", "2s"), ("PORTICO_REFRESH_TTL", "3s"), ("PORTICO_REFRESH_GRACE", "1s")];
    let world = World::start(Deployment::Single, &settings).await;
    let tenant = world.tenant().await;
    (world, tenant)
}

#[tokio::test]
async fn ses_04_an_idle_staff_session_expires() {
    let (_world, tenant) = short_sessions().await;
    eventually("the staff session has expired", || async {
        let response = tenant.owner.get(STAFF_SESSION).await;
        (response.status == 401).then(|| response.assert_problem("401 session_expired"))
    })
    .await;
    tenant.owner.post_empty(STAFF_REFRESH).await.assert_problem("401 session_expired");
}

#[tokio::test]
async fn ses_04_a_portal_session_expires_however_often_it_is_refreshed() {
    let (world, tenant) = short_sessions().await;
    let browser = tenant.person(&world).await.browser;
    let response = eventually("the portal session has expired", || async {
        // The last response expires the cookie. An attacker would keep it and try again.
        let kept = browser.cookie(PORTAL_REFRESH).unwrap();
        let response = browser.refresh().await;
        browser.set_cookie(PORTAL_REFRESH, &browser.cookie(PORTAL_REFRESH).unwrap_or(kept));
        (response.status != 200).then_some(response)
    })
    .await;
    response.assert_problem("401 session_expired");
}
