//! How many requests to one provider run at the same time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::failure::OutboundError;

/// How many requests to one provider run at the same time.
pub(super) const MAX_REQUESTS: usize = 16;
/// How long a request waits for a slot.
const SLOT_TIMEOUT: Duration = Duration::from_secs(1);

/// A slot of a provider. It is free again when the last clone is dropped.
pub(super) type Slot = Arc<OwnedSemaphorePermit>;

/// The slots of each provider. A provider without a request has no entry.
#[derive(Default)]
pub(super) struct Slots(Mutex<HashMap<String, Arc<Semaphore>>>);

impl Slots {
    /// Waits for a slot of the provider `key`.
    ///
    /// # Errors
    /// [`OutboundError::Busy`] if there is none within a second.
    pub(super) async fn acquire(&self, key: &str) -> Result<Slot, OutboundError> {
        let semaphore = {
            let mut providers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // A slot and a request that waits for one hold a clone.
            providers.retain(|_, semaphore| Arc::strong_count(semaphore) > 1);
            providers.entry(key.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(MAX_REQUESTS))).clone()
        };
        match timeout(SLOT_TIMEOUT, semaphore.acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Arc::new(permit)),
            _ => Err(OutboundError::Busy),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_busy_provider_refuses_after_a_second_and_slows_no_other() {
        let slots = Slots::default();
        let mut taken = Vec::new();
        for _ in 0..MAX_REQUESTS {
            taken.push(slots.acquire("a").await.unwrap());
        }
        let began_at = tokio::time::Instant::now();
        assert!(matches!(slots.acquire("a").await, Err(OutboundError::Busy)));
        assert_eq!(began_at.elapsed().as_secs(), 1);
        drop(slots.acquire("b").await.unwrap());
        taken.pop();
        drop(slots.acquire("a").await.unwrap());
        taken.clear();
        drop(slots.acquire("c").await.unwrap());
        assert_eq!(slots.0.lock().unwrap().len(), 1, "idle providers have no entry");
    }
}
