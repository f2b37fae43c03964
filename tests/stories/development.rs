//! Development: the addresses that `portico dev` prints, front ends on other ports, and the mailbox page.

use std::process::Command;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Browser, Deployment, Process, Response, World, binary, eventually, free_port, http,
    paths::{LIVE, SESSION, SIGN_IN, STAFF_SEND_CODE},
    unique_email,
};

/// Origins of front ends on this machine.
const LOOPBACK: [&str; 7] = [
    "http://localhost:5173",
    "http://localhost",
    "https://localhost:8443",
    "http://127.0.0.1:3000",
    "http://127.1.2.3:3000",
    "http://[::1]:4321",
    "http://app.localhost:5173",
];
/// Origins that are not on this machine.
const FOREIGN: [&str; 4] = [
    "http://localhost.evil.test",
    "http://127.0.0.1.evil.test:3000",
    "http://10.0.0.5:5173",
    "https://app.example.com",
];

/// The settings of `portico dev` in a folder of its own.
fn env(folder: &tempfile::TempDir, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let path = |name: &str| folder.path().join(name).display().to_string();
    let own = [
        ("PORTICO_LISTEN", "127.0.0.1:0".to_owned()),
        ("PORTICO_INTERNAL_LISTEN", "127.0.0.1:0".to_owned()),
        ("PORTICO_SCRYPT", "ln=12,r=8,p=1".to_owned()),
        ("PORTICO_DATA_DIR", path("data")),
        ("DATABASE_URL", format!("sqlite:{}", path("portico.db"))),
        ("MAIL_URL", format!("folder:{}", path("mail"))),
    ];
    let own = own.into_iter().filter(|(name, _)| !more.iter().any(|(given, _)| given == name));
    let more = more.iter().map(|(name, value)| (name.to_string(), value.to_string()));
    own.map(|(name, value)| (name.to_owned(), value)).chain(more).collect()
}

/// The address in the banner after this label.
async fn printed(process: &Process, label: &str) -> String {
    process.wait_for_log("the banner", |line| line.trim().strip_prefix(label).map(|rest| rest.trim().to_owned())).await
}

#[tokio::test]
async fn the_addresses_that_are_printed_at_the_start_work_as_they_stand() {
    let port = free_port();
    for more in [
        &[][..],
        &[("PORTICO_LISTEN", "127.0.0.2:0")],
        &[("PORTICO_LISTEN", "[::1]:0")],
        &[("PORTICO_LISTEN", &format!("127.0.0.1:{port}")), ("PORTICO_PUBLIC_URL", "http://localhost:3000")],
    ] {
        let folder = tempfile::tempdir().unwrap();
        let process = Process::start(binary(), &["dev"], &env(&folder, more));
        for label in ["Portal", "Console", "Mailbox", "API documentation"] {
            let url = printed(&process, label).await;
            assert_eq!(http::get(&url).await.unwrap().status(), 200, "{more:?}: {url}");
        }
        let login = printed(&process, &format!("{} remote login", binary().display())).await;
        let (url, user) = login.split_once(' ').unwrap();
        assert_eq!(user, "--email owner@demo.test");
        assert_eq!(http::get(format!("{url}{LIVE}")).await.unwrap().status(), 200, "{more:?}: {login}");
        let has_public_url = more.iter().any(|(name, _)| *name == "PORTICO_PUBLIC_URL");
        let text = process.logs().join("\n");
        let says = text.contains("lead to http://localhost:3000 (PORTICO_PUBLIC_URL)");
        assert_eq!(says, has_public_url, "{text}");
    }
}

#[test]
fn a_port_in_use_is_answered_with_the_setting_and_another_port() {
    for (name, host) in
        [("PORTICO_LISTEN", "127.0.0.1"), ("PORTICO_LISTEN", "[::1]"), ("PORTICO_INTERNAL_LISTEN", "127.0.0.1")]
    {
        let listener = std::net::TcpListener::bind(format!("{host}:0")).unwrap();
        let taken = listener.local_addr().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let env = env(&folder, &[(name, &taken.to_string())]);
        let output = Command::new(binary()).arg("dev").env_clear().envs(env).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && output.stdout.is_empty(), "{stderr}");
        let example = format!("e.g. {name}={host}:{}", taken.port() + 1);
        assert!(stderr.contains(&format!("{name}: cannot listen on {taken}")) && stderr.contains(&example), "{stderr}");
    }
}

