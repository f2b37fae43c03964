//! A steady stream of requests that owe a mail, and the books about it: what was accepted is delivered, once.

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

use super::{Process, World, eventually, unique};

/// Settings under which a load meets no limit, and sessions outlast it.
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

/// How many requests are under way at once, and how long each stream rests between two.
const STREAMS: usize = 4;
const REST: Duration = Duration::from_millis(60);
/// After this, a client gives up on an answer.
const DEADLINE: Duration = Duration::from_secs(4);
/// How many invited people ask for another link, in turn, and how many staff for codes.
const PEOPLE: usize = 20;
/// A person of staff gets three codes until one is used or dies, so a load needs many of them.
const STAFF: usize = 30_000;

/// How long the last mail may take when nothing is wrong any more: some still wait for a server that hangs.
const LAST_MAIL_WITHIN: Duration = Duration::from_secs(90);

/// Now, in milliseconds since 1970: the time that the mail server notes too.
pub(crate) fn milliseconds() -> u64 {
    std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis() as u64
}

/// Which APIs a client turns to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Each in turn, whatever their state.
    All,
    /// Those that say that they are ready, as behind a balancer that asks them.
    Ready,
}

/// What became of a request, as its client knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Accepted,
    /// Answered, with this status.
    Refused(u16),
    /// Sent and not answered: it may have happened.
    Unknown,
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) id: String,
    pub(crate) sent: u64,
    pub(crate) answered: u64,
    pub(crate) outcome: Outcome,
}

struct Shared {
    apis: Vec<String>,
    ready: Vec<AtomicBool>,
    bearer: String,
    client: String,
    people: Vec<String>,
    run: String,
    asked: Mutex<Vec<Asked>>,
    count: AtomicUsize,
    /// Whoever kept the books last has read this many deliveries.
    read: AtomicUsize,
    stop: AtomicBool,
}

/// The load.
pub(crate) struct Load {
    shared: Arc<Shared>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Load {
    /// Prepares people who can ask, on a fleet with [`UNLIMITED`] settings.
    pub(crate) async fn new(world: &World) -> Self {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let mut people = Vec::new();
        for _ in 0..PEOPLE {
            let email = format!("{}@x.test", unique("ann"));
            tenant.invite(&client, &email).await;
            people.push(email);
        }
        let run = unique("run");
        let (slug, database) = (&tenant.slug, world.setting("DATABASE_URL").to_owned());
        super::psql(
            &database,
            &format!(
                "INSERT INTO staff_users (id, tenant_id, email, name, role, credential_version, created_at) \
                 SELECT gen_random_uuid(), id, n || '-{run}@staff.test', 'Kim', 'viewer', 0, now() \
                 FROM tenants, generate_series(0, {STAFF} - 1) n WHERE slug = '{slug}'"
            ),
        );
        let session = world.sign_in_staff(&world.browser(), &tenant.owner_email, 2).await;
        eventually("the invitations have arrived", || async {
            (world.sink().deliveries(0).await.len() == PEOPLE + 2).then_some(())
        })
        .await;
        let shared = Shared {
            ready: world.apis.iter().map(|_| AtomicBool::new(true)).collect(),
            apis: world.apis.clone(),
            bearer: session["access_token"].as_str().unwrap().to_owned(),
            client,
            people,
            run,
            asked: Mutex::default(),
            count: AtomicUsize::new(0),
            read: AtomicUsize::new(PEOPLE + 2),
            stop: AtomicBool::new(false),
        };
        Self { shared: Arc::new(shared), tasks: Mutex::default() }
    }

    /// Begins to ask.
    pub(crate) fn start(&self, reach: Reach) {
        self.shared.stop.store(false, Ordering::Relaxed);
        let mut tasks = self.tasks.lock().unwrap();
        for stream in 0..STREAMS {
            tasks.push(tokio::spawn(stream_of_requests(self.shared.clone(), stream)));
        }
        if reach == Reach::Ready {
            for n in 0..self.shared.apis.len() {
                tasks.push(tokio::spawn(watch(self.shared.clone(), n)));
            }
        }
    }

    /// Asks no more, and returns once everything that was asked is answered or given up.
    pub(crate) async fn stop(&self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap());
        for task in tasks {
            task.await.unwrap();
        }
    }

