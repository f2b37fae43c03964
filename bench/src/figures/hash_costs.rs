//! Whether the time of a refused sign-in shows the cost of the stored password hash, after the cost was changed.

use anyhow::{Result, ensure};
use serde_json::json;
use tokio::time::Instant;

use crate::{
    Options,
    people::Tenant,
    report::{Line, Report},
    stats::{auc, median, ms},
    world::{Api, World},
};

/// What the figure measures and how, for the report.
pub(crate) const DESCRIPTION: &str = "Sign-ins with a wrong password, in rounds of random order, over one connection: \
                                      for an account with a hash of N=2^12, one with a hash of N=2^14, and an unknown \
                                      address. The process has one of these costs or another one as its setting. AUC \
                                      is the probability that the response for the first takes longer than that for \
                                      the second; at 0.5 the times show nothing.";

/// How many addresses of each class are used in turn.
const ADDRESSES: usize = 20;
/// The classes of addresses: their names in the report, and the first part of the address. Addresses have equal
/// lengths.
const CLASSES: [(&str, &str); 3] = [("N=2^12", "older"), ("N=2^14", "newer"), ("unknown", "other")];

/// Measures the figure and adds its lines to `report`.
///
/// # Errors
/// Returns an error if something cannot be measured.
pub(super) async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let mut world = World::new(options.binary()?, &[("PORTICO_SCRYPT", "ln=12,r=8,p=1")]).await?;
    let (api, _worker) = (world.api("api").await?, world.worker().await?);
    let tenant = Tenant::new(&world, &api).await?;
    tenant.users(&world, &api, "older", ADDRESSES).await?;
    drop(api);
    world.set("PORTICO_SCRYPT", "ln=14,r=8,p=1");
    let api = world.api("api").await?;
    tenant.users(&world, &api, "newer", ADDRESSES).await?;
    drop(api);
    for (name, cost) in [("raised", "ln=14,r=8,p=1"), ("lowered", "ln=12,r=8,p=1"), ("a third cost", "ln=13,r=8,p=1")] {
        world.set("PORTICO_SCRYPT", cost);
        compare(&world.api("api").await?, &format!("{name} ({cost})"), options.pairs.div_ceil(2), report).await?;
    }
    Ok(())
}

/// Compares the response times of each two classes, and adds a line for them to `report`.
async fn compare(api: &Api, name: &str, rounds: usize, report: &mut Report) -> Result<()> {
    let mut client = api.client(1);
    let mut times: [Vec<f64>; 3] = Default::default();
    // The first requests open connections, create rows and fill caches. They are not counted.
    let warm_up = ADDRESSES;
    // A xorshift generator. Its numbers are the same in each run.
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    for n in 0..warm_up + rounds {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        for class in orders[(random >> 32) as usize % orders.len()] {
            let email = format!("{}-{}@x.test", CLASSES[class].1, n % ADDRESSES);
            let body = json!({ "email": email, "password": "not-the-password" });
            let request = client.request("POST", "/api/portal/auth/sign-in", None, Some(&body));
            let started = Instant::now();
            let response = client.send(&request).await?;
            let time = ms(started.elapsed());
            ensure!(response.status == 401, "unexpected response {}", response.status);
            if n >= warm_up {
                times[class].push(time);
            }
        }
    }
    for (a, b) in [(0, 2), (1, 2), (0, 1)] {
        let (difference, auc) = (median(&times[a]) - median(&times[b]), auc(&times[a], &times[b]));
        let values = format!("{:.1} ms, Δmedian {difference:+.3} ms, AUC {auc:.3}", median(&times[b]));
        let line = Line::new(format!("{name}: {} and {}, {rounds} pairs", CLASSES[a].0, CLASSES[b].0), values);
        report.line(line.target("AUC 0.50 ± 0.05", (auc - 0.5).abs() <= 0.05));
    }
    Ok(())
}
