//! What answers say, and what they do not.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

use crate::support::{Answer, World, openapi, password, stories, unique};

const SESSION: &str = "/api/portal/auth/session";
const SIGN_IN: &str = "/api/portal/auth/sign-in";
const ACTIVATE: &str = "/api/portal/auth/activate";

/// One answer of each code that can be had without breaking anything.
async fn every_refusal(world: &World) -> Vec<Answer> {
    let tenant = world.tenant().await;
    let person = tenant.person(world).await;
    let owner = &tenant.owner;
    let browser = world.browser();
    let post = async |path: &str, body: Value| world.browser().post(path, body).await;
    let viewer = world.browser();
    let viewer_email = format!("viewer@{}.test", tenant.slug);
    world.add_staff(&tenant.slug, &viewer_email, "viewer");
    world.sign_in_staff(&viewer, &viewer_email, 1).await;
    let user = format!("/api/v1/clients/{}/portal-user", person.client);
    let invited = format!("{}@x.test", unique("ann"));
    let older = tenant.invited(world, &person.client, &invited).await;
    let resend = format!("{user}?action=resend");
    owner.post(&resend, json!({ "email": invited })).await.expect(200);
    let used = world.mail(&invited, 2).await.token();
    post(ACTIVATE, json!({ "token": used, "password": password() })).await.expect(200);
    let other = world.tenant().await;
    let elsewhere = other.client("Elsewhere Ltd").await;
    other.invite(&elsewhere, &invited).await;
    let offer = world.mail(&invited, 3).await.token();
    let reference = json!({ "name": "One Ltd", "external_ref": unique("K") });
    owner.post("/api/v1/clients", reference.clone()).await.expect(201);
    let ended = world.browser();
    person.sign_in(&ended).await;
    let ended_token = format!("Bearer {}", ended.cookie("portico_portal").unwrap());
    ended.call("/api/portal/auth/sign-out").await.expect(204);
    let limited = async || {
        let email = json!({ "email": format!("{}@x.test", unique("stranger")) });
        for _ in 0..3 {
            post("/api/portal/auth/forgot-password", email.clone()).await.expect(200);
        }
        post("/api/portal/auth/forgot-password", email).await
    };
    let flow = "01a1fdba-f86f-76f5-b296-4e548b3691ab";
    let wrong = json!({ "email": person.email, "password": password() });
    let raw = async |body: &str, headers: &[(&str, &str)]| {
        world.browser().send(Method::POST, SIGN_IN, Some(body.into()), headers).await
    };
    let mut answers = vec![
        raw("{", &[]).await,
        browser.get(SESSION).await,
        post(SIGN_IN, wrong).await,
        post("/api/staff/auth/verify-code", json!({ "flow": flow, "code": "123456" })).await,
        world.browser().send(Method::GET, SESSION, None, &[("authorization", &ended_token)]).await,
        viewer.post("/api/v1/clients", json!({ "name": "New" })).await,
        raw("{}", &[("origin", "https://evil.test")]).await,
        browser.get("/nowhere").await,
        post(ACTIVATE, json!({ "token": "x", "password": password() })).await,
        browser.get(SIGN_IN).await,
        owner.post(&user, json!({ "email": person.email })).await,
        owner.post(&resend, json!({ "email": person.email })).await,
        person.browser.post("/api/portal/invitations/accept", json!({ "token": offer })).await,
        owner.post("/api/v1/clients", reference).await,
        post(ACTIVATE, json!({ "token": used, "password": password() })).await,
        post(ACTIVATE, json!({ "token": older, "password": password() })).await,
        raw(&"x".repeat(70_000), &[]).await,
        raw("{}", &[("content-type", "text/plain")]).await,
        raw("{}", &[]).await,
        limited().await,
    ];
    owner.patch(&format!("/api/v1/clients/{}", person.client), json!({ "status": "archived" })).await.expect(200);
    answers.push(post(SIGN_IN, json!({ "email": person.email, "password": person.password })).await);
    answers
}

