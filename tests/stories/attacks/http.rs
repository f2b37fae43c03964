//! HTTP and INF cases on connections: requests that are too large, too slow, malformed or cut off, too many
//! connections, and requests that the database aborts.

use std::{
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use futures_util::{StreamExt, future::join_all, stream};
use reqwest::Method;
use serde_json::json;
use tokio::{
    io::AsyncReadExt,
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use super::raw::{Raw, exchange, status};
use crate::support::{
    Browser, Deployment, Invitation, Process, Response, Tenant, World, binary, eventually,
    paths::{
        ACTIVATE, API_DOCS, LIVE, OPENAPI, READY, RESEND_ACTIVATION, RESET_PASSWORD, SIGN_IN, SIGN_OUT,
        resend_invitation,
    },
    psql, stories,
};

const ACCEPTED_CONTENT_TYPES: [&str; 4] =
    ["application/json", "APPLICATION/JSON", "application/json;charset=utf-8", "application/json; charset=\"UTF-8\""];

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

/// Returns the head of a POST with these further header lines.
fn post(path: &str, headers: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{headers}\r\n")
}

/// Returns a GET with these further header lines.
fn get(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\n{headers}\r\n")
}

/// The resident memory of a process in kB.
fn resident_memory(process: &Process) -> u64 {
    process.footprint().0
}

/// The number of open sockets of a process.
fn open_sockets(process: &Process) -> usize {
    let files = std::fs::read_dir(format!("/proc/{}/fd", process.id())).unwrap();
    let targets = files.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
    targets.filter(|target| target.to_string_lossy().starts_with("socket:")).count()
}

/// The processor time that a process has used, in hundredths of a second.
fn processor_time(process: &Process) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.id())).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
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
        assert_eq!(status(&exchange(&world.apis[0], head + "\x1f\x08\x08\0").await), (400, 1));
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

/// How long a server may keep a connection that makes no progress: 30 seconds, and some more on a busy machine.
const CUT_OFF_TIMEOUT: Duration = Duration::from_secs(36);

/// Sends the head, and then a byte each half second until the server closes. Returns true if it does so in time.
async fn is_slow_sender_cut_off(api: &str, head: &str) -> bool {
    let mut raw = Raw::connect(api).await;
    raw.send(head).await;
    let mut response = [0; 4_096];
    timeout(CUT_OFF_TIMEOUT, async {
        loop {
            match timeout(Duration::from_millis(500), raw.0.read(&mut response)).await {
                Ok(Ok(0) | Err(_)) => return,
                Ok(Ok(_)) => {}
                Err(_) => drop(raw.send("x").await),
            }
        }
    })
    .await
    .is_ok()
}

/// Sends one request and nothing more. Returns true if the server answers it and closes in time.
async fn is_idle_connection_cut_off(api: &str) -> bool {
    let mut raw = Raw::connect(api).await;
    raw.send(get(LIVE, "")).await;
    timeout(CUT_OFF_TIMEOUT, raw.read_to_close()).await.is_ok_and(|response| status(&response) == (200, 1))
}

/// Requests a large page eight times and does not read the responses.
async fn connection_that_never_reads(api: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let stream = socket.connect(api.strip_prefix("http://").unwrap().parse().unwrap()).await.unwrap();
    let mut raw = Raw(stream);
    for _ in 0..8 {
        raw.send(get(API_DOCS, "")).await;
    }
    raw.0
}

/// Runs `count` clients concurrently and returns how many returned true.
async fn count_true<F: Future<Output = bool>>(count: usize, client: impl Fn() -> F) -> usize {
    join_all((0..count).map(|_| client())).await.into_iter().filter(|is_true| *is_true).count()
}

async fn assert_slow_clients_are_cut_off(api: &str) {
    let slow_body = post(SIGN_IN, "content-length: 60000\r\n");
    let (heads, bodies, silent, idle) = tokio::join!(
        count_true(150, || is_slow_sender_cut_off(api, "GET /health/live HTTP/1.1\r\nx-slow: ")),
        count_true(150, || is_slow_sender_cut_off(api, &slow_body)),
        count_true(50, || is_slow_sender_cut_off(api, "")),
        count_true(100, || is_idle_connection_cut_off(api)),
    );
    assert_eq!([heads, bodies, silent, idle], [150, 150, 50, 100], "slow heads, slow bodies, silent, idle");
}

