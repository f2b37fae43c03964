//! A steady load of requests for mails, and a report that compares the accepted requests with the delivered mails.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep},
};

use super::{
    Process, World, eventually, http,
    paths::{self, READY},
    unique, unique_email,
};

/// Settings without rate limits, and with sessions that last longer than a load.
pub(crate) const UNLIMITED: [(&str, &str); 8] = [
    ("PORTICO_LIMIT_REQUESTS", "1000000/1m"),
    ("PORTICO_LIMIT_RECOVERY_ACCOUNT", "1000000/1m"),
    ("PORTICO_LIMIT_RECOVERY_NETWORK", "1000000/1m"),
    ("PORTICO_LIMIT_SEND_CODE", "1000000/1m"),
    ("PORTICO_LIMIT_INVITE_RECIPIENT", "1000000/1m"),
    ("PORTICO_LIMIT_INVITE_ACTOR", "1000000/1m"),
    ("PORTICO_ACCESS_TTL", "24h"),
    ("PORTICO_LOG", "info"),
];

/// How many clients send requests concurrently, and how long each pauses between two.
const STREAMS: usize = 4;
const PAUSE: Duration = Duration::from_millis(60);
/// How long a client waits for a response.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(4);
/// How many invited addresses request another link, in turn.
const INVITED: usize = 20;
/// How many staff users request codes, in turn. Each can have three valid codes, so a load needs many of them.
const STAFF: usize = 30_000;

/// How long the last mail may take after the last fault. Some workers still wait for a mail server that hung.
const LAST_MAIL_WITHIN: Duration = Duration::from_secs(90);

/// Returns the time in milliseconds since 1970, which is also the unit of the mail server.
pub(crate) fn unix_milliseconds() -> u64 {
    std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis() as u64
}

/// How a load balancer chooses an API.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Routing {
    /// Each API in turn.
    RoundRobin,
    /// Each API in turn that says that it is ready.
    ReadyOnly,
}

/// The outcome of a request as its client knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// A response with a status of 2xx.
    Accepted,
    /// A response with this other status.
    Refused(u16),
    /// No response: the request may have been carried out.
    Unknown,
}

/// One request of a load. Times are in milliseconds since 1970.
#[derive(Clone, Debug)]
struct Request {
    id: String,
    sent: u64,
    answered: u64,
    outcome: Outcome,
}

struct Shared {
    apis: Vec<String>,
    ready: Vec<AtomicBool>,
    bearer: String,
    client: String,
    invited: Vec<String>,
    /// A name that the addresses of this load contain.
    run: String,
    /// The requests since the last report.
    requests: Mutex<Vec<Request>>,
    count: AtomicUsize,
    /// How many deliveries earlier reports have read.
    deliveries_read: AtomicUsize,
    stop: AtomicBool,
}

/// A load of requests for mails, on a cluster with [`UNLIMITED`] settings.
pub(crate) struct Load {
    shared: Arc<Shared>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Load {
    /// Prepares the addresses that request mails: invited ones, new ones and staff users.
    pub(crate) async fn new(world: &World) -> Self {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let invited: Vec<String> = (0..INVITED).map(|_| unique_email("ann")).collect();
        for email in &invited {
            tenant.invite(&client, email).await;
        }
        let run = unique("run");
        insert_staff(world, &tenant.slug, &run);
        let session = world.sign_in_staff(&world.browser(), &tenant.owner_email, 2).await;
        eventually("the invitations have arrived", || async {
            (world.sink().deliveries(0).await.len() == INVITED + 3).then_some(())
        })
        .await;
        let shared = Shared {
            ready: world.apis.iter().map(|_| AtomicBool::new(true)).collect(),
            apis: world.apis.clone(),
            bearer: session["access_token"].as_str().unwrap().to_owned(),
            client,
            invited,
            run,
            requests: Mutex::default(),
            count: AtomicUsize::new(0),
            deliveries_read: AtomicUsize::new(INVITED + 3),
            stop: AtomicBool::new(false),
        };
        Self { shared: Arc::new(shared), tasks: Mutex::default() }
    }

    /// Starts to send requests.
    pub(crate) fn start(&self, routing: Routing) {
        self.shared.stop.store(false, Ordering::Relaxed);
        let mut tasks = self.tasks.lock().unwrap();
        for stream in 0..STREAMS {
            tasks.push(tokio::spawn(stream_of_requests(self.shared.clone(), stream)));
        }
        if routing == Routing::ReadyOnly {
            for n in 0..self.shared.apis.len() {
                tasks.push(tokio::spawn(poll_readiness(self.shared.clone(), n)));
            }
        }
    }

    /// Stops and waits until each request has its response or has timed out.
    pub(crate) async fn stop(&self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap());
        for task in tasks {
            task.await.unwrap();
        }
    }

