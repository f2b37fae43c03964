//! SES cases: sessions, their end and their number.

use std::collections::BTreeSet;

use crate::support::{
    Browser, Deployment, Invitation, Postgres, World, cookies, eventually, password,
    paths::{REFRESH, SESSION, SIGN_OUT, SIGN_OUT_EVERYWHERE, STAFF_REFRESH, STAFF_SESSION},
    stories,
};

/// A realm's cookies and the operations that use them.
struct Realm {
    access_cookie: &'static str,
    refresh_cookie: &'static str,
    session: &'static str,
    refresh: &'static str,
}

const PORTAL: Realm = Realm {
    access_cookie: cookies::PORTAL_ACCESS,
    refresh_cookie: cookies::PORTAL_REFRESH,
    session: SESSION,
    refresh: REFRESH,
};

const STAFF: Realm = Realm {
    access_cookie: cookies::STAFF_ACCESS,
    refresh_cookie: cookies::STAFF_REFRESH,
    session: STAFF_SESSION,
    refresh: STAFF_REFRESH,
};

impl Realm {
    /// The session's cookies in this browser: access token and refresh token.
    fn cookies(&self, browser: &Browser) -> [String; 2] {
        [self.access_cookie, self.refresh_cookie].map(|name| browser.cookie(name).unwrap())
    }

    /// A browser that has only these cookies.
    fn browser_with(&self, world: &World, [access, refresh]: &[String; 2]) -> Browser {
        world.browser().with_cookie(self.access_cookie, access).with_cookie(self.refresh_cookie, refresh)
    }

    /// Asserts that these cookies were of a session that is revoked.
    async fn assert_revoked(&self, world: &World, cookies: &[String; 2]) {
        let attacker = self.browser_with(world, cookies);
        attacker.get(self.session).await.assert_problem("401 session_revoked");
        attacker.post_empty(self.refresh).await.assert_problem("401 session_revoked");
    }
}

/// Signs a new person out by `path` and asserts that every replica refuses copies of the cookies immediately.
async fn assert_sign_out_revokes_copies(world: &World, path: &str) {
    let person = world.tenant().await.person(world).await;
    let copies: Vec<_> =
        world.apis.iter().map(|api| person.browser.on_new_network().at(std::slice::from_ref(api))).collect();
    for copy in &copies {
        copy.session().await.expect(200);
    }
    let token = person.browser.cookie(cookies::PORTAL_ACCESS).unwrap();
    person.browser.post_empty(path).await.expect(204);
    for copy in &copies {
        copy.session().await.assert_problem("401 session_revoked");
        copy.refresh().await.assert_problem("401 session_revoked");
        copy.get_with_bearer(SESSION, &token).await.assert_problem("401 session_revoked");
    }
}

/// Returns a `Cookie` header with several values under each of the two names of a portal session's cookies: copies of
/// the tokens of `access` and of `refresh` between values that prove nothing.
fn cookie_header(access: &[&Browser], refresh: &[&Browser]) -> String {
    let of = |name: &str, browsers: &[&Browser]| -> Vec<String> {
        browsers.iter().map(|browser| format!("{name}={}", browser.cookie(name).unwrap())).collect()
    };
    let unproven = ["portico_portal=é", "portico_portal=a.b.c", "portico_portal_refresh=", "portico_portal_refresh=x"];
    let unproven = unproven.map(String::from).to_vec();
    let proven = [of(cookies::PORTAL_ACCESS, access), of(cookies::PORTAL_REFRESH, refresh)].concat();
    [unproven.clone(), proven, unproven].concat().join("; ")
}

