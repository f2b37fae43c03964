//! SES cases: sessions, and the cookies and headers that authenticate them.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use super::public_url;
use crate::support::{
    Browser, Invitation, Response, World, cookies, credentials, new_password, password,
    paths::{self, LIVE, REFRESH, SESSION, SIGN_IN, SIGN_OUT, SIGN_OUT_EVERYWHERE, STAFF_REFRESH, STAFF_SESSION},
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

/// Every unsafe operation: its method, its path, and a body if it takes one.
fn unsafe_operations(client: &str) -> Vec<(Method, String, Option<Value>)> {
    let token = json!({ "token": "x" });
    let email = json!({ "email": "a@x.test" });
    let change = json!({ "current_password": password(), "new_password": password() });
    let code = json!({ "flow": "01a1fdba-f86f-76f5-b296-4e548b3691ab", "code": "123456" });
    let name = json!({ "name": "Forged Ltd" });
    let posts = [
        (SIGN_IN, Some(credentials("a@x.test", &password()))),
        (paths::FORGOT_PASSWORD, Some(email.clone())),
        (paths::RESEND_ACTIVATION, Some(email.clone())),
        (paths::RESET_PASSWORD, Some(new_password("x", &password()))),
        (paths::ACTIVATE, Some(new_password("x", &password()))),
        (paths::CHECK_TOKEN, Some(token.clone())),
        (paths::REQUEST_NEW_LINK, Some(token.clone())),
        (paths::CHANGE_PASSWORD, Some(change)),
        (REFRESH, None),
        (SIGN_OUT, None),
        (SIGN_OUT_EVERYWHERE, None),
        (paths::ACCEPT_INVITATION, Some(token)),
        (paths::STAFF_SEND_CODE, Some(email.clone())),
        (paths::STAFF_VERIFY_CODE, Some(code)),
        (STAFF_REFRESH, None),
        (paths::STAFF_SIGN_OUT, None),
        (paths::STAFF_SIGN_OUT_EVERYWHERE, None),
        (paths::CLIENTS, Some(name.clone())),
        (&paths::portal_user(client), Some(email)),
    ];
    let mut operations: Vec<_> = posts.into_iter().map(|(path, body)| (Method::POST, path.to_owned(), body)).collect();
    operations.push((Method::PATCH, paths::client(client), Some(name)));
    operations
}

/// Headers that a browser sends with a request that a page of another site made.
fn cross_site_headers(own_origin: &str) -> [(&'static str, String); 7] {
    let host = own_origin.strip_prefix("http://").unwrap();
    [
        ("origin", "https://evil.test".into()),
        ("origin", "null".into()),
        ("origin", "http://localhost".into()),
        ("origin", format!("{own_origin}.evil.test")),
        ("origin", format!("http://evil.{host}")),
        ("sec-fetch-site", "cross-site".into()),
        ("sec-fetch-site", "same-site".into()),
    ]
}

/// Asserts that an operation is refused if its request has this header, and that the page cannot read the response.
async fn assert_rejected_as_cross_site(
    browser: &Browser,
    (method, path, body): &(Method, String, Option<Value>),
    (name, value): &(&str, String),
) {
    let body = body.as_ref().map(Value::to_string);
    let response = browser.send(method.clone(), path, body, &[(name, value)]).await;
    for header in ["set-cookie", "access-control-allow-origin"] {
        assert!(!response.headers.contains_key(header), "{header} {path} {name}: {value}");
    }
    response.assert_problem("403 csrf_rejected");
}

/// Values of the `Authorization` header that are no valid credential, made of a valid access token.
fn malformed_authorization(token: &str) -> Vec<String> {
    let (without_signature, _) = token.rsplit_once('.').unwrap();
    let fixed = [
        "",
        "Bearer",
        "Bearer ",
        "Bearer  x",
        "Bearer x y",
        "Basic :",
        "Basic Og==",
        "bearer",
        "Bearer é",
        "Bearer\t",
        "Digest x",
        "Bearer ..",
        "Bearer ....",
        "Bearer null",
    ];
    let mut headers: Vec<String> = fixed.map(Into::into).into();
    headers.extend([
        token.to_owned(),
        format!("Bearer  {token}"),
        format!("Bearer {token},"),
        format!("Bearer \"{token}\""),
        format!("Bearer {token}.x"),
        format!("Bearer {without_signature}"),
        format!("Bearer {}", "a".repeat(10_000)),
        format!("Token {token}"),
        format!("Bearer, {token}"),
        format!("Bearer={token}"),
    ]);
    // Every fifth character of the token left out, and every fifth doubled.
    headers.extend((0..token.len()).step_by(5).map(|at| format!("Bearer {}{}", &token[..at], &token[at + 1..])));
    headers.extend((1..token.len()).step_by(5).map(|at| format!("Bearer {}{}", &token[..at], &token[at - 1..])));
    headers
}

/// Values of the `Cookie` header without a valid access token, made of a valid one.
fn malformed_cookies(token: &str) -> Vec<String> {
    let fixed = [
        "",
        ";;;",
        "=",
        "portico_portal",
        "portico_portal=",
        "portico_portal=a.b.c",
        "portico_portal=\"x\"; a=b; =c",
        "portico_portal=é",
        "Portico_Portal=x",
    ];
    let mut cookies: Vec<String> = fixed.map(Into::into).into();
    cookies.extend([
        format!("portico_portal=\"{token}\""),
        format!("__Host-portico_portal={token}"),
        format!("PORTICO_PORTAL={token}"),
        format!("portico_portal =x; portico_portal={token}x"),
        format!("portico_staff={token}"),
        format!("a={}", "b".repeat(4_096)),
        format!("portico_portal={token}%00"),
        format!("portico_portal={token},portico_portal={token}"),
    ]);
    cookies
}

/// Values that are no valid refresh token, made of a valid one.
fn malformed_refresh_tokens(token: &str) -> Vec<String> {
    let (sid, rest) = token.split_once('.').unwrap();
    vec![
        "x".into(),
        "a.b.c".into(),
        "....".into(),
        format!("{sid}.0"),
        format!("{sid}.-1.AAAA"),
        format!("{sid}.00.AAAA"),
        format!("{sid}.99999999999999999999.AAAA"),
        format!("{sid}.{rest}A"),
        format!("{sid}.{rest}="),
        format!("{}.{rest}", sid.to_uppercase()),
        format!("{sid}..{rest}"),
        format!("{token}."),
    ]
}

/// Requests the session with these headers and no other credential.
async fn session_with(world: &World, headers: &[(&str, &str)]) -> Response {
    world.browser().get_with_headers(SESSION, headers).await
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

stories! {
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

    async fn ses_05_unsafe_requests_from_other_sites_are_refused(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        // The victim's browser is signed in to both realms.
        for (name, value) in [STAFF.access_cookie, STAFF.refresh_cookie].into_iter().zip(STAFF.cookies(&tenant.owner)) {
            person.browser.set_cookie(name, &value);
        }
        for operation in unsafe_operations(&person.client) {
            for header in cross_site_headers(&public_url(world)) {
                assert_rejected_as_cross_site(&person.browser.on_new_network(), &operation, &header).await;
                // Also without cookies, since a forged sign-in would sign the victim in as another user.
                assert_rejected_as_cross_site(&world.browser(), &operation, &header).await;
            }
        }
        // Nothing has changed.
        person.browser.session().await.expect(200);
        person.browser.get(STAFF_SESSION).await.expect(200);
        person.sign_in(&world.browser()).await;
        let clients = tenant.owner.get(paths::CLIENTS).await.expect(200)["data"].clone();
        assert_eq!(clients.as_array().unwrap().len(), 1);
        assert_eq!(clients[0]["name"], "Acme Ltd");
    }

    async fn ses_05_content_types_that_a_form_can_send_are_refused(world) {
        let person = world.tenant().await.person(world).await;
        for content_type in [
            "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain",
            "text/plain; charset=utf-8",
        ] {
            let headers = [("content-type", content_type)];
            let response = world.browser().post_with_headers(SIGN_IN, person.credentials(), &headers).await;
            assert!(!response.headers.contains_key("set-cookie"));
            response.assert_problem("415 unsupported_media_type");
        }
    }

    async fn ses_05_unsafe_operations_do_not_take_get(world) {
        let person = world.tenant().await.person(world).await;
        for path in [SIGN_IN, REFRESH, SIGN_OUT, &format!("{SIGN_IN}?email=a&password=b")] {
            let response = person.browser.get_with_headers(path, &[("sec-fetch-site", "cross-site")]).await;
            response.assert_problem("405 method_not_allowed");
        }
        person.browser.session().await.expect(200);
    }

    async fn ses_05_the_portals_own_pages_and_programs_may_post(world) {
        let person = world.tenant().await.person(world).await;
        let origin = public_url(world);
        let own_page: [&[(&str, &str)]; 2] =
            [&[("origin", &origin)], &[("origin", &origin), ("sec-fetch-site", "same-origin")]];
        let program: &[(&str, &str)] = &[];
        for headers in own_page.into_iter().chain([program]) {
            let browser = world.browser();
            browser.post_with_headers(SIGN_IN, person.credentials(), headers).await.expect(200);
            browser.send(Method::POST, REFRESH, None, headers).await.expect(200);
        }
    }

    async fn ses_06_a_cookie_that_is_sent_twice_is_refused(world) {
        let person = world.tenant().await.person(world).await;
        let cookie = format!("portico_portal={}", person.browser.cookie(cookies::PORTAL_ACCESS).unwrap());
        // An attacker may have planted either of them.
        for cookies in [
            format!("{cookie}; {cookie}"),
            format!("portico_portal=planted; {cookie}"),
            format!("{cookie}; portico_portal=planted"),
            format!("{cookie}; portico_portal="),
        ] {
            session_with(world, &[("cookie", &cookies)]).await.assert_problem("401 unauthenticated");
        }
        session_with(world, &[("cookie", &cookie), ("cookie", &cookie)]).await.assert_problem("401 unauthenticated");
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
        let Invitation { token, .. } = tenant.invitation(world).await;
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

    async fn ses_09_a_malformed_authorization_header_is_refused_also_beside_a_valid_cookie(world) {
        let person = world.tenant().await.person(world).await;
        let token = person.browser.cookie(cookies::PORTAL_ACCESS).unwrap();
        let headers = malformed_authorization(&token);
        assert!(headers.len() > 100, "{}", headers.len());
        for header in headers {
            // Each from a network of its own, because refused tokens are counted by network.
            let browser = world.browser().with_cookie(cookies::PORTAL_ACCESS, &token);
            let response = browser.get_with_headers(SESSION, &[("authorization", &header)]).await;
            assert_eq!(response.status, 401, "{header}");
            response.assert_problem("401 unauthenticated");
        }
    }

    async fn ses_09_two_authorization_headers_are_refused(world) {
        let person = world.tenant().await.person(world).await;
        let valid = format!("Bearer {}", person.browser.cookie(cookies::PORTAL_ACCESS).unwrap());
        for second in ["Bearer x", &valid] {
            let headers = [("authorization", &*valid), ("authorization", second)];
            session_with(world, &headers).await.assert_problem("401 unauthenticated");
        }
    }

    async fn ses_09_a_valid_authorization_header_wins_over_an_invalid_cookie(world) {
        let person = world.tenant().await.person(world).await;
        let token = person.browser.cookie(cookies::PORTAL_ACCESS).unwrap();
        let headers = [("authorization", &*format!("Bearer {token}")), ("cookie", "portico_portal=rubbish")];
        session_with(world, &headers).await.expect(200);
    }

    // RFC 9110: a scheme is case-insensitive (section 11.1), and white space around a field value is not part of it
    // (section 5.5).
    async fn ses_09_the_bearer_scheme_ignores_case_and_surrounding_white_space(world) {
        let person = world.tenant().await.person(world).await;
        let token = person.browser.cookie(cookies::PORTAL_ACCESS).unwrap();
        for header in [format!("bearer {token}"), format!("Bearer {token} ")] {
            session_with(world, &[("authorization", &header)]).await.expect(200);
        }
    }

    async fn ses_09_malformed_cookies_are_refused(world) {
        let person = world.tenant().await.person(world).await;
        for cookie in malformed_cookies(&person.browser.cookie(cookies::PORTAL_ACCESS).unwrap()) {
            let response = session_with(world, &[("cookie", &cookie)]).await;
            assert_eq!(response.status, 401, "{cookie}");
            response.assert_problem("401 unauthenticated");
        }
    }

    async fn ses_09_malformed_refresh_tokens_are_refused(world) {
        let person = world.tenant().await.person(world).await;
        for token in malformed_refresh_tokens(&person.browser.cookie(cookies::PORTAL_REFRESH).unwrap()) {
            let cookie = format!("portico_portal_refresh={token}");
            let response = world.browser().send(Method::POST, REFRESH, None, &[("cookie", &cookie)]).await;
            assert_eq!(response.status, 401, "{token}");
            response.assert_problem("401 unauthenticated");
        }
        person.browser.refresh().await.expect(200);
    }

    async fn ses_11_pages_of_unknown_origins_cannot_read_responses(world) {
        let tenant = world.tenant().await;
        let own = public_url(world);
        let (suffixed, https) = (format!("{own}.evil.test"), own.replace("http://", "https://"));
        for origin in ["https://evil.test", "null", &https, &suffixed, "http://localhost:4", "*"] {
            let preflight = [("origin", origin), ("access-control-request-method", "POST")];
            let preflight = world.browser().send(Method::OPTIONS, SIGN_IN, None, &preflight).await;
            assert!(preflight.status >= 400, "{origin} {preflight:?}");
            let headers = [("origin", origin)];
            let live = world.browser().get_with_headers(LIVE, &headers).await;
            let clients = tenant.owner.get_with_headers(paths::CLIENTS, &headers).await;
            for response in [preflight, live, clients] {
                for header in ["access-control-allow-origin", "access-control-allow-credentials"] {
                    assert!(!response.headers.contains_key(header), "{origin} {response:?}");
                }
            }
        }
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
