//! Every fault, under a load that owes mail: nothing accepted is lost, and what comes twice has a reason.
//!
//! `bin/test` strikes once with each; `bin/test --faults N` strikes N times at random in one long-running fleet and
//! prints the books.

use std::{
    io::{self, Write},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::support::{
    DeliveryReport, Load, Postgres, Reach, Redis, Deployment, Slope, Spread, UNLIMITED, World, eventually, milliseconds,
};

/// A fault.
struct Fault {
    name: &'static str,
    harm: Harm,
    /// How long it lasts, in milliseconds.
    lasts: u64,
    /// Whether mail that is under way meanwhile may come twice: somebody dies, or goes deaf, between the mail server's
    /// last word and our noting it.
    may_repeat: bool,
}

/// What is done, and undone at the end.
enum Harm {
    /// `kill -9` to a process, which is then started again.
    Kill(Role),
    /// SIGTERM, likewise.
    Terminate(Role),
    /// SIGSTOP, then SIGCONT.
    Freeze(Role),
    RedisKilled,
    RedisFlushed,
    RedisFrozen,
    /// A setting, while it is wrong and as it was.
    RedisRefuses(&'static [&'static str], &'static [&'static str]),
    PostgresRestarted,
    PostgresKilled,
    PostgresCut,
    PostgresReadOnly,
    /// Everybody waits for this lock, until no connection is free.
    PostgresLocked,
    /// The rules of the mail server.
    Mail(fn() -> Value),
}

/// Which of the fleet's processes: the second of each, so that the first lives on and shows whether it grows.
#[derive(Clone, Copy)]
enum Role {
    Api = 1,
    Worker = 3,
}

/// The lease of these fleets, the shortest that is allowed.
const LEASE: &str = "3s";

const fn fault(name: &'static str, harm: Harm, lasts: u64) -> Fault {
    Fault { name, harm, lasts, may_repeat: false }
}

const fn may_repeat(fault: Fault) -> Fault {
    Fault { may_repeat: true, ..fault }
}

/// What strikes the processes, the database and the queue.
const MACHINES: [Fault; 18] = [
    fault("API killed", Harm::Kill(Role::Api), 300),
    fault("API frozen", Harm::Freeze(Role::Api), 1_500),
    fault("API told to stop", Harm::Terminate(Role::Api), 300),
    may_repeat(fault("worker killed", Harm::Kill(Role::Worker), 300)),
    // Longer than its lease: others have taken over what it held.
    may_repeat(fault("worker frozen", Harm::Freeze(Role::Worker), 5_000)),
    fault("worker told to stop", Harm::Terminate(Role::Worker), 300),
    fault("Redis down", Harm::RedisKilled, 1_500),
    fault("Redis restarted", Harm::RedisKilled, 0),
    fault("Redis flushed", Harm::RedisFlushed, 0),
    fault("Redis frozen", Harm::RedisFrozen, 2_500),
    fault(
        "Redis full",
        Harm::RedisRefuses(&["CONFIG", "SET", "maxmemory", "1"], &["CONFIG", "SET", "maxmemory", "0"]),
        1_500,
    ),
    fault("Redis read-only", Harm::RedisRefuses(&["REPLICAOF", "127.0.0.1", "1"], &["REPLICAOF", "NO", "ONE"]), 1_500),
    fault(
        "Redis without replicas",
        Harm::RedisRefuses(
            &["CONFIG", "SET", "min-replicas-to-write", "1"],
            &["CONFIG", "SET", "min-replicas-to-write", "0"],
        ),
        1_500,
    ),
    may_repeat(fault("Postgres restarted", Harm::PostgresRestarted, 300)),
    may_repeat(fault("Postgres killed", Harm::PostgresKilled, 300)),
    may_repeat(fault("Postgres cuts all connections", Harm::PostgresCut, 0)),
    may_repeat(fault("Postgres read-only", Harm::PostgresReadOnly, 1_500)),
    may_repeat(fault("Postgres locked", Harm::PostgresLocked, 4_000)),
];

