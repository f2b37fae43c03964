//! Faults under a load of requests for mails: no accepted mail is lost, and a mail arrives twice only if a fault
//! explains it.
//!
//! `bin/test` injects each fault once. `bin/test --faults N` injects N faults at random into one long-running cluster
//! and prints the delivery report.

use std::{
    io::{self, Write},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::support::{
    DeliveryReport, Deployment, FootprintLog, Load, Percentiles, Postgres, Redis, Routing, UNLIMITED, World,
    eventually, unix_milliseconds,
};

/// A fault.
struct Fault {
    name: &'static str,
    kind: FaultKind,
    duration_ms: u64,
    /// Whether a mail that is being sent during the fault may arrive twice: a worker cannot write that the mail server
    /// has accepted it.
    may_duplicate: bool,
}

/// What begins and ends a fault.
enum FaultKind {
    /// `kill -9` to a process, which is started again at the end.
    Kill(Role),
    /// SIGTERM to a process, which is started again at the end.
    Terminate(Role),
    /// SIGSTOP to a process, and SIGCONT at the end.
    Freeze(Role),
    RedisKilled,
    RedisFlushed,
    RedisFrozen,
    /// A command that makes Redis refuse writes, and the command that ends it.
    RedisRefuses(&'static [&'static str], &'static [&'static str]),
    PostgresRestarted,
    PostgresKilled,
    PostgresConnectionsEnded,
    PostgresReadOnly,
    /// Requests wait for a lock until no connection is free.
    PostgresLocked,
    /// Rules of the mail server.
    MailServer(fn() -> Value),
}

/// The index of the process that a fault concerns: the second API or the second worker. The first ones run through the
/// whole load and show whether their memory grows.
#[derive(Clone, Copy)]
enum Role {
    Api = 1,
    Worker = 3,
}

/// The lease of jobs in these clusters, the shortest that is allowed.
const LEASE: &str = "3s";

const fn fault(name: &'static str, kind: FaultKind, duration_ms: u64) -> Fault {
    Fault { name, kind, duration_ms, may_duplicate: false }
}

const fn may_duplicate(fault: Fault) -> Fault {
    Fault { may_duplicate: true, ..fault }
}

/// Faults of the processes, the database and the queue.
const INFRASTRUCTURE_FAULTS: [Fault; 18] = [
    fault("API killed", FaultKind::Kill(Role::Api), 300),
    fault("API frozen", FaultKind::Freeze(Role::Api), 1_500),
    fault("API stopped", FaultKind::Terminate(Role::Api), 300),
    may_duplicate(fault("worker killed", FaultKind::Kill(Role::Worker), 300)),
    // Longer than the lease, so the other worker claims its jobs.
    may_duplicate(fault("worker frozen", FaultKind::Freeze(Role::Worker), 5_000)),
    fault("worker stopped", FaultKind::Terminate(Role::Worker), 300),
    fault("Redis down", FaultKind::RedisKilled, 1_500),
    fault("Redis restarted", FaultKind::RedisKilled, 0),
    fault("Redis flushed", FaultKind::RedisFlushed, 0),
    fault("Redis frozen", FaultKind::RedisFrozen, 2_500),
    fault(
        "Redis full",
        FaultKind::RedisRefuses(&["CONFIG", "SET", "maxmemory", "1"], &["CONFIG", "SET", "maxmemory", "0"]),
        1_500,
    ),
    fault(
        "Redis read-only",
        FaultKind::RedisRefuses(&["REPLICAOF", "127.0.0.1", "1"], &["REPLICAOF", "NO", "ONE"]),
        1_500,
    ),
    fault(
        "Redis without replicas",
        FaultKind::RedisRefuses(
            &["CONFIG", "SET", "min-replicas-to-write", "1"],
            &["CONFIG", "SET", "min-replicas-to-write", "0"],
        ),
        1_500,
    ),
    may_duplicate(fault("Postgres restarted", FaultKind::PostgresRestarted, 300)),
    may_duplicate(fault("Postgres killed", FaultKind::PostgresKilled, 300)),
    may_duplicate(fault("Postgres ends all connections", FaultKind::PostgresConnectionsEnded, 0)),
    may_duplicate(fault("Postgres read-only", FaultKind::PostgresReadOnly, 1_500)),
    may_duplicate(fault("Postgres locked", FaultKind::PostgresLocked, 4_000)),
];

