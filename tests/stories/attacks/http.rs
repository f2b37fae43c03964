//! HTTP cases on requests: too large, ambiguous, in another format, with another method or path, or costly to check.

use reqwest::Method;
use serde_json::json;

use super::{
    processor_time,
    raw::{Raw, exchange, get, post, status},
};
use crate::support::{
    Browser, Process, Response, World,
    paths::{ACTIVATE, API_DOCS, LIVE, OPENAPI, READY, RESET_PASSWORD, SESSION, SIGN_IN, SIGN_OUT},
    stories,
};

const ACCEPTED_CONTENT_TYPES: [&str; 9] = [
    "application/json",
    "APPLICATION/JSON",
    "application/json;charset=utf-8",
    "application/json; charset=\"UTF-8\"",
    "application/json;",
    "application/json ; ",
    "application/json;;charset=utf-8;",
    "application/json; charset=utf8",
    "application/json; charset=",
];

const REFUSED_CONTENT_TYPES: [&str; 11] = [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/json",
    "application/jsonp",
    "application/json; charset=utf-16",
    "application/json; charset=latin1",
    "application/json;foo",
    "application/json; a=b",
    "json",
    "",
];

const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"];

/// The resident memory of a process in kB.
fn resident_memory(process: &Process) -> u64 {
    process.footprint().0
}

/// A path, with its parameters filled in, and the methods that it is documented to have.
struct DocumentedPath {
    path: String,
    methods: Vec<String>,
}

impl DocumentedPath {
    /// The methods that the `Allow` header lists, sorted.
    fn allowed(&self) -> Vec<&str> {
        let mut allowed: Vec<&str> = self.methods.iter().map(String::as_str).collect();
        if allowed.contains(&"GET") {
            allowed.push("HEAD");
        }
        allowed.sort_unstable();
        allowed
    }
}

/// Returns every path of the OpenAPI document and those of the document itself.
async fn documented_paths(browser: &Browser) -> Vec<DocumentedPath> {
    let document = browser.get(OPENAPI).await.expect(200);
    let fill_in = |part: &str| match part.starts_with('{') {
        true => "01a1fdba-f86f-76f5-b296-4e548b3691ab".to_owned(),
        false => part.to_owned(),
    };
    let documented = document["paths"].as_object().unwrap().iter().map(|(path, item)| DocumentedPath {
        path: path.split('/').map(fill_in).collect::<Vec<_>>().join("/"),
        methods: item.as_object().unwrap().keys().map(|method| method.to_uppercase()).collect(),
    });
    let pages = [API_DOCS, OPENAPI].map(|path| DocumentedPath { path: path.into(), methods: vec!["GET".into()] });
    documented.chain(pages).collect()
}

/// Asserts a 405 that allows exactly these methods.
#[track_caller]
fn assert_method_not_allowed(response: Response, method: &str, allowed: &[&str]) {
    let mut listed: Vec<&str> = response.headers["allow"].to_str().unwrap().split(", ").collect();
    listed.sort_unstable();
    assert_eq!(listed, allowed, "{method} {response:?}");
    assert!(!response.headers.contains_key("access-control-allow-methods"), "{response:?}");
    if method == "HEAD" {
        assert_eq!((response.status, response.text.as_str()), (405, ""));
    } else {
        response.assert_problem("405 method_not_allowed");
    }
}

/// Sends a body of ten megabytes whose length the head of the request states, and returns the response.
async fn send_large_body(api: &str) -> String {
    let mut raw = Raw::connect(api).await;
    raw.send(post(SIGN_IN, "content-length: 10485760\r\n")).await;
    raw.send(vec![b'x'; 10 << 20]).await;
    raw.read_to_close().await
}

/// Sends a body of ten megabytes in one chunk, and returns the response.
async fn send_large_chunk(api: &str) -> String {
    let mut raw = Raw::connect(api).await;
    raw.send(post(SIGN_IN, "transfer-encoding: chunked\r\n")).await;
    raw.send("a00000\r\n").await;
    raw.send(vec![b'x'; 10 << 20]).await;
    raw.read_to_close().await
}