/// What strikes the mail server. A connection that lies idle would pass the first stages by, so each ends after its mail.
const MAIL: [Fault; 12] = [
    may_repeat(fault(
        "mail server hangs at each stage",
        Harm::Mail(|| {
            let stages = ["connect", "ehlo", "auth", "mail", "rcpt", "data", "after_data"];
            new_connections(&stages.map(|stage| json!({ "stage": stage, "do": "hang", "times": 1 })))
        }),
        1_000,
    )),
    fault(
        "mail server refuses connections",
        Harm::Mail(|| json!([{ "stage": "listen", "do": "refuse" }, new_connection()])),
        1_000,
    ),
    fault(
        "mail server says later at each stage",
        Harm::Mail(|| {
            let stages = [("connect", 421), ("mail", 452), ("rcpt", 450), ("after_data", 451)];
            new_connections(&stages.map(|(at, code)| json!({ "stage": at, "do": "reject", "code": code, "times": 2 })))
        }),
        1_000,
    ),
    fault(
        "mail server says never",
        Harm::Mail(|| {
            let stages = [("rcpt", 550), ("after_data", 554)];
            new_connections(&stages.map(|(at, code)| json!({ "stage": at, "do": "reject", "code": code, "times": 2 })))
        }),
        1_000,
    ),
    fault(
        "mail server refuses credentials",
        Harm::Mail(|| json!([{ "stage": "auth", "do": "reject", "code": 535 }, new_connection()])),
        700,
    ),
    fault(
        "mail server drops at each stage",
        Harm::Mail(|| {
            let stages = ["connect", "ehlo", "auth", "mail", "rcpt", "data"];
            new_connections(&stages.map(|stage| json!({ "stage": stage, "do": "drop", "times": 2 })))
        }),
        1_000,
    ),
    may_repeat(fault(
        "mail server drops after the last dot",
        Harm::Mail(|| json!([{ "stage": "after_data", "do": "drop", "times": 3 }])),
        1_000,
    )),
    fault("mail server drops after its 250", Harm::Mail(|| json!([new_connection()])), 1_000),
    fault("mail server is slow", Harm::Mail(|| json!([{ "stage": "reply", "do": "slow" }])), 2_000),
    fault(
        "mail server hides STARTTLS",
        Harm::Mail(|| json!([{ "stage": "tls", "do": "hide" }, new_connection()])),
        700,
    ),
    fault(
        "mail server shows another's certificate",
        Harm::Mail(|| json!([{ "stage": "tls", "do": "wrong_host" }, new_connection()])),
        700,
    ),
    fault(
        "mail server shows a stranger's certificate",
        Harm::Mail(|| json!([{ "stage": "tls", "do": "untrusted" }, new_connection()])),
        700,
    ),
];

fn new_connections(rules: &[Value]) -> Value {
    rules.iter().cloned().chain([new_connection()]).collect()
}

fn new_connection() -> Value {
    json!({ "stage": "after_ok", "do": "drop" })
}

/// A fleet with a database and a queue of its own, under load.
struct Stage {
    world: World,
    postgres: Postgres,
    load: Load,
    books: DeliveryReport,
    struck: Vec<InjectedFault>,
}

/// A fault that has struck, in milliseconds since 1970.
struct InjectedFault {
    fault: &'static Fault,
    began: u64,
    ended: u64,
    accepts_after: u64,
    delivers_after: u64,
}

impl Stage {
    async fn set() -> Self {
        let postgres = Postgres::start().await;
        let url = postgres.url();
        let mut settings = UNLIMITED.to_vec();
        settings.extend([("DATABASE_URL", url.as_str()), ("PORTICO_JOB_LEASE", LEASE)]);
        let world = World::start(Deployment::Cluster, &settings).await;
        let load = Load::new(&world).await;
        load.start(Reach::All);
        Self { world, postgres, load, books: DeliveryReport::default(), struck: Vec::new() }
    }

    /// Strikes once, and waits until requests are accepted and mail arrives again.
    async fn strike(&mut self, fault: &'static Fault) {
        let began = milliseconds();
        self.begin(&fault.harm).await;
        sleep(Duration::from_millis(fault.lasts)).await;
        self.end(&fault.harm).await;
        let ended = milliseconds();
        let accepted = eventually(&format!("after \"{}\" requests are accepted", fault.name), || async {
            self.load.first_accepted(ended)
        })
        .await;
        let delivered = eventually(&format!("after \"{}\" mail arrives", fault.name), || async {
            self.world.sink().newest().await.filter(|at| *at >= ended)
        })
        .await;
        let (accepts_after, delivers_after) = (accepted - ended, delivered - ended);
        self.struck.push(InjectedFault { fault, began, ended, accepts_after, delivers_after });
    }