/// Faults of the mail server. Each connection ends after its mail, because an idle one would not pass the first stages.
const MAIL_SERVER_FAULTS: [Fault; 17] = [
    fault(
        "mail server answers without text",
        FaultKind::MailServer(|| json!([{ "stage": "reply", "do": "bare" }])),
        500,
    ),
    fault(
        "mail server answers in Latin-1",
        FaultKind::MailServer(|| json!([{ "stage": "reply", "do": "latin1" }])),
        500,
    ),
    fault(
        "mail server refuses the quota",
        FaultKind::MailServer(
            || json!([{ "stage": "mail", "do": "reject", "code": 550, "text": "5.4.5 Daily user sending limit exceeded" }]),
        ),
        700,
    ),
    fault(
        "mail server refuses the name at EHLO",
        FaultKind::MailServer(|| {
            let text = "5.5.2 need fully-qualified hostname";
            new_connections(&[json!({ "stage": "ehlo", "do": "reject", "code": 504, "text": text })])
        }),
        700,
    ),
    fault(
        "mail server greylists",
        FaultKind::MailServer(
            || json!([{ "stage": "rcpt", "do": "reject", "code": 451, "text": "4.7.1 Greylisted, come back later" }]),
        ),
        700,
    ),
    may_duplicate(fault(
        "mail server hangs at each stage",
        FaultKind::MailServer(|| {
            let stages = ["connect", "ehlo", "auth", "mail", "rcpt", "data", "after_data"];
            new_connections(&stages.map(|stage| json!({ "stage": stage, "do": "hang", "times": 1 })))
        }),
        1_000,
    )),
    fault(
        "mail server refuses connections",
        FaultKind::MailServer(|| json!([{ "stage": "listen", "do": "refuse" }, new_connection()])),
        1_000,
    ),
    fault(
        "mail server refuses for now at each stage",
        FaultKind::MailServer(|| {
            let stages = [("connect", 421), ("mail", 452), ("rcpt", 450), ("after_data", 451)];
            new_connections(&stages.map(|(at, code)| json!({ "stage": at, "do": "reject", "code": code, "times": 2 })))
        }),
        1_000,
    ),
    fault(
        "mail server refuses for good",
        FaultKind::MailServer(|| {
            let stages = [("rcpt", 550), ("after_data", 554)];
            new_connections(&stages.map(|(at, code)| json!({ "stage": at, "do": "reject", "code": code, "times": 2 })))
        }),
        1_000,
    ),
    fault(
        "mail server refuses credentials",
        FaultKind::MailServer(|| json!([{ "stage": "auth", "do": "reject", "code": 535 }, new_connection()])),
        700,
    ),
    fault(
        "mail server drops at each stage",
        FaultKind::MailServer(|| {
            let stages = ["connect", "ehlo", "auth", "mail", "rcpt", "data"];
            new_connections(&stages.map(|stage| json!({ "stage": stage, "do": "drop", "times": 2 })))
        }),
        1_000,
    ),
    may_duplicate(fault(
        "mail server drops after the last dot",
        FaultKind::MailServer(|| json!([{ "stage": "after_data", "do": "drop", "times": 3 }])),
        1_000,
    )),
    fault("mail server drops after its 250", FaultKind::MailServer(|| json!([new_connection()])), 1_000),
    fault("mail server is slow", FaultKind::MailServer(|| json!([{ "stage": "reply", "do": "slow" }])), 2_000),
    fault(
        "mail server hides STARTTLS",
        FaultKind::MailServer(|| json!([{ "stage": "tls", "do": "hide" }, new_connection()])),
        700,
    ),
    fault(
        "mail server has a certificate of another host",
        FaultKind::MailServer(|| json!([{ "stage": "tls", "do": "wrong_host" }, new_connection()])),
        700,
    ),
    fault(
        "mail server has an untrusted certificate",
        FaultKind::MailServer(|| json!([{ "stage": "tls", "do": "untrusted" }, new_connection()])),
        700,
    ),
];