    /// When the first request that was sent after `since` was accepted.
    pub(crate) fn first_accepted(&self, since: u64) -> Option<u64> {
        let asked = self.shared.asked.lock().unwrap();
        let after = asked.iter().filter(|asked| asked.outcome == Outcome::Accepted && asked.sent >= since);
        after.map(|asked| asked.answered).min()
    }

    /// Waits until every mail that is owed has had its end, and keeps the books about what was asked since the last time.
    /// The load must have stopped.
    pub(crate) async fn delivery_report(&self, world: &World) -> DeliveryReport {
        let database = world.setting("DATABASE_URL");
        let sql = |sql: &str| super::psql(database, sql);
        let owed = "FROM background_jobs WHERE state IN ('queued', 'running') AND name = 'send_mail'";
        let deadline = Instant::now() + LAST_MAIL_WITHIN;
        while sql(&format!("SELECT count(*) {owed}")) != "0" {
            let left = format!("SELECT state, attempts, run_at, lease_until, now(), last_error {owed}");
            assert!(Instant::now() < deadline, "mail is still owed:\n{}", sql(&left));
            // What waits for a later try is not waited for: the story moves its time instead.
            sql(
                "UPDATE background_jobs SET run_at = now() WHERE state = 'queued' AND run_at > now() + interval '4 seconds'",
            );
            sleep(Duration::from_millis(500)).await;
        }
        let asked = std::mem::take(&mut *self.shared.asked.lock().unwrap());
        let read = self.shared.read.load(Ordering::Relaxed);
        let deliveries = world.sink().deliveries(read).await;
        self.shared.read.fetch_add(deliveries.len(), Ordering::Relaxed);
        // A request, its mails and their state, and how often it was written down.
        let written = sql(&format!(
            "SELECT coalesce(j.request_id, a.request_id), coalesce(mails, 0), coalesce(records, 0), message_id, status \
             FROM (SELECT j.request_id, count(*) AS mails, min(e.message_id) AS message_id, min(e.status) AS status \
                   FROM background_jobs j JOIN emails e ON e.id = (j.payload->>'email')::uuid \
                   WHERE j.request_id LIKE '{prefix}%' GROUP BY 1) j \
             FULL JOIN (SELECT request_id, count(*) AS records FROM audit_events \
                   WHERE request_id LIKE '{prefix}%' GROUP BY 1) a ON a.request_id = j.request_id",
            prefix = REQUEST,
        ));
        let written = written.lines().map(|line| {
            let columns: Vec<&str> = line.split('|').collect();
            (columns[0].to_owned(), columns[1..].iter().map(|column| (*column).to_owned()).collect())
        });
        DeliveryReport::new(&asked, &written.collect(), &deliveries)
    }
}

/// How the ids of a load's requests begin.
const REQUEST: &str = "10adf00d";

async fn stream_of_requests(shared: Arc<Shared>, stream: usize) {
    // A connection each: nothing is sent on one that its server is about to close.
    let http = reqwest::Client::builder().pool_max_idle_per_host(0).timeout(DEADLINE).build().unwrap();
    let mut at = stream;
    while !shared.stop.load(Ordering::Relaxed) {
        // Whoever gets no answer asks again elsewhere.
        for _ in 0..2 {
            if shared.ask(&http, &mut at).await != Outcome::Unknown {
                break;
            }
        }
        sleep(REST).await;
    }
}

/// Asks an API again and again whether it is ready.
async fn watch(shared: Arc<Shared>, n: usize) {
    let http = reqwest::Client::builder().pool_max_idle_per_host(0).timeout(Duration::from_secs(1)).build().unwrap();
    let url = format!("{}/health/ready", shared.apis[n]);
    while !shared.stop.load(Ordering::Relaxed) {
        let answer = http.get(&url).send().await;
        shared.ready[n].store(answer.is_ok_and(|answer| answer.status().is_success()), Ordering::Relaxed);
        sleep(Duration::from_millis(50)).await;
    }
}

