//! The worker: a runtime for the jobs of the domain, and no place for rules.
//!
//! Each lane has a puller, which takes ids off the wire and claims their rows, and an apalis worker, which runs what was
//! claimed. Beside them: a heartbeat that renews leases, the sweeper, and the scheduler.

#![warn(missing_docs)]

mod background_tasks;
mod lane;

use std::time::Duration;

use apalis::prelude::{Monitor, ParallelizeExt, WorkerBuilder};
use portico_domain::{
    app::App,
    jobs::{self, LANES, Worker, lane_name},
};
use portico_queue::ChannelBackend;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::lane::Work;

/// How long running jobs may take to finish once the worker is told to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(25);

/// Runs jobs until `stop`; then takes nothing new, finishes what runs, and gives back what does not finish in time.
pub async fn run(app: App, stop: CancellationToken) {
    let worker = Worker::new(&app);
    check_queue(&app).await;
    let drained = CancellationToken::new();
    let (tell_paused, paused) = watch::channel(None);
    let mut pullers = JoinSet::new();
    let mut monitor = Monitor::new();
    for lane in LANES {
        let (sender, receiver) = mpsc::channel(1);
        pullers.spawn(lane::pull(app.clone(), worker.clone(), lane, sender, paused.clone(), stop.clone()));
        let backend = ChannelBackend::new(receiver);
        monitor = monitor.register(move |_| {
            WorkerBuilder::new(lane_name(lane)).backend(backend.clone()).parallelize(tokio::spawn).build(Work::run)
        });
    }
    let leases = tokio::spawn(background_tasks::renew_leases(app.clone(), worker.clone(), drained.clone()));
    let heartbeat = tokio::spawn(background_tasks::heartbeat(app.clone(), worker.clone(), drained.clone()));
    let maintenance = tokio::spawn(background_tasks::maintenance_loop(app.clone(), tell_paused, stop.clone()));
    info!("worker started");

    // The lanes end by themselves: stopped pullers close their channels, and an apalis worker whose channel is closed
    // finishes what it has.
    let lanes = tokio::spawn(monitor.run());
    stop.cancelled().await;
    let drain = async {
        pullers.join_all().await;
        match lanes.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => error!(%error, "a lane ended badly"),
            Err(error) => error!(%error, "a lane ended badly"),
        }
    };
    if timeout(DRAIN_TIMEOUT, drain).await.is_err() {
        warn!("jobs that did not finish in time are given back");
    }
    drained.cancel();
    let _ = tokio::join!(leases, heartbeat, maintenance);
    if let Err(error) = jobs::release(&app, &worker).await {
        warn!(%error, "jobs could not be given back; their leases run out by themselves");
    }
    info!("worker stopped");
}

async fn check_queue(app: &App) {
    match app.queue().config_warning().await {
        Ok(None) => {}
        Ok(Some(config_warning)) => warn!("{config_warning}"),
        Err(error) => warn!(%error, "the queue cannot be reached yet; jobs wait in the database"),
    }
}
