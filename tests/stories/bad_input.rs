//! Requests that break a rule: each is answered with the documented problem.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Duration, Instant, timeout},
};

use crate::support::{
    Deployment, Response, World, cookies, credentials, new_password, password,
    paths::{self, API_DOCS, CLIENTS, FORGOT_PASSWORD, JWKS, LIVE, OPENAPI, SESSION, SIGN_IN},
    stories, unique_email,
};

const JSON: &str = "application/json";

/// The operations that take a body and no session, each with a body of the right shape.
fn operations() -> Vec<(&'static str, Value)> {
    let token = json!({ "token": "x" });
    let email = json!({ "email": "a@x.test" });
    vec![
        (SIGN_IN, credentials("a@x.test", "x")),
        (FORGOT_PASSWORD, email.clone()),
        (paths::RESEND_ACTIVATION, email.clone()),
        (paths::RESET_PASSWORD, new_password("x", "correct horse battery")),
        (paths::ACTIVATE, token.clone()),
        (paths::CHECK_TOKEN, token.clone()),
        (paths::CHECK_PASSWORD, json!({ "password": "correct horse battery" })),
        (
            paths::EXCHANGE_CLI_LOGIN,
            json!({ "code": "x", "code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" }),
        ),
        (paths::REQUEST_NEW_LINK, token.clone()),
        (paths::NOT_ME, token),
        (paths::STAFF_SEND_CODE, email.clone()),
        ("/api/portal/auth/send-code", email),
        ("/api/portal/auth/verify-code", json!({ "flow": "01a1fdba-f86f-76f5-b296-4e548b3691ab", "code": "123456" })),
        ("/api/portal/auth/mfa/cancel", json!({ "challenge": "x" })),
        ("/api/staff/auth/mfa/enrol/send-code", json!({ "challenge": "x" })),
        ("/api/staff/auth/mfa/enrol/enable", json!({ "challenge": "x", "code": "123456" })),
        (paths::STAFF_VERIFY_CODE, json!({ "flow": "01a1fdba-f86f-76f5-b296-4e548b3691ab", "code": "123456" })),
    ]
}

/// Posts a body of this content type, from a network of its own.
async fn post(world: &World, path: &str, body: &str, content_type: &str) -> Response {
    let headers = [("content-type", content_type)];
    world.browser().send(Method::POST, path, Some(body.to_owned()), &headers).await
}

/// The pointers to the fields of a body.
fn pointers(body: &Value) -> Vec<String> {
    body.as_object().unwrap().keys().map(|name| format!("/{name}")).collect()
}

/// Asserts the headers that every response has.
#[track_caller]
fn assert_common_headers(response: &Response) {
    for header in ["x-request-id", "content-security-policy", "referrer-policy", "strict-transport-security"] {
        assert!(response.headers.contains_key(header), "{header} {response:?}");
    }
    assert_eq!(response.headers["x-content-type-options"], "nosniff", "{response:?}");
}

