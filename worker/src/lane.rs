//! One lane: from the wire to the runtime.

use std::{sync::Arc, time::Duration};

use portico_domain::{
    app::App,
    entity::background_job::Lane,
    jobs::{self, ClaimedJob, Worker, lane_name},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch},
    time::sleep,
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// The most jobs claimed by one statement.
const BATCH: usize = 64;
/// How long to wait before asking a wire or a database again that has just failed.
const RETRY_INTERVAL: Duration = Duration::from_millis(500);
/// How long to wait for more free places while many jobs wait: claiming sixty costs the database little more than claiming one.
const BATCH_WAIT: Duration = Duration::from_millis(1);

/// The lanes that are paused; none until the database has been asked.
pub(crate) type Paused = Option<Vec<Lane>>;

/// A claimed job and its place among those that run at once.
pub(crate) struct Work {
    app: App,
    claimed: ClaimedJob,
    slot: OwnedSemaphorePermit,
}

impl Work {
    /// Runs the job and settles it. Its place is free as soon as it has run, so that the next one starts while this one
    /// is written down.
    pub(crate) async fn run(work: Work) {
        let Work { app, claimed, slot } = work;
        let finished = jobs::run(&app, claimed).await;
        drop(slot);
        jobs::complete(&app, finished).await;
    }
}

/// Pulls as many jobs as there are free places, claims them, and hands them to the runtime, until `stop`; nothing while the
/// lane is among the `paused`. An id is only taken off the wire when its job can start at once, so no worker sits on jobs
/// that others could run.
pub(crate) async fn pull(
    app: App,
    worker: Worker,
    lane: Lane,
    sender: mpsc::Sender<Work>,
    mut paused: watch::Receiver<Paused>,
    stop: CancellationToken,
) {
    let slots = Arc::new(Semaphore::new(app.settings().jobs.concurrency.of(lane)));
    let mut consumer = app.queue().consumer(lane_name(lane));
    let mut is_backlogged = false;
    loop {
        let first = tokio::select! {
            slot = free_slot(&slots, &mut paused, lane) => slot,
            () = stop.cancelled() => return,
        };
        let Some(mut held) = first else { return };
        if is_backlogged {
            sleep(BATCH_WAIT).await;
        }
        let more = slots.available_permits().min(BATCH - 1);
        if let Ok(others) = slots.clone().try_acquire_many_owned(more as u32) {
            held.merge(others);
        }
        if stop.is_cancelled() {
            return;
        }
        // Never dropped half-way: what it has popped by then would be lost until the sweeper finds it.
        let ids = match consumer.pop(held.num_permits()).await {
            Ok(ids) => ids,
            Err(error) => {
                warn!(%error, lane = lane_name(lane), "the queue cannot be reached");
                sleep(RETRY_INTERVAL).await;
                continue;
            }
        };
        is_backlogged = ids.len() == held.num_permits();
        if ids.is_empty() {
            continue;
        }
        let claimed = match jobs::claim(&app, &worker, &ids).await {
            Ok(claimed) => claimed,
            Err(error) => {
                warn!(%error, lane = lane_name(lane), "jobs could not be claimed; the sweeper will push them again");
                sleep(RETRY_INTERVAL).await;
                continue;
            }
        };
        for claimed in claimed {
            let Some(slot) = held.split(1) else { return };
            if sender.send(Work { app: app.clone(), claimed, slot }).await.is_err() {
                return;
            }
        }
    }
}

/// A free place, once the lane is not paused.
async fn free_slot(
    slots: &Arc<Semaphore>,
    paused: &mut watch::Receiver<Paused>,
    lane: Lane,
) -> Option<OwnedSemaphorePermit> {
    paused.wait_for(|paused| paused.as_ref().is_some_and(|lanes| !lanes.contains(&lane))).await.ok()?;
    slots.clone().acquire_owned().await.ok()
}