    async fn begin(&mut self, harm: &Harm) {
        let redis = self.world.redis();
        match harm {
            Harm::Kill(role) => self.world.processes[*role as usize].kill(),
            Harm::Terminate(role) => self.world.processes[*role as usize].signal("TERM"),
            Harm::Freeze(role) => self.world.processes[*role as usize].signal("STOP"),
            Harm::RedisKilled => redis.process.kill(),
            Harm::RedisFlushed => drop(redis.run(&["FLUSHALL"])),
            Harm::RedisFrozen => redis.process.signal("STOP"),
            Harm::RedisRefuses(wrong, _) => drop(redis.run(wrong)),
            Harm::PostgresRestarted => self.postgres.stop().await,
            Harm::PostgresKilled => self.postgres.kill(),
            Harm::PostgresCut => self.postgres.cut(),
            Harm::PostgresReadOnly => self.read_only("SET default_transaction_read_only = on"),
            Harm::PostgresLocked => self.postgres.lock("background_jobs, emails, sessions"),
            Harm::Mail(rules) => self.world.sink().fail(rules()).await,
        }
    }

    async fn end(&mut self, harm: &Harm) {
        match harm {
            Harm::Kill(role) => self.world.restart(*role as usize).await,
            Harm::Terminate(role) => {
                assert!(self.world.processes[*role as usize].ends().await);
                self.world.restart(*role as usize).await;
            }
            Harm::Freeze(role) => self.world.processes[*role as usize].signal("CONT"),
            Harm::RedisKilled => self.world.redis = Some(Redis::start_at(self.world.redis().port()).await),
            Harm::RedisFlushed | Harm::PostgresCut => {}
            Harm::RedisFrozen => self.world.redis().process.signal("CONT"),
            Harm::RedisRefuses(_, right) => drop(self.world.redis().run(right)),
            Harm::PostgresRestarted | Harm::PostgresKilled => self.postgres.start_again().await,
            Harm::PostgresReadOnly => self.read_only("RESET default_transaction_read_only"),
            Harm::PostgresLocked => self.postgres.unlock(),
            Harm::Mail(_) => self.world.sink().heal().await,
        }
    }

    /// For every transaction that begins from now on.
    fn read_only(&self, set: &str) {
        self.postgres.run(&format!("ALTER SYSTEM {set}"));
        self.postgres.run("SELECT pg_reload_conf()");
        self.postgres.cut();
    }

    /// Lets the load rest and keeps the books.
    async fn delivery_report(&mut self) {
        self.load.stop().await;
        self.books.add(self.load.delivery_report(&self.world).await);
    }

    /// Each fault's own figures.
    fn report(&self) -> String {
        let mut lines: Vec<String> = self
            .struck
            .iter()
            .map(|struck| {
                let again = self.books.repeated.iter().filter(|(first, _)| struck.explains(*first)).count();
                format!(
                    "{:<44} accepts after {:>5} ms · delivers after {:>5} ms · came twice {again}",
                    struck.fault.name, struck.accepts_after, struck.delivers_after
                )
            })
            .collect();
        lines.push(self.books.to_string());
        for (what, mut took) in [
            (
                "end of fault to first success",
                self.struck.iter().map(|struck| struck.accepts_after).collect::<Vec<_>>(),
            ),
            ("end of fault to first mail", self.struck.iter().map(|struck| struck.delivers_after).collect()),
            ("end of fault to its last mail", self.struck.iter().map(|struck| self.drained(struck)).collect()),
        ] {
            took.sort_unstable();
            lines.push(format!("{what}: {}", Spread(&took)));
        }
        lines.join("\n")
    }

    /// How long after the fault's end the last mail arrived that was asked for during it.
    fn drained(&self, struck: &InjectedFault) -> u64 {
        let meanwhile = |sent: u64| sent >= struck.began && sent < struck.ended;
        let arrived = self.books.arrived.iter().filter(|(sent, _)| meanwhile(*sent)).map(|(_, at)| *at);
        arrived.max().unwrap_or_default().saturating_sub(struck.ended)
    }

