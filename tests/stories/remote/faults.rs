//! What `portico remote` says if the server is away, slow, overloaded, replaced by a proxy, or refuses the token.

use serde_json::json;
use tokio::{io::AsyncWriteExt, net::TcpListener, time::Instant};

use crate::support::{
    FakeServer, Machine, PAST, create_token, eventually, free_port, http_answer, paths::TOKEN, stories,
};

const FAKE_TOKEN: &str = "pat_of_a_fake_server_0000000000000";
const ID: &str = "01a1fdba-f86f-76f5-b296-4e548b3691ab";
const PROBLEM: &str = "application/problem+json";

/// Returns a problem document.
fn problem(status: u16, code: &str, retry_after: Option<u64>) -> String {
    let mut problem = json!({
        "type": format!("urn:portico:{code}"), "title": "Title", "status": status, "detail": "This is the detail.",
        "code": code, "request_id": "01a1fdba-f86f-76f5-b296-4e548b3691ab",
    });
    if let Some(seconds) = retry_after {
        problem["retry_after"] = seconds.into();
    }
    http_answer(status, PROBLEM, &problem.to_string())
}

/// Returns the description of a token with this text in its names.
fn token(name: &str) -> serde_json::Value {
    json!({
        "id": ID, "name": name, "prefix": "pat_fake", "scopes": [], "expires_at": "2026-11-28T10:00:00Z",
        "last_used_at": null, "created_at": "2026-11-26T10:00:00Z", "role": "viewer",
        "owner": { "id": ID, "kind": "service", "name": name }, "tenant": { "id": ID, "slug": "acme", "name": name },
    })
}

/// A server that has one client and answers all requests but GETs like this.
async fn server_with_client(answer: Option<String>) -> FakeServer {
    let client = json!({ "id": ID, "name": "Acme Ltd", "external_ref": null, "status": "active" }).to_string();
    let client = http_answer(200, "application/json", &client);
    FakeServer::start(move |_, head| if head.starts_with("GET") { Some(client.clone()) } else { answer.clone() }).await
}

fn empty_list() -> String {
    http_answer(200, "application/json; charset=utf-8", "{\"data\":[],\"next_cursor\":null}")
}

#[tokio::test]
async fn a_server_that_is_away_is_unreachable() {
    let url = format!("http://127.0.0.1:{}", free_port());
    let stderr = Machine::with_token(&url, FAKE_TOKEN).run(&["clients", "list"]).await.expect_failure(5);
    assert_eq!(stderr, format!("portico: cannot connect to {url}: Connection refused (os error 111)\n"));
}

