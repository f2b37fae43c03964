//! Whatever comes in, the answer is a documented problem and nothing has changed.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Deployment, World, stories};

/// Every operation that takes a body, and a body of the right shape.
fn operations() -> Vec<(&'static str, Value)> {
    let token = json!({ "token": "x" });
    let both = json!({ "token": "x", "password": "correct horse battery" });
    vec![
        ("/api/portal/auth/sign-in", json!({ "email": "a@x.test", "password": "x" })),
        ("/api/portal/auth/forgot-password", json!({ "email": "a@x.test" })),
        ("/api/portal/auth/resend-activation", json!({ "email": "a@x.test" })),
        ("/api/portal/auth/reset-password", both.clone()),
        ("/api/portal/auth/activate", both),
        ("/api/portal/auth/check-token", token.clone()),
        ("/api/portal/auth/request-new-link", token),
        ("/api/staff/auth/send-code", json!({ "email": "a@x.test" })),
        ("/api/staff/auth/verify-code", json!({ "flow": "01a1fdba-f86f-76f5-b296-4e548b3691ab", "code": "123456" })),
    ]
}

/// Bodies that are not JSON without doubt.
const MALFORMED: [&str; 9] = [
    "",
    "{",
    "null}",
    "{\"a\":1,\"a\":2}",
    "{\"token\":\"\\u0000\"}",
    "{\"token\":\"\\ud800\"}",
    "{\"a\":1e999}",
    "{} {}",
    "'x'",
];

stories! {
    async fn malformed_bodies_and_wrong_fields_are_told_apart(world) {
        for (path, good) in operations() {
            let post = async |body: &str, content_type: &str| {
                let headers = [("content-type", content_type)];
                world.browser().send(Method::POST, path, Some(body.to_owned()), &headers).await
            };
            for body in MALFORMED {
                post(body, "application/json").await.problem(400, "malformed_request");
            }
            post(&"[".repeat(60_000), "application/json").await.problem(400, "malformed_request");
            for body in ["[]", "null", "5", "\"x\"", "true"] {
                post(body, "application/json").await.problem(422, "validation_failed");
            }
            let all: Vec<String> = good.as_object().unwrap().keys().map(|name| format!("/{name}")).collect();
            assert_eq!(post("{}", "application/json").await.bad_fields(), all, "{path}");
            for value in [json!(null), json!(1), json!(-1.5), json!(true), json!([]), json!({})] {
                let body: Value = good.as_object().unwrap().keys().map(|name| (name.clone(), value.clone())).collect();
                assert_eq!(post(&body.to_string(), "application/json").await.bad_fields(), all, "{path} {value}");
            }
            for content_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/json; charset=utf-16"] {
                post(&good.to_string(), content_type).await.problem(415, "unsupported_media_type");
            }
            let none = world.browser().send(Method::POST, path, None, &[]).await;
            none.problem(415, "unsupported_media_type");
        }
    }

    // HTTP-04
    async fn large_bodies_are_turned_away(world) {
        let body = json!({ "email": "a@x.test", "password": "x".repeat(70_000) }).to_string();
        world.browser().send(Method::POST, "/api/portal/auth/sign-in", Some(body.clone()), &[]).await.problem(413, "body_too_large");
        // Without a length the bytes are counted.
        let url = format!("{}/api/portal/auth/sign-in", world.apis[0]);
        let raw = format!(
            "POST /api/portal/auth/sign-in HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\
             connection: close\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
            body.len()
        );
        let answer = raw_request(&url, &raw).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    }

    // HTTP-02, HTTP-08, RED-02, RED-03
    async fn every_answer_has_its_shape_and_its_headers(world) {
        let browser = world.browser();
        let answers = [
            (browser.get("/nowhere").await, 404),
            (browser.get("/api/v1/clients/x/y/z").await, 404),
            (browser.get("/api/portal/auth/session/x.css").await, 404),
            (browser.get("/api/portal/auth/session").await, 401),
            (browser.get("/api/portal/auth/sign-in").await, 405),
            (browser.send(Method::DELETE, "/api/v1/clients", None, &[]).await, 405),
            (browser.post("/api/portal/auth/sign-in", json!({})).await, 422),
            (browser.get("/health/live").await, 200),
            (browser.get("/api/openapi.json").await, 200),
            (browser.get("/api/docs").await, 200),
            (browser.get("/.well-known/jwks.json").await, 200),
        ];
        for (answer, status) in answers {
            assert_eq!(answer.status, status, "{answer:?}");
            for header in ["x-request-id", "content-security-policy", "referrer-policy", "strict-transport-security"] {
                assert!(answer.headers.contains_key(header), "{header} {answer:?}");
            }
            assert_eq!(answer.headers["x-content-type-options"], "nosniff");
            if status >= 400 {
                let code = answer.json()["code"].as_str().unwrap().to_owned();
                if status == 405 {
                    assert!(!answer.headers["allow"].is_empty());
                }
                let problem = answer.problem(status, &code);
                assert!(!problem.to_string().contains("poem"), "{problem}");
            }
        }
        assert_eq!(browser.send(Method::PUT, "/api/portal/auth/sign-in", None, &[]).await.headers["allow"], "POST");
        let docs = browser.get("/api/docs").await;
        let policy = docs.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
        for path in ["/metrics", "/.env", "/debug", "/admin", "/api/portal/auth/sign-in/", "//api/docs"] {
            assert_eq!(browser.get(path).await.status, 404, "{path}");
        }
    }

    // HTTP-11
    async fn costly_texts_cost_nothing(world) {
        let long = [format!("{}@x.test", "a".repeat(60_000)), "(".repeat(50_000), "\u{300}".repeat(25_000), "ﷺ".repeat(20_000)];
        for text in long {
            let started = std::time::Instant::now();
            let answer = world.browser().post("/api/portal/auth/forgot-password", json!({ "email": text })).await;
            assert_eq!(answer.bad_fields(), ["/email"]);
            assert!(started.elapsed().as_millis() < 1_000);
        }
    }

    // SES-09, HTTP-06
    async fn headers_that_make_no_sense_do_no_harm(world) {
        let session = "/api/portal/auth/session";
        for cookie in ["", ";;;", "=", "portico_portal", "portico_portal=", "portico_portal=a.b.c", "portico_portal=\"x\"; a=b; =c"] {
            world.browser().send(Method::GET, session, None, &[("cookie", cookie)]).await.problem(401, "unauthenticated");
        }
        for refresh in ["x", "a.b.c", "01a1fdbaf86f76f5b2964e548b3691ab.0.AAAA", "01a1fdbaf86f76f5b2964e548b3691ab.-1.AAAA", "...."] {
            let cookie = format!("portico_portal_refresh={refresh}");
            let answer = world.browser().send(Method::POST, "/api/portal/auth/refresh", None, &[("cookie", &cookie)]).await;
            answer.problem(401, "unauthenticated");
        }
        let heads = [
            "GET /health/live HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n",
            "POST /api/portal/auth/sign-in HTTP/1.1\r\nhost: x\r\ncontent-length: +5\r\n\r\n",
            "GET /health/live HTTP/1.1\r\nhost : x\r\n\r\n",
            "GET /\0 HTTP/1.1\r\nhost: x\r\n\r\n",
            "RUBBISH\r\n\r\n",
        ];
        for head in heads {
            let answer = raw_request(&world.apis[0], head).await;
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{head:?}: {answer}");
        }
    }
}