/// These rules, and a new connection for each mail.
fn new_connections(rules: &[Value]) -> Value {
    rules.iter().cloned().chain([new_connection()]).collect()
}

/// The rule by which a connection ends after its mail.
fn new_connection() -> Value {
    json!({ "stage": "after_ok", "do": "drop" })
}

/// A cluster with a Postgres server of its own, under load.
struct FaultTest {
    world: World,
    postgres: Postgres,
    load: Load,
    report: DeliveryReport,
    injected: Vec<InjectedFault>,
}

/// A fault that was injected. Times are in milliseconds since 1970, or after the end of the fault.
struct InjectedFault {
    fault: &'static Fault,
    began: u64,
    ended: u64,
    accepts_after_ms: u64,
    delivers_after_ms: u64,
}

impl FaultTest {
    async fn start() -> Self {
        let postgres = Postgres::start().await;
        let url = postgres.url();
        let mut settings = UNLIMITED.to_vec();
        settings.extend([("DATABASE_URL", url.as_str()), ("PORTICO_JOB_LEASE", LEASE)]);
        let world = World::start(Deployment::Cluster, &settings).await;
        let load = Load::new(&world).await;
        load.start(Routing::RoundRobin);
        Self { world, postgres, load, report: DeliveryReport::default(), injected: Vec::new() }
    }

    /// Injects a fault, ends it, and waits until requests are accepted and mails arrive again.
    async fn inject(&mut self, fault: &'static Fault) {
        let began = unix_milliseconds();
        self.begin(&fault.kind).await;
        sleep(Duration::from_millis(fault.duration_ms)).await;
        self.end(&fault.kind).await;
        let ended = unix_milliseconds();
        let accepted = eventually(&format!("after \"{}\" requests are accepted", fault.name), || async {
            self.load.first_accepted(ended)
        })
        .await;
        let delivered = eventually(&format!("after \"{}\" mail arrives", fault.name), || async {
            // A mail that was refused, and a probe of a mail server that was on hold, wait for minutes.
            sleep(Duration::from_millis(250)).await;
            self.world.make_jobs_due();
            self.world.sink().newest_arrival().await.filter(|at| *at >= ended)
        })
        .await;
        let (accepts_after_ms, delivers_after_ms) = (accepted - ended, delivered - ended);
        self.injected.push(InjectedFault { fault, began, ended, accepts_after_ms, delivers_after_ms });
    }

    async fn begin(&mut self, kind: &FaultKind) {
        let redis = self.world.redis();
        match kind {
            FaultKind::Kill(role) => self.world.processes[*role as usize].kill(),
            FaultKind::Terminate(role) => self.world.processes[*role as usize].signal("TERM"),
            FaultKind::Freeze(role) => self.world.processes[*role as usize].signal("STOP"),
            FaultKind::RedisKilled => redis.process.kill(),
            FaultKind::RedisFlushed => drop(redis.run(&["FLUSHALL"])),
            FaultKind::RedisFrozen => redis.process.signal("STOP"),
            FaultKind::RedisRefuses(wrong, _) => drop(redis.run(wrong)),
            FaultKind::PostgresRestarted => self.postgres.stop().await,
            FaultKind::PostgresKilled => self.postgres.kill(),
            FaultKind::PostgresConnectionsEnded => self.postgres.end_connections(),
            FaultKind::PostgresReadOnly => self.read_only("SET default_transaction_read_only = on"),
            FaultKind::PostgresLocked => self.postgres.lock("background_jobs, emails, sessions").await,
            FaultKind::MailServer(rules) => self.world.sink().fail(rules()).await,
        }
    }