stories! {
    async fn ses_02_a_sign_out_ends_every_session_that_a_value_of_the_request_proves(world) {
        let tenant = world.tenant().await;
        for path in [SIGN_OUT, SIGN_OUT_EVERYWHERE] {
            let (ann, ben) = (tenant.person(world).await, tenant.person(world).await);
            let bearer_only = world.browser();
            ann.sign_in(&bearer_only).await;
            let cookie = cookie_header(&[&ann.browser], &[&ben.browser]);
            let bearer = format!("Bearer {}", bearer_only.cookie(cookies::PORTAL_ACCESS).unwrap());
            let headers = [("cookie", &*cookie), ("authorization", "Basic eDp5"), ("authorization", &*bearer)];
            let response = world.browser().send(reqwest::Method::POST, path, None, &headers).await;
            let cleared = response.headers.get_all("set-cookie").iter().count();
            assert_eq!((response.status, cleared), (204, 2), "{response:?}");
            for browser in [&ann.browser, &ben.browser, &bearer_only] {
                browser.session().await.assert_problem("401 session_revoked");
            }
        }
    }

    async fn ses_02_a_sign_out_of_values_that_prove_nothing_ends_no_session(world) {
        let person = world.tenant().await.person(world).await;
        let refresh = person.browser.cookie(cookies::PORTAL_REFRESH).unwrap();
        let (sid, _) = refresh.split_once('.').unwrap();
        for cookie in [
            cookie_header(&[], &[]),
            format!("portico_portal_refresh={sid}.0.AAAA; portico_portal_refresh={refresh}x"),
            format!("portico_staff_refresh={refresh}; __Host-portico_portal_refresh={refresh}"),
        ] {
            let headers = [("cookie", &*cookie)];
            world.browser().send(reqwest::Method::POST, SIGN_OUT, None, &headers).await.expect(204);
            person.browser.session().await.expect(200);
        }
    }

    async fn ses_02_sign_out_revokes_copied_cookies_on_every_replica(world) {
        assert_sign_out_revokes_copies(world, SIGN_OUT).await;
    }

    async fn ses_02_sign_out_everywhere_revokes_copied_cookies_on_every_replica(world) {
        assert_sign_out_revokes_copies(world, SIGN_OUT_EVERYWHERE).await;
    }

    async fn ses_02_both_sign_outs_delete_the_cookies(world) {
        let person = world.tenant().await.person(world).await;
        for path in [SIGN_OUT, SIGN_OUT_EVERYWHERE] {
            let browser = world.browser();
            person.sign_in(&browser).await;
            let response = browser.post_empty(path).await;
            let deleted: Vec<_> = response.headers.get_all("set-cookie").iter().map(|c| c.to_str().unwrap()).collect();
            let is_deletion = |cookie: &&str| cookie.contains("=; ") && cookie.contains("Max-Age=0");
            assert!(deleted.len() == 2 && deleted.iter().all(is_deletion), "{deleted:?}");
            assert!(browser.cookie(cookies::PORTAL_ACCESS).is_none());
            response.expect(204);
        }
    }

    async fn ses_07_a_sign_in_revokes_the_session_that_the_browser_had(world) {
        let tenant = world.tenant().await;
        let (attacker, victim) = (tenant.person(world).await, tenant.person(world).await);
        let planted = PORTAL.cookies(&attacker.browser);
        let browser = PORTAL.browser_with(world, &planted);
        let before = browser.session().await.expect(200);
        victim.sign_in(&browser).await;
        let after = browser.session().await.expect(200);
        assert_eq!(after["user"]["email"], victim.email.as_str());
        assert_ne!(after["session"]["id"], before["session"]["id"]);
        let new = PORTAL.cookies(&browser);
        assert!(new[0] != planted[0] && new[1] != planted[1]);
        PORTAL.assert_revoked(world, &planted).await;
    }

    async fn ses_07_an_activation_revokes_the_session_that_the_browser_had(world) {
        let tenant = world.tenant().await;
        let attacker = tenant.person(world).await;
        let Invitation { token, .. } = tenant.create_invitation(world).await;
        let planted = PORTAL.cookies(&attacker.browser);
        let browser = PORTAL.browser_with(world, &planted);
        browser.activate(&token, &password()).await.expect(200);
        PORTAL.assert_revoked(world, &planted).await;
    }

    async fn ses_07_a_staff_sign_in_revokes_the_session_that_the_browser_had(world) {
        let tenant = world.tenant().await;
        let email = format!("second@{}.test", tenant.slug);
        world.add_staff(&tenant.slug, &email, "viewer");
        let planted = STAFF.cookies(&tenant.owner);
        let browser = STAFF.browser_with(world, &planted);
        world.sign_in_staff(&browser, &email, 1).await;
        assert_eq!(browser.get(STAFF_SESSION).await.expect(200)["user"]["email"], email.as_str());
        STAFF.assert_revoked(world, &planted).await;
    }

    async fn ses_07_a_sign_in_replaces_an_invalid_planted_cookie(world) {
        let victim = world.tenant().await.person(world).await;
        let browser = world.browser().with_cookie(cookies::PORTAL_ACCESS, "chosen-by-the-attacker");
        victim.sign_in(&browser).await;
        assert_ne!(browser.cookie(cookies::PORTAL_ACCESS).unwrap(), "chosen-by-the-attacker");
    }

    async fn ses_08_refreshes_keep_the_id_and_times_of_the_session(world) {
        let browser = world.tenant().await.person(world).await.browser;
        let session = async || browser.session().await.expect(200)["session"].clone();
        let before = session().await;
        let mut tokens = BTreeSet::from([browser.cookie(cookies::PORTAL_REFRESH).unwrap()]);
        for _ in 0..10 {
            browser.refresh().await.expect(200);
            assert!(tokens.insert(browser.cookie(cookies::PORTAL_REFRESH).unwrap()));
        }
        assert_eq!(session().await, before);
    }

    async fn ses_12_values_of_the_database_are_not_refresh_tokens(world) {
        let person = world.tenant().await.person(world).await;
        let token = person.browser.cookie(cookies::PORTAL_REFRESH).unwrap();
        let (sid, _) = token.split_once('.').unwrap();
        let values = world.sql(&format!(
            "SELECT s.nonce, s.generation, u.password_phc FROM sessions s \
             JOIN portal_users u ON u.id = s.portal_user_id WHERE u.email = '{}'",
            person.email
        ));
        assert_eq!(values.split('|').count(), 3, "{values}");
        for value in values.split('|') {
            for forged in [value.into(), format!("{sid}.0.{value}"), format!("{sid}.{value}"), format!("{sid}.0.")] {
                let attacker = world.browser().with_cookie(cookies::PORTAL_REFRESH, &forged);
                attacker.refresh().await.assert_problem("401 unauthenticated");
            }
        }
    }

    async fn ses_12_a_person_has_at_most_five_sessions(world) {
        let person = world.tenant().await.person(world).await;
        for _ in 0..12 {
            person.sign_in(&world.browser()).await;
        }
        let open = format!(
            "SELECT count(*) FROM sessions s JOIN portal_users u ON u.id = s.portal_user_id \
             WHERE s.revoked_at IS NULL AND u.email = '{}'",
            person.email
        );
        assert_eq!(world.count(&open), 5);
    }
}