#[tokio::test]
async fn ses_11_pages_of_configured_origins_may_call_and_read() {
    let app = "https://app.example.com";
    let world = World::start(Deployment::Single, &[("PORTICO_ALLOWED_ORIGINS", app)]).await;
    let path = "/api/portal/auth/sign-in";
    let preflight = [
        ("origin", app),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type"),
    ];
    let answer = world.browser().send(Method::OPTIONS, path, None, &preflight).await;
    assert_eq!((answer.status, &answer.headers["access-control-allow-origin"]), (204, &app.parse().unwrap()));
    let body = json!({ "email": "a@x.test", "password": "x" }).to_string();
    let answer = world.browser().send(Method::POST, path, Some(body), &[("origin", app)]).await;
    assert_eq!(answer.headers["access-control-allow-credentials"], "true");
    assert_eq!(answer.headers["vary"], "origin");
    answer.problem(401, "invalid_credentials");
}

/// Sends bytes as they are and returns what comes back until the server closes or is silent.
async fn raw_request(url: &str, request: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let address = url.strip_prefix("http://").unwrap().split('/').next().unwrap();
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let _ = socket.write_all(request.as_bytes()).await;
    let mut answer = vec![0; 4_096];
    let read = tokio::time::timeout(std::time::Duration::from_secs(10), socket.read(&mut answer)).await;
    let length = read.ok().and_then(Result::ok).unwrap_or(0);
    String::from_utf8_lossy(&answer[..length]).into_owned()
}
