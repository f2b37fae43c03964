//! One lane: takes job ids from the queue, claims the jobs, and runs them.

use std::{pin::pin, sync::Arc, time::Duration};

use portico_domain::{
    entity::background_job::Lane,
    platform::{
        app::App,
        jobs::{self, ClaimedJob, JobSettings, Worker},
    },
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::time_limit::{STATEMENT_TIMEOUT, within};

/// The maximum number of jobs that one statement claims.
const BATCH: usize = 64;
/// How long to wait after an error of the queue or the database before the next attempt.
const RETRY_INTERVAL: Duration = Duration::from_millis(500);
/// How long to wait for more free permits while the lane has a backlog. Claiming sixty jobs in one statement costs the
/// database little more than claiming one.
const BATCH_WAIT: Duration = Duration::from_millis(1);

/// After this time a job gives its permit back and goes on without one.
const DETACH_AFTER: Duration = Duration::from_secs(30);
/// The maximum number of jobs in one worker that run without a permit.
const MAX_DETACHED: usize = 64;

/// The lanes that are paused; `None` until they have been read from the database.
pub(crate) type Paused = Option<Vec<Lane>>;

/// What the lanes of one worker share.
#[derive(Clone)]
pub(crate) struct Control {
    /// The lanes that are paused.
    pub(crate) paused: watch::Receiver<Paused>,
    /// Cancelled when the worker stops.
    pub(crate) stop: CancellationToken,
    /// The permits of the jobs that run without a permit of their lane, because they have run for [`DETACH_AFTER`].
    detached: Arc<Semaphore>,
}

impl Control {
    /// Creates the control of a worker that runs until `stop` is cancelled.
    pub(crate) fn new(paused: watch::Receiver<Paused>, stop: CancellationToken) -> Self {
        Self { paused, stop, detached: Arc::new(Semaphore::new(MAX_DETACHED)) }
    }
}

/// A claimed job and its concurrency permit.
pub(crate) struct Work {
    app: App,
    claimed: ClaimedJob,
    permit: OwnedSemaphorePermit,
    control: Control,
}

impl Work {
    /// Runs the job and records its outcome. The permit is released as soon as the job has run, so that the next job
    /// starts while the outcome of this one is recorded.
    ///
    /// A job that has run for [`DETACH_AFTER`], such as a mail whose server does not answer, gives its permit back and
    /// goes on. If the worker stops, it does not wait for such a job, but queues it again.
    pub(crate) async fn run(work: Work) {
        let Work { app, claimed, permit, control } = work;
        let mut permit = Some(permit);
        let mut run = pin!(jobs::run(&app, claimed));
        let finished = match timeout(DETACH_AFTER, &mut run).await {
            Ok(finished) => finished,
            Err(_) => {
                let mut detached = None;
                loop {
                    tokio::select! {
                        finished = &mut run => break finished,
                        () = control.stop.cancelled() => return,
                        // Waits while too many jobs have given their permits back already.
                        slot = control.detached.acquire(), if detached.is_none() => {
                            detached = Some(slot);
                            permit.take();
                        }
                    }
                }
            }
        };
        drop(permit);
        jobs::complete(&app, finished).await;
    }
}

/// Takes ids from the queue, claims their jobs, and sends the jobs to the runtime, until the worker stops. Takes
/// nothing while the lane is paused.
///
/// The number of permits is the concurrency of the lane. An id is taken from the queue only if a permit is free, so
/// that its job can start immediately and no worker holds jobs that other workers could run.
pub(crate) async fn pull(app: App, worker: Worker, lane: Lane, sender: mpsc::Sender<Work>, control: Control) {
    let Control { mut paused, stop, .. } = control.clone();
    let permits = Arc::new(Semaphore::new(app.section::<JobSettings>().concurrency.of(lane)));
    let mut consumer = app.queue().consumer(lane.name());
    let mut is_backlogged = false;
    loop {
        let first = tokio::select! {
            permit = free_permit(&permits, &mut paused, lane) => permit,
            () = stop.cancelled() => return,
        };
        let Some(mut held) = first else { return };
        if is_backlogged {
            sleep(BATCH_WAIT).await;
        }
        let more = permits.available_permits().min(BATCH - 1);
        if let Ok(others) = permits.clone().try_acquire_many_owned(more as u32) {
            held.merge(others);
        }
        if stop.is_cancelled() {
            return;
        }
        // `pop` must run to its end: if it is dropped, the ids that it has removed are lost until the sweeper pushes
        // them.
        let ids = match consumer.pop(held.num_permits()).await {
            Ok(ids) => ids,
            Err(error) => {
                warn!(%error, lane = lane.name(), "the queue cannot be reached; will retry");
                sleep(RETRY_INTERVAL).await;
                continue;
            }
        };
        is_backlogged = ids.len() == held.num_permits();
        if ids.is_empty() {
            continue;
        }
        let claimed = match within(&app, STATEMENT_TIMEOUT, jobs::claim(&app, &worker, &ids)).await {
            Ok(claimed) => claimed,
            Err(error) => {
                warn!(%error, lane = lane.name(), "cannot claim jobs; the sweeper will push them again");
                sleep(RETRY_INTERVAL).await;
                continue;
            }
        };
        for claimed in claimed {
            let Some(permit) = held.split(1) else { return };
            if sender.send(Work { app: app.clone(), claimed, permit, control: control.clone() }).await.is_err() {
                return;
            }
        }
    }
}

/// Waits until the lane is known not to be paused and a permit is free, and returns the permit. Returns `None` if the
/// sender of `paused` is dropped.
async fn free_permit(
    permits: &Arc<Semaphore>,
    paused: &mut watch::Receiver<Paused>,
    lane: Lane,
) -> Option<OwnedSemaphorePermit> {
    paused.wait_for(|paused| paused.as_ref().is_some_and(|lanes| !lanes.contains(&lane))).await.ok()?;
    permits.clone().acquire_owned().await.ok()
}