    /// Nothing is lost or torn, and whatever came twice was under way during a fault that explains it.
    #[track_caller]
    fn expect_order(&self) {
        self.books.expect_nothing_lost();
        let unexplained: Vec<_> = self
            .books
            .repeated
            .iter()
            .filter(|(first, _)| !self.struck.iter().any(|struck| struck.fault.may_repeat && struck.explains(*first)))
            .collect();
        assert!(unexplained.is_empty(), "came twice without a reason: {unexplained:?}");
    }
}

impl InjectedFault {
    /// Whether a mail that came at `at` was in this fault's way.
    fn explains(&self, at: u64) -> bool {
        (self.began - 500..self.ended + 2_000).contains(&at)
    }
}

/// Past the test harness, which keeps what a passing test prints.
fn say(text: &str) {
    let _ = io::stderr().write_all(format!("{text}\n").as_bytes());
}

async fn each_once(faults: &'static [Fault]) {
    let mut stage = Stage::set().await;
    for fault in faults {
        stage.strike(fault).await;
    }
    stage.delivery_report().await;
    say(&stage.report());
    stage.expect_order();
}

#[tokio::test]
async fn job_03_inf_02_inf_04_every_fault_of_the_machines_loses_nothing() {
    each_once(&MACHINES).await;
}

#[tokio::test]
async fn job_07_08_09_10_11_every_fault_of_the_mail_server_loses_nothing() {
    each_once(&MAIL).await;
}

/// The large form: `bin/test --faults N`.
#[tokio::test]
#[ignore = "takes about four seconds a round: bin/test --faults N"]
async fn inf_18_faults_at_random_lose_nothing() {
    let rounds: u64 = setting("PORTICO_FAULT_ROUNDS").unwrap_or(20);
    let mut dice: u64 = setting("PORTICO_FAULT_SEED").unwrap_or_else(milliseconds);
    say(&format!("{rounds} rounds, PORTICO_FAULT_SEED={dice}"));
    let mut stage = Stage::set().await;
    let mut slopes = [(0, Slope::new("API")), (2, Slope::new("worker"))];
    let faults: Vec<&'static Fault> = MACHINES.iter().chain(&MAIL).collect();
    for round in 1..=rounds {
        // A linear congruential generator (Knuth's MMIX) is random enough here, and can be repeated.
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        stage.strike(faults[(dice >> 33) as usize % faults.len()]).await;
        if round % 50 == 0 || round == rounds {
            stage.delivery_report().await;
            for (n, slope) in &mut slopes {
                slope.look(&stage.world.processes[*n]);
            }
            say(&format!("after {round} rounds\n{}\n", stage.books));
            stage.expect_order();
            stage.load.start(Reach::All);
        }
    }
    stage.load.stop().await;
    say(&stage.report());
    for (_, slope) in &slopes {
        say(&slope.to_string());
    }
}

#[expect(clippy::disallowed_methods, reason = "the tests' own settings, not the program's")]
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name} must be a number")))
}

// Processes are replaced in turn, as an upgrade does it, behind a balancer that asks which are ready.
#[tokio::test]
async fn inf_13_a_rolling_restart_under_load_fails_no_request() {
    let mut settings = UNLIMITED.to_vec();
    settings.push(("PORTICO_DRAIN_DELAY", "1s"));
    let mut world = World::start(Deployment::Cluster, &settings).await;
    let load = Load::new(&world).await;
    load.start(Reach::Ready);
    for round in 0..3 {
        for n in 0..4 {
            world.processes[n].signal("TERM");
            assert!(world.processes[n].ends().await, "round {round}, process {n}: {:#?}", world.processes[n].logs());
            world.restart(n).await;
        }
    }
    load.stop().await;
    let books = load.delivery_report(&world).await;
    say(&books.to_string());
    assert!(books.requests > 100, "{books}");
    assert_eq!((books.accepted, books.unknown), (books.requests, 0), "{books}");
    assert!(books.repeated.is_empty(), "{books}");
    books.expect_nothing_lost();
}
