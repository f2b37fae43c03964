//! What comes over the socket: too large, too slow, malformed, cut off, too many.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::{StreamExt, future::join_all, stream};
use reqwest::Method;
use serde_json::json;
use tokio::{io::AsyncReadExt, net::TcpSocket, time::timeout};

use super::raw::{Raw, exchange, status};
use crate::support::{Browser, Process, Deployment, World, binary, eventually, psql, stories, unique};

const SIGN_IN: &str = "/api/portal/auth/sign-in";

/// A number of `/proc/<pid>/status`, such as `VmRSS` in kB.
fn of_process(process: &Process, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_start_matches(':').split_whitespace().next().unwrap().parse().unwrap()
}

fn open_sockets(process: &Process) -> usize {
    let files = std::fs::read_dir(format!("/proc/{}/fd", process.id())).unwrap();
    let targets = files.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
    targets.filter(|target| target.to_string_lossy().starts_with("socket:")).count()
}

/// Hundredths of a second of processor time that it has used.
fn processor_time(process: &Process) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.id())).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

fn post(path: &str, headers: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{headers}\r\n")
}

fn get(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\n{headers}\r\n")
}

/// Every path of the document with each placeholder filled in, and the methods it has.
async fn paths(browser: &Browser) -> Vec<(String, Vec<String>)> {
    let document = browser.get("/api/openapi.json").await.expect(200);
    let filled = |path: &str| {
        let part = |part: &str| {
            if part.starts_with('{') { "01a1fdba-f86f-76f5-b296-4e548b3691ab".into() } else { part.to_owned() }
        };
        path.split('/').map(part).collect::<Vec<_>>().join("/")
    };
    let mut paths: Vec<_> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(path, item)| {
            let methods = item.as_object().unwrap().keys().map(|method| method.to_uppercase());
            (filled(path), methods.collect())
        })
        .collect();
    paths.extend(["/api/docs", "/api/openapi.json"].map(|page| (page.to_owned(), vec!["GET".to_owned()])));
    paths
}