    /// The time of the response to the first request after `since` that was accepted.
    pub(crate) fn first_accepted(&self, since: u64) -> Option<u64> {
        let requests = self.shared.requests.lock().unwrap();
        let accepted = requests.iter().filter(|request| request.outcome == Outcome::Accepted && request.sent >= since);
        accepted.map(|request| request.answered).min()
    }

    /// Waits until no mail job is left, and reports on the requests since the last report. The load must have stopped.
    pub(crate) async fn delivery_report(&self, world: &World) -> DeliveryReport {
        wait_for_mail_jobs(world).await;
        let requests = std::mem::take(&mut *self.shared.requests.lock().unwrap());
        let read = self.shared.deliveries_read.load(Ordering::Relaxed);
        let deliveries = world.sink().deliveries(read).await;
        self.shared.deliveries_read.fetch_add(deliveries.len(), Ordering::Relaxed);
        DeliveryReport::new(&requests, &written_requests(world), &deliveries)
    }
}

/// Inserts the staff users that request codes.
fn insert_staff(world: &World, tenant: &str, run: &str) {
    world.sql(&format!(
        "INSERT INTO staff_users (id, tenant_id, email, name, role, credential_version, created_at) \
         SELECT gen_random_uuid(), id, n || '-{run}@staff.test', 'Kim', 'viewer', 0, now() \
         FROM tenants, generate_series(0, {STAFF} - 1) n WHERE slug = '{tenant}'"
    ));
}

/// Waits until no mail job is queued or running. Moves the time of jobs that wait for a later retry to now.
async fn wait_for_mail_jobs(world: &World) {
    let left = "FROM background_jobs WHERE state IN ('queued', 'running') AND name = 'send_mail'";
    let deadline = Instant::now() + LAST_MAIL_WITHIN;
    while world.sql(&format!("SELECT count(*) {left}")) != "0" {
        let states = format!("SELECT state, attempts, run_at, lease_until, now(), last_error {left}");
        assert!(Instant::now() < deadline, "mail jobs are left:\n{}", world.sql(&states));
        world.make_jobs_due();
        sleep(Duration::from_millis(500)).await;
    }
}

/// What the database holds of a request: its number of mail jobs, its number of audit events, and its mail.
struct Written {
    mails: usize,
    events: usize,
    message_id: String,
    status: String,
}

/// What the database holds of the load's requests, by request id.
fn written_requests(world: &World) -> HashMap<String, Written> {
    let written = world.sql(&format!(
        "SELECT coalesce(j.request_id, a.request_id), coalesce(mails, 0), coalesce(events, 0), message_id, status \
             FROM (SELECT j.request_id, count(*) AS mails, min(e.message_id) AS message_id, min(e.status) AS status \
                   FROM background_jobs j JOIN emails e ON e.id = (j.payload->>'email')::uuid \
                   WHERE j.request_id LIKE '{REQUEST_ID_PREFIX}%' GROUP BY 1) j \
             FULL JOIN (SELECT request_id, count(*) AS events FROM audit_events \
                   WHERE request_id LIKE '{REQUEST_ID_PREFIX}%' GROUP BY 1) a ON a.request_id = j.request_id"
    ));
    let row = |line: &str| {
        let columns: Vec<&str> = line.split('|').collect();
        let count = |n: usize| columns[n].parse().unwrap();
        let text = |n: usize| columns[n].to_owned();
        (text(0), Written { mails: count(1), events: count(2), message_id: text(3), status: text(4) })
    };
    written.lines().map(row).collect()
}

/// The beginning of the ids of all requests of a load.
const REQUEST_ID_PREFIX: &str = "10adf00d";

async fn stream_of_requests(shared: Arc<Shared>, stream: usize) {
    // Each request has a connection of its own, so that no request is sent on one that the server is closing.
    let http = http::client_builder().pool_max_idle_per_host(0).timeout(RESPONSE_TIMEOUT).build().unwrap();
    let mut at = stream;
    while !shared.stop.load(Ordering::Relaxed) {
        // A client that gets no response tries once more at another API.
        for _ in 0..2 {
            if shared.send_request(&http, &mut at).await != Outcome::Unknown {
                break;
            }
        }
        sleep(PAUSE).await;
    }
}

