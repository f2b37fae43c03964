//! Memory, start-up time and size of the binary.

use std::{fs, process::Command};

use anyhow::{Context, Result};
use tokio::time::{Duration, Instant, sleep};

use crate::{
    Options,
    report::{Line, Report},
    stats::{median, ms},
    world::World,
};

/// What the figure measures and how, for the report.
pub(crate) const DESCRIPTION: &str = "The resident memory (VmRSS) of each role 5 seconds after its start, without \
                                      requests. The time from the start of `portico serve` until it is ready, on a new \
                                      SQLite database and with all migrations (median of 10). The size of the binary.";

/// How many starts are measured.
const STARTS: usize = 10;
/// The memory of an idle process must be below this, in MiB.
const MEMORY_TARGET_MIB: f64 = 40.0;
/// How long a process is idle before its memory is read.
const SETTLE_TIME: Duration = Duration::from_secs(5);

/// Measures the figure and adds its lines to `report`.
///
/// # Errors
/// Returns an error if something cannot be measured.
pub(super) async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    memory(options, report).await?;
    start(options, report).await?;
    size(options, report)
}

async fn memory(options: &Options, report: &mut Report) -> Result<()> {
    let cluster = World::new(options.binary()?, &[]).await?;
    let (single, _folder) = single_process(options).await?;
    let api = cluster.api("api").await?.process;
    let worker = cluster.worker().await?;
    let serve = single.api("serve").await?.process;
    sleep(SETTLE_TIME).await;
    for (role, process) in [("api", api), ("worker", worker), ("serve on SQLite", serve)] {
        let memory = process.memory("VmRSS")?;
        let line = Line::new(format!("idle memory of {role}"), format!("{memory:.1} MiB"));
        let line = line.limit(format!("{MEMORY_TARGET_MIB:.0} MiB"), memory / MEMORY_TARGET_MIB);
        report.line(line.target(format!("< {MEMORY_TARGET_MIB:.0} MiB"), memory < MEMORY_TARGET_MIB));
    }
    Ok(())
}

async fn start(options: &Options, report: &mut Report) -> Result<()> {
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let (world, _folder) = single_process(options).await?;
        let started = Instant::now();
        let api = world.api("serve").await?;
        let mut client = api.client(0);
        let request = client.request("GET", "/health/ready", None, None);
        while client.send(&request).await?.status != 200 {
            sleep(Duration::from_millis(1)).await;
        }
        times.push(ms(started.elapsed()));
    }
    let time = median(&times);
    let line = Line::new("start to ready", format!("{time:.0} ms"));
    report.line(line.limit("1 s", time / 1e3).target("< 1 s", time < 1e3));
    Ok(())
}

fn size(options: &Options, report: &mut Report) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (binary, stripped) = (options.binary()?, folder.path().join("portico"));
    Command::new("strip").arg("-o").arg(&stripped).arg(&binary).status().context("cannot run strip")?;
    let mib = |path| anyhow::Ok(fs::metadata(path)?.len() as f64 / 1_048_576.0);
    report.line(Line::new("binary, stripped", format!("{:.1} MiB", mib(&stripped)?)));
    report.note(format!("Without strip, as cargo builds it: {:.1} MiB.", mib(&binary)?));
    Ok(())
}

/// Returns an installation without Postgres and Redis, and the folder of its SQLite database, which does not exist yet.
async fn single_process(options: &Options) -> Result<(World, tempfile::TempDir)> {
    let folder = tempfile::tempdir()?;
    let database = format!("sqlite:{}", folder.path().join("portico.db").display());
    let world = World::new(options.binary()?, &[("DATABASE_URL", &database), ("REDIS_URL", "")]).await?;
    Ok((world, folder))
}