impl Shared {
    /// The next API that is ready, or the next at all.
    fn next(&self, at: &mut usize) -> &str {
        let count = self.apis.len();
        let ready = (1..=count).find(|n| self.ready[(*at + n) % count].load(Ordering::Relaxed));
        *at += ready.unwrap_or(1);
        &self.apis[*at % count]
    }

    /// One request. An API that takes no connection is passed over: nothing was sent.
    async fn ask(&self, http: &reqwest::Client, at: &mut usize) -> Outcome {
        let n = self.count.fetch_add(1, Ordering::Relaxed);
        let id = format!("{REQUEST}-0000-4000-8000-{n:012x}");
        let (path, body): (String, Value) = match n % 3 {
            0 => {
                let body = json!({ "email": self.people[n / 3 % self.people.len()] });
                ("/api/portal/auth/resend-activation".into(), body)
            }
            1 => {
                let body = json!({ "email": format!("{n}-{}@x.test", self.run), "name": "Robin Miller" });
                (format!("/api/v1/clients/{}/portal-user", self.client), body)
            }
            _ => {
                let body = json!({ "email": format!("{}-{}@staff.test", n / 3 % STAFF, self.run) });
                ("/api/staff/auth/send-code".into(), body)
            }
        };
        let sent = milliseconds();
        let mut outcome = Outcome::Unknown;
        for _ in 0..self.apis.len() {
            let url = format!("{}{path}", self.next(at));
            let mut request = http.post(url).header("x-request-id", &id).header("content-type", "application/json");
            // Everybody is somebody else.
            request = request.header("x-forwarded-for", format!("198.18.{}.{}", n / 256 % 256, n % 256));
            if n % 3 == 1 {
                request = request.header("authorization", format!("Bearer {}", self.bearer));
            }
            outcome = match request.body(body.to_string()).send().await {
                Ok(answer) if answer.status().is_success() => Outcome::Accepted,
                Ok(answer) => Outcome::Refused(answer.status().as_u16()),
                Err(error) if error.is_connect() => continue,
                Err(_) => Outcome::Unknown,
            };
            break;
        }
        self.asked.lock().unwrap().push(Asked { id, sent, answered: milliseconds(), outcome });
        outcome
    }
}

/// The books of a load.
#[derive(Default)]
pub(crate) struct DeliveryReport {
    pub(crate) requests: usize,
    pub(crate) accepted: usize,
    /// By status.
    pub(crate) refused: BTreeMap<u16, usize>,
    pub(crate) unknown: usize,
    /// Not accepted as far as the client knows, and yet it happened: then the mail has to come too.
    pub(crate) happened: usize,
    pub(crate) delivered: usize,
    /// The server refused the mail for good; the row says so.
    pub(crate) bounced: usize,
    /// Not worth sending; the row says why.
    pub(crate) suppressed: usize,
    pub(crate) lost: Vec<String>,
    /// An act without its mail or its record, or more than one of either.
    pub(crate) torn: Vec<String>,
    /// When each mail that came again came for the first time, and for the second.
    pub(crate) repeated: Vec<(u64, u64)>,
    /// From sending the request to the mail's arrival, of those that were accepted, in milliseconds.
    pub(crate) took: Vec<u64>,
    /// When what was sent at the first time arrived at the second.
    pub(crate) arrived: Vec<(u64, u64)>,
}

