//! A request with an API token, compared with the same request with a session.

use anyhow::Result;
use tokio::time::Duration;

use super::session::Results;
use crate::{
    Options,
    http::Client,
    people::Tenant,
    report::{Line, Report},
    stats::{median, percentile},
    world::World,
};

/// What the figure measures and how, for the report.
pub(crate) const DESCRIPTION: &str = "64 clients send `GET clients` with a limit of one on Postgres, in turns with the \
                                      access token of a staff session and with a personal access token of the same \
                                      staff user. The limit is the request with the session.";

/// How many clients send requests at the same time.
const CLIENTS: usize = 64;
/// How often the two kinds of requests are measured in turns, because the speed of the machine changes during a run.
const ROUNDS: u32 = 3;
/// How many times as long as a request with a session one with an API token may take.
const MAX_RATIO: f64 = 1.2;

/// Measures the figure and adds its lines to `report`.
///
/// # Errors
/// Returns an error if something cannot be measured.
pub(super) async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let world = World::new(options.binary()?, &[("PORTICO_SCRYPT", "ln=12,r=8,p=1")]).await?;
    let api = world.api("api").await?;
    let tenant = {
        let _worker = world.worker().await?;
        Tenant::new(&world, &api).await?
    };
    let token = tenant.create_api_token(&api).await?;
    let clients = |bearer: &str| {
        let with_request = |n| {
            let client = Client::new(&api.address, n);
            let request = client.request("GET", "/api/v1/clients?limit=1", Some(bearer), None);
            (client, request)
        };
        (0..CLIENTS).map(with_request).collect::<Vec<_>>()
    };
    let (mut with_session, mut with_token) = (Results::default(), Results::default());
    for round in 0..=ROUNDS {
        // The first round is a short warm-up.
        let (window, counts) =
            if round == 0 { (Duration::from_secs(2), false) } else { (options.window() / ROUNDS, true) };
        with_session.measure(&api.process, 200, clients(tenant.access_token()), window, counts).await?;
        with_token.measure(&api.process, 200, clients(&token), window, counts).await?;
    }
    let ratio = with_session.rate() / with_token.rate();
    let line = Line::new("GET clients with an API token", format!("{:.0}/s", with_token.rate()));
    let line = line.limit(format!("{:.0}/s", with_session.rate()), ratio);
    report.line(line.target("time ≤ 1.20 × that with a session", ratio <= MAX_RATIO));
    report.note(format!(
        "With an API token: p50 {:.1} ms, p99 {:.1} ms, {:.0} µs of CPU time in Portico per request. With a session: p50 \
         {:.1} ms, p99 {:.1} ms, {:.0} µs.",
        median(&with_token.times),
        percentile(&with_token.times, 99.0),
        with_token.server_cpu_per_request(),
        median(&with_session.times),
        percentile(&with_session.times, 99.0),
        with_session.server_cpu_per_request(),
    ));
    Ok(())
}
