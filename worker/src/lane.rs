//! One lane: from the wire to the runtime.

use std::{sync::Arc, time::Duration};

use portico_domain::{
    app::App,
    entity::background_job::Lane,
    jobs::{self, Claimed, Worker, lane_name},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::sleep,
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// The most jobs claimed by one statement.
const BATCH: usize = 64;
/// How long to wait before asking a wire or a database again that has just failed.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// A claimed job and its place among those that run at once.
pub(crate) struct Work {
    app: App,
    claimed: Claimed,
    _place: OwnedSemaphorePermit,
}

impl Work {
    /// Runs the job; its place is free again afterwards.
    pub(crate) async fn run(work: Work) {
        jobs::execute(&work.app, work.claimed).await;
    }
}

/// Pulls as many jobs as there are free places, claims them, and hands them to the runtime, until `stop`. An id is only
/// taken off the wire when its job can start at once, so no worker sits on jobs that others could run.
pub(crate) async fn pull(app: App, worker: Worker, lane: Lane, sender: mpsc::Sender<Work>, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(app.settings().jobs.concurrency.of(lane)));
    let mut consumer = app.wire().consumer(lane_name(lane));
    loop {
        let first = tokio::select! {
            place = places.clone().acquire_owned() => place,
            () = stop.cancelled() => return,
        };
        let Ok(mut held) = first else { return };
        let more = places.available_permits().min(BATCH - 1);
        if let Ok(others) = places.clone().try_acquire_many_owned(more as u32) {
            held.merge(others);
        }
        if stop.is_cancelled() {
            return;
        }
        // Never dropped half-way: what it has popped by then would be lost until the sweeper finds it.
        let ids = match consumer.pop(held.num_permits()).await {
            Ok(ids) if ids.is_empty() => continue,
            Ok(ids) => ids,
            Err(error) => {
                warn!(%error, lane = lane_name(lane), "the queue cannot be reached");
                sleep(AGAIN_AFTER).await;
                continue;
            }
        };
        let claimed = match jobs::claim(&app, &worker, &ids).await {
            Ok(claimed) => claimed,
            Err(error) => {
                warn!(%error, lane = lane_name(lane), "jobs could not be claimed; the sweeper will push them again");
                sleep(AGAIN_AFTER).await;
                continue;
            }
        };
        for claimed in claimed {
            let Some(place) = held.split(1) else { return };
            if sender.send(Work { app: app.clone(), claimed, _place: place }).await.is_err() {
                return;
            }
        }
    }
}