#[tokio::test]
async fn a_host_without_an_address_and_a_server_without_tls_are_unreachable() {
    let machine = Machine::with_token("https://portico.invalid", FAKE_TOKEN);
    let stderr = machine.run(&["clients", "list"]).await.expect_failure(5);
    assert!(stderr.starts_with("portico: cannot connect to https://portico.invalid: "), "{stderr}");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let _ = connection.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let stderr = Machine::with_token(&url, FAKE_TOKEN).run(&["clients", "list"]).await.expect_failure(5);
    assert!(stderr.contains(&format!("cannot connect to {url}: ")), "{stderr}");
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_unreachable() {
    let server = FakeServer::start(|_, _| None).await;
    let machine = Machine::with_token(server.url(), FAKE_TOKEN);
    let stderr = machine.run(&["clients", "list", "--timeout", "1s"]).await.expect_failure(5);
    assert_eq!(stderr, format!("portico: {} did not answer within 1 s; see --timeout\n", server.url()));
}

#[tokio::test]
async fn a_page_of_a_proxy_is_not_an_answer_of_portico() {
    for (status, body) in [(200, "<html>Sign in to the network</html>"), (502, "<html>Bad gateway</html>")] {
        let server = FakeServer::answering(status, "text/html; charset=utf-8", body).await;
        let machine = Machine::with_token(server.url(), FAKE_TOKEN);
        let stderr = machine.run(&["clients", "list"]).await.expect_failure(5);
        let expected = format!("the answer is not one of Portico (status {status}, content type text/html)");
        assert!(stderr.contains(&expected), "{stderr}");
    }
}

#[tokio::test]
async fn a_redirect_does_not_get_the_token() {
    let other = FakeServer::answering(200, "application/json", "{\"data\":[],\"next_cursor\":null}").await;
    let location = format!("HTTP/1.1 307 X\r\nlocation: {}/\r\ncontent-length: 0\r\n\r\n", other.url());
    let server = FakeServer::start(move |_, _| Some(location.clone())).await;
    let stderr = Machine::with_token(server.url(), FAKE_TOKEN).run(&["clients", "list"]).await.expect_failure(5);
    assert!(stderr.contains("status 307, a redirect, which is not followed"), "{stderr}");
    assert_eq!(other.requests(), [""; 0]);
    assert!(server.requests()[0].contains(&format!("authorization: Bearer {FAKE_TOKEN}")));
}

#[tokio::test]
async fn a_short_rate_limit_is_waited_for_and_a_long_one_is_not() {
    let answer =
        |number, _: &str| Some(if number == 0 { problem(429, "too_many_requests", Some(1)) } else { empty_list() });
    let server = FakeServer::start(answer).await;
    let started = Instant::now();
    let printed = Machine::with_token(server.url(), FAKE_TOKEN).run(&["clients", "list"]).await;
    assert_eq!(printed.stderr, "The rate limit is used up; waiting for 1 s.\nNo clients.\n");
    assert!(started.elapsed().as_millis() >= 1_000 && server.requests().len() == 2);

    let server = FakeServer::start(|_, _| Some(problem(429, "too_many_requests", Some(300)))).await;
    let machine = Machine::with_token(server.url(), FAKE_TOKEN);
    let expected = "\
portico: the rate limit is used up; the server accepts this again in 300 s
code: too_many_requests
request id: 01a1fdba-f86f-76f5-b296-4e548b3691ab
";
    assert_eq!(machine.run(&["clients", "list"]).await.expect_failure(1), expected);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn what_is_not_idempotent_is_never_sent_twice() {
    for answer in [problem(503, "unavailable", Some(1)), problem(429, "too_many_requests", Some(1))] {
        let server = FakeServer::start(move |_, _| Some(answer.clone())).await;
        let machine = Machine::with_token(server.url(), FAKE_TOKEN);
        let printed = machine.run(&["clients", "add", "Acme Ltd"]).await;
        assert!([1, 5].contains(&printed.code), "{printed:?}");
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_server_that_is_busy_is_asked_again() {
    let answer = |number, _: &str| Some(if number < 2 { problem(503, "overloaded", Some(1)) } else { empty_list() });
    let server = FakeServer::start(answer).await;
    Machine::with_token(server.url(), FAKE_TOKEN).run(&["clients", "list"]).await.expect(0);
    let server = FakeServer::start(|_, _| Some(problem(503, "unavailable", None))).await;
    let stderr = Machine::with_token(server.url(), FAKE_TOKEN).run(&["clients", "list"]).await.expect_failure(5);
    assert!(stderr.contains("This is the detail.") && server.requests().len() == 4, "{stderr}");
}

#[tokio::test]
async fn a_login_is_kept_if_its_token_cannot_be_revoked() {
    let token = http_answer(200, "application/json", &token("CLI").to_string());
    let answer = move |_, head: &str| head.starts_with("GET").then(|| token.clone());
    let server = FakeServer::start(answer).await;
    let machine = Machine::new();
    machine.run_with_input(&["login", server.url(), "--token"], FAKE_TOKEN).await.expect(0);
    // The token expires soon, or has expired by now.
    let printed = machine.run(&["status"]).await;
    let warning = "The token expires on 2026-11-28 10:00:00Z. Run: portico remote login\n";
    assert_eq!(printed.stderr, warning);
    let stderr = machine.run(&["logout", "--revoke", "--timeout", "1s"]).await.expect_failure(5);
    assert!(stderr.contains("The login is still stored"), "{stderr}");
    assert!(machine.profile("default").exists());
    machine.run(&["logout", "--local"]).await.expect(0);
    assert!(!machine.profile("default").exists());
}

#[tokio::test]
async fn a_change_without_an_answer_may_have_been_done() {
    let server = server_with_client(None).await;
    let machine = Machine::with_token(server.url(), FAKE_TOKEN);
    for args in [&["clients", "add", "Beta"][..], &["clients", "archive", ID, "--yes"], &["clients", "restore", ID]] {
        let stderr = machine.run(&[args, &["--timeout", "1s"]].concat()).await.expect_failure(5);
        let lines: Vec<_> = stderr.lines().collect();
        assert!(lines[0].ends_with("did not answer within 1 s; see --timeout"), "{stderr}");
        assert!(lines[1].starts_with("The server may have done it all the same. Check"), "{stderr}");
    }
}

#[tokio::test]
async fn an_answer_with_content_to_a_delete_is_not_one_of_portico() {
    for (status, content_type, body) in [
        (200, "application/json", "{}"),
        (200, "text/html", "<html>"),
        (201, "application/json", "null"),
        (200, "", ""),
    ] {
        let server = server_with_client(Some(http_answer(status, content_type, body))).await;
        let machine = Machine::with_token(server.url(), FAKE_TOKEN);
        let remove = ["people", "remove", "--client", ID, ID, "--yes"];
        let stderr = machine.run(&remove).await.expect_failure(5);
        assert!(stderr.contains(&format!("the answer is not one of Portico (status {status},")), "{stderr}");
    }
}

#[tokio::test]
async fn text_of_a_server_adds_no_line_and_controls_no_terminal() {
    for text in
        ["T\nexpires  2099", "T\r\nexpires  2099", "T\u{2028}expires  2099", "T\u{1b}[1A\u{202e}\nexpires  2099"]
    {
        let server = FakeServer::answering(200, "application/json", &token(text).to_string()).await;
        let status = Machine::with_token(server.url(), FAKE_TOKEN).run(&["status"]).await.expect(0);
        assert_eq!(status.lines().filter(|line| line.starts_with("expires")).count(), 1, "{status}");
        assert!(!status.contains(['\u{1b}', '\u{202e}', '\r']), "{status:?}");

        let answer = problem(409, "conflict", None).replace(ID, &text.escape_default().to_string());
        let answer =
            answer.replace("\\u{1b}", "\\u001b").replace("\\u{202e}", "\\u202e").replace("\\u{2028}", "\\u2028");
        let body = answer.split_once("\r\n\r\n").unwrap().1.to_owned();
        let server = FakeServer::answering(409, PROBLEM, &body).await;
        let stderr = Machine::with_token(server.url(), FAKE_TOKEN).run(&["clients", "list"]).await.expect_failure(1);
        assert!(stderr.lines().count() == 3 && stderr.contains("\nrequest id: T"), "{stderr}");
        assert!(!stderr.contains(['\u{1b}', '\u{202e}', '\r']), "{stderr:?}");
    }
}

#[tokio::test]
async fn what_is_no_token_is_not_sent() {
    let server = FakeServer::start(|_, _| Some(empty_list())).await;
    for token in ["pat_with_a_line\nfeed_0000000000000", "pat_with a space_00000000000", "pat_\u{fc}_00000000000000000"]
    {
        let stderr = Machine::with_token(server.url(), token).run(&["clients", "list"]).await.expect_failure(4);
        assert!(stderr.starts_with("portico: PORTICO_REMOTE_TOKEN: this is not an API token"), "{stderr}");
    }
    assert_eq!(server.requests(), [""; 0]);
}

#[tokio::test]
async fn the_name_localhost_is_this_machine() {
    let server = FakeServer::start(|_, _| Some(empty_list())).await;
    let url = server.url().replace("127.0.0.1", "localhost");
    Machine::with_token(&url, FAKE_TOKEN).run(&["clients", "list"]).await.expect(0);
    for name in ["portal.localhost", "localhost.", "localhost.example.com"] {
        let url = server.url().replace("127.0.0.1", name);
        let stderr = Machine::with_token(&url, FAKE_TOKEN).run(&["clients", "list"]).await.expect_failure(2);
        assert!(stderr.starts_with("portico: PORTICO_REMOTE_URL must be https"), "{stderr}");
    }
}

#[tokio::test]
async fn a_relative_folder_for_logins_is_refused() {
    for (name, value) in [("HOME", "home"), ("HOME", "./home"), ("XDG_CONFIG_HOME", "config")] {
        let mut machine = Machine::new();
        machine.sets(name, value);
        let stderr = machine.run(&["clients", "list"]).await.expect_failure(2);
        assert_eq!(stderr, format!("portico: {name} must be an absolute path, e.g. /home/ann\n"));
    }
}

#[tokio::test]
async fn a_login_that_is_no_regular_file_is_refused() {
    let machine = Machine::new();
    let (file, folder) = (machine.profile("fifo"), machine.profile("folder"));
    std::fs::create_dir_all(&folder).unwrap();
    assert!(tokio::process::Command::new("mkfifo").arg(&file).status().await.unwrap().success());
    std::os::unix::fs::symlink(&file, machine.profile("link")).unwrap();
    for profile in ["fifo", "folder", "link"] {
        let stderr = machine.run(&["clients", "list", "--profile", profile]).await.expect_failure(4);
        assert!(stderr.contains("is not a regular file"), "{stderr}");
    }
}

#[tokio::test]
async fn ctrl_c_ends_a_command_and_shows_what_is_typed_again() {
    // The listener accepts no connection, so the command waits.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let machine = Machine::new();
    let mut terminal = machine.terminal(&["login", &url, "--token"]);
    terminal.shows("API token (not shown):").await;
    assert!(!terminal.echoes());
    terminal.interrupt();
    eventually("the terminal shows what is typed", || async { terminal.echoes().then_some(()) }).await;
    let screen = machine.expect(terminal, 1).await;
    assert!(screen.contains("portico: stopped by SIGTERM or SIGINT"), "{screen}");
}

stories! {
    async fn an_expired_and_a_revoked_token_say_how_to_log_in(world) {
        let tenant = world.tenant().await;
        let machine = Machine::logged_in(world, &tenant).await;
        let prefix = machine.run(&["status", "--json"]).await.json()["prefix"].as_str().unwrap().to_owned();
        let set = |what: &str| world.sql(&format!("UPDATE api_tokens SET {what} WHERE prefix = '{prefix}'"));
        set(&format!("expires_at = '{PAST}'"));
        for args in [&["clients", "list"][..], &["status"], &["audit", "export"]] {
            let stderr = machine.run(args).await.expect_failure(4);
            let advice = "The stored token has expired or was revoked. Run: portico remote login\nrequest id: ";
            assert!(stderr.contains(advice), "{stderr}");
        }
        let machine = Machine::logged_in(world, &tenant).await;
        let token = machine.stored("default")["token"].as_str().unwrap().to_owned();
        let header = [("authorization", &*format!("Bearer {token}"))];
        world.browser().send(reqwest::Method::DELETE, TOKEN, None, &header).await.expect(204);
        let stderr = machine.run(&["people", "list"]).await.expect_failure(4);
        assert!(stderr.contains("Run: portico remote login\n"), "{stderr}");
        let goodbye = machine.run(&["logout", "--revoke"]).await.expect(0);
        assert_eq!(goodbye, "Deleted the stored login. Its API token was not valid any more.\n");
    }

    async fn a_problem_shows_its_fields_and_the_id_of_the_request(world) {
        let tenant = world.tenant().await;
        let machine = Machine::of(world, &tenant).await;
        let stderr = machine.run(&["clients", "add", "", "--ref", ""]).await.expect_failure(2);
        let lines: Vec<_> = stderr.lines().collect();
        assert!(lines[0] == "portico: 2 fields are invalid." && lines[1].starts_with("  --ref: must "), "{stderr}");
        assert!(lines[2].starts_with("  name: ") && lines[3] == "code: validation_failed", "{stderr}");
        assert!(lines[4].starts_with("request id: "), "{stderr}");
        for (args, field) in [
            (&["clients", "add", ""][..], "name"),
            (&["clients", "add", "Acme Ltd", "--ref", ""], "--ref"),
            (&["clients", "list", "--search", "x"], "--search"),
        ] {
            let stderr = machine.run(args).await.expect_failure(2);
            assert!(stderr.starts_with(&format!("portico: {field}: must ")), "{stderr}");
            assert_eq!(stderr.matches(" must ").count(), 1, "the field is named once: {stderr}");
        }
        tenant.client("Acme Ltd").await;
        for args in [
            &["emails", "retry", "01a1fdba-f86f-76f5-b296-4e548b3691ab"][..],
            &["people", "enable", "--client", "Acme Ltd", "01a1fdba-f86f-76f5-b296-4e548b3691ab"],
            &["people", "enable", "--client", "Acme Ltd", "ann@x.test"],
            &["resend", "--client", "Acme Ltd", "ann@x.test"],
        ] {
            machine.run(args).await.expect_failure(3);
        }
    }

    async fn a_token_without_the_scope_is_refused(world) {
        let tenant = world.tenant().await;
        let body = json!({ "name": "Reader", "scopes": ["clients:read"] });
        let created = tenant.owner.post("/api/staff/tokens", body).await.expect(201);
        let machine = Machine::with_token(&world.apis[0], created["token"].as_str().unwrap());
        let stderr = machine.run(&["clients", "add", "Acme Ltd"]).await.expect_failure(4);
        assert!(stderr.contains("request id: "), "{stderr}");
        // A server ignores the variables of the command line.
        let mut command = tokio::process::Command::new(crate::support::binary());
        let token = create_token(&tenant).await;
        command.args(["settings"]).env_clear().env("PORTICO_REMOTE_TOKEN", token);
        assert!(command.output().await.unwrap().status.success());
        let mut env = world.env.clone();
        env.extend(["URL", "TOKEN", "PROFILE"].map(|name| (format!("PORTICO_REMOTE_{name}"), "x".into())));
        let mut command = tokio::process::Command::new(crate::support::binary());
        command.arg("check-config").env_clear().env("PORTICO_ENV", "development").envs(env);
        let output = command.output().await.unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}