stories! {
    async fn http_04_what_is_too_large_is_turned_away_early(world) {
        let api = &world.apis[0];
        let ten_megabytes = vec![b'x'; 10 << 20];
        let before = of_process(&world.processes[0], "VmRSS");
        for _ in 0..10 {
            // With a length, without one, and by somebody who asks first.
            let mut raw = Raw::connect(api).await;
            raw.send(post(SIGN_IN, "content-length: 10485760\r\n")).await;
            raw.send(&ten_megabytes).await;
            let answer = raw.rest().await;
            assert_eq!(status(&answer), (413, 1), "{answer}");
            assert!(answer.contains("connection: close") && answer.contains("\"code\":\"body_too_large\""), "{answer}");

            let mut raw = Raw::connect(api).await;
            raw.send(post(SIGN_IN, "transfer-encoding: chunked\r\n")).await;
            raw.send("a00000\r\n").await;
            raw.send(&ten_megabytes).await;
            assert_eq!(status(&raw.rest().await), (413, 1));

            let asks = exchange(api, post(SIGN_IN, "content-length: 10485760\r\nexpect: 100-continue\r\n")).await;
            assert_eq!(status(&asks), (413, 1), "and no 100 before it: {asks}");
        }
        // Debug builds are generous, ten megabytes are not needed.
        let grown = of_process(&world.processes[0], "VmRSS").saturating_sub(before);
        assert!(grown < 30_000, "{grown} kB for 200 MB of bodies");

        for (head, expected, code) in [
            (get("/health/live", &format!("cookie: a={}\r\n", "x".repeat(20_000))), 431, "headers_too_large"),
            (get("/health/live", &format!("cookie: a={}\r\n", "x".repeat(65_536))), 431, ""),
            (get("/health/live", &(0..1_000).map(|n| format!("x-{n}: 1\r\n")).collect::<String>()), 431, ""),
            (get(&format!("/{}", "x".repeat(16_384)), ""), 414, "uri_too_long"),
            (get(&format!("/{}", "x".repeat(100_000)), ""), 431, ""),
        ] {
            let answer = exchange(api, head.replacen("\r\n", "\r\nconnection: close\r\n", 1)).await;
            assert_eq!(status(&answer), (expected, 1), "{answer}");
            assert!(answer.contains(&format!("\"code\":\"{code}\"")) || code.is_empty(), "{answer}");
        }

        // What is packed is not unpacked.
        let packed = exchange(api, post(SIGN_IN, "connection: close\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n") + "\x1f\x08\x08\0").await;
        assert_eq!(status(&packed), (400, 1));
    }

    async fn http_06_doubtful_framing_is_refused_and_ends_the_connection(world) {
        let api = &world.apis[0];
        let next = get("/health/live", "");
        let refused = [
            post(SIGN_IN, "content-length: 2\r\ncontent-length: 3\r\n") + "{}",
            post(SIGN_IN, "content-length: +2\r\n") + "{}",
            post(SIGN_IN, "content-length: 0x2\r\n") + "{}",
            post(SIGN_IN, "content-length: 2, 3\r\n") + "{}",
            post(SIGN_IN, "transfer-encoding: chunked, identity\r\n") + "0\r\n\r\n",
            post(SIGN_IN, "transfer-encoding: identity\r\n") + "{}",
            post(SIGN_IN, "transfer-encoding: chunked\r\n") + "2 \t x\r\n{}\r\n0\r\n\r\n",
            post(SIGN_IN, "transfer-encoding: chunked\r\n") + "-2\r\n{}\r\n0\r\n\r\n",
            post(SIGN_IN, "transfer-encoding: chunked\r\n") + "fffffffffffffffff\r\n{}\r\n0\r\n\r\n",
            post(SIGN_IN, "transfer-encoding: chunked\r\n") + "2;" + &"x".repeat(1 << 20) + "\r\n{}\r\n0\r\n\r\n",
            get("/health/live", "x-a: 1\r\n folded: 2\r\n"),
            get("/health/live", "x-a : 1\r\n"),
            get("/health/live", "x-a: 1\0\r\n"),
            get("/health/live", ": 1\r\n"),
            "GET /health/live HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n".into(),
            "GET /health/live HTTP/3.0\r\nhost: x\r\n\r\n".into(),
            "GET  /health/live HTTP/1.1\r\nhost: x\r\n\r\n".into(),
            "RUBBISH\r\n\r\n".into(),
        ];
        for head in refused {
            let answer = exchange(api, head.clone() + &next).await;
            let shown = &head[..head.len().min(200)];
            assert_eq!(status(&answer), (400, 1), "{shown:?}: {answer}");
        }
        // RFC 9112 §6.1 on both: the encoding counts, and nothing is heard on that connection any more.
        let both = post("/api/portal/auth/sign-out", "content-length: 4\r\ntransfer-encoding: chunked\r\n") + "0\r\n\r\n";
        assert_eq!(status(&exchange(api, both + &next).await), (204, 1));
        // Lines that end in LF alone are read as RFC 9112 §2.2 allows, alike for every line.
        let line_feeds = "GET /health/live HTTP/1.1\nhost: x\nconnection: close\n\n";
        assert_eq!(status(&exchange(api, line_feeds).await), (200, 1));
        // HTTP/2 is not spoken, so none of its tricks is heard.
        let preface = exchange(api, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
        assert!(preface.is_empty() || status(&preface) == (400, 1), "{preface}");
    }

    async fn http_07_only_json_in_utf_8_is_read(world) {
        let ask = async |content_type: &str| {
            let headers = [("content-type", content_type)];
            world.browser().send(Method::POST, SIGN_IN, Some("{}".into()), &headers).await
        };
        for good in ["application/json", "APPLICATION/JSON", "application/json;charset=utf-8", "application/json; charset=\"UTF-8\""] {
            ask(good).await.problem(422, "validation_failed");
        }
        for bad in [
            "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json", "application/jsonp",
            "application/json; charset=utf-16", "application/json; charset=latin1", "application/json;foo", "application/json; a=b", "json", "",
        ] {
            ask(bad).await.problem(415, "unsupported_media_type");
        }
        let none = exchange(&world.apis[0], "POST /api/portal/auth/sign-in HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}").await;
        assert_eq!(status(&none), (415, 1));
    }

    async fn http_08_every_path_says_which_methods_it_has(world) {
        for (path, methods) in paths(&world.browser()).await {
            let browser = world.browser();
            let allowed: Vec<&str> = methods.iter().flat_map(|method| if method == "GET" { vec!["GET", "HEAD"] } else { vec![method.as_str()] }).collect();
            for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"] {
                if allowed.contains(&method) {
                    continue;
                }
                let answer = browser.send(method.parse().unwrap(), &path, None, &[]).await;
                let mut told: Vec<&str> = answer.headers["allow"].to_str().unwrap().split(", ").collect();
                let mut expected = allowed.clone();
                told.sort();
                expected.sort();
                assert_eq!(told, expected, "{method} {path}");
                assert!(!answer.headers.contains_key("access-control-allow-methods"), "{answer:?}");
                if method == "HEAD" {
                    assert_eq!((answer.status, answer.text.as_str()), (405, ""));
                } else {
                    answer.problem(405, "method_not_allowed");
                }
            }
            if methods.iter().any(|method| method == "GET") {
                let (got, head) = (browser.get(&path).await, browser.send(Method::HEAD, &path, None, &[]).await);
                assert_eq!((head.status, head.text.as_str()), (got.status, ""), "{path}");
                for name in got.headers.keys().filter(|name| !["date", "x-request-id"].contains(&name.as_str())) {
                    assert_eq!(got.headers[name], head.headers.get(name).unwrap_or_else(|| panic!("{name} of {path}")), "{path}");
                }
            }
            for wrong in [format!("{path}/"), format!("/{path}"), path.to_uppercase(), path.replacen("/", "/%2f", 1)] {
                let answer = browser.get(&wrong).await;
                assert_eq!(answer.status, 404, "{wrong}: {answer:?}");
            }
        }
    }

    async fn http_11_costly_texts_are_cheap(world) {
        let marks = "\u{300}".repeat(25_000);
        for (path, body, status) in [
            (SIGN_IN, json!({ "email": format!("{}@x.test", "a".repeat(60_000)), "password": "x" }), 422),
            (SIGN_IN, json!({ "email": "a@x.test", "password": marks }), 401),
            (SIGN_IN, json!({ "email": "(".repeat(50_000), "password": "ﷺ".repeat(3_000) }), 422),
            ("/api/portal/auth/activate", json!({ "token": "x".repeat(60_000), "password": "ﷺ".repeat(128) }), 404),
            ("/api/portal/auth/reset-password", json!({ "token": "x", "password": marks }), 404),
        ] {
            let before: u64 = world.processes.iter().map(processor_time).sum();
            let answer = world.browser().post(path, body).await;
            let used = world.processes.iter().map(processor_time).sum::<u64>() - before;
            assert_eq!(answer.status, status, "{answer:?}");
            // Other stories use the same processes; what is quadratic takes minutes.
            assert!(used < 1_000, "{used} hundredths of a second");
        }
    }
}