/// Requests whose end a proxy and a server could see at different places, and malformed ones.
fn ambiguous_requests() -> Vec<String> {
    let chunked = |body: &str| post(SIGN_IN, "transfer-encoding: chunked\r\n") + body;
    vec![
        post(SIGN_IN, "content-length: 2\r\ncontent-length: 3\r\n") + "{}",
        post(SIGN_IN, "content-length: +2\r\n") + "{}",
        post(SIGN_IN, "content-length: 0x2\r\n") + "{}",
        post(SIGN_IN, "content-length: 2, 3\r\n") + "{}",
        post(SIGN_IN, "transfer-encoding: chunked, identity\r\n") + "0\r\n\r\n",
        post(SIGN_IN, "transfer-encoding: identity\r\n") + "{}",
        chunked("2 \t x\r\n{}\r\n0\r\n\r\n"),
        chunked("-2\r\n{}\r\n0\r\n\r\n"),
        chunked("fffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
        chunked(&format!("2;{}\r\n{{}}\r\n0\r\n\r\n", "x".repeat(1 << 20))),
        get(LIVE, "x-a: 1\r\n folded: 2\r\n"),
        get(LIVE, "x-a : 1\r\n"),
        get(LIVE, "x-a: 1\0\r\n"),
        get(LIVE, ": 1\r\n"),
        "GET /health/live HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n".into(),
        "GET /health/live HTTP/3.0\r\nhost: x\r\n\r\n".into(),
        "GET  /health/live HTTP/1.1\r\nhost: x\r\n\r\n".into(),
        "RUBBISH\r\n\r\n".into(),
    ]
}

/// Sends a sign-in with an empty object and this content type.
async fn sign_in_with_content_type(world: &World, content_type: &str) -> Response {
    world.browser().post_with_headers(SIGN_IN, json!({}), &[("content-type", content_type)]).await
}

stories! {
    async fn http_04_large_bodies_are_refused_early_and_memory_stays_flat(world) {
        let api = &world.apis[0];
        let before = resident_memory(&world.processes[0]);
        for _ in 0..10 {
            let response = send_large_body(api).await;
            assert_eq!(status(&response), (413, 1), "{response}");
            let is_closing = response.contains("connection: close");
            assert!(is_closing && response.contains("\"code\":\"body_too_large\""), "{response}");
            assert_eq!(status(&send_large_chunk(api).await), (413, 1));
            // A single response, so no `100 Continue` comes before it.
            let head = post(SIGN_IN, "content-length: 10485760\r\nexpect: 100-continue\r\n");
            assert_eq!(status(&exchange(api, head).await), (413, 1));
        }
        let grown = resident_memory(&world.processes[0]).saturating_sub(before);
        assert!(grown < 30_000, "{grown} kB for 200 MB of bodies");
    }

    async fn http_04_long_paths_and_large_headers_are_refused(world) {
        let many_headers: String = (0..1_000).map(|n| format!("x-{n}: 1\r\n")).collect();
        for (head, expected, code) in [
            (get(LIVE, &format!("cookie: a={}\r\n", "x".repeat(20_000))), 431, "\"code\":\"headers_too_large\""),
            (get(LIVE, &format!("cookie: a={}\r\n", "x".repeat(65_536))), 431, ""),
            (get(LIVE, &many_headers), 431, ""),
            (get(&format!("/{}", "x".repeat(16_384)), ""), 414, "\"code\":\"uri_too_long\""),
            (get(&format!("/{}", "x".repeat(100_000)), ""), 431, ""),
        ] {
            let head = head.replacen("\r\n", "\r\nconnection: close\r\n", 1);
            let response = exchange(&world.apis[0], head).await;
            assert_eq!(status(&response), (expected, 1), "{response}");
            assert!(response.contains(code), "{response}");
        }
    }

    async fn http_04_compressed_bodies_are_not_decompressed(world) {
        let head = post(SIGN_IN, "connection: close\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n");
        assert_eq!(status(&exchange(&world.apis[0], head + "\x1f\x08\x08\0").await), (415, 1));
        for coding in ["gzip", "br", "deflate", "identity, gzip", "x-unknown"] {
            let headers = [("content-encoding", coding)];
            let response = world.browser().post_with_headers(SIGN_IN, json!({}), &headers).await;
            response.assert_problem("415 unsupported_media_type");
        }
        for coding in ["identity", "Identity", ""] {
            let headers = [("content-encoding", coding)];
            world.browser().post_with_headers(SIGN_IN, json!({}), &headers).await.expect(422);
        }
    }

    // RFC 9112, section 3.2: two programs could read different hosts.
    async fn http_06_a_request_without_one_well_formed_host_is_refused(world) {
        let api = &world.apis[0];
        let hosts = ["", "host: a\r\nhost: b\r\n", "host: a\r\nHost: a\r\n", "host:\r\n", "host: a/b\r\n",
            "host: u@a\r\n", "host: a b\r\n", "host: a:x\r\n", "host: a,b\r\n"];
        for host in hosts {
            for path in [LIVE, SESSION, "/nowhere"] {
                let head = format!("GET {path} HTTP/1.1\r\n{host}connection: close\r\n\r\n");
                let response = exchange(api, &head).await;
                let is_problem = response.contains("\"code\":\"malformed_request\"");
                assert!(status(&response) == (400, 1) && is_problem, "{head:?}: {response}");
            }
        }
        for host in ["host: portal.example.com\r\n", "host: [::1]:80\r\n", "HOST: portico_api:8080\r\n"] {
            let head = format!("GET {LIVE} HTTP/1.1\r\n{host}connection: close\r\n\r\n");
            assert_eq!(status(&exchange(api, &head).await), (200, 1), "{head:?}");
        }
    }

    // Probes of load balancers speak HTTP/1.0, which has no such header.
    async fn http_06_http_1_0_needs_no_host(world) {
        for path in [LIVE, READY] {
            let response = exchange(&world.apis[0], format!("GET {path} HTTP/1.0\r\n\r\n")).await;
            assert!(response.starts_with("HTTP/1.0 200") || response.starts_with("HTTP/1.1 200"), "{response}");
        }
        let response = exchange(&world.apis[0], "GET /health/live HTTP/1.0\r\nhost: a/b\r\n\r\n").await;
        assert!(response.contains(" 400 "), "{response}");
    }

    async fn health_checks_and_pages_ignore_their_query(world) {
        for path in [LIVE, READY, API_DOCS, OPENAPI] {
            for query in ["_=1", "a=1&a=2", "%ff", "limit=x&", "\u{f6}"] {
                let response = world.browser().get(&format!("{path}?{query}")).await;
                assert_eq!(response.status, 200, "{path}?{query}");
            }
        }
        let response = world.browser().get(&format!("{SESSION}?_=1")).await;
        response.assert_problem("422 validation_failed: /_ unknown_field");
    }

    async fn http_06_ambiguous_framing_is_refused_and_the_connection_closed(world) {
        for request in ambiguous_requests() {
            // A second request on the connection must get no response.
            let response = exchange(&world.apis[0], request.clone() + &get(LIVE, "")).await;
            let start = &request[..request.len().min(200)];
            assert_eq!(status(&response), (400, 1), "{start:?}: {response}");
        }
    }

    // RFC 9112, section 6.1: the transfer encoding counts, and the server closes the connection.
    async fn http_06_transfer_encoding_overrides_content_length_and_the_connection_closes(world) {
        let head = post(SIGN_OUT, "content-length: 4\r\ntransfer-encoding: chunked\r\n");
        let response = exchange(&world.apis[0], head + "0\r\n\r\n" + &get(LIVE, "")).await;
        assert_eq!(status(&response), (204, 1));
    }

    // RFC 9112, section 2.2 allows it.
    async fn http_06_lines_may_end_with_a_line_feed_alone(world) {
        let request = "GET /health/live HTTP/1.1\nhost: x\nconnection: close\n\n";
        assert_eq!(status(&exchange(&world.apis[0], request).await), (200, 1));
    }

    async fn http_06_http_2_is_not_spoken(world) {
        let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
        let response = exchange(&world.apis[0], preface).await;
        assert!(response.is_empty() || status(&response) == (400, 1), "{response}");
    }

    async fn http_07_only_json_in_utf_8_is_accepted(world) {
        for content_type in ACCEPTED_CONTENT_TYPES {
            let response = sign_in_with_content_type(world, content_type).await;
            response.assert_problem("422 validation_failed: /email required, /password required");
        }
        for content_type in REFUSED_CONTENT_TYPES {
            sign_in_with_content_type(world, content_type).await.assert_problem("415 unsupported_media_type");
        }
        let two_types = "content-type: application/json\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\n{}";
        let head = format!("POST {SIGN_IN} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
        assert_eq!(status(&exchange(&world.apis[0], head + two_types).await), (415, 1));
        let without_type = format!("POST {SIGN_IN} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
        let response = exchange(&world.apis[0], without_type + "content-length: 2\r\n\r\n{}").await;
        assert_eq!(status(&response), (415, 1));
    }

    async fn http_08_other_methods_are_405_with_the_allowed_ones(world) {
        for documented in documented_paths(&world.browser()).await {
            let (browser, allowed) = (world.browser(), documented.allowed());
            for method in METHODS.into_iter().filter(|method| !allowed.contains(method)) {
                let response = browser.send(method.parse().unwrap(), &documented.path, None, &[]).await;
                assert_method_not_allowed(response, method, &allowed);
            }
        }
    }

    async fn http_08_head_is_get_without_the_body(world) {
        for DocumentedPath { path, methods } in documented_paths(&world.browser()).await {
            if !methods.contains(&"GET".to_owned()) {
                continue;
            }
            let browser = world.browser();
            let (got, head) = (browser.get(&path).await, browser.send(Method::HEAD, &path, None, &[]).await);
            assert_eq!((head.status, head.text.as_str()), (got.status, ""), "{path}");
            for name in got.headers.keys().filter(|name| !["date", "x-request-id"].contains(&name.as_str())) {
                assert_eq!(Some(&got.headers[name]), head.headers.get(name), "{name} of {path}");
            }
        }
    }

    async fn http_08_a_path_has_one_spelling(world) {
        for DocumentedPath { path, .. } in documented_paths(&world.browser()).await {
            let browser = world.browser();
            for wrong in [format!("{path}/"), format!("/{path}"), path.to_uppercase(), path.replacen("/", "/%2f", 1)] {
                let response = browser.get(&wrong).await;
                assert_eq!(response.status, 404, "{wrong}: {response:?}");
            }
        }
    }

    async fn http_11_texts_that_are_costly_to_check_take_little_time(world) {
        let combining_marks = "\u{300}".repeat(25_000);
        for (path, body, status) in [
            (SIGN_IN, json!({ "email": format!("{}@x.test", "a".repeat(60_000)), "password": "x" }), 422),
            (SIGN_IN, json!({ "email": "a@x.test", "password": combining_marks }), 401),
            (SIGN_IN, json!({ "email": "(".repeat(50_000), "password": "ﷺ".repeat(3_000) }), 422),
            (ACTIVATE, json!({ "token": "x".repeat(60_000), "password": "ﷺ".repeat(128) }), 404),
            (RESET_PASSWORD, json!({ "token": "x", "password": combining_marks }), 404),
        ] {
            let before: u64 = world.processes.iter().map(processor_time).sum();
            let response = world.browser().post(path, body).await;
            let used = world.processes.iter().map(processor_time).sum::<u64>() - before;
            assert_eq!(response.status, status, "{response:?}");
            // Other stories use the same processes at the same time. A quadratic check takes minutes.
            assert!(used < 1_000, "{used} hundredths of a second");
        }
    }
}