/// A session outlives its access tokens, and a client that lost the refresh token has only an expired one.
#[tokio::test]
async fn ses_02_a_sign_out_with_an_expired_access_token_ends_its_session() {
    let in_deployment = async |deployment| {
        let world = World::start(deployment, &[("PORTICO_ACCESS_TTL", "1s")]).await;
        let tenant = world.tenant().await;
        let persons = [tenant.person(&world).await, tenant.person(&world).await, tenant.person(&world).await];
        let ways = [(SIGN_OUT, "cookie"), (SIGN_OUT_EVERYWHERE, "cookie"), (SIGN_OUT, "authorization")];
        for (person, (path, header)) in persons.iter().zip(ways) {
            let token = person.browser.cookie(cookies::PORTAL_ACCESS).unwrap();
            let client = world.browser().with_cookie(cookies::PORTAL_ACCESS, &token);
            eventually("the token has expired", || async { (client.session().await.status == 401).then_some(()) })
                .await;
            client.session().await.assert_problem("401 unauthenticated");
            let value = match header {
                "cookie" => format!("{}={token}", cookies::PORTAL_ACCESS),
                _ => format!("Bearer {token}"),
            };
            world.browser().send(reqwest::Method::POST, path, None, &[(header, &*value)]).await.expect(204);
            person.browser.refresh().await.assert_problem("401 session_revoked");
        }
    };
    tokio::join!(in_deployment(Deployment::Single), in_deployment(Deployment::Cluster));
}

/// The browser keeps its cookies, so that it can try again and does not believe that the session has ended.
#[tokio::test]
async fn ses_02_a_sign_out_while_the_database_is_away_is_503_and_keeps_the_cookies() {
    let mut postgres = Postgres::start().await;
    let world = World::start(Deployment::Cluster, &[("DATABASE_URL", &postgres.url())]).await;
    let browser = world.tenant().await.person(&world).await.browser;
    postgres.stop().await;
    for path in [SIGN_OUT, SIGN_OUT_EVERYWHERE] {
        for names in [
            &[cookies::PORTAL_ACCESS][..],
            &[cookies::PORTAL_REFRESH],
            &[cookies::PORTAL_ACCESS, cookies::PORTAL_REFRESH],
        ] {
            let pairs: Vec<_> = names.iter().map(|name| format!("{name}={}", browser.cookie(name).unwrap())).collect();
            let headers = [("cookie", &*pairs.join("; "))];
            let response = browser.send(reqwest::Method::POST, path, None, &headers).await;
            assert!(!response.headers.contains_key("set-cookie"), "{response:?}");
            response.assert_problem("503 unavailable");
        }
    }
    postgres.start_again().await;
    eventually("the API serves again", || async { (browser.session().await.status == 200).then_some(()) }).await;
    browser.sign_out().await.expect(204);
    browser.session().await.assert_problem("401 unauthenticated");
}
