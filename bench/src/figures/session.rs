//! `GET session` a second.

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

pub(crate) const MEANING: &str = "64 clients read `GET session` on Postgres. The limit is the same server answering one trivial select: \
                                  `check-token` of a token that nobody has looks for one key and finds nothing. Below, for comparison, a \
                                  bare server of the same libraries (poem, sea-orm, as many database connections) whose one answer is \
                                  that of a `SELECT 1`.";

const CLIENTS: usize = 64;
/// All are measured in turns, since the machine changes under them.
const TURNS: u32 = 3;
/// As long as a link's secret, and none.
const NOBODYS: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// What came of one kind of request in all turns.
#[derive(Default)]
struct Sum {
    rates: Vec<f64>,
    times: Vec<f64>,
    requests: usize,
    cpu: f64,
    own: f64,
}

impl Sum {
    /// Asks `server` for `window`; a turn that only warms up is not added.
    async fn add(
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
            self.cpu += server.cpu()? - before.0;
            self.own += own_cpu()? - before.1;
            self.requests += load.good;
            self.rates.push(load.rate());
            self.times.extend(load.times);
        }
        Ok(())
    }

    /// Requests a second.
    fn rate(&self) -> f64 {
        median(&self.rates)
    }

    /// Microseconds of CPU that one request took in the server.
    fn each(&self) -> f64 {
        self.cpu / self.requests as f64 * 1e6
    }
}

pub(super) async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let world = World::new(options.binary()?, &[("PORTICO_SCRYPT", "ln=12,r=8,p=1")]).await?;
    let api = world.api("api").await?;
    let people = {
        let _worker = world.worker().await?;
        Tenant::new(&world, &api).await?.people(&world, &api, "robin", CLIENTS).await?
    };
    let mut bare = Process::start(
        &std::env::current_exe()?,
        &["--trivial-server", &postgres::create().await?],
        &[],
        world.folder().join("bare.log"),
    )?;
    let bare_address = bare.hears(|line| line.strip_prefix("serving ").map(str::to_owned)).await?;

    let clients = |address: &str, request: &dyn Fn(&Client, usize) -> Vec<u8>| {
        let one = |n| {
            let client = Client::new(address, n);
            let request = request(&client, n);
            (client, request)
        };
        (0..CLIENTS).map(one).collect::<Vec<_>>()
    };
    let (mut session, mut select, mut least) = (Sum::default(), Sum::default(), Sum::default());
    for turn in 0..=TURNS {
        // The first turn warms up, and is short.
        let (window, counts) =
            if turn == 0 { (Duration::from_secs(2), false) } else { (options.window() / TURNS, true) };
        let ask =
            |client: &Client, n: usize| client.request("GET", "/api/portal/auth/session", Some(&people[n].token), None);
        session.add(&api.process, 200, clients(&api.address, &ask), window, counts).await?;
        let ask = |client: &Client, _| {
            client.request("POST", "/api/portal/auth/check-token", None, Some(&json!({ "token": NOBODYS })))
        };
        select.add(&api.process, 404, clients(&api.address, &ask), window, counts).await?;
        let ask = |client: &Client, _| client.request("GET", "/", None, None);
        least.add(&bare, 200, clients(&bare_address, &ask), window, counts).await?;
    }
    let ratio = session.rate() / select.rate();
    let line =
        Line::new("GET session", format!("{:.0}/s", session.rate())).of(format!("{:.0}/s", select.rate()), ratio);
    report.line(line.wanted("≥ 0.80", ratio >= 0.8));
    let bare = Line::new("bare server, SELECT 1", format!("{:.0}/s", least.rate()));
    report.line(bare);
    report.note(format!(
        "p50 {:.1} ms, p99 {:.1} ms with {CLIENTS} clients. CPU of one request in the server: {:.0} µs, of the one that is \
         the limit {:.0} µs, in the bare server {:.0} µs; {:.0} µs in the bench. The rest is Postgres and the kernel.",
        median(&session.times),
        percentile(&session.times, 99.0),
        session.each(),
        select.each(),
        least.each(),
        session.own / session.requests as f64 * 1e6,
    ));
    Ok(())
}
