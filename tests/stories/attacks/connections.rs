//! HTTP-05 and INF-15: connections that are too slow or too many.

use std::{
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use tokio::{
    io::AsyncReadExt,
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use super::{
    processor_time,
    raw::{Raw, get, post, status},
};
use crate::support::{
    Browser, Deployment, Process, World, binary, eventually,
    paths::{API_DOCS, LIVE, READY, SIGN_IN},
};

/// The number of open sockets of a process.
fn open_sockets(process: &Process) -> usize {
    let files = std::fs::read_dir(format!("/proc/{}/fd", process.id())).unwrap();
    let targets = files.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
    targets.filter(|target| target.to_string_lossy().starts_with("socket:")).count()
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
    let is_warning =
        |line: &&String| line.contains("connection slots are") || line.contains("cannot accept connections");
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
