//! The worker: the runtime of the background jobs. The jobs and their rules are in `portico-domain`.
//!
//! Each lane has a puller, which takes ids from the job queue and claims their rows, and an apalis worker, which runs
//! the claimed jobs. Background tasks renew leases, record heartbeats, sweep, and enqueue scheduled jobs.

#![warn(missing_docs)]

mod background_tasks;
mod lane;
mod time_limit;

use std::time::Duration;

use apalis::prelude::{Monitor, ParallelizeExt, WorkerBuilder};
use portico_domain::{
    entity::background_job::Lane,
    platform::{
        app::App,
        jobs::{self, Worker},
        mail,
    },
};
use portico_queue::ChannelBackend;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::lane::{Control, Work};

/// How long running jobs may continue after the worker process receives SIGTERM or SIGINT.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(25);

/// How long the worker waits for the database after that: for its background tasks, and then for unfinished jobs.
const LAST_STATEMENTS_TIMEOUT: Duration = Duration::from_secs(5);

/// Runs jobs until `stop` is cancelled.
///
/// After that, the worker takes no new jobs and waits up to 25 seconds for running jobs. Jobs that are still running
/// then are queued again for other workers, and the function returns, at most 35 seconds after the signal. Errors are
/// logged.
pub async fn run(app: App, stop: CancellationToken) {
    let worker = Worker::new(&app);
    check_queue(&app).await;
    if let Err(error) = mail::release_after_change(&app).await {
        warn!(%error, "mail that waits for a mail server may wait until the time of its next probe");
    }
    let drained = CancellationToken::new();
    let (paused_sender, paused) = watch::channel(None);
    let control = Control::new(paused, stop.clone());
    let mut pullers = JoinSet::new();
    let mut monitor = Monitor::new();
    for lane in Lane::ALL {
        let (sender, receiver) = mpsc::channel(1);
        pullers.spawn(lane::pull(app.clone(), worker.clone(), lane, sender, control.clone()));
        let backend = ChannelBackend::new(receiver);
        monitor = monitor.register(move |_| {
            WorkerBuilder::new(lane.name()).backend(backend.clone()).parallelize(tokio::spawn).build(Work::run)
        });
    }
    let leases = tokio::spawn(background_tasks::renew_leases(app.clone(), worker.clone(), drained.clone()));
    let heartbeat = tokio::spawn(background_tasks::heartbeat(app.clone(), worker.clone(), drained.clone()));
    let maintenance = tokio::spawn(background_tasks::maintenance_loop(app.clone(), paused_sender, stop.clone()));
    let sealing = tokio::spawn(background_tasks::seal_audit_events(app.clone(), stop.clone()));
    info!("worker started");

    // The lanes need no stop signal: a puller that stops closes its channel, and an apalis worker whose channel is
    // closed finishes its jobs and ends.
    let lanes = tokio::spawn(monitor.run());
    stop.cancelled().await;
    let drain = async {
        pullers.join_all().await;
        match lanes.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => error!(%error, "a lane stopped with an error"),
            Err(error) => error!(%error, "the task that runs the lanes failed"),
        }
    };
    if timeout(DRAIN_TIMEOUT, drain).await.is_err() {
        warn!(seconds = DRAIN_TIMEOUT.as_secs(), "some jobs did not finish in time; they are queued again");
    }
    drained.cancel();
    // A statement on a connection that no longer answers would wait without end.
    let _ = timeout(LAST_STATEMENTS_TIMEOUT, async { tokio::join!(leases, heartbeat, maintenance, sealing) }).await;
    match timeout(LAST_STATEMENTS_TIMEOUT, jobs::release(&app, &worker)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => warn!(%error, "cannot queue unfinished jobs again; they run again when their leases expire"),
        Err(_) => warn!("no answer from the database; unfinished jobs run again when their leases expire"),
    }
    info!("worker stopped");
}

/// Logs a warning if the job queue is not configured well or cannot be reached.
async fn check_queue(app: &App) {
    match app.queue().config_warning().await {
        Ok(None) => {}
        Ok(Some(config_warning)) => warn!("{config_warning}"),
        Err(error) => warn!(%error, "the queue cannot be reached; jobs stay queued in the database until it can"),
    }
}