/// Polls the readiness of an API, as a load balancer does.
async fn poll_readiness(shared: Arc<Shared>, n: usize) {
    let http = http::client_builder().pool_max_idle_per_host(0).timeout(Duration::from_secs(1)).build().unwrap();
    let url = format!("{}{READY}", shared.apis[n]);
    while !shared.stop.load(Ordering::Relaxed) {
        let response = http.get(&url).send().await;
        shared.ready[n].store(response.is_ok_and(|response| response.status().is_success()), Ordering::Relaxed);
        sleep(Duration::from_millis(50)).await;
    }
}

impl Shared {
    /// The next API that is ready, or the next one if none is.
    fn next(&self, at: &mut usize) -> &str {
        let count = self.apis.len();
        let ready = (1..=count).find(|n| self.ready[(*at + n) % count].load(Ordering::Relaxed));
        *at += ready.unwrap_or(1);
        &self.apis[*at % count]
    }

    /// Sends one request. If an API accepts no connection, tries the next one, because nothing was sent.
    async fn send_request(&self, http: &reqwest::Client, at: &mut usize) -> Outcome {
        let n = self.count.fetch_add(1, Ordering::Relaxed);
        let id = format!("{REQUEST_ID_PREFIX}-0000-4000-8000-{n:012x}");
        let (path, body): (String, Value) = match n % 3 {
            0 => {
                let body = json!({ "email": self.invited[n / 3 % self.invited.len()] });
                (paths::RESEND_ACTIVATION.into(), body)
            }
            1 => {
                let body = json!({ "email": format!("{n}-{}@x.test", self.run), "name": "Robin Miller" });
                (paths::portal_user(&self.client), body)
            }
            _ => {
                let body = json!({ "email": format!("{}-{}@staff.test", n / 3 % STAFF, self.run) });
                (paths::STAFF_SEND_CODE.into(), body)
            }
        };
        let sent = unix_milliseconds();
        let mut outcome = Outcome::Unknown;
        for _ in 0..self.apis.len() {
            let url = format!("{}{path}", self.next(at));
            let mut request = http.post(url).header("x-request-id", &id).header("content-type", "application/json");
            // Each request comes from another network.
            request = request.header("x-forwarded-for", format!("198.18.{}.{}", n / 256 % 256, n % 256));
            if n % 3 == 1 {
                request = request.header("authorization", format!("Bearer {}", self.bearer));
            }
            outcome = match request.body(body.to_string()).send().await {
                Ok(response) if response.status().is_success() => Outcome::Accepted,
                Ok(response) => Outcome::Refused(response.status().as_u16()),
                Err(error) if error.is_connect() => continue,
                Err(_) => Outcome::Unknown,
            };
            break;
        }
        self.requests.lock().unwrap().push(Request { id, sent, answered: unix_milliseconds(), outcome });
        outcome
    }
}

/// What became of the requests of a load and of their mails.
#[derive(Default)]
pub(crate) struct DeliveryReport {
    pub(crate) requests: usize,
    pub(crate) accepted: usize,
    /// The number of refused requests by status.
    pub(crate) refused: BTreeMap<u16, usize>,
    /// Requests without a response.
    pub(crate) unknown: usize,
    /// Requests that were carried out although the client received no 2xx. Their mails must arrive too.
    pub(crate) unacknowledged: usize,
    pub(crate) delivered: usize,
    /// Mails that the mail server refused for good; their rows say so.
    pub(crate) bounced: usize,
    /// Mails that were not sent on purpose; their rows say so.
    pub(crate) suppressed: usize,
    /// Accepted requests whose mail has not arrived.
    pub(crate) lost: Vec<String>,
    /// Requests that have not exactly one mail and one audit event.
    pub(crate) inconsistent: Vec<String>,
    /// The first and a later arrival of each mail that arrived more than once. Times are in milliseconds since 1970.
    pub(crate) duplicates: Vec<(u64, u64)>,
    /// The times from a request to the arrival of its mail, in milliseconds, sorted.
    pub(crate) latencies: Vec<u64>,
    /// The time of each request and of the first arrival of its mail, in milliseconds since 1970.
    pub(crate) arrivals: Vec<(u64, u64)>,
}

impl DeliveryReport {
    fn new(requests: &[Request], written: &HashMap<String, Written>, deliveries: &[(String, u64)]) -> Self {
        let mut arrivals: HashMap<&str, Vec<u64>> = HashMap::new();
        for (message_id, at) in deliveries {
            arrivals.entry(message_id).or_default().push(*at);
        }
        let mut report = Self { requests: requests.len(), ..Self::default() };
        for request in requests {
            report.add_request(request, written.get(&request.id), &arrivals);
        }
        report.latencies.sort_unstable();
        report
    }

