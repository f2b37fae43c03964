//! Accepted forgot-password requests a second.

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

pub(crate) const MEANING: &str = "64 clients ask for reset links, each for another address each time; what is accepted is committed \
                                  to Postgres with its job. The limit is Postgres' commit rate in the same run: single-row INSERTs, \
                                  one a transaction, over as many connections. Every commit is synced to the disk.";

const CLIENTS: usize = 64;
const TURNS: u32 = 3;

pub(super) async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let world = World::new(options.binary()?, &[]).await?;
    let (api, scratch) = (world.api("api").await?, postgres::create().await?);
    let db = postgres::connect(&world.database, 1).await?;
    let synced: Vec<String> = postgres::column(&db, "SELECT current_setting('fsync')").await?;
    ensure!(synced == ["on"], "Postgres does not sync: run this by bin/bench");
    let window = options.window() / TURNS;
    let (mut ours, mut limits, mut times, mut cpu, mut own, mut count) =
        (Vec::new(), Vec::new(), Vec::new(), 0.0, 0.0, 0);
    for turn in 0..TURNS {
        limits.push(commit_rate(&scratch, window).await?);
        let (before, own_before) = (api.process.cpu()?, own_cpu()?);
        let clients = (0..CLIENTS).map(|n| (api.client(n), (api.client(n), n))).collect();
        let load = load::closed_with(clients, window, move |(client, who), n| {
            let body = json!({ "email": format!("robin-{turn}-{who}-{n}@x.test") });
            client.request("POST", "/api/portal/auth/forgot-password", None, Some(&body))
        });
        let load = load.await?;
        ensure!(load.bad == 0, "{} requests failed", load.bad);
        cpu += api.process.cpu()? - before;
        own += own_cpu()? - own_before;
        count += load.good;
        ours.push(load.rate());
        times.extend(load.times);
    }
    let (rate, limit) = (median(&ours), median(&limits));
    let line = Line::new("forgot-password accepted", format!("{rate:.0}/s"));
    report.line(line.of(format!("{limit:.0} commits/s"), rate / limit).wanted("≥ 0.40", rate / limit >= 0.4));
    report.note(format!(
        "p50 {:.1} ms, p99 {:.1} ms. CPU of one request: {:.0} µs in the API, {:.0} µs in the bench. The API ran alone; a worker \
         elsewhere would send the mails.",
        median(&times),
        percentile(&times, 99.0),
        cpu / count as f64 * 1e6,
        own / count as f64 * 1e6,
    ));
    Ok(())
}