async fn post_from(browser: &Browser, origin: &str) -> Response {
    let body = json!({ "email": unique_email("ann") });
    browser.post_with_headers(STAFF_SEND_CODE, body, &[("origin", origin), ("sec-fetch-site", "cross-site")]).await
}

async fn preflight_from(browser: &Browser, origin: &str) -> Response {
    let headers = [("origin", origin), ("access-control-request-method", "POST")];
    browser.send(Method::OPTIONS, SIGN_IN, None, &headers).await
}

/// Asserts that a page of this origin may read the response, also of a request with cookies.
#[track_caller]
fn assert_readable(response: &Response, origin: &str) {
    assert_eq!(response.headers["access-control-allow-origin"], origin);
    assert_eq!(response.headers["access-control-allow-credentials"], "true");
    assert!(response.headers.get_all("vary").iter().any(|vary| vary == "origin"), "{response:?}");
}

#[tokio::test]
async fn a_front_end_on_any_port_of_this_machine_may_call_the_api_in_development() {
    let world = World::start(Deployment::Single, &[]).await;
    let person = world.tenant().await.person(&world).await;
    for origin in LOOPBACK {
        let browser = world.browser();
        let preflight = preflight_from(&browser, origin).await;
        assert_eq!(preflight.status, 204);
        assert_readable(&preflight, origin);
        let headers = [("origin", origin), ("sec-fetch-site", "same-site")];
        let signed_in = browser.post_with_headers(SIGN_IN, person.credentials(), &headers).await;
        assert_readable(&signed_in, origin);
        signed_in.expect(200);
        let session = browser.get_with_headers(SESSION, &headers[..1]).await;
        assert_readable(&session, origin);
        session.expect(200);
    }
    for origin in FOREIGN.into_iter().chain(["null", "http://localhost:5173/", "HTTP://localhost"]) {
        let preflight = preflight_from(&world.browser(), origin).await;
        assert!(preflight.status >= 400 && !preflight.headers.contains_key("access-control-allow-origin"), "{origin}");
        post_from(&world.browser(), origin).await.assert_problem("403 csrf_rejected");
    }
}

#[tokio::test]
async fn production_accepts_no_loopback_origin_but_its_own() {
    let world = World::start(Deployment::Cluster, &[]).await;
    for origin in LOOPBACK {
        let preflight = preflight_from(&world.browser(), origin).await;
        assert!(preflight.status >= 400 && !preflight.headers.contains_key("access-control-allow-origin"), "{origin}");
        post_from(&world.browser(), origin).await.assert_problem("403 csrf_rejected");
    }
    post_from(&world.browser(), world.setting("PORTICO_PUBLIC_URL")).await.expect(200);
}

/// The log lines about refused origins.
#[tokio::test]
async fn no_page_of_another_origin_reads_the_mailbox() {
    let world = World::start(Deployment::Single, &[]).await;
    for (path, origin) in [
        ("/dev/mail.json", "http://localhost:5173"),
        ("/dev/mail", "http://app.localhost"),
        ("/dev/mail.json", "http://[::1]:4321"),
    ] {
        let response = world.browser().get_with_headers(path, &[("origin", origin)]).await;
        assert_eq!(response.status, 200, "{response:?}");
        assert!(!response.headers.contains_key("access-control-allow-origin"), "{response:?}");
    }
}

fn refusals(world: &World) -> Vec<String> {
    world.logs().into_iter().filter(|line| line.contains("refused a request of a page of a foreign origin")).collect()
}

#[tokio::test]
async fn a_refused_origin_is_named_in_the_problem_and_in_the_log_with_the_setting_that_would_allow_it() {
    for deployment in [Deployment::Single, Deployment::Cluster] {
        let world = World::start(deployment, &[]).await;
        for origin in FOREIGN {
            let problem = post_from(&world.browser(), origin).await.assert_problem("403 csrf_rejected");
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains(&format!("PORTICO_ALLOWED_ORIGINS={origin} allows")), "{detail}");
        }
        let lines = eventually("the log names the origin", || async {
            let lines = refusals(&world);
            let setting = format!("PORTICO_ALLOWED_ORIGINS={}", FOREIGN[0]);
            lines.iter().any(|line| line.contains(&setting)).then_some(lines)
        })
        .await;
        assert!(lines.len() <= world.apis.len(), "one line a minute in each process: {lines:?}");
    }
    // The setting that the log names allows the origin.
    let world = World::start(Deployment::Cluster, &[("PORTICO_ALLOWED_ORIGINS", FOREIGN[3])]).await;
    post_from(&world.browser(), FOREIGN[3]).await.expect(200);
    // A public URL that is not the address that people use.
    let headers = [("origin", "http://portal.example.org"), ("host", "portal.example.org")];
    let response = world.browser().post_with_headers(STAFF_SEND_CODE, json!({ "email": "a@x.test" }), &headers).await;
    let problem = response.assert_problem("403 csrf_rejected");
    assert!(problem["detail"].as_str().unwrap().contains("PORTICO_PUBLIC_URL is http://localhost:4000"), "{problem}");
}

