//! The tasks that every worker process runs in addition to its lanes.

use std::time::Duration;

use portico_domain::platform::{
    app::App,
    audit,
    jobs::{self, HEARTBEAT_INTERVAL, JobSettings, Scheduler, Worker},
};
use tokio::{
    sync::watch,
    time::{Interval, MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::{
    lane::Paused,
    time_limit::{STATEMENT_TIMEOUT, within},
};

/// How often a worker sweeps, checks the schedules and reads the paused lanes.
const MAINTENANCE_INTERVAL: Duration = Duration::from_secs(1);

/// How often a worker seals new events of the audit log. An event is sealed within 10 seconds.
const SEAL_INTERVAL: Duration = Duration::from_secs(3);

/// How long one round of maintenance may take, which has many statements if many jobs wait.
const ROUND_TIMEOUT: Duration = Duration::from_secs(60);

/// Renews the leases of the worker's running jobs four times within the duration of a lease, until `drained` is
/// cancelled.
pub(crate) async fn renew_leases(app: App, worker: Worker, drained: CancellationToken) {
    let mut ticks = ticks(app.section::<JobSettings>().lease / 4);
    while tick(&mut ticks, &drained).await {
        if let Err(error) = within(&app, STATEMENT_TIMEOUT, jobs::renew(&app, &worker)).await {
            warn!(%error, "cannot renew the leases of running jobs; will retry");
        }
    }
}

/// Every second: sends the paused lanes to the pullers, sweeps, and enqueues the scheduled jobs that are due. Runs
/// until `stop` is cancelled.
pub(crate) async fn maintenance_loop(app: App, paused: watch::Sender<Paused>, stop: CancellationToken) {
    let mut scheduler = Scheduler::default();
    let mut ticks = ticks(MAINTENANCE_INTERVAL);
    while tick(&mut ticks, &stop).await {
        match within(&app, STATEMENT_TIMEOUT, jobs::paused(&app)).await {
            Ok(lanes) => {
                paused.send_replace(Some(lanes));
            }
            Err(error) => warn!(%error, "cannot read the paused lanes; using the last known state"),
        }
        if let Err(error) = within(&app, ROUND_TIMEOUT, jobs::sweep(&app)).await {
            warn!(%error, "the sweeper failed; will retry");
        }
        if let Err(error) = within(&app, ROUND_TIMEOUT, scheduler.tick(&app)).await {
            warn!(%error, "the scheduler failed; will retry");
        }
    }
}

/// Seals new events of the audit log every [`SEAL_INTERVAL`] until `stop` is cancelled.
pub(crate) async fn seal_audit_events(app: App, stop: CancellationToken) {
    let mut ticks = ticks(SEAL_INTERVAL);
    while tick(&mut ticks, &stop).await {
        if let Err(error) = within(&app, ROUND_TIMEOUT, audit::seal_events(&app)).await {
            warn!(%error, "cannot seal the new events of the audit log; will retry");
        }
    }
}

/// Records the heartbeat of the worker every [`HEARTBEAT_INTERVAL`] until `drained` is cancelled, then deregisters the
/// worker.
pub(crate) async fn heartbeat(app: App, worker: Worker, drained: CancellationToken) {
    let mut ticks = ticks(HEARTBEAT_INTERVAL);
    while tick(&mut ticks, &drained).await {
        if let Err(error) = within(&app, STATEMENT_TIMEOUT, jobs::record_heartbeat(&app, &worker)).await {
            warn!(%error, "cannot record the heartbeat of this worker; will retry");
        }
    }
    if let Err(error) = within(&app, STATEMENT_TIMEOUT, jobs::deregister_worker(&app, &worker)).await {
        warn!(%error, "cannot deregister this worker; it counts as running until its heartbeat is too old");
    }
}

/// Returns an interval whose first tick is immediate. After a late tick, the full period passes before the next one.
fn ticks(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Waits for the next tick. Returns `false` if `stop` is cancelled.
async fn tick(ticks: &mut Interval, stop: &CancellationToken) -> bool {
    tokio::select! {
        _ = ticks.tick() => true,
        () = stop.cancelled() => false,
    }
}
