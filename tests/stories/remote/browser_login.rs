//! Logging in with a browser: the story plays the browser and the approval page.

use std::collections::BTreeMap;

use serde_json::json;
use url::Url;

use crate::support::{
    Browser, FakeServer, Machine, Terminal, eventually, http, http_answer,
    paths::{CLI_LOGINS, CLIENTS},
    stories,
};

/// Waits until the terminal shows the address of the approval page, and returns it.
async fn approval_page(terminal: &Terminal, server: &str) -> Url {
    terminal.shows("Waiting for the approval.").await;
    let screen = terminal.screen().replace('\n', "");
    let (_, rest) = screen.split_once("on this machine:").unwrap();
    let (url, _) = rest.split_once("Waiting").unwrap();
    assert!(url.starts_with(&format!("{server}/console/approve-login?")), "{url}");
    url.parse().unwrap()
}

/// The query parameters of a URL.
fn query(url: &Url) -> BTreeMap<String, String> {
    url.query_pairs().into_owned().collect()
}

/// Approves a login as the approval page does, and returns the URL to which the browser goes.
async fn approve(staff: &Browser, page: &Url) -> Url {
    let query = query(page);
    let body = json!({
        "port": query["port"].parse::<u16>().unwrap(), "state": query["state"], "name": query["name"],
        "code_challenge": query["code_challenge"], "scopes": query["scopes"].split(',').collect::<Vec<_>>(),
    });
    let approved = staff.post(CLI_LOGINS, body).await.expect(201);
    approved["redirect_to"].as_str().unwrap().parse().unwrap()
}