#[tokio::test]
async fn a_refused_preflight_is_in_the_log() {
    let world = World::start(Deployment::Single, &[]).await;
    preflight_from(&world.browser(), "https://app.example.com:8443").await;
    let line = eventually("the log names the origin", || async { refusals(&world).pop() }).await;
    assert!(line.contains("PORTICO_ALLOWED_ORIGINS=https://app.example.com:8443"), "{line}");
}

#[tokio::test]
async fn what_is_not_an_origin_is_not_repeated_in_a_problem_and_escaped_in_the_log() {
    for origin in
        ["https://$(reboot).test", "https://a.test;x=\u{1b}[31m", &format!("https://{}.test", "a".repeat(4_000))]
    {
        let world = World::start(Deployment::Single, &[]).await;
        let bytes: String = origin.chars().filter(|c| !c.is_control()).collect();
        let problem = post_from(&world.browser(), &bytes).await.assert_problem("403 csrf_rejected");
        let detail = problem["detail"].as_str().unwrap();
        assert!(!detail.contains(&bytes) && !detail.contains("PORTICO_"), "{detail}");
        let line = eventually("the log has a line", || async { refusals(&world).pop() }).await;
        assert!(line.len() < 1_000 && !line.contains("PORTICO_ALLOWED_ORIGINS"), "{line}");
    }
}

#[tokio::test]
async fn the_mailbox_page_shows_both_parts_of_a_mail_and_runs_nothing() {
    let world = World::start(Deployment::Single, &[]).await;
    let tenant = world.tenant().await;
    let client = tenant.client("Acme <script>alert(1)</script> & Söhne").await;
    let (first, second) = (unique_email("ann+1"), unique_email("bob"));
    for email in [&first, &second] {
        tenant.invite(&client, email).await;
        world.mail(email, 1).await;
    }
    let page = http::get(format!("{}/dev/mail", world.apis[0])).await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && !policy.contains("script-src"), "{policy}");
    let html = page.text().await.unwrap();
    assert!(html.find(&second).unwrap() < html.find(&first).unwrap(), "the newest mail is first");
    assert!(!html.contains("<script"), "{html}");
    let frames = html.matches("<iframe ").count();
    assert_eq!(frames, html.matches("sandbox=\"allow-popups allow-popups-to-escape-sandbox\" srcdoc=\"").count());
    let link = world.mail(&second, 1).await.links[0].clone();
    assert!(html.contains(&format!("<a href=\"{link}\" target=\"_blank\"")), "{html}");
    // The links on the page lead to the mails of one recipient.
    let one = html.split("href=\"").find(|part| part.starts_with("/dev/mail?to=ann%2B1")).unwrap();
    let one = http::get(format!("{}{}", world.apis[0], one.split('"').next().unwrap())).await.unwrap();
    let one = one.text().await.unwrap();
    assert!(one.contains("<iframe ") && !one.contains(&second), "{one}");
    let list = http::get(format!("{}/dev/mail.json", world.apis[0])).await.unwrap();
    let list: Value = list.json().await.unwrap();
    assert!(list[0]["html"].is_string() && list[0]["message_id"].is_string(), "{list}");
}

#[tokio::test]
async fn the_mailbox_answers_loopback_hosts_only() {
    let world = World::start(Deployment::Single, &[]).await;
    for (host, status) in [
        ("localhost", 200),
        ("localhost:8080", 200),
        ("127.0.0.1:1", 200),
        ("127.0.0.2", 200),
        ("[::1]:8080", 200),
        ("mail.localhost", 200),
        ("evil.test", 404),
        ("localhost.evil.test", 404),
        ("127.0.0.1.evil.test", 404),
        ("10.0.0.1", 404),
        ("0.0.0.0", 404),
        ("[::]", 404),
    ] {
        for path in ["/dev/mail", "/dev/mail.json"] {
            let request = http::client().get(format!("{}{path}", world.apis[0])).header("host", host);
            assert_eq!(request.send().await.unwrap().status(), status, "{host} {path}");
        }
    }
}
