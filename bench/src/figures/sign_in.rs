//! Sign-ins a second, and what they do to everybody else.

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
    people::{Person, Tenant},
    process::own_cpu,
    report::{Line, Report},
    stats::percentile,
    world::{Api, World},
};

pub(crate) const MEANING: &str = "64 clients sign in, each again as soon as it is answered. The limit is cores ÷ the time of \
                                  one hash, measured before on the idle machine. Meanwhile somebody else reads `GET session`.";

/// What the API calls its threads that hash.
const HASHING: &str = "hashing-";
const CLIENTS: usize = 64;
/// They sign in as so many people; a person's sign-ins wait for each other.
const PEOPLE: usize = 32;
/// `GET session` a second.
const LOOKS: f64 = 20.0;
/// Beside the hashes, in MiB.
const SPARE: f64 = 100.0;

pub(super) async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    for log_n in [14, 17] {
        cost(options, report, log_n).await?;
    }
    Ok(())
}

async fn cost(options: &Options, report: &mut Report, log_n: u8) -> Result<()> {
    let scrypt = format!("ln={log_n},r=8,p=1");
    let world = World::new(options.binary()?, &[("PORTICO_SCRYPT", &scrypt)]).await?;
    let (people, watcher) = {
        let (api, _worker) = (world.api("api").await?, world.worker().await?);
        let tenant = Tenant::new(&world, &api).await?;
        let people = tenant.people(&world, &api, "robin", PEOPLE).await?;
        (people, tenant.people(&world, &api, "wanda", 1).await?.remove(0))
    };
    // The database may still be writing down what came before.
    sleep(Duration::from_secs(2)).await;
    let (one, all) = (hash::alone(log_n)?, hash::on_all_cores(log_n)?);
    let limit = cores() as f64 / one * 1e3;

    // A new process: its highest memory is that of the sign-ins.
    let api = world.api("api").await?;
    let idle = look(&api, &watcher, options.window()).await?;
    let (own, server, hashing) = (own_cpu()?, api.process.cpu()?, api.process.cpu_of(HASHING)?);
    let (clients, began) = (clients(&api, &people), Instant::now());
    let signing = tokio::spawn(load::closed(clients, options.window()));
    let busy = look(&api, &watcher, options.window()).await?;
    let load = signing.await??;
    let (own, server, hashing) =
        (own_cpu()? - own, api.process.cpu()? - server, api.process.cpu_of(HASHING)? - hashing);

    // Until the last of them was answered, some time after the window.
    let all_cores = cores() as f64 * began.elapsed().as_secs_f64();
    let ratio = load.rate() / limit;
    let name = format!("sign-ins, N=2^{log_n}");
    let line = Line::new(&name, format!("{:.2}/s", load.rate())).of(format!("{limit:.2}/s"), ratio);
    report.line(line.wanted("≥ 0.95", ratio >= 0.95));
    let (idle, busy) = (percentile(&idle, 99.0), percentile(&busy, 99.0));
    let line = Line::new(format!("p99 of GET session meanwhile, N=2^{log_n}"), format!("{busy:.1} ms"));
    report.line(line.of(format!("{idle:.1} ms idle"), busy / idle).wanted("< 5 ms above idle", busy - idle < 5.0));
    let memory = api.process.memory("VmHWM")?;
    let hashes = cores() as f64 * f64::from(1_u32 << (log_n - 10));
    let line = Line::new(format!("most memory of the API, N=2^{log_n}"), format!("{memory:.0} MiB"));
    let line = line.of(format!("{:.0} MiB", hashes + SPARE), memory / (hashes + SPARE));
    report.line(line.wanted("cores × hash + 100 MiB", memory < hashes + SPARE));
    report.note(format!(
        "N=2^{log_n}: one hash takes {one:.1} ms alone and {all:.1} ms while every core makes one (of that limit: {:.2}). Of {:.1} \
         CPU seconds the API used {server:.1}, {hashing:.1} of them for hashes ({:.2} of all), and the bench {own:.1}. {} requests were answered 503, as a hash that cannot \
         begin within 3 seconds is.",
        ratio * all / one,
        all_cores,
        hashing / all_cores,
        load.bad,
    ));
    Ok(())
}

fn clients(api: &Api, people: &[Person]) -> Vec<(Client, Vec<u8>)> {
    let client = |n: usize| {
        let client = api.client(n + 1);
        let body = people[n % people.len()].credentials();
        let request = client.request("POST", "/api/portal/auth/sign-in", None, Some(&body));
        (client, request)
    };
    (0..CLIENTS).map(client).collect()
}

/// Milliseconds of each `GET session`.
async fn look(api: &Api, watcher: &Person, window: Duration) -> Result<Vec<f64>> {
    // Connections of their own, since a late answer must not delay the next question.
    let clients: Vec<_> = (0..LOOKS as usize).map(|n| Arc::new(Mutex::new(api.client(n + 200)))).collect();
    let token = watcher.token.clone();
    load::open(LOOKS, window, |n| {
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