/// Opens a page in a browser and returns the status and the text.
async fn open(url: &Url) -> (u16, String) {
    let response = http::client().get(url.clone()).send().await.unwrap();
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert!(response.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    (response.status().as_u16(), response.text().await.unwrap())
}

/// This URL with another value of a query parameter.
fn with(url: &Url, name: &str, value: &str) -> Url {
    let mut changed = url.clone();
    let pairs: Vec<_> = query(url).into_iter().filter(|(old, _)| old != name).collect();
    changed.query_pairs_mut().clear().extend_pairs(pairs).append_pair(name, value);
    changed
}

/// Starts a login of the server at `url`.
async fn start(machine: &Machine, url: &str) -> (Terminal, Url) {
    let terminal = machine.terminal_with(&["login", url, "--browser", "--no-open"], 1_000);
    let page = approval_page(&terminal, url).await;
    (terminal, page)
}

#[tokio::test]
async fn a_login_whose_exchange_fails_ends_and_stores_nothing() {
    for (status, content_type, body, code) in [(500, "text/plain", "", 5), (201, "application/json", "{}", 5)] {
        let server = FakeServer::start(move |_, _| Some(http_answer(status, content_type, body))).await;
        let machine = Machine::new();
        let (terminal, page) = start(&machine, server.url()).await;
        let query = query(&page);
        let callback = format!("http://127.0.0.1:{}/callback?code=c&state={}", query["port"], query["state"]);
        assert_eq!(open(&callback.parse().unwrap()).await.0, 502);
        machine.expect(terminal, code).await;
        assert!(!machine.profile("default").exists());
    }
}

#[tokio::test]
async fn ctrl_c_ends_a_login_that_waits_for_its_approval() {
    let machine = Machine::new();
    let (mut terminal, _) = start(&machine, "http://localhost:1").await;
    terminal.interrupt();
    let screen = machine.expect(terminal, 1).await;
    assert!(screen.contains("stopped by"), "{screen}");
}

#[tokio::test]
async fn a_browser_is_opened_only_where_there_is_a_screen() {
    for (env, args, is_opened) in [
        (&[("DISPLAY", ":0")][..], &[][..], true),
        (&[("WAYLAND_DISPLAY", "wayland-0")], &[], true),
        (&[("DISPLAY", ":0")], &["--no-open"], false),
        (&[("DISPLAY", ":0"), ("SSH_CONNECTION", "192.0.2.7 1 192.0.2.8 22")], &[], false),
        (&[], &[], false),
    ] {
        let mut machine = Machine::new();
        let opened = machine.file("opened", "");
        let opener = machine
            .file("xdg-open", &format!("#!/bin/sh\necho \"$1\" > '{opened}.new'\nmv '{opened}.new' '{opened}'\n"));
        std::fs::set_permissions(&opener, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        machine.sets("PATH", &format!("{}:/usr/bin:/bin", opener.strip_suffix("/xdg-open").unwrap()));
        env.iter().for_each(|(name, value)| machine.sets(name, value));
        let mut terminal = machine.terminal_with(&[&["login", "http://localhost:1"], args].concat(), 1_000);
        let page = approval_page(&terminal, "http://localhost:1").await;
        let read = || std::fs::read_to_string(&opened).unwrap().trim().to_owned();
        if is_opened {
            eventually("the browser opens", || async { (!read().is_empty()).then_some(()) }).await;
            assert_eq!(read(), page.as_str());
        }
        terminal.interrupt();
        machine.expect(terminal, 1).await;
        assert_eq!(!read().is_empty(), is_opened, "{env:?} {args:?}");
    }
}

stories! {
    async fn a_login_in_a_browser_stores_a_token_that_works_until_the_logout(world) {
        let (tenant, mut machine) = (world.tenant().await, Machine::new());
        let (terminal, page) = start(&machine, &world.apis[0]).await;
        let asked = query(&page);
        assert_eq!(asked["scopes"], "clients:read,clients:edit,emails:read,emails:edit,audit:read,settings:read");
        assert!(asked["name"].starts_with("portico remote"), "{asked:?}");
        let (status, text) = open(&approve(&tenant.owner, &page).await).await;
        assert!(status == 200 && text.contains("You can close this window."), "{text}");
        let screen = machine.expect(terminal, 0).await;
        assert!(screen.contains(&format!("Logged in to {} as owner.", world.apis[0])), "{screen}");
        let token = machine.stored("default")["token"].as_str().unwrap().to_owned();
        machine.keeps(&token);
        world.browser().get_with_bearer(CLIENTS, &token).await.expect(200);
        machine.run(&["clients", "list"]).await.expect(0);
        machine.run(&["logout"]).await.expect(0);
        world.browser().get_with_bearer(CLIENTS, &token).await.assert_problem("401 unauthenticated");
    }

    async fn a_login_that_is_denied_ends_the_command(world) {
        let machine = Machine::new();
        let (terminal, page) = start(&machine, &world.apis[0]).await;
        let query = query(&page);
        let callback = format!("http://127.0.0.1:{}/callback?error=access_denied&state=", query["port"]);
        assert_eq!(open(&format!("{callback}another-state-of-a-login").parse().unwrap()).await.0, 400);
        let (status, text) = open(&format!("{callback}{}", query["state"]).parse().unwrap()).await;
        assert!(status == 200 && text.contains("You have denied the login."), "{text}");
        let screen = machine.expect(terminal, 1).await;
        assert!(screen.contains("the login was denied in the browser"), "{screen}");
        assert!(!machine.profile("default").exists());
    }

    async fn pat_09_a_local_page_cannot_end_a_login_or_bring_a_code_of_its_own(world) {
        let (tenant, machine) = (world.tenant().await, Machine::new());
        let (terminal, page) = start(&machine, &world.apis[0]).await;
        let (right, attacker) = (approve(&tenant.owner, &page).await, world.tenant().await);
        // A code that the attacker has approved for the same program, but without the state, and a login of their own.
        let (_other, other_page) = start(&Machine::new(), &world.apis[0]).await;
        let foreign = query(&approve(&attacker.owner, &other_page).await);
        for state in ["", "x", &foreign["state"]] {
            assert_eq!(open(&with(&with(&right, "code", &foreign["code"]), "state", state)).await.0, 400, "{state}");
        }
        for (path, status) in [("/", 404), ("/favicon.ico", 404), ("/callback", 400)] {
            let mut url = right.clone();
            url.set_path(path);
            url.set_query(None);
            assert_eq!(open(&url).await.0, status, "{path}");
        }
        let mut by_name = right.clone();
        by_name.set_host(Some("localhost")).unwrap();
        assert_eq!(open(&by_name).await.0, 421);
        scan(right.port().unwrap()).await;
        // A page that knows the state, but brings the code of another login.
        assert_eq!(open(&with(&right, "code", &foreign["code"])).await.0, 403);
        terminal.shows("The server has refused the code.").await;
        assert_eq!(open(&right).await.0, 200);
        machine.expect(terminal, 0).await;
        let status = machine.run(&["status", "--json"]).await.json();
        assert_eq!(status["tenant"]["slug"], tenant.slug);
    }
}

/// Connects to the port without a request, with one that is not HTTP, and with one that is cut off.
async fn scan(port: u16) {
    use tokio::{io::AsyncWriteExt, net::TcpStream};
    for bytes in ["", "\r\n\r\n", "\x16\x03\x01\x02\x00", "GET /callback HTTP/1.1\r\nhost:", "SSH-2.0-scan\r\n"] {
        let mut socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        socket.write_all(bytes.as_bytes()).await.unwrap();
    }
}
