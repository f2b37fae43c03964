//! `GET session` a second.

use anyhow::Result;
use tokio::time::Duration;

use crate::{
    Options, load,
    people::Tenant,
    postgres,
    process::{Process, own_cpu},
    report::{Line, Report},
    stats::{median, percentile},
    world::World,
};

pub(crate) const MEANING: &str = "64 clients read `GET session` on Postgres. The limit is a server of the same libraries (poem, \
                                  sea-orm, as many database connections) that answers with one `SELECT 1` and does nothing else.";

const CLIENTS: usize = 64;
/// Both are measured in turns, since the machine changes under them.
const TURNS: u32 = 3;

pub(super) async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let world = World::new(options.binary()?, &[("PORTICO_SCRYPT", "ln=12,r=8,p=1")]).await?;
    let api = world.api("api").await?;
    let people = {
        let _worker = world.worker().await?;
        Tenant::new(&world, &api).await?.people(&world, &api, "robin", CLIENTS).await?
    };
    let mut trivial = Process::start(
        &std::env::current_exe()?,
        &["--trivial-server", &postgres::create().await?],
        &[],
        world.folder().join("trivial.log"),
    )?;
    let trivial_address = trivial.hears(|line| line.strip_prefix("serving ").map(str::to_owned)).await?;

    let (mut ours, mut theirs, mut times) = (Vec::new(), Vec::new(), Vec::new());
    let (mut cpu, mut trivial_cpu, mut requests, mut selects, mut own) = (0.0, 0.0, 0, 0, 0.0);
    for turn in 0..=TURNS {
        // The first turn warms up, and is short.
        let window = if turn == 0 { Duration::from_secs(2) } else { options.window() / TURNS };
        let clients = people.iter().enumerate().map(|(n, person)| {
            let client = api.client(n);
            let request = client.request("GET", "/api/portal/auth/session", Some(&person.token), None);
            (client, request)
        });
        let (before, own_before) = (api.process.cpu()?, own_cpu()?);
        let load = load::closed(clients.collect(), window).await?;
        let used = (api.process.cpu()? - before, own_cpu()? - own_before);
        let clients = (0..CLIENTS).map(|n| {
            let client = crate::http::Client::new(&trivial_address, n);
            let request = client.request("GET", "/", None, None);
            (client, request)
        });
        let before = trivial.cpu()?;
        let select = load::closed(clients.collect(), window).await?;
        if turn > 0 {
            anyhow::ensure!(load.bad + select.bad == 0, "{} requests failed", load.bad + select.bad);
            cpu += used.0;
            own += used.1;
            trivial_cpu += trivial.cpu()? - before;
            requests += load.good;
            selects += select.good;
            ours.push(load.rate());
            theirs.push(select.rate());
            times.extend(load.times);
        }
    }
    let (rate, limit) = (median(&ours), median(&theirs));
    let line = Line::new("GET session", format!("{rate:.0}/s")).of(format!("{limit:.0}/s"), rate / limit);
    report.line(line.wanted("≥ 0.80", rate / limit >= 0.8));
    let per = |seconds: f64, count: usize| seconds / count as f64 * 1e6;
    report.note(format!(
        "p50 {:.1} ms, p99 {:.1} ms with {CLIENTS} clients. CPU of one request: {:.0} µs in the API (in the server that is the \
         limit: {:.0} µs), {:.0} µs in the bench; the rest is Postgres and the kernel.",
        median(&times),
        percentile(&times, 99.0),
        per(cpu, requests),
        per(trivial_cpu, selects),
        per(own, requests),
    ));
    Ok(())
}