stories! {
    // Each of these is also held against the document and the table of codes, as is every answer of every story.
    async fn http_02_every_code_has_its_problem_document(world) {
        let mut seen = BTreeSet::new();
        for answer in every_refusal(world).await {
            let code = answer.json()["code"].as_str().unwrap().to_owned();
            let status = answer.status;
            for header in ["x-request-id", "content-security-policy", "referrer-policy", "strict-transport-security"] {
                assert!(answer.headers.contains_key(header), "{header} {answer:?}");
            }
            assert_eq!(answer.headers["cache-control"], "no-store");
            answer.problem(status, &code);
            assert!(seen.insert(code.clone()), "{code} twice");
        }
        // Lifetimes that end, servers that are out and bodies that do not come are told of elsewhere.
        let elsewhere = ["session_expired", "token_expired", "overloaded", "unavailable", "request_timeout"].map(String::from);
        let missing: Vec<_> = openapi::codes().into_iter().filter(|code| !seen.contains(code) && !elsewhere.contains(code)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    async fn http_03_every_operation_answers_as_the_document_says(world) {
        let served = world.browser().get("/api/openapi.json").await.expect(200);
        let committed: Value = serde_json::from_str(include_str!("../../../openapi/openapi.json")).unwrap();
        assert_eq!(served, committed, "refresh it: cargo run -- openapi > openapi/openapi.json");

        // A day in the life, so that each operation succeeds once; every answer is checked as it comes in.
        let tenant = world.tenant().await;
        let (owner, staff) = (&tenant.owner, "/api/staff/auth");
        for path in ["/health/live", "/health/ready", "/.well-known/jwks.json"] {
            owner.get(path).await.expect(200);
        }
        owner.get(&format!("{staff}/session")).await.expect(200);
        owner.call(&format!("{staff}/refresh")).await.expect(200);
        let person = tenant.person(world).await;
        let client = format!("/api/v1/clients/{}", person.client);
        owner.get("/api/v1/clients").await.expect(200);
        owner.get(&client).await.expect(200);
        owner.patch(&client, json!({ "status": "past_due" })).await.expect(200);
        let email = format!("{}@x.test", unique("ann"));
        tenant.invited(world, &person.client, &email).await;
        owner.post(&format!("{client}/portal-user?action=resend"), json!({ "email": email })).await.expect(200);
        world.mail(&email, 2).await;
        world.browser().post("/api/portal/auth/resend-activation", json!({ "email": email })).await.expect(200);
        let token = world.mail(&email, 3).await.token();
        let link = async |operation: &str| world.browser().post(&format!("/api/portal/auth/{operation}"), json!({ "token": token })).await;
        link("check-token").await.expect(200);
        let these = format!("WHERE portal_user_id = (SELECT id FROM portal_users WHERE email = '{email}')");
        world.sql(&format!("UPDATE link_tokens SET expires_at = created_at {these}"));
        link("request-new-link").await.expect(200);
        let portal = &person.browser;
        person.sign_in(portal).await;
        portal.get(SESSION).await.expect(200);
        portal.call("/api/portal/auth/refresh").await.expect(200);
        let new = password();
        let change = json!({ "current_password": person.password, "new_password": new });
        portal.post("/api/portal/auth/change-password", change).await.expect(204);
        let elsewhere = world.tenant().await;
        let place = elsewhere.client("Elsewhere Ltd").await;
        let offer = {
            elsewhere.invite(&place, &person.email).await;
            world.mail(&person.email, 3).await.token()
        };
        portal.post("/api/portal/invitations/accept", json!({ "token": offer })).await.expect(204);
        portal.call("/api/portal/auth/sign-out").await.expect(204);
        portal.call("/api/portal/auth/sign-out-everywhere").await.expect(204);
        let reset = person.request_reset(world, 4).await;
        world.browser().post("/api/portal/auth/reset-password", json!({ "token": reset, "password": password() })).await.expect(200);
        owner.call(&format!("{staff}/sign-out")).await.expect(204);
        owner.call(&format!("{staff}/sign-out-everywhere")).await.expect(204);
        let succeeded = openapi::succeeded();
        let left: Vec<_> = openapi::operations().into_iter().filter(|operation| !succeeded.contains(operation)).collect();
        assert!(left.is_empty(), "never exercised: {left:?}");
    }

    async fn http_10_one_connection_serves_many_and_mixes_up_none(world) {
        let tenant = world.tenant().await;
        let (ann, bob) = (tenant.person(world).await, tenant.person(world).await);
        let cookie = |browser: &crate::support::Browser, name: &str| format!("cookie: {name}={}\r\n", browser.cookie(name).unwrap());
        let get = |path: &str, head: &str| format!("GET {path} HTTP/1.1\r\nhost: x\r\n{head}\r\n");
        let portal = "portico_portal";
        let round = [
            (get(SESSION, &cookie(&ann.browser, portal)), 200, ann.email.clone()),
            (get(SESSION, ""), 401, "unauthenticated".into()),
            (get(SESSION, &cookie(&bob.browser, portal)), 200, bob.email.clone()),
            (get(SESSION, "authorization: Bearer x\r\n"), 401, "unauthenticated".into()),
            (get("/nowhere", &cookie(&ann.browser, portal)), 404, "not_found".into()),
            (get("/api/staff/auth/session", &cookie(&tenant.owner, "portico_staff")), 200, tenant.owner_email.clone()),
            (get(SESSION, ""), 401, "unauthenticated".into()),
            (format!("POST {SIGN_IN} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}"), 422, "validation_failed".into()),
            (get(SESSION, &cookie(&bob.browser, portal)), 200, bob.email.clone()),
        ];
        let others = [&ann.email, &bob.email, &tenant.owner_email];
        for api in &world.apis {
            let socket = tokio::net::TcpStream::connect(api.strip_prefix("http://").unwrap()).await.unwrap();
            let mut socket = BufReader::new(socket);
            // One after the other, and then all of them before the first is answered.
            for is_pipelined in [false, true] {
                if is_pipelined {
                    let all: String = round.iter().map(|(request, ..)| request.as_str()).collect();
                    socket.write_all(all.as_bytes()).await.unwrap();
                }
                for (request, status, shown) in &round {
                    if !is_pipelined {
                        socket.write_all(request.as_bytes()).await.unwrap();
                    }
                    let (got, body) = read_answer(&mut socket).await;
                    assert_eq!(got, *status, "{request} {body}");
                    assert!(body.contains(shown.as_str()), "{request} {body}");
                    assert!(others.iter().all(|other| *other == shown || !body.contains(other.as_str())), "{request} {body}");
                }
            }
        }
    }

    async fn http_12_what_clients_call_themselves_is_not_believed(world) {
        let given = "01a1fdba-f86f-76f5-b296-4e548b3691ab";
        let ask = async |name: &str, value: &str| {
            let answer = world.browser().send(Method::GET, "/health/live", None, &[(name, value)]).await;
            assert!(!answer.headers.values().any(|header| header == value) || value == given, "{name} came back");
            answer.headers["x-request-id"].to_str().unwrap().to_owned()
        };
        assert_eq!(ask("x-request-id", given).await, given);
        let long = "9".repeat(5_000);
        for bad in ["x", "{\"level\":\"info\"}", &long, "01a1fdba-f86f-76f5-b296-4e548b3691ab\t", "\u{1f706}"] {
            for name in ["x-request-id", "traceparent", "user-agent"] {
                let made = ask(name, bad).await;
                assert!(made == given && bad.starts_with(given) || made != bad && made.len() == 36, "{name} {made}");
            }
        }
        // What is kept of them is short.
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let body = json!({ "email": person.email, "password": person.password }).to_string();
        let agent = format!("{{\"level\":\"info\"}}{}", "x".repeat(10_000));
        world.browser().send(Method::POST, SIGN_IN, Some(body), &[("user-agent", &agent)]).await.expect(200);
        let longest = world.sql("SELECT max(length(user_agent)) FROM sessions");
        assert!(longest.parse::<usize>().unwrap() <= 512, "{longest}");
    }

    async fn http_14_nothing_of_the_works_is_shown_to_the_public(world) {
        let browser = world.browser();
        for path in ["/metrics", "/debug", "/debug/pprof", "/.env", "/.git/config", "/admin", "/internal", "/server-status", "/actuator", "/api", "/api/", "/openapi.json", "/swagger.json", "/api/portal/auth/sign-in/", "//api/docs"] {
            browser.get(path).await.problem(404, "not_found");
        }
        assert_eq!(browser.get("/health/live").await.expect(200), json!({ "status": "ok" }));
        assert_eq!(browser.get("/health/ready").await.expect(200), json!({ "status": "ok" }));
        for path in ["/health/live", "/health/ready", "/api/portal/auth/session"] {
            let answer = browser.get(path).await;
            for header in ["server", "x-powered-by", "via"] {
                assert!(!answer.headers.contains_key(header), "{answer:?}");
            }
            assert!(!answer.text.contains(env!("CARGO_PKG_VERSION")), "{answer:?}");
        }
    }
}

/// The status and the body of the next answer on a connection.
async fn read_answer(socket: &mut BufReader<tokio::net::TcpStream>) -> (u16, String) {
    let (mut status, mut length, mut line) = (0, 0, String::new());
    loop {
        line.clear();
        socket.read_line(&mut line).await.unwrap();
        let text = line.trim_end().to_ascii_lowercase();
        if let Some(rest) = text.strip_prefix("http/1.1 ") {
            status = rest[..3].parse().unwrap();
        } else if let Some(value) = text.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        } else if text.is_empty() && status != 0 {
            break;
        }
    }
    let mut body = vec![0; length];
    socket.read_exact(&mut body).await.unwrap();
    (status, String::from_utf8(body).unwrap())
}
