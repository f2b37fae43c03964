//! The wire inside one process.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::timeout};
use uuid::Uuid;

type Lanes = HashMap<&'static str, BTreeSet<Uuid>>;

/// Ids in memory. UUIDv7 sorts by time, so the first of a set is the oldest.
#[derive(Clone, Default)]
pub struct MemoryQueue {
    lanes: Arc<Mutex<Lanes>>,
    pushed: Arc<Notify>,
}

impl MemoryQueue {
    pub(crate) fn push(&self, lane: &'static str, ids: &[Uuid]) {
        self.lanes().entry(lane).or_default().extend(ids);
        self.pushed.notify_waiters();
    }

    pub(crate) fn depth(&self, lane: &str) -> u64 {
        self.lanes().get(lane).map_or(0, |ids| ids.len() as u64)
    }

    pub(crate) async fn pop(&self, lane: &str, limit: usize) -> Vec<Uuid> {
        let wait = async {
            loop {
                // Listening starts before looking, so that a push in between is heard.
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
        timeout(Duration::from_secs(1), wait).await.unwrap_or_default()
    }

    fn take(&self, lane: &str, limit: usize) -> Vec<Uuid> {
        let mut lanes = self.lanes();
        let Some(ids) = lanes.get_mut(lane) else { return Vec::new() };
        std::iter::from_fn(|| ids.pop_first()).take(limit).collect()
    }

    /// A panic while the lock was held leaves whole ids behind, so the data stays good.
    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