stories! {
    async fn a_wrong_value_of_a_query_parameter_names_the_values_that_it_can_have(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        for (path, pointer, detail) in [
            (format!("{}?status=open", paths::EMAILS), "/status", "must be one of queued, sent, failed, suppressed"),
            (format!("{}?delivery=", paths::INVITATIONS), "/delivery", "must be one of queued, sent, failed, suppressed"),
            (format!("{}?status=Pending", paths::invitations(&client)), "/status", "must be one of pending, accepted, cancelled, expired"),
            (format!("{CLIENTS}?limit=ten"), "/limit", "must be a number from 1 to 100"),
        ] {
            let problem = tenant.owner.get(&path).await.expect(422);
            assert_eq!(problem["errors"][0], json!({ "pointer": pointer, "code": "invalid", "detail": detail }), "{path}");
        }
        let dry_run = format!("/api/v1/clients/{client}/invitations/bulk?dry_run=1");
        let rows = json!({ "rows": [{ "email": "ann@example.com" }] });
        let problem = tenant.owner.post(&dry_run, rows).await.expect(422);
        assert_eq!(problem["errors"][0]["detail"], "must be one of false, true");
        assert_eq!(world.mails("ann@example.com").await.len(), 0);
    }

    async fn a_body_that_is_not_json_is_400(world) {
        let deeply_nested = "[".repeat(60_000);
        let bodies = [
            "", "{", "null}", "{\"a\":1,\"a\":2}", "{\"token\":\"\\u0000\"}", "{\"token\":\"\\ud800\"}",
            "{\"a\":1e999}", "{} {}", "'x'", &deeply_nested,
        ];
        for (path, _) in operations() {
            for body in bodies {
                post(world, path, body, JSON).await.assert_problem("400 malformed_request");
            }
        }
    }

    async fn a_json_body_that_is_not_an_object_is_422(world) {
        for (path, _) in operations() {
            for body in ["[]", "null", "5", "\"x\"", "true"] {
                post(world, path, body, JSON).await.assert_problem("422 validation_failed: (body) invalid");
            }
        }
    }

    async fn every_missing_field_is_named(world) {
        for (path, body) in operations() {
            assert_eq!(post(world, path, "{}", JSON).await.invalid_fields(), pointers(&body), "{path}");
        }
    }

    async fn every_field_of_a_wrong_type_is_named(world) {
        for (path, body) in operations() {
            for value in [json!(null), json!(1), json!(-1.5), json!(true), json!([]), json!({})] {
                let fields = body.as_object().unwrap().keys();
                let wrong: Value = fields.map(|name| (name.clone(), value.clone())).collect();
                let response = post(world, path, &wrong.to_string(), JSON).await;
                assert_eq!(response.invalid_fields(), pointers(&body), "{path} {value}");
            }
        }
    }

    async fn null_in_an_optional_field_means_that_the_field_is_absent(world) {
        let tenant = world.tenant().await;
        let client = tenant.owner.post(CLIENTS, json!({ "name": "Acme", "external_ref": null })).await.expect(201);
        let path = paths::client(client["id"].as_str().unwrap());
        tenant.owner.patch(&path, json!({ "external_ref": "K-7", "name": null, "status": null })).await.expect(200);
        let changed = tenant.owner.patch(&path, json!({ "name": null, "external_ref": null })).await.expect(200);
        assert_eq!((&changed["name"], &changed["external_ref"]), (&json!("Acme"), &Value::Null));
        let email = unique_email("ann");
        let invited = json!({ "email": email, "name": null, "role": null, "locale": null });
        let portal_user = paths::portal_user(client["id"].as_str().unwrap());
        tenant.owner.post(&portal_user, invited).await.expect(201);
        let token = world.mail(&email, 1).await.token();
        let activation = json!({ "token": token, "password": "seven violet lamps hum", "name": null });
        world.browser().post(paths::ACTIVATE, activation).await.expect(200);
        let sign_in = json!({ "email": email, "password": "x", "client_id": null, "invitation": null });
        world.browser().post(SIGN_IN, sign_in).await.assert_problem("401 invalid_credentials");
        let send_code = json!({ "email": tenant.owner_email, "flow": null });
        world.browser().post(paths::STAFF_SEND_CODE, send_code).await.expect(200);
    }

    async fn an_activation_takes_one_credential(world) {
        let invitation = world.tenant().await.create_invitation(world).await;
        let passkey = json!({ "ceremony": "x", "response": {} });
        let both = json!({ "token": invitation.token, "password": password(), "passkey": passkey });
        for (body, pointer) in [(json!({ "token": invitation.token }), "/password"), (both, "/passkey")] {
            assert_eq!(world.browser().post(paths::ACTIVATE, body).await.invalid_fields(), [pointer]);
        }
        world.browser().activate(&invitation.token, &password()).await.expect(200);
    }

    async fn null_in_a_required_field_is_422(world) {
        for (path, body) in operations() {
            for name in body.as_object().unwrap().keys() {
                let mut wrong = body.clone();
                wrong[name] = Value::Null;
                let response = post(world, path, &wrong.to_string(), JSON).await;
                assert_eq!(response.invalid_fields(), [format!("/{name}")], "{path}");
            }
        }
    }

    async fn codes_and_link_tokens_are_read_without_the_white_space_of_a_paste(world) {
        let tenant = world.tenant().await;
        for (nth, form) in [" X\n", "XXX XXX", "X-X", "\t X\u{a0}"].into_iter().enumerate() {
            let browser = world.browser();
            let (flow, code) = world.request_code(&browser, &tenant.owner_email, nth + 2).await;
            let pasted = match form {
                "XXX XXX" => format!("{} {}", &code[..3], &code[3..]),
                "X-X" => format!("{}-{}", &code[..3], &code[3..]),
                form => form.replace('X', &code),
            };
            browser.verify_code(&flow, &pasted).await.expect(200);
        }
        for padded in [" X", "X\r\n", "\u{a0}X\u{2003}\t"] {
            let invitation = tenant.create_invitation(world).await;
            let token = padded.replace('X', &invitation.token);
            world.browser().check_token(&token).await.expect(200);
            world.browser().activate(&token, &password()).await.expect(200);
        }
    }

    async fn a_body_of_another_content_type_or_none_is_415(world) {
        let content_types = [
            "text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
            "application/json; charset=utf-16",
        ];
        for (path, body) in operations() {
            for content_type in content_types {
                let response = post(world, path, &body.to_string(), content_type).await;
                response.assert_problem("415 unsupported_media_type");
            }
            world.browser().post_empty(path).await.assert_problem("415 unsupported_media_type");
        }
    }

    async fn http_04_a_large_body_is_413(world) {
        let body = credentials("a@x.test", &"x".repeat(70_000));
        world.browser().post(SIGN_IN, body).await.assert_problem("413 body_too_large");
    }

    async fn http_04_a_large_body_without_a_content_length_is_413(world) {
        let body = credentials("a@x.test", &"x".repeat(70_000)).to_string();
        let request = format!(
            "POST {SIGN_IN} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\
             connection: close\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
            body.len()
        );
        let response = exchange(&world.apis[0], &request).await;
        assert!(response.starts_with("HTTP/1.1 413"), "{response}");
    }

    async fn http_02_http_08_red_02_red_03_every_response_has_a_request_id_and_security_headers(world) {
        let browser = world.browser();
        let responses = [
            browser.get("/nowhere").await,
            browser.get(SESSION).await,
            browser.get(SIGN_IN).await,
            browser.post(SIGN_IN, json!({})).await,
            browser.get(LIVE).await,
            browser.get(OPENAPI).await,
            browser.get(API_DOCS).await,
            browser.get(JWKS).await,
        ];
        let statuses: Vec<u16> = responses.iter().map(|response| response.status).collect();
        assert_eq!(statuses, [404, 401, 405, 422, 200, 200, 200, 200]);
        responses.iter().for_each(assert_common_headers);
    }

    async fn an_unknown_path_is_404(world) {
        let browser = world.browser();
        let paths = [
            "/nowhere", "/api/v1/clients/x/y/z", "/api/portal/auth/session/x.css", "/metrics", "/.env", "/debug",
            "/admin", "/api/portal/auth/sign-in/", "//api/docs",
        ];
        for path in paths {
            let response = browser.get(path).await;
            assert_common_headers(&response);
            response.assert_problem("404 not_found");
        }
    }

    async fn an_unknown_method_is_405_and_names_the_allowed_ones(world) {
        let browser = world.browser();
        for (method, path) in [(Method::GET, SIGN_IN), (Method::PUT, SIGN_IN), (Method::DELETE, CLIENTS)] {
            let response = browser.send(method, path, None, &[]).await;
            let allowed = if path == SIGN_IN { "POST" } else { "GET, HEAD, POST" };
            assert_eq!(response.headers["allow"], allowed, "{path}");
            assert_common_headers(&response);
            response.assert_problem("405 method_not_allowed");
        }
    }

    async fn no_problem_names_the_framework(world) {
        let browser = world.browser();
        let responses = [
            browser.get("/nowhere").await, browser.get(SIGN_IN).await, browser.post(SIGN_IN, json!({})).await,
        ];
        for response in responses {
            assert!(!response.text.contains("poem"), "{response:?}");
        }
    }

    async fn the_page_of_the_api_documentation_runs_its_own_scripts_only(world) {
        let page = world.browser().get(API_DOCS).await;
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
    }

    async fn http_11_long_texts_are_refused_within_a_second(world) {
        let long_address = format!("{}@x.test", "a".repeat(60_000));
        for text in [long_address, "(".repeat(50_000), "\u{300}".repeat(25_000), "ﷺ".repeat(20_000)] {
            let started = Instant::now();
            let response = world.browser().forgot_password(&text).await;
            response.assert_problem("422 validation_failed: /email email_invalid");
            assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
        }
    }

    async fn ses_09_a_cookie_header_without_a_valid_access_token_is_401(world) {
        let cookies = [
            "", ";;;", "=", "portico_portal", "portico_portal=", "portico_portal=a.b.c",
            "portico_portal=\"x\"; a=b; =c",
        ];
        for cookie in cookies {
            let response = world.browser().get_with_headers(SESSION, &[("cookie", cookie)]).await;
            response.assert_problem("401 unauthenticated");
        }
    }

    async fn ses_09_a_malformed_refresh_token_is_401(world) {
        let id = "01a1fdbaf86f76f5b2964e548b3691ab";
        for token in ["x", "a.b.c", &format!("{id}.0.AAAA"), &format!("{id}.-1.AAAA"), "...."] {
            let browser = world.browser().with_cookie(cookies::PORTAL_REFRESH, token);
            browser.refresh().await.assert_problem("401 unauthenticated");
        }
    }

    async fn http_06_a_malformed_request_head_is_400_or_closes_the_connection(world) {
        let heads = [
            "GET /health/live HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n",
            "POST /api/portal/auth/sign-in HTTP/1.1\r\nhost: x\r\ncontent-length: +5\r\n\r\n",
            "GET /health/live HTTP/1.1\r\nhost : x\r\n\r\n",
            "GET /\0 HTTP/1.1\r\nhost: x\r\n\r\n",
            "RUBBISH\r\n\r\n",
        ];
        for head in heads {
            let response = exchange(&world.apis[0], head).await;
            assert!(response.is_empty() || response.starts_with("HTTP/1.1 400"), "{head:?}: {response}");
        }
    }
}

