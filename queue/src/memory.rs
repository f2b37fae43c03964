//! The job queue in the memory of one process.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::timeout};
use uuid::Uuid;

/// The ids of each lane, by the name of the lane.
type Lanes = HashMap<&'static str, BTreeSet<Uuid>>;

/// How long a consumer waits for the first id.
const WAIT_TIMEOUT: Duration = Duration::from_secs(1);

/// A job queue in memory. Ids are UUIDv7, which sort by time, so the first id of a set is the oldest.
#[derive(Clone, Default)]
pub struct MemoryQueue {
    lanes: Arc<Mutex<Lanes>>,
    pushed: Arc<Notify>,
}

impl MemoryQueue {
    /// Adds `ids` to `lane`. An id that is in the lane already keeps its position.
    pub(crate) fn push(&self, lane: &'static str, ids: &[Uuid]) {
        self.lanes().entry(lane).or_default().extend(ids);
        self.pushed.notify_waiters();
    }

    /// Returns the number of ids in `lane`.
    pub(crate) fn depth(&self, lane: &str) -> u64 {
        self.lanes().get(lane).map_or(0, |ids| ids.len() as u64)
    }

    /// Removes and returns the oldest ids of `lane`, at most `limit`. Waits up to one second for the first id.
    pub(crate) async fn pop(&self, lane: &str, limit: usize) -> Vec<Uuid> {
        let wait = async {
            loop {
                // Registered before the lane is read, so that a push between the two is not missed.
                let pushed = self.pushed.notified();
                tokio::pin!(pushed);
                pushed.as_mut().enable();
                let ids = self.take(lane, limit);
                if !ids.is_empty() {
                    return ids;
                }
                pushed.await;
            }
        };
        timeout(WAIT_TIMEOUT, wait).await.unwrap_or_default()
    }

    fn take(&self, lane: &str, limit: usize) -> Vec<Uuid> {
        let mut lanes = self.lanes();
        let Some(ids) = lanes.get_mut(lane) else { return Vec::new() };
        std::iter::from_fn(|| ids.pop_first()).take(limit).collect()
    }

    /// Locks and returns the lanes. The data is valid even after a panic in another thread that held the lock, so a
    /// poisoned lock is used as usual.
    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