#[tokio::test]
async fn http_05_slow_clients_are_cut_off_and_others_are_served() {
    let world = World::start(Deployment::Single, &[("PORTICO_LIMIT_REQUESTS", "off")]).await;
    let (api, process) = (&*world.apis[0], &world.processes[0]);
    let sockets = open_sockets(process);
    let unread = join_all((0..50).map(|_| connection_that_never_reads(api))).await;
    let (browser, served) = (world.browser(), AtomicU64::new(0));
    let request_all_the_time = async {
        loop {
            browser.get(LIVE).await.expect(200);
            served.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = assert_slow_clients_are_cut_off(api) => {}
        () = request_all_the_time => unreachable!(),
    }
    assert!(served.load(Ordering::Relaxed) > 100, "{served:?}");
    // One of the remaining sockets is the browser's.
    let are_closed = || async { (open_sockets(process) <= sockets + 1).then_some(()) };
    eventually("the connections that never read are closed", are_closed).await;
    drop(unread);
}

/// A cluster without low limits on mail to one address, and an invitation in it.
async fn without_mail_limits() -> (World, Tenant, Invitation) {
    let limits = ["RECOVERY_ACCOUNT", "RECOVERY_NETWORK", "REQUESTS", "INVITE_RECIPIENT"];
    let names = limits.map(|limit| format!("PORTICO_LIMIT_{limit}"));
    let settings: Vec<_> = names.iter().map(|name| (name.as_str(), "100000/1m")).collect();
    let world = World::start(Deployment::Cluster, &settings).await;
    let tenant = world.tenant().await;
    let invitation = tenant.invitation(&world).await;
    (world, tenant, invitation)
}

/// The `n`th client sends a part of the request, or all of it and waits up to 40 ms; then it disconnects.
async fn send_and_disconnect(api: &str, request: &str, n: usize) {
    let mut raw = Raw::connect(api).await;
    if n.is_multiple_of(4) {
        raw.send(&request.as_bytes()[..n * 7 % request.len()]).await;
    } else {
        raw.send(request).await;
        let _ = timeout(Duration::from_millis((n % 40) as u64), raw.0.read(&mut [0; 1])).await;
    }
}

#[tokio::test]
async fn http_09_requests_of_disconnected_clients_are_done_completely_or_not_at_all() {
    let (world, _, Invitation { email, .. }) = without_mail_limits().await;
    let body = json!({ "email": email }).to_string();
    let request = post(RESEND_ACTIVATION, &format!("content-length: {}\r\n", body.len())) + &body;
    let clients = (0..400).map(|n| send_and_disconnect(&world.apis[n % 2], &request, n));
    stream::iter(clients).buffer_unordered(20).collect::<Vec<()>>().await;
    world.browser().resend_activation(&email).await.expect(200);
    let open = "SELECT count(*) FROM pg_stat_activity \
         WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
    world.wait_for_sql("no transaction is open", open, "0").await;
    let mails = "SELECT count(*) FROM emails WHERE kind = 'activation'";
    let events = "SELECT count(*) FROM audit_events WHERE action = 'activation.requested'";
    let jobs = "SELECT count(*) FROM background_jobs WHERE name = 'send_mail' \
         AND payload->>'email' IN (SELECT id::text FROM emails WHERE kind = 'activation')";
    eventually("every mail has its audit event and its job", || async {
        let count = world.count(mails);
        (count > 100 && world.count(events) == count && world.count(jobs) == count).then_some(())
    })
    .await;
    // And the mail of the invitation.
    world.mail(&email, 1 + world.count(mails)).await;
}

/// Causes a deadlock with the next resend to this client: locks the client's row, waits until a request waits for it,
/// and then wants the invitation's row, which that request has locked. Its `deadlock_timeout` is long, so that Postgres
/// aborts the request and not this transaction.
fn cause_deadlock(url: &str, client: &str) {
    psql(
        url,
        &format!(
            "SET deadlock_timeout = '60s'; DO $$ BEGIN PERFORM id FROM clients WHERE id = '{client}' FOR UPDATE; \
             LOOP EXIT WHEN EXISTS \
                 (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))); \
             PERFORM pg_sleep(0.02); END LOOP; UPDATE invitations SET name = name WHERE client_id = '{client}'; END $$"
        ),
    );
}

#[tokio::test]
async fn inf_03_a_request_that_is_aborted_by_a_deadlock_is_run_again_and_counts_once() {
    let (world, tenant, Invitation { client, email, .. }) = without_mail_limits().await;
    let is_client_locked =
        "SELECT count(*) > 0 FROM pg_locks WHERE relation = 'clients'::regclass AND mode = 'RowShareLock'";
    for _ in 0..3 {
        let (url, id) = (world.setting("DATABASE_URL").to_owned(), client.clone());
        let deadlock = tokio::task::spawn_blocking(move || cause_deadlock(&url, &id));
        world.wait_for_sql("the client's row is locked", is_client_locked, "t").await;
        tenant.owner.post(&resend_invitation(&client), json!({ "email": email })).await.expect(200);
        deadlock.await.unwrap();
    }
    let logs = world.processes[..2].iter().flat_map(|api| api.logs());
    assert!(logs.filter(|line| line.contains("running the request again")).count() >= 3);
    assert_eq!(world.sql("SELECT deadlocks >= 3 FROM pg_stat_database WHERE datname = current_database()"), "t");
    assert_eq!(world.count("SELECT count(*) FROM audit_events WHERE action = 'invitation.resent'"), 3);
    assert_eq!(world.count("SELECT sent_count FROM invitations"), 4);
    world.mail(&email, 4).await;
}

/// Replaces the process of a single deployment by one that may open this many files. Returns it and its URL.
async fn restart_with_file_limit(world: &mut World, files: usize) -> (Process, String) {
    world.processes.remove(0).kill();
    world.apis.clear();
    let script = format!("ulimit -n {files}; exec {} dev", Path::new(&binary()).display());
    let process = Process::start("sh", &["-c", &script], &world.env);
    let listen = process.wait_for_log("it listens", |line| {
        let (_, rest) = line.split_once("listen=")?;
        Some(rest.split_whitespace().next()?.to_owned())
    });
    let url = format!("http://{}", listen.await);
    (process, url)
}

/// Asserts that a process uses less than half of a core during two seconds.
async fn assert_does_not_spin(process: &Process) {
    let (before, since) = (processor_time(process), Instant::now());
    eventually("two seconds have passed", || async { (since.elapsed().as_secs() >= 2).then_some(()) }).await;
    let used = processor_time(process) - before;
    assert!(used < 100, "{used} hundredths of a second in two seconds of waiting");
}

/// Opens more connections than a process with this file limit can accept, closes them, and asserts that the process
/// survives without spinning, logs each problem at most once a minute, and serves the next clients.
async fn assert_survives_too_many_connections(file_limit: usize, connections: usize) {
    let mut world = World::start(Deployment::Single, &[]).await;
    let (process, url) = restart_with_file_limit(&mut world, file_limit).await;
    let (began, mut held) = (Instant::now(), Vec::new());
    for _ in 0..connections {
        held.push(Raw::connect(&url).await);
    }
    assert!(process.is_running());
    assert_does_not_spin(&process).await;
    let is_warning = |line: &&String| line.contains("connection slots are") || line.contains("cannot take in");
    let warnings = process.logs().iter().filter(is_warning).count();
    let minutes = began.elapsed().as_secs() as usize / 60;
    assert!((1..=2 * (1 + minutes)).contains(&warnings), "{warnings} warnings");
    drop(held);
    let browser = Browser::new(vec![url]);
    for _ in 0..20 {
        browser.get(READY).await.expect(200);
    }
    assert!(process.is_running());
}

// Portico's own connection limit is reached. The number of connections is more than that and fits into the backlog of
// the kernel, where connections wait.
#[tokio::test]
async fn inf_15_with_256_files_too_many_connections_wait_and_it_recovers() {
    assert_survives_too_many_connections(256, 600).await;
}

// The kernel refuses further file descriptors before Portico's own limit is reached.
#[tokio::test]
async fn inf_15_with_40_files_too_many_connections_wait_and_it_recovers() {
    assert_survives_too_many_connections(40, 180).await;
}