impl DeliveryReport {
    fn new(asked: &[Asked], written: &HashMap<String, Vec<String>>, deliveries: &[(String, u64)]) -> Self {
        let mut arrivals: HashMap<&str, Vec<u64>> = HashMap::new();
        for (message, at) in deliveries {
            arrivals.entry(message).or_default().push(*at);
        }
        let mut account = Self { requests: asked.len(), ..Self::default() };
        for request in asked {
            match request.outcome {
                Outcome::Accepted => account.accepted += 1,
                Outcome::Refused(status) => *account.refused.entry(status).or_default() += 1,
                Outcome::Unknown => account.unknown += 1,
            }
            let accepted = request.outcome == Outcome::Accepted;
            let Some([mails, records, message, status]) = written.get(&request.id).map(Vec::as_slice) else {
                if accepted {
                    account.lost.push(format!("{request:?}: nothing was written"));
                }
                continue;
            };
            if mails != "1" || records != "1" {
                account.torn.push(format!("{request:?}: {mails} mails, {records} records"));
                continue;
            }
            account.happened += usize::from(!accepted);
            match (status.as_str(), arrivals.get(message.as_str())) {
                (_, Some(times)) => {
                    account.delivered += 1;
                    account.took.push(times[0].saturating_sub(request.sent));
                    account.arrived.push((request.sent, times[0]));
                    account.repeated.extend(times[1..].iter().map(|again| (times[0], *again)));
                }
                ("failed", None) => account.bounced += 1,
                ("suppressed", None) => account.suppressed += 1,
                _ => account.lost.push(format!("{request:?}: its mail is {status} and never arrived")),
            }
        }
        account.took.sort_unstable();
        account
    }

    /// Adds another's books to these.
    pub(crate) fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.accepted += other.accepted;
        for (status, count) in other.refused {
            *self.refused.entry(status).or_default() += count;
        }
        self.unknown += other.unknown;
        self.happened += other.happened;
        self.delivered += other.delivered;
        self.bounced += other.bounced;
        self.suppressed += other.suppressed;
        self.lost.extend(other.lost);
        self.torn.extend(other.torn);
        self.repeated.extend(other.repeated);
        self.took.extend(other.took);
        self.took.sort_unstable();
        self.arrived.extend(other.arrived);
    }

    /// Fails unless every accepted request came to exactly one end and nothing was answered with a failure of ours.
    #[track_caller]
    pub(crate) fn expect_nothing_lost(&self) {
        assert!(self.lost.is_empty(), "lost: {:#?}\n{self}", self.lost);
        assert!(self.torn.is_empty(), "torn: {:#?}\n{self}", self.torn);
        assert!(self.refused.keys().all(|status| *status == 503), "{self}");
        assert_eq!(self.delivered + self.bounced + self.suppressed, self.accepted + self.happened, "{self}");
    }
}

impl fmt::Display for DeliveryReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "requests {} · accepted {} · refused {:?} · unknown {} · happened unacknowledged {}",
            self.requests, self.accepted, self.refused, self.unknown, self.happened
        )?;
        writeln!(
            f,
            "delivered {} · lost {} · torn {} · duplicated {} · refused by the mail server {} · suppressed {}",
            self.delivered,
            self.lost.len(),
            self.torn.len(),
            self.repeated.len(),
            self.bounced,
            self.suppressed
        )?;
        write!(f, "request to mailbox: {}", Spread(&self.took))
    }
}

/// The middle, the 99th percentile and the largest of sorted milliseconds.
pub(crate) struct Spread<'a>(pub(crate) &'a [u64]);

impl fmt::Display for Spread<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |percent: usize| self.0.get((self.0.len().max(1) - 1) * percent / 100).copied().unwrap_or_default();
        write!(f, "p50 {} ms · p99 {} ms · max {} ms", at(50), at(99), at(100))
    }
}

/// Growth of memory and descriptors of processes that live through all of a load.
pub(crate) struct Slope {
    name: &'static str,
    seen: Vec<(u64, usize)>,
}

impl Slope {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, seen: Vec::new() }
    }

    pub(crate) fn look(&mut self, process: &Process) {
        self.seen.push(process.footprint());
    }
}

impl fmt::Display for Slope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seen: Vec<String> = self.seen.iter().map(|(kib, fds)| format!("{}M/{fds}", kib / 1024)).collect();
        write!(f, "{} (resident memory/descriptors): {}", self.name, seen.join(" "))
    }
}