    async fn end(&mut self, kind: &FaultKind) {
        match kind {
            FaultKind::Kill(role) => self.world.restart(*role as usize).await,
            FaultKind::Terminate(role) => {
                assert!(self.world.processes[*role as usize].ends().await);
                self.world.restart(*role as usize).await;
            }
            FaultKind::Freeze(role) => self.world.processes[*role as usize].signal("CONT"),
            FaultKind::RedisKilled => self.world.redis = Some(Redis::start_at(self.world.redis().port()).await),
            FaultKind::RedisFlushed | FaultKind::PostgresConnectionsEnded => {}
            FaultKind::RedisFrozen => self.world.redis().process.signal("CONT"),
            FaultKind::RedisRefuses(_, right) => drop(self.world.redis().run(right)),
            FaultKind::PostgresRestarted | FaultKind::PostgresKilled => self.postgres.start_again().await,
            FaultKind::PostgresReadOnly => self.read_only("RESET default_transaction_read_only"),
            FaultKind::PostgresLocked => self.postgres.unlock(),
            FaultKind::MailServer(_) => self.world.sink().heal().await,
        }
    }

    /// Changes whether transactions are read-only, for every transaction that begins from now on.
    fn read_only(&self, set: &str) {
        self.postgres.run(&format!("ALTER SYSTEM {set}"));
        self.postgres.run("SELECT pg_reload_conf()");
        self.postgres.end_connections();
    }

    /// Stops the load and adds to the delivery report.
    async fn update_report(&mut self) {
        self.load.stop().await;
        self.report.add(self.load.delivery_report(&self.world).await);
    }

    /// The numbers of each fault, the delivery report, and percentiles over all faults.
    fn text(&self) -> String {
        let mut lines: Vec<String> = self.injected.iter().map(|injected| self.fault_text(injected)).collect();
        lines.push(self.report.to_string());
        let mut add_percentiles = |what: &str, value: &dyn Fn(&InjectedFault) -> u64| {
            let mut values: Vec<u64> = self.injected.iter().map(value).collect();
            values.sort_unstable();
            lines.push(format!("{what}: {}", Percentiles(&values)));
        };
        add_percentiles("end of fault to first accepted request", &|injected| injected.accepts_after_ms);
        add_percentiles("end of fault to first mail", &|injected| injected.delivers_after_ms);
        add_percentiles("end of fault to its last mail", &|injected| self.last_mail_after_ms(injected));
        lines.join("\n")
    }

    fn fault_text(&self, injected: &InjectedFault) -> String {
        let duplicates = self.report.duplicates.iter().filter(|(first, _)| injected.explains(*first)).count();
        format!(
            "{:<44} accepts after {:>5} ms · delivers after {:>5} ms · duplicates {duplicates}",
            injected.fault.name, injected.accepts_after_ms, injected.delivers_after_ms
        )
    }

    /// How long after the end of the fault the last mail arrived that was requested during it.
    fn last_mail_after_ms(&self, injected: &InjectedFault) -> u64 {
        let during = |sent: u64| sent >= injected.began && sent < injected.ended;
        let arrivals = self.report.arrivals.iter().filter(|(sent, _)| during(*sent)).map(|(_, at)| *at);
        arrivals.max().unwrap_or_default().saturating_sub(injected.ended)
    }

    /// Asserts that nothing is lost, and that a fault explains each mail that arrived twice.
    #[track_caller]
    fn assert_consistent(&self) {
        self.report.assert_nothing_lost();
        let is_explained =
            |first: u64| self.injected.iter().any(|injected| injected.fault.may_duplicate && injected.explains(first));
        let unexplained: Vec<_> = self.report.duplicates.iter().filter(|(first, _)| !is_explained(*first)).collect();
        assert!(unexplained.is_empty(), "no fault explains these duplicates: {unexplained:?}");
    }
}

