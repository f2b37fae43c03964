//! Memory, start and size.

use std::{fs, process::Command};

use anyhow::{Context, Result};
use tokio::time::{Duration, Instant, sleep};

use crate::{
    Options,
    report::{Line, Report},
    stats::{median, ms},
    world::World,
};

pub(crate) const MEANING: &str = "What each role holds in memory 5 seconds after its start without requests (VmRSS), how long \
                                  `portico serve` takes from nothing to ready on a new SQLite database, migration included (median of \
                                  10), and how large the binary is.";

const STARTS: usize = 10;
/// In MiB.
const WANTED_MEMORY: f64 = 40.0;
const SETTLED_AFTER: Duration = Duration::from_secs(5);

pub(super) async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    memory(options, report).await?;
    start(options, report).await?;
    size(options, report)
}

async fn memory(options: &Options, report: &mut Report) -> Result<()> {
    let fleet = World::new(options.binary()?, &[]).await?;
    let (alone, _folder) = alone(options).await?;
    let api = fleet.api("api").await?.process;
    let worker = fleet.worker().await?;
    let serve = alone.api("serve").await?.process;
    sleep(SETTLED_AFTER).await;
    for (role, process) in [("api", api), ("worker", worker), ("serve on SQLite", serve)] {
        let memory = process.memory("VmRSS")?;
        let line = Line::new(format!("idle memory of {role}"), format!("{memory:.1} MiB"));
        report.line(line.of("40 MiB", memory / WANTED_MEMORY).wanted("< 40 MiB", memory < WANTED_MEMORY));
    }
    Ok(())
}

async fn start(options: &Options, report: &mut Report) -> Result<()> {
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let (world, _folder) = alone(options).await?;
        let began = Instant::now();
        let api = world.api("serve").await?;
        let mut client = api.client(0);
        let request = client.request("GET", "/health/ready", None, None);
        while client.send(&request).await?.status != 200 {
            sleep(Duration::from_millis(1)).await;
        }
        times.push(ms(began.elapsed()));
    }
    let time = median(&times);
    report.line(Line::new("start to ready", format!("{time:.0} ms")).of("1 s", time / 1e3).wanted("< 1 s", time < 1e3));
    Ok(())
}

fn size(options: &Options, report: &mut Report) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (binary, stripped) = (options.binary()?, folder.path().join("portico"));
    Command::new("strip").arg("-o").arg(&stripped).arg(&binary).status().context("strip")?;
    let mib = |path| anyhow::Ok(fs::metadata(path)?.len() as f64 / 1_048_576.0);
    report.line(Line::new("binary, stripped", format!("{:.1} MiB", mib(&stripped)?)));
    report.note(format!("As cargo leaves it: {:.1} MiB.", mib(&binary)?));
    Ok(())
}

/// One process without Postgres and Redis, on a database that is not there yet.
async fn alone(options: &Options) -> Result<(World, tempfile::TempDir)> {
    let folder = tempfile::tempdir()?;
    let database = format!("sqlite:{}", folder.path().join("portico.db").display());
    let world = World::new(options.binary()?, &[("DATABASE_URL", &database), ("REDIS_URL", "")]).await?;
    Ok((world, folder))
}
