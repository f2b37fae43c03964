//! Sessions, and the cookies and headers that name them.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Browser, World, password, stories, unique};

const SESSION: &str = "/api/portal/auth/session";
const SIGN_IN: &str = "/api/portal/auth/sign-in";
const REFRESH: &str = "/api/portal/auth/refresh";

/// The origin of the portal's own pages.
fn own_origin(world: &World) -> String {
    if world.apis.len() == 1 { world.apis[0].replace("127.0.0.1", "localhost") } else { "http://localhost:4000".into() }
}

async fn with_bearer(browser: &Browser, path: &str, token: &str) -> Answer {
    browser.send(Method::GET, path, None, &[("authorization", &format!("Bearer {token}"))]).await
}

/// Every unsafe operation, with a body where it takes one.
fn unsafe_operations(client: &str) -> Vec<(Method, String, Option<Value>)> {
    let token = json!({ "token": "x" });
    let both = json!({ "token": "x", "password": password() });
    let email = json!({ "email": "a@x.test" });
    let portal = [
        ("sign-in", Some(json!({ "email": "a@x.test", "password": password() }))),
        ("forgot-password", Some(email.clone())),
        ("resend-activation", Some(email.clone())),
        ("reset-password", Some(both.clone())),
        ("activate", Some(both)),
        ("check-token", Some(token.clone())),
        ("request-new-link", Some(token.clone())),
        ("change-password", Some(json!({ "current_password": password(), "new_password": password() }))),
        ("refresh", None),
        ("sign-out", None),
        ("sign-out-everywhere", None),
    ];
    let staff = [
        ("send-code", Some(email.clone())),
        ("verify-code", Some(json!({ "flow": "01a1fdba-f86f-76f5-b296-4e548b3691ab", "code": "123456" }))),
        ("refresh", None),
        ("sign-out", None),
        ("sign-out-everywhere", None),
    ];
    let path = format!("/api/v1/clients/{client}");
    let mut all = vec![
        (Method::POST, "/api/portal/invitations/accept".to_owned(), Some(token)),
        (Method::POST, "/api/v1/clients".to_owned(), Some(json!({ "name": "Forged Ltd" }))),
        (Method::POST, format!("{path}/portal-user"), Some(email)),
        (Method::PATCH, path, Some(json!({ "name": "Forged Ltd" }))),
    ];
    all.extend(portal.map(|(name, body)| (Method::POST, format!("/api/portal/auth/{name}"), body)));
    all.extend(staff.map(|(name, body)| (Method::POST, format!("/api/staff/auth/{name}"), body)));
    all
}