impl InjectedFault {
    /// Whether the fault concerned a mail that arrived at `at`.
    fn explains(&self, at: u64) -> bool {
        (self.began - 500..self.ended + 2_000).contains(&at)
    }
}

/// Prints to stderr directly, because the test harness hides what a passing test prints.
fn print(text: &str) {
    let _ = io::stderr().write_all(format!("{text}\n").as_bytes());
}

async fn inject_each_once(faults: &'static [Fault]) {
    let mut test = FaultTest::start().await;
    for fault in faults {
        test.inject(fault).await;
    }
    test.update_report().await;
    print(&test.text());
    test.assert_consistent();
}

#[tokio::test]
async fn job_03_inf_02_inf_04_no_fault_of_processes_database_or_queue_loses_a_mail() {
    inject_each_once(&INFRASTRUCTURE_FAULTS).await;
}

#[tokio::test]
async fn job_07_08_09_10_11_no_fault_of_the_mail_server_loses_a_mail() {
    inject_each_once(&MAIL_SERVER_FAULTS).await;
}

/// Started by `bin/test --faults N`. This story is long because it is a loop with its report.
#[tokio::test]
#[ignore = "takes about four seconds a round: bin/test --faults N"]
async fn inf_18_faults_at_random_lose_no_mail() {
    let rounds: u64 = setting("PORTICO_FAULT_ROUNDS").unwrap_or(20);
    let mut random: u64 = setting("PORTICO_FAULT_SEED").unwrap_or_else(unix_milliseconds);
    print(&format!("{rounds} rounds, PORTICO_FAULT_SEED={random}"));
    let mut test = FaultTest::start().await;
    let mut footprints = [(0, FootprintLog::new("API")), (2, FootprintLog::new("worker"))];
    let faults: Vec<&'static Fault> = INFRASTRUCTURE_FAULTS.iter().chain(&MAIL_SERVER_FAULTS).collect();
    for round in 1..=rounds {
        // A linear congruential generator (MMIX by Knuth): random enough here, and repeatable by its seed.
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        test.inject(faults[(random >> 33) as usize % faults.len()]).await;
        if round % 50 == 0 || round == rounds {
            test.update_report().await;
            for (n, footprint) in &mut footprints {
                footprint.record(&test.world.processes[*n]);
            }
            print(&format!("after {round} rounds\n{}\n", test.report));
            test.assert_consistent();
            test.load.start(Routing::RoundRobin);
        }
    }
    test.load.stop().await;
    print(&test.text());
    footprints.iter().for_each(|(_, footprint)| print(&footprint.to_string()));
}

#[expect(clippy::disallowed_methods, reason = "a setting of the tests, not of Portico")]
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name} must be a number")))
}

/// An upgrade replaces the processes in turn, behind a load balancer that polls their readiness.
#[tokio::test]
async fn inf_13_a_rolling_restart_under_load_fails_no_request() {
    let settings = [&UNLIMITED[..], &[("PORTICO_DRAIN_DELAY", "1s")]].concat();
    let mut world = World::start(Deployment::Cluster, &settings).await;
    let load = Load::new(&world).await;
    load.start(Routing::ReadyOnly);
    for round in 0..3 {
        for n in 0..4 {
            world.processes[n].signal("TERM");
            assert!(world.processes[n].ends().await, "round {round}, process {n}: {:#?}", world.processes[n].logs());
            world.restart(n).await;
        }
    }
    load.stop().await;
    let report = load.delivery_report(&world).await;
    print(&report.to_string());
    assert!(report.requests > 100, "{report}");
    assert_eq!((report.accepted, report.unknown), (report.requests, 0), "{report}");
    assert!(report.duplicates.is_empty(), "{report}");
    report.assert_nothing_lost();
}
