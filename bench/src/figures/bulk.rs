//! The time of a bulk invitation of 1,000 persons.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::{
    Options,
    people::Tenant,
    postgres::{self, commit_rate},
    report::{Line, Report},
    stats::{median, percentile},
    world::World,
};

/// What the figure measures and how, for the report.
pub(crate) const DESCRIPTION: &str = "A staff user invites 1,000 new persons to a client by one request, several times \
                                      in a row. The time is that of the response: the rows, the search index, the \
                                      mails, their jobs and the audit events are then committed to Postgres. No worker \
                                      runs, so the mails are not sent.";

/// The persons of a request.
const PERSONS: usize = 1_000;
/// The requests.
const REQUESTS: usize = 10;
/// The longest time that a request should take, in seconds.
const TARGET_SECONDS: f64 = 2.0;

/// Measures the figure and adds its lines to `report`.
///
/// # Errors
/// Returns an error if something cannot be measured.
pub(super) async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let world = World::new(options.binary()?, &[]).await?;
    let api = world.api("api").await?;
    let worker = world.worker().await?;
    let tenant = Tenant::new(&world, &api).await?;
    drop(worker);
    let mut client = api.client(0);
    let mut times = Vec::with_capacity(REQUESTS);
    for request in 0..REQUESTS {
        let rows: Vec<Value> = (0..PERSONS)
            .map(|n| json!({ "email": format!("robin-{request}-{n}@x.test"), "name": format!("Robin Miller {n}") }))
            .collect();
        let request = tenant.bulk_invitation(&client, rows);
        let started = Instant::now();
        let response = client.send(&request).await?;
        times.push(started.elapsed().as_secs_f64());
        let result = response.json().context("cannot invite")?;
        ensure!(result["counts"]["invited"] == PERSONS, "not every person was invited: {}", result["counts"]);
    }
    let commits = commit_rate(&postgres::create().await?, options.window() / 5).await?;
    let (typical, slowest) = (median(&times), percentile(&times, 100.0));
    let line = Line::new("bulk invitation of 1,000 persons", format!("{typical:.2} s"));
    let one_by_one = PERSONS as f64 / commits;
    let line = line.limit(format!("{one_by_one:.2} s for as many commits"), typical / one_by_one);
    report.line(line.target("< 2 s", slowest < TARGET_SECONDS));
    report.note(format!("The slowest of {REQUESTS} requests took {slowest:.2} s."));
    Ok(())
}