stories! {
    async fn ses_05_pages_of_other_sites_do_nothing_with_a_victims_cookies(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        // A browser with both realms' cookies.
        for name in ["portico_staff", "portico_staff_refresh"] {
            person.browser.set_cookie(name, &tenant.owner.cookie(name).unwrap());
        }
        let own = own_origin(world);
        let sibling = format!("http://evil.{}", own.strip_prefix("http://").unwrap());
        let foreign: [&[(&str, &str)]; 7] = [
            &[("origin", "https://evil.test")],
            &[("origin", "null")],
            &[("origin", "http://localhost")],
            &[("origin", &format!("{own}.evil.test"))],
            &[("origin", &sibling)],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
        ];
        for (method, path, body) in unsafe_operations(&person.client) {
            // With the victim's cookies, and without any, when it would sign the victim in as somebody else.
            for headers in foreign {
                // Each from a network of its own: how often one may try is another story.
                for browser in [person.browser.on_new_network(), world.browser()] {
                    let body = body.as_ref().map(Value::to_string);
                    let refused = browser.send(method.clone(), &path, body, headers).await;
                    assert!(!refused.headers.contains_key("set-cookie"), "{path} {headers:?}");
                    assert!(!refused.headers.contains_key("access-control-allow-origin"), "{path} {headers:?}");
                    refused.problem(403, "csrf_rejected");
                }
            }
        }
        person.browser.get(SESSION).await.expect(200);
        person.browser.get("/api/staff/auth/session").await.expect(200);
        person.sign_in(&world.browser()).await;
        assert_eq!(tenant.owner.get(&format!("/api/v1/clients/{}", person.client)).await.expect(200)["name"], "Acme Ltd");
        assert_eq!(tenant.owner.get("/api/v1/clients").await.expect(200)["data"].as_array().unwrap().len(), 1);
    }

    async fn ses_05_what_a_form_can_send_is_not_read(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let body = json!({ "email": person.email, "password": person.password }).to_string();
        for content_type in ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", "text/plain; charset=utf-8"] {
            let answer = world.browser().send(Method::POST, SIGN_IN, Some(body.clone()), &[("content-type", content_type)]).await;
            assert!(!answer.headers.contains_key("set-cookie"));
            answer.problem(415, "unsupported_media_type");
        }
        // Nor does a link or an image do what a POST does.
        for (path, query) in [(SIGN_IN, ""), (REFRESH, ""), ("/api/portal/auth/sign-out", ""), (SIGN_IN, "?email=a&password=b")] {
            let answer = person.browser.send(Method::GET, &format!("{path}{query}"), None, &[("sec-fetch-site", "cross-site")]).await;
            answer.problem(405, "method_not_allowed");
        }
        person.browser.get(SESSION).await.expect(200);
    }

    async fn ses_05_the_portals_own_pages_and_programs_pass(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let own = own_origin(world);
        let body = json!({ "email": person.email, "password": person.password }).to_string();
        let own_page: [&[(&str, &str)]; 3] = [&[("origin", &own)], &[("origin", &own), ("sec-fetch-site", "same-origin")], &[]];
        for headers in own_page {
            let browser = world.browser();
            browser.send(Method::POST, SIGN_IN, Some(body.clone()), headers).await.expect(200);
            browser.send(Method::POST, REFRESH, None, headers).await.expect(200);
        }
    }

    async fn ses_07_what_was_planted_before_a_sign_in_is_dead_after_it(world) {
        let tenant = world.tenant().await;
        let (attacker, victim) = (tenant.person(world).await, tenant.person(world).await);
        let names = ["portico_portal", "portico_portal_refresh"];
        let plant = |browser: &Browser, from: &Browser, names: [&str; 2]| {
            names.map(|name| {
                let value = from.cookie(name).unwrap();
                browser.set_cookie(name, &value);
                value
            })
        };
        let replayed = async |planted: &[String; 2], names: [&str; 2], path: &str| {
            let thief = world.browser();
            names.iter().zip(planted).for_each(|(name, value)| thief.set_cookie(name, value));
            thief.get(&format!("{path}/session")).await.problem(401, "session_revoked");
            thief.call(&format!("{path}/refresh")).await.problem(401, "session_revoked");
        };
        let session_id = async |browser: &Browser, path: &str| browser.get(&format!("{path}/session")).await.expect(200);

        // By password.
        let browser = world.browser();
        let planted = plant(&browser, &attacker.browser, names);
        let before = session_id(&browser, "/api/portal/auth").await["session"]["id"].clone();
        victim.sign_in(&browser).await;
        let after = session_id(&browser, "/api/portal/auth").await;
        assert_eq!(after["user"]["email"], victim.email.as_str());
        assert_ne!(after["session"]["id"], before);
        assert!(names.iter().zip(&planted).all(|(name, value)| browser.cookie(name).unwrap() != *value));
        replayed(&planted, names, "/api/portal/auth").await;

        // By an activation.
        attacker.sign_in(&attacker.browser).await;
        let token = tenant.invited(world, &victim.client, &format!("{}@x.test", unique("new"))).await;
        let browser = world.browser();
        let planted = plant(&browser, &attacker.browser, names);
        browser.post("/api/portal/auth/activate", json!({ "token": token, "password": password() })).await.expect(200);
        replayed(&planted, names, "/api/portal/auth").await;

        // By a code.
        let names = ["portico_staff", "portico_staff_refresh"];
        let email = format!("second@{}.test", tenant.slug);
        world.add_staff(&tenant.slug, &email, "viewer");
        let browser = world.browser();
        let planted = plant(&browser, &tenant.owner, names);
        world.sign_in_staff(&browser, &email, 1).await;
        assert_eq!(session_id(&browser, "/api/staff/auth").await["user"]["email"], email.as_str());
        replayed(&planted, names, "/api/staff/auth").await;

        // A value that was never ours becomes nobody's session.
        let browser = world.browser();
        browser.set_cookie("portico_portal", "chosen-by-the-attacker");
        victim.sign_in(&browser).await;
        assert_ne!(browser.cookie("portico_portal").unwrap(), "chosen-by-the-attacker");
    }

    async fn ses_08_no_refresh_makes_a_sign_in_younger(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let about = async || person.browser.get(SESSION).await.expect(200)["session"].clone();
        let before = about().await;
        let mut seen = BTreeSet::from([person.browser.cookie("portico_portal_refresh").unwrap()]);
        for _ in 0..10 {
            person.browser.call(REFRESH).await.expect(200);
            assert!(seen.insert(person.browser.cookie("portico_portal_refresh").unwrap()));
        }
        assert_eq!(about().await, before, "id, auth_time and expiry");
    }

    async fn ses_09_malformed_credentials_are_401_and_never_another_credential(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let token = person.browser.cookie("portico_portal").unwrap();
        let parts: Vec<&str> = token.split('.').collect();
        // Each beside a good cookie, which must not help.
        let mut headers: Vec<String> = ["", "Bearer", "Bearer ", "Bearer  x", "Bearer x y", "Basic :", "Basic Og==", "bearer", "Bearer é", "Bearer\t", "Digest x", "Bearer ..", "Bearer ....", "Bearer null"].map(Into::into).into();
        headers.extend([
            token.clone(),
            format!("Bearer  {token}"),
            format!("Bearer {token} "),
            format!("Bearer {token},"),
            format!("Bearer \"{token}\""),
            format!("Bearer {token}.x"),
            format!("Bearer {}.{}", parts[0], parts[1]),
            format!("Bearer {}", "a".repeat(10_000)),
            format!("Token {token}"),
            format!("Bearer, {token}"),
            format!("Bearer={token}"),
        ]);
        // Every way to lose or double one of its characters, sampled.
        headers.extend((0..token.len()).step_by(5).map(|at| format!("Bearer {}{}", &token[..at], &token[at + 1..])));
        headers.extend((1..token.len()).step_by(5).map(|at| format!("Bearer {}{}", &token[..at], &token[at - 1..])));
        for (n, header) in headers.iter().enumerate() {
            // Bad tokens are counted by network, of which every one has its own here.
            let browser = world.browser();
            browser.set_cookie("portico_portal", &token);
            let answer = browser.send(Method::GET, SESSION, None, &[("authorization", header)]).await;
            // White space around a value is no part of it (RFC 9110 §5.5).
            if header.trim_end() == format!("Bearer {token}") {
                answer.expect(200);
            } else {
                assert_eq!(answer.status, 401, "{n} {header}");
                answer.problem(401, "unauthenticated");
            }
        }
        assert!(headers.len() > 100, "{}", headers.len());
        let with = async |headers: &[(&str, &str)]| world.browser().send(Method::GET, SESSION, None, headers).await;
        let good = format!("Bearer {token}");
        with(&[("authorization", &good), ("authorization", "Bearer x")]).await.problem(401, "unauthenticated");
        with(&[("authorization", &good), ("authorization", &good)]).await.problem(401, "unauthenticated");
        // A good header stands, whatever the cookie says.
        with(&[("authorization", &good), ("cookie", "portico_portal=rubbish")]).await.expect(200);
        with(&[("authorization", &format!("bearer {token}"))]).await.expect(200);
    }

    async fn ses_09_malformed_cookies_are_401(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let token = person.browser.cookie("portico_portal").unwrap();
        let good = format!("portico_portal={token}");
        let refresh = person.browser.cookie("portico_portal_refresh").unwrap();
        let (sid, rest) = refresh.split_once('.').unwrap();
        let mut cookies: Vec<String> = ["", ";;;", "=", "portico_portal", "portico_portal=", "portico_portal=a.b.c", "portico_portal=\"x\"; a=b; =c", "portico_portal=é", "Portico_Portal=x"].map(Into::into).into();
        cookies.extend([
            // SES-06: of two of one name, one was planted by somebody: neither counts.
            format!("{good}; {good}"),
            format!("portico_portal=planted; {good}"),
            format!("{good}; portico_portal=planted"),
            format!("{good}; portico_portal="),
            format!("portico_portal=\"{token}\""),
            format!("__Host-{good}"),
            format!("PORTICO_PORTAL={token}"),
            format!("portico_portal =x; portico_portal={token}x"),
            format!("portico_staff={token}"),
            format!("a={}", "b".repeat(4_096)),
            format!("portico_portal={token}%00"),
            format!("portico_portal={token},portico_portal={token}"),
        ]);
        for cookie in &cookies {
            let answer = world.browser().send(Method::GET, SESSION, None, &[("cookie", cookie)]).await;
            assert_eq!(answer.status, 401, "{cookie}");
            answer.problem(401, "unauthenticated");
        }
        world.browser().send(Method::GET, SESSION, None, &[("cookie", &good), ("cookie", &good)]).await.problem(401, "unauthenticated");
        let refreshes = ["x", "a.b.c", "....", &format!("{sid}.0"), &format!("{sid}.-1.AAAA"), &format!("{sid}.00.AAAA"), &format!("{sid}.99999999999999999999.AAAA"), &format!("{sid}.{rest}A"), &format!("{sid}.{rest}="), &format!("{}.{rest}", sid.to_uppercase()), &format!("{sid}..{rest}"), &format!("{refresh}.")];
        for wrong in refreshes {
            let cookie = format!("portico_portal_refresh={wrong}");
            let answer = world.browser().send(Method::POST, REFRESH, None, &[("cookie", &cookie)]).await;
            assert_eq!(answer.status, 401, "{wrong}");
            answer.problem(401, "unauthenticated");
        }
        person.browser.call(REFRESH).await.expect(200);
    }

    async fn ses_11_pages_of_unknown_origins_read_nothing(world) {
        let tenant = world.tenant().await;
        let own = own_origin(world);
        let suffix = format!("{own}.evil.test");
        let scheme = own.replace("http://", "https://");
        for origin in ["https://evil.test", "null", &scheme, &suffix, "http://localhost:4", "*"] {
            let preflight = [("origin", origin), ("access-control-request-method", "POST")];
            let answer = world.browser().send(Method::OPTIONS, SIGN_IN, None, &preflight).await;
            assert!(answer.status >= 400 && !answer.headers.contains_key("access-control-allow-origin"), "{answer:?}");
            for (browser, path) in [(&world.browser(), "/health/live"), (&tenant.owner, "/api/v1/clients")] {
                let answer = browser.send(Method::GET, path, None, &[("origin", origin)]).await;
                for header in ["access-control-allow-origin", "access-control-allow-credentials"] {
                    assert!(!answer.headers.contains_key(header), "{origin} {answer:?}");
                }
            }
        }
    }

    async fn ses_12_nothing_in_the_database_refreshes(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let cookie = person.browser.cookie("portico_portal_refresh").unwrap();
        let (sid, _) = cookie.split_once('.').unwrap();
        let columns = world.sql(&format!(
            "SELECT s.nonce, s.generation, u.password_phc FROM sessions s JOIN portal_users u ON u.id = s.portal_user_id WHERE u.email = '{}'",
            person.email
        ));
        let columns: Vec<_> = columns.split('|').collect();
        assert_eq!(columns.len(), 3, "{columns:?}");
        // Whatever stands there in the place of the token, or of its last part.
        for column in columns {
            for token in [column.to_owned(), format!("{sid}.0.{column}"), format!("{sid}.{column}"), format!("{sid}.0.")] {
                let thief = world.browser();
                thief.set_cookie("portico_portal_refresh", &token);
                thief.call(REFRESH).await.problem(401, "unauthenticated");
            }
        }
        for _ in 0..12 {
            person.sign_in(&world.browser()).await;
        }
        let live = format!(
            "SELECT count(*) FROM sessions s JOIN portal_users u ON u.id = s.portal_user_id WHERE s.revoked_at IS NULL AND u.email = '{}'",
            person.email
        );
        assert_eq!(world.sql(&live), "5");
    }

    async fn ses_02_a_replayed_cookie_is_refused_by_every_replica_at_once(world) {
        let tenant = world.tenant().await;
        for everywhere in [false, true] {
            let person = tenant.person(world).await;
            let copies: Vec<_> = world.apis.iter().map(|api| person.browser.on_new_network().at(std::slice::from_ref(api))).collect();
            for copy in &copies {
                copy.get(SESSION).await.expect(200);
            }
            let token = person.browser.cookie("portico_portal").unwrap();
            let path = if everywhere { "/api/portal/auth/sign-out-everywhere" } else { "/api/portal/auth/sign-out" };
            let out = person.browser.send(Method::POST, path, None, &[]).await;
            // The browser forgets both.
            let cleared: Vec<_> = out.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap()).collect();
            assert!(cleared.len() == 2 && cleared.iter().all(|cookie| cookie.contains("=; ") && cookie.contains("Max-Age=0")), "{cleared:?}");
            assert!(person.browser.cookie("portico_portal").is_none());
            out.expect(204);
            for copy in &copies {
                copy.get(SESSION).await.problem(401, "session_revoked");
                copy.call(REFRESH).await.problem(401, "session_revoked");
                with_bearer(copy, SESSION, &token).await.problem(401, "session_revoked");
            }
        }
    }
}
