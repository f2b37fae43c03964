//! `GET session` requests per second.

use anyhow::Result;
use serde_json::json;
use tokio::time::Duration;

use crate::{
    Options,
    http::Client,
    load,
    people::Tenant,
    postgres,
    process::{Process, own_cpu},
    report::{Line, Report},
    stats::{median, percentile},
    world::World,
};

/// What the figure measures and how, for the report.
pub(crate) const DESCRIPTION: &str = "64 clients send `GET session` on Postgres. The limit is the same server with a \
                                      request that needs one trivial SELECT: `check-token` with an unknown token \
                                      searches for one key and finds no row. For comparison, the second line is a \
                                      minimal server with the same libraries (poem, sea-orm, as many database \
                                      connections) that answers every request with the result of `SELECT 1`.";

/// How many clients send requests at the same time.
const CLIENTS: usize = 64;
/// How often the kinds of requests are measured in turns, because the speed of the machine changes during a run.
const ROUNDS: u32 = 3;
/// A token with the length of a link token that no link has.
const UNKNOWN_TOKEN: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The results of one kind of request in all rounds.
#[derive(Default)]
pub(super) struct Results {
    /// Requests per second, one for each round.
    rates: Vec<f64>,
    /// The time of each request, in milliseconds.
    pub(super) times: Vec<f64>,
    /// The number of requests.
    requests: usize,
    /// The CPU time of the server, in seconds.
    server_cpu: f64,
    /// The CPU time of this program, in seconds.
    bench_cpu: f64,
}

impl Results {
    /// Measures one round: the clients send their requests to `server` for `window`. `status` is the expected status.
    ///
    /// Adds the results only if `counts` is true. It is false for a warm-up.
    pub(super) async fn measure(
        &mut self,
        server: &Process,
        status: u16,
        clients: Vec<(Client, Vec<u8>)>,
        window: Duration,
        counts: bool,
    ) -> Result<()> {
        let before = (server.cpu()?, own_cpu()?);
        let load = load::closed_for(status, clients, window).await?;
        if counts {
            anyhow::ensure!(load.bad == 0, "{} requests failed", load.bad);
            self.server_cpu += server.cpu()? - before.0;
            self.bench_cpu += own_cpu()? - before.1;
            self.requests += load.good;
            self.rates.push(load.rate());
            self.times.extend(load.times);
        }
        Ok(())
    }

    /// Returns the median of the rates, in requests per second.
    pub(super) fn rate(&self) -> f64 {
        median(&self.rates)
    }

    /// Returns the CPU time of the server per request, in microseconds.
    pub(super) fn server_cpu_per_request(&self) -> f64 {
        self.server_cpu / self.requests as f64 * 1e6
    }
}

/// Measures the figure and adds its lines to `report`.
///
/// # Errors
/// Returns an error if something cannot be measured.
pub(super) async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let world = World::new(options.binary()?, &[("PORTICO_SCRYPT", "ln=12,r=8,p=1")]).await?;
    let api = world.api("api").await?;
    let users = {
        let _worker = world.worker().await?;
        Tenant::new(&world, &api).await?.users(&world, &api, "robin", CLIENTS).await?
    };
    let mut minimal = Process::start(
        &std::env::current_exe()?,
        &["--trivial-server", &postgres::create().await?],
        &[],
        world.folder().join("minimal.log"),
    )?;
    let minimal_address = minimal.wait_for_log(|line| line.strip_prefix("serving ").map(str::to_owned)).await?;

    let clients = |address: &str, request: &dyn Fn(&Client, usize) -> Vec<u8>| {
        let with_request = |n| {
            let client = Client::new(address, n);
            let request = request(&client, n);
            (client, request)
        };
        (0..CLIENTS).map(with_request).collect::<Vec<_>>()
    };
    let (mut session, mut select, mut comparison) = (Results::default(), Results::default(), Results::default());
    for round in 0..=ROUNDS {
        // The first round is a short warm-up.
        let (window, counts) =
            if round == 0 { (Duration::from_secs(2), false) } else { (options.window() / ROUNDS, true) };
        let request =
            |client: &Client, n: usize| client.request("GET", "/api/portal/auth/session", Some(&users[n].token), None);
        session.measure(&api.process, 200, clients(&api.address, &request), window, counts).await?;
        let request = |client: &Client, _| {
            client.request("POST", "/api/portal/auth/check-token", None, Some(&json!({ "token": UNKNOWN_TOKEN })))
        };
        select.measure(&api.process, 404, clients(&api.address, &request), window, counts).await?;
        let request = |client: &Client, _| client.request("GET", "/", None, None);
        comparison.measure(&minimal, 200, clients(&minimal_address, &request), window, counts).await?;
    }
    let ratio = session.rate() / select.rate();
    let line =
        Line::new("GET session", format!("{:.0}/s", session.rate())).limit(format!("{:.0}/s", select.rate()), ratio);
    report.line(line.target("≥ 0.80", ratio >= 0.8));
    report.line(Line::new("minimal server, SELECT 1", format!("{:.0}/s", comparison.rate())));
    report.note(format!(
        "p50 {:.1} ms, p99 {:.1} ms with {CLIENTS} clients. CPU time per request: {:.0} µs in Portico for \
         `GET session`, {:.0} µs in Portico for `check-token`, {:.0} µs in the minimal server, {:.0} µs in the load \
         generator. Postgres and the kernel use the rest.",
        median(&session.times),
        percentile(&session.times, 99.0),
        session.server_cpu_per_request(),
        select.server_cpu_per_request(),
        comparison.server_cpu_per_request(),
        session.bench_cpu / session.requests as f64 * 1e6,
    ));
    Ok(())
}