/// Until when a server may keep a connection that does nothing useful, with some room for a busy machine.
const CUT_OFF_WITHIN: Duration = Duration::from_secs(36);

/// Sends a byte each half second until the server closes; true when it does in time.
async fn dribbles(api: String, head: String) -> bool {
    let mut raw = Raw::connect(&api).await;
    raw.send(head).await;
    let mut answer = [0; 4_096];
    timeout(CUT_OFF_WITHIN, async {
        loop {
            match timeout(Duration::from_millis(500), raw.0.read(&mut answer)).await {
                Ok(Ok(0) | Err(_)) => return,
                Ok(Ok(_)) => {}
                Err(_) => drop(raw.send("x").await),
            }
        }
    })
    .await
    .is_ok()
}

/// Asks for a large page again and again, and reads nothing.
async fn never_reads(api: String) -> tokio::net::TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let stream = socket.connect(api.strip_prefix("http://").unwrap().parse().unwrap()).await.unwrap();
    let mut raw = Raw(stream);
    for _ in 0..8 {
        raw.send(get("/api/docs", "")).await;
    }
    raw.0
}

#[tokio::test]
async fn http_05_slow_clients_are_cut_off() {
    let world = World::start(Deployment::Single, &[("PORTICO_LIMIT_REQUESTS", "off")]).await;
    let api = world.apis[0].clone();
    let sockets = open_sockets(&world.processes[0]);
    let all = |count: usize, head: String| {
        join_all((0..count).map(|_| dribbles(api.clone(), head.clone())).collect::<Vec<_>>())
    };
    let slow_heads = all(150, "GET /health/live HTTP/1.1\r\nx-slow: ".into());
    let slow_bodies = all(150, post(SIGN_IN, "content-length: 60000\r\n"));
    let silent = all(50, String::new());
    let idle = join_all((0..100).map(|_| async {
        let mut raw = Raw::connect(&api).await;
        raw.send(get("/health/live", "")).await;
        timeout(CUT_OFF_WITHIN, raw.rest()).await.is_ok_and(|answer| status(&answer) == (200, 1))
    }));
    let unread = join_all((0..50).map(|_| never_reads(api.clone()))).await;
    let others = AtomicU64::new(0);
    let normal = async {
        let browser = world.browser();
        loop {
            browser.get("/health/live").await.expect(200);
            others.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    };
    let (heads, bodies, silent, idle) = tokio::select! {
        closed = async { tokio::join!(slow_heads, slow_bodies, silent, idle) } => closed,
        () = normal => unreachable!(),
    };
    for (what, closed) in [("heads", heads), ("bodies", bodies), ("silent", silent), ("idle", idle)] {
        assert!(
            closed.iter().all(|closed| *closed),
            "{what}: {} open",
            closed.iter().filter(|closed| !**closed).count()
        );
    }
    assert!(others.load(Ordering::Relaxed) > 100, "others were served meanwhile");
    eventually("those who never read are cut off too", || async {
        // One is the browser's.
        (open_sockets(&world.processes[0]) <= sockets + 1).then_some(())
    })
    .await;
    drop(unread);
}

/// A fleet in which mail can be asked for at will, and somebody there who was invited.
async fn unlimited() -> (World, crate::support::Tenant, String, String) {
    let off = ["RECOVERY_ACCOUNT", "RECOVERY_NETWORK", "REQUESTS", "INVITE_RECIPIENT"];
    let names = off.map(|limit| format!("PORTICO_LIMIT_{limit}"));
    let settings: Vec<_> = names.iter().map(|name| (name.as_str(), "100000/1m")).collect();
    let world = World::start(Deployment::Cluster, &settings).await;
    let tenant = world.tenant().await;
    let client = tenant.client("Acme Ltd").await;
    let email = format!("{}@x.test", unique("ann"));
    tenant.invited(&world, &client, &email).await;
    (world, tenant, client, email)
}

#[tokio::test]
async fn http_09_who_leaves_half_way_leaves_nothing_half_done() {
    let (world, _tenant, _client, email) = unlimited().await;
    let body = json!({ "email": email }).to_string();
    let head = post("/api/portal/auth/resend-activation", &format!("content-length: {}\r\n", body.len()));
    let request = Arc::new(head + &body);
    // Cut at any byte, or sent whole and left after any moment of its work.
    let leaving = (0..400).map(|n: usize| {
        let (request, api) = (request.clone(), world.apis[n % 2].clone());
        async move {
            let mut raw = Raw::connect(&api).await;
            if n.is_multiple_of(4) {
                raw.send(&request.as_bytes()[..n * 7 % request.len()]).await;
            } else {
                raw.send(request.as_bytes()).await;
                let _ = timeout(Duration::from_millis((n % 40) as u64), raw.0.read(&mut [0; 1])).await;
            }
            drop(raw);
        }
    });
    stream::iter(leaving).buffer_unordered(20).collect::<Vec<()>>().await;
    world.browser().post("/api/portal/auth/resend-activation", json!({ "email": email })).await.expect(200);
    let count = |what: &str| world.sql(&format!("SELECT count(*) FROM {what}"));
    eventually("no transaction is open", || async {
        let open = "pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
        (count(open) == "0").then_some(())
    })
    .await;
    eventually("every act has its record and its job", || async {
        let mails = count("emails WHERE kind = 'activation'");
        let acts = count("audit_events WHERE action = 'activation.requested'");
        let jobs = count("background_jobs WHERE name = 'send_mail' AND payload->>'email' IN (SELECT id::text FROM emails WHERE kind = 'activation')");
        (mails == acts && mails == jobs && mails.parse::<u32>().unwrap() > 100).then_some(())
    })
    .await;
    let wanted = 1 + count("emails WHERE kind = 'activation'").parse::<usize>().unwrap();
    world.mail(&email, wanted).await;
}

#[tokio::test]
async fn inf_03_who_loses_a_deadlock_is_run_again() {
    let (world, tenant, client, email) = unlimited().await;
    let url = world.setting("DATABASE_URL").to_owned();
    for _ in 0..3 {
        // Holds the client and wants the invitation as soon as the request, which holds the invitation, waits for the
        // client. It is patient, so that the request is the one that the database ends.
        let other = format!(
            "SET deadlock_timeout = '60s'; DO $$ BEGIN PERFORM id FROM clients WHERE id = '{client}' FOR UPDATE; LOOP \
             EXIT WHEN EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))); \
             PERFORM pg_sleep(0.02); END LOOP; UPDATE invitations SET name = name WHERE client_id = '{client}'; END $$"
        );
        let url = url.clone();
        let other = tokio::task::spawn_blocking(move || psql(&url, &other));
        eventually("the other has the client", || async {
            let held =
                "SELECT count(*) > 0 FROM pg_locks WHERE relation = 'clients'::regclass AND mode = 'RowShareLock'";
            (world.sql(held) == "t").then_some(())
        })
        .await;
        let body = json!({ "email": email });
        tenant.owner.post(&format!("/api/v1/clients/{client}/portal-user?action=resend"), body).await.expect(200);
        other.await.unwrap();
    }
    let gave_way = world.processes[..2]
        .iter()
        .flat_map(|api| api.logs())
        .filter(|line| line.contains("running the request again"));
    assert!(gave_way.count() >= 3, "there was a deadlock each time");
    assert_eq!(world.sql("SELECT deadlocks >= 3 FROM pg_stat_database WHERE datname = current_database()"), "t");
    // Each counted once: the request that was run twice is one mail, one record, one unit of its limit.
    assert_eq!(world.sql("SELECT count(*) FROM audit_events WHERE action = 'invitation.resent'"), "3");
    assert_eq!(world.sql("SELECT sent_count FROM invitations"), "4");
    world.mail(&email, 4).await;
}

#[tokio::test]
async fn inf_15_with_few_files_it_degrades_and_recovers() {
    // The first leaves the kernel out of it, with the second it is the kernel that says no. Each with more than it has files,
    // and not many more than may wait in the system's backlog, where others come only when some are cut off.
    for (script, many) in [("ulimit -n 256", 600), ("ulimit -n 40", 180)] {
        let mut world = World::start(Deployment::Single, &[]).await;
        world.processes.remove(0).kill();
        world.apis.clear();
        let script = format!("{script}; exec {} dev", binary().display());
        let process = Process::start("sh", &["-c", &script], &world.env);
        let listen = process.wait_for_log("it listens", |line| {
            let at = line.split("listen=").nth(1)?;
            Some(at.split_whitespace().next()?.to_owned())
        });
        let api = format!("http://{}", listen.await);
        let (began, mut held) = (Instant::now(), Vec::new());
        for _ in 0..many {
            held.push(Raw::connect(&api).await);
        }
        assert!(process.is_running());
        // Nobody spins over what cannot be had.
        let (before, since) = (processor_time(&process), Instant::now());
        eventually("two seconds have gone by", || async { (since.elapsed().as_secs() >= 2).then_some(()) }).await;
        let used = processor_time(&process) - before;
        assert!(used < 100, "{used} hundredths of a second in two seconds of waiting");
        let complaints = process
            .logs()
            .iter()
            .filter(|line| line.contains("places for connections") || line.contains("cannot take in"))
            .count();
        let minutes = began.elapsed().as_secs() as usize / 60;
        assert!((1..=2 * (1 + minutes)).contains(&complaints), "each said once a minute: {complaints}");
        // While they hold on, those who come wait; when they are cut off or leave, everybody is served.
        drop(held);
        let browser = Browser::new(vec![api]);
        for _ in 0..20 {
            browser.get("/health/ready").await.expect(200);
        }
        assert!(process.is_running());
    }
}
