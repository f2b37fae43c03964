//! Sign-ins per second, and their effect on other requests and on memory.

use std::sync::Arc;

use anyhow::Result;
use tokio::{
    sync::Mutex,
    time::{Duration, Instant, sleep},
};

use crate::{
    Options, hash,
    http::Client,
    load,
    machine::cores,
    people::{PortalUser, Tenant},
    process::own_cpu,
    report::{Line, Report},
    stats::percentile,
    world::{Api, World},
};

/// What the figure measures and how, for the report.
pub(crate) const DESCRIPTION: &str = "64 clients sign in; each sends its next request as soon as it has the response. \
                                      The limit is the number of cores divided by the time of one hash, measured \
                                      before on the idle machine. During the sign-ins, another client sends `GET \
                                      session`.";

/// The start of the names of the API's hashing threads.
const HASHING_THREADS: &str = "hashing-";
/// How many clients sign in at the same time.
const CLIENTS: usize = 64;
/// How many portal users sign in. There are several, because the sign-ins of one user wait for each other.
const USERS: usize = 32;
/// How many `GET session` requests are sent per second.
const SESSION_REQUESTS_PER_SECOND: f64 = 20.0;
/// How much memory the API may use in addition to one hash for each core, in MiB.
const MEMORY_ALLOWANCE_MIB: f64 = 100.0;

/// Measures the figure and adds its lines to `report`.
///
/// # Errors
/// Returns an error if something cannot be measured.
pub(super) async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    for log_n in [14, 17] {
        measure_cost(options, report, log_n).await?;
    }
    Ok(())
}

/// Measures with the scrypt cost N = 2^`log_n`, r = 8, p = 1.
async fn measure_cost(options: &Options, report: &mut Report, log_n: u8) -> Result<()> {
    let scrypt = format!("ln={log_n},r=8,p=1");
    let world = World::new(options.binary()?, &[("PORTICO_SCRYPT", &scrypt)]).await?;
    let (users, session_user) = {
        let (api, _worker) = (world.api("api").await?, world.worker().await?);
        let tenant = Tenant::new(&world, &api).await?;
        let users = tenant.users(&world, &api, "robin", USERS).await?;
        (users, tenant.users(&world, &api, "wanda", 1).await?.remove(0))
    };
    // Postgres may still write the earlier changes to disk.
    sleep(Duration::from_secs(2)).await;
    let (one, all) = (hash::on_one_core(log_n)?, hash::on_all_cores(log_n)?);
    let limit = cores() as f64 / one * 1e3;

    // A new process, so that its peak memory is that of the sign-ins.
    let api = world.api("api").await?;
    let idle = session_times(&api, &session_user, options.window()).await?;
    let (bench_cpu, api_cpu, hashing_cpu) = (own_cpu()?, api.process.cpu()?, api.process.cpu_of(HASHING_THREADS)?);
    let (clients, started) = (clients(&api, &users), Instant::now());
    let sign_ins = tokio::spawn(load::closed(clients, options.window()));
    let busy = session_times(&api, &session_user, options.window()).await?;
    let load = sign_ins.await??;
    let bench_cpu = own_cpu()? - bench_cpu;
    let api_cpu = api.process.cpu()? - api_cpu;
    let hashing_cpu = api.process.cpu_of(HASHING_THREADS)? - hashing_cpu;

    // The CPU time of all cores until the last response, which arrives some time after the window.
    let all_cores = cores() as f64 * started.elapsed().as_secs_f64();
    let ratio = load.rate() / limit;
    let name = format!("sign-ins, N=2^{log_n}");
    let line = Line::new(&name, format!("{:.2}/s", load.rate())).limit(format!("{limit:.2}/s"), ratio);
    report.line(line.target("≥ 0.95", ratio >= 0.95));
    let (idle, busy) = (percentile(&idle, 99.0), percentile(&busy, 99.0));
    let line = Line::new(format!("p99 of GET session during sign-ins, N=2^{log_n}"), format!("{busy:.1} ms"));
    report.line(line.limit(format!("{idle:.1} ms idle"), busy / idle).target("< 5 ms above idle", busy - idle < 5.0));
    let memory = api.process.memory("VmHWM")?;
    // One hash needs 128 · N · r bytes (RFC 7914), which is 2^(log_n - 10) MiB.
    let memory_limit = cores() as f64 * f64::from(1_u32 << (log_n - 10)) + MEMORY_ALLOWANCE_MIB;
    let line = Line::new(format!("peak memory of the API, N=2^{log_n}"), format!("{memory:.0} MiB"));
    let line = line.limit(format!("{memory_limit:.0} MiB"), memory / memory_limit);
    let target = format!("< cores × hash + {MEMORY_ALLOWANCE_MIB:.0} MiB");
    report.line(line.target(target, memory < memory_limit));
    report.note(format!(
        "N=2^{log_n}: one hash takes {one:.1} ms on one core, and {all:.1} ms while every core computes one (ratio to \
         that limit: {:.2}). Of {:.1} s of CPU time on all cores, the API used {api_cpu:.1} s, of which \
         {hashing_cpu:.1} s were for hashes ({:.2} of all CPU time), and the load generator used {bench_cpu:.1} s. \
         {} requests were answered with 503, because their hash could not start within 3 seconds.",
        ratio * all / one,
        all_cores,
        hashing_cpu / all_cores,
        load.bad,
    ));
    Ok(())
}

/// Returns the clients that sign in, each with its request.
fn clients(api: &Api, users: &[PortalUser]) -> Vec<(Client, Vec<u8>)> {
    let client = |n: usize| {
        let client = api.client(n + 1);
        let body = users[n % users.len()].credentials();
        let request = client.request("POST", "/api/portal/auth/sign-in", None, Some(&body));
        (client, request)
    };
    (0..CLIENTS).map(client).collect()
}

/// Sends `GET session` requests as `user` for `window`, and returns the time of each in milliseconds.
async fn session_times(api: &Api, user: &PortalUser, window: Duration) -> Result<Vec<f64>> {
    // Several connections, so that a late response does not delay the next request.
    let clients: Vec<_> =
        (0..SESSION_REQUESTS_PER_SECOND as usize).map(|n| Arc::new(Mutex::new(api.client(n + 200)))).collect();
    let token = user.token.clone();
    load::open(SESSION_REQUESTS_PER_SECOND, window, |n| {
        let (client, token) = (clients[n % clients.len()].clone(), token.clone());
        async move {
            let mut client = client.lock().await;
            let request = client.request("GET", "/api/portal/auth/session", Some(&token), None);
            client.send(&request).await?.json()?;
            Ok(Instant::now())
        }
    })
    .await
}