/// A page of another origin that the settings allow.
const ALLOWED_ORIGIN: &str = "https://app.example.com";

#[tokio::test]
async fn ses_11_an_allowed_origin_may_send_requests_and_read_the_responses() {
    let world = World::start(Deployment::Single, &[("PORTICO_ALLOWED_ORIGINS", ALLOWED_ORIGIN)]).await;
    let preflight = [
        ("origin", ALLOWED_ORIGIN),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type"),
    ];
    let response = world.browser().send(Method::OPTIONS, SIGN_IN, None, &preflight).await;
    assert_eq!(response.status, 204);
    assert_eq!(response.headers["access-control-allow-origin"], ALLOWED_ORIGIN);

    let (body, headers) = (credentials("a@x.test", "x"), [("origin", ALLOWED_ORIGIN)]);
    let response = world.browser().post_with_headers(SIGN_IN, body, &headers).await;
    assert_eq!(response.headers["access-control-allow-credentials"], "true");
    assert_eq!(response.headers["vary"], "origin");
    response.assert_problem("401 invalid_credentials");
}

/// Sends these bytes on a new connection and returns what the server has sent after 10 seconds at the latest.
async fn exchange(api: &str, request: &str) -> String {
    let mut socket = TcpStream::connect(api.strip_prefix("http://").unwrap()).await.unwrap();
    let _ = socket.write_all(request.as_bytes()).await;
    let mut response = vec![0; 4_096];
    let read = timeout(Duration::from_secs(10), socket.read(&mut response)).await;
    let length = read.ok().and_then(Result::ok).unwrap_or(0);
    String::from_utf8_lossy(&response[..length]).into_owned()
}