    fn add_request(&mut self, request: &Request, written: Option<&Written>, arrivals: &HashMap<&str, Vec<u64>>) {
        match request.outcome {
            Outcome::Accepted => self.accepted += 1,
            Outcome::Refused(status) => *self.refused.entry(status).or_default() += 1,
            Outcome::Unknown => self.unknown += 1,
        }
        let is_accepted = request.outcome == Outcome::Accepted;
        let Some(written) = written else {
            if is_accepted {
                self.lost.push(format!("{request:?}: nothing is written"));
            }
            return;
        };
        let Written { mails, events, message_id, status } = written;
        if (*mails, *events) != (1, 1) {
            self.inconsistent.push(format!("{request:?}: {mails} mails, {events} audit events"));
            return;
        }
        self.unacknowledged += usize::from(!is_accepted);
        match (status.as_str(), arrivals.get(message_id.as_str())) {
            (_, Some(times)) => self.add_arrivals(request.sent, times),
            ("failed", None) => self.bounced += 1,
            ("suppressed", None) => self.suppressed += 1,
            _ => self.lost.push(format!("{request:?}: its mail is {status} and has not arrived")),
        }
    }

    fn add_arrivals(&mut self, sent: u64, times: &[u64]) {
        self.delivered += 1;
        self.latencies.push(times[0].saturating_sub(sent));
        self.arrivals.push((sent, times[0]));
        assert!(times.len() <= 3, "{} copies of one mail", times.len());
        self.duplicates.extend(times[1..].iter().map(|again| (times[0], *again)));
    }

    /// Adds the numbers of another report of the same load.
    pub(crate) fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.accepted += other.accepted;
        for (status, count) in other.refused {
            *self.refused.entry(status).or_default() += count;
        }
        self.unknown += other.unknown;
        self.unacknowledged += other.unacknowledged;
        self.delivered += other.delivered;
        self.bounced += other.bounced;
        self.suppressed += other.suppressed;
        self.lost.extend(other.lost);
        self.inconsistent.extend(other.inconsistent);
        self.duplicates.extend(other.duplicates);
        self.latencies.extend(other.latencies);
        self.latencies.sort_unstable();
        self.arrivals.extend(other.arrivals);
    }

    /// Asserts that each accepted request has one mail and one audit event, that the mail has arrived, bounced or was
    /// suppressed, and that requests were refused with 503 only.
    #[track_caller]
    pub(crate) fn assert_nothing_lost(&self) {
        assert!(self.lost.is_empty(), "lost: {:#?}\n{self}", self.lost);
        assert!(self.inconsistent.is_empty(), "inconsistent: {:#?}\n{self}", self.inconsistent);
        assert!(self.refused.keys().all(|status| *status == 503), "{self}");
        assert_eq!(self.delivered + self.bounced + self.suppressed, self.accepted + self.unacknowledged, "{self}");
    }
}

impl fmt::Display for DeliveryReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "requests {} · accepted {} · refused {:?} · unknown {} · carried out without acknowledgement {}",
            self.requests, self.accepted, self.refused, self.unknown, self.unacknowledged
        )?;
        writeln!(
            f,
            "delivered {} · lost {} · inconsistent {} · duplicated {} · bounced {} · suppressed {}",
            self.delivered,
            self.lost.len(),
            self.inconsistent.len(),
            self.duplicates.len(),
            self.bounced,
            self.suppressed
        )?;
        write!(f, "request to mailbox: {}", Percentiles(&self.latencies))
    }
}

/// Prints the median, the 99th percentile and the maximum of sorted milliseconds.
pub(crate) struct Percentiles<'a>(pub(crate) &'a [u64]);

impl fmt::Display for Percentiles<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |percent: usize| self.0.get((self.0.len().max(1) - 1) * percent / 100).copied().unwrap_or_default();
        write!(f, "p50 {} ms · p99 {} ms · max {} ms", at(50), at(99), at(100))
    }
}

/// The memory and the file descriptors of a process that runs through a whole load, which shows whether they grow.
pub(crate) struct FootprintLog {
    name: &'static str,
    /// Resident memory in KiB, and the number of file descriptors.
    footprints: Vec<(u64, usize)>,
}

impl FootprintLog {
    /// An empty log of the process with this name.
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, footprints: Vec::new() }
    }

    /// Adds the current footprint of the process.
    pub(crate) fn record(&mut self, process: &Process) {
        self.footprints.push(process.footprint());
    }
}

impl fmt::Display for FootprintLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let footprints = self.footprints.iter().map(|(kib, fds)| format!("{}M/{fds}", kib / 1024));
        let footprints: Vec<String> = footprints.collect();
        write!(f, "{} (resident memory/file descriptors): {}", self.name, footprints.join(" "))
    }
}
