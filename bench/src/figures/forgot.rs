//! Forgot-password requests per second.

use anyhow::{Result, ensure};
use serde_json::json;

use crate::{
    Options, load,
    postgres::{self, commit_rate},
    process::own_cpu,
    report::{Line, Report},
    stats::{median, percentile},
    world::World,
};

/// What the figure measures and how, for the report.
pub(crate) const DESCRIPTION: &str = "64 clients request reset links, each request for a different address. Portico \
                                      commits each accepted request and its job to Postgres. The limit is the commit \
                                      rate of Postgres in the same run: INSERTs of one row, each in a transaction of \
                                      its own, over as many connections. Every commit is synced to disk.";

/// How many clients send requests at the same time.
const CLIENTS: usize = 64;
/// How often the limit and Portico are measured in turns, because the speed of the machine changes during a run.
const ROUNDS: u32 = 3;

/// Measures the figure and adds its lines to `report`.
///
/// # Errors
/// Returns an error if something cannot be measured.
pub(super) async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let world = World::new(options.binary()?, &[]).await?;
    let (api, scratch) = (world.api("api").await?, postgres::create().await?);
    let db = postgres::connect(&world.database, 1).await?;
    let fsync: Vec<String> = postgres::column(&db, "SELECT current_setting('fsync')").await?;
    ensure!(
        fsync == ["on"],
        "Postgres does not sync commits to disk (fsync is off); start this program with bin/bench"
    );
    let window = options.window() / ROUNDS;
    let (mut rates, mut limits, mut times, mut api_cpu, mut bench_cpu, mut count) =
        (Vec::new(), Vec::new(), Vec::new(), 0.0, 0.0, 0);
    for round in 0..ROUNDS {
        limits.push(commit_rate(&scratch, window).await?);
        let (api_cpu_before, bench_cpu_before) = (api.process.cpu()?, own_cpu()?);
        let clients = (0..CLIENTS).map(|n| (api.client(n), (api.client(n), n))).collect();
        let load = load::closed_with(clients, window, move |(client, number), n| {
            let body = json!({ "email": format!("robin-{round}-{number}-{n}@x.test") });
            client.request("POST", "/api/portal/auth/forgot-password", None, Some(&body))
        });
        let load = load.await?;
        ensure!(load.bad == 0, "{} requests failed", load.bad);
        api_cpu += api.process.cpu()? - api_cpu_before;
        bench_cpu += own_cpu()? - bench_cpu_before;
        count += load.good;
        rates.push(load.rate());
        times.extend(load.times);
    }
    let (rate, limit) = (median(&rates), median(&limits));
    let line = Line::new("accepted forgot-password requests", format!("{rate:.0}/s"));
    report.line(line.limit(format!("{limit:.0} commits/s"), rate / limit).target("≥ 0.40", rate / limit >= 0.4));
    report.note(format!(
        "p50 {:.1} ms, p99 {:.1} ms. CPU time per request: {:.0} µs in the API, {:.0} µs in the load generator. \
         No worker runs, so the mails are not sent.",
        median(&times),
        percentile(&times, 99.0),
        api_cpu / count as f64 * 1e6,
        bench_cpu / count as f64 * 1e6,
    ));
    Ok(())
}
