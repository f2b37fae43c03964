//! What every worker does beside its lanes.

use std::time::Duration;

use portico_domain::{
    app::App,
    jobs::{self, HEARTBEAT_INTERVAL, Scheduler, Worker},
};
use tokio::{
    sync::watch,
    time::{Interval, MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::lane::Paused;

const MAINTENANCE_INTERVAL: Duration = Duration::from_secs(1);

/// Renews the leases of this worker's jobs four times within a lease, until `drained`.
pub(crate) async fn renew_leases(app: App, worker: Worker, drained: CancellationToken) {
    let mut ticks = ticks(app.settings().jobs.lease / 4);
    while tick(&mut ticks, &drained).await {
        if let Err(error) = jobs::renew(&app, &worker).await {
            warn!(%error, "leases could not be renewed");
        }
    }
}

/// Sweeps, looks at the schedules and tells the lanes which of them are paused, each second, until `stop`.
pub(crate) async fn maintenance_loop(app: App, paused: watch::Sender<Paused>, stop: CancellationToken) {
    let mut scheduler = Scheduler::default();
    let mut ticks = ticks(MAINTENANCE_INTERVAL);
    while tick(&mut ticks, &stop).await {
        match jobs::paused(&app).await {
            Ok(lanes) => {
                paused.send_replace(Some(lanes));
            }
            Err(error) => warn!(%error, "nobody knows which lanes are paused; what was last known counts"),
        }
        if let Err(error) = jobs::sweep(&app).await {
            warn!(%error, "the sweeper failed");
        }
        if let Err(error) = scheduler.tick(&app).await {
            warn!(%error, "the scheduler failed");
        }
    }
}

/// Says every few seconds that this worker is there, until `drained`, and then that it has gone.
pub(crate) async fn heartbeat(app: App, worker: Worker, drained: CancellationToken) {
    let mut ticks = ticks(HEARTBEAT_INTERVAL);
    while tick(&mut ticks, &drained).await {
        if let Err(error) = jobs::record_heartbeat(&app, &worker).await {
            warn!(%error, "this worker cannot say that it is there");
        }
    }
    if let Err(error) = jobs::deregister_worker(&app, &worker).await {
        warn!(%error, "this worker cannot say that it goes");
    }
}

fn ticks(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Waits for the next tick; false once it is time to stop.
async fn tick(ticks: &mut Interval, stop: &CancellationToken) -> bool {
    tokio::select! {
        _ = ticks.tick() => true,
        () = stop.cancelled() => false,
    }
}
