//! How many overviews are computed at a time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use portico_entity::TenantId;
use tokio::{
    sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::platform::error::{Error, Result};

/// How long a request waits for the others of its tenant.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// How many requests of a tenant are computed or wait. Each of them takes one of the requests that the process handles.
const MAX_REQUESTS: usize = 5;

/// The overviews that this process computes: one at a time for each tenant.
///
/// The figures of a year take a large tenant much time in the database. Without a limit, the staff users of one tenant
/// could use all connections of the process to it. The limit also holds with several processes: a tenant uses no more
/// connections than there are processes.
///
/// The figures are not kept for the next request instead. Each process would keep those of another time, so a page that
/// is loaded again could show smaller numbers than before. And each range of days would need an entry of its own.
#[derive(Default)]
pub struct OverviewQueue(Mutex<HashMap<TenantId, Turns>>);

/// The turns of a tenant. They stay in memory, because they have less than two hundred bytes.
#[derive(Clone)]
struct Turns {
    places: Arc<Semaphore>,
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Default for Turns {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(MAX_REQUESTS)), turn: Arc::default() }
    }
}

/// The turn of a request. It ends when the value is dropped.
pub(super) struct Turn {
    _turn: OwnedMutexGuard<()>,
    _place: OwnedSemaphorePermit,
}

impl OverviewQueue {
    /// Waits for the turn of a request of `tenant`.
    ///
    /// # Errors
    /// `overloaded`: too many requests of the tenant wait, or the others take too long.
    pub(super) async fn wait(&self, tenant: TenantId) -> Result<Turn> {
        let turns = self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(tenant).or_default().clone();
        let place = turns.places.try_acquire_owned().map_err(|_| Error::Overloaded)?;
        let turn = timeout(MAX_WAIT, turns.turn.lock_owned()).await.map_err(|_| Error::Overloaded)?;
        Ok(Turn { _turn: turn, _place: place })
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use tokio::time::Instant;
    use uuid::Uuid;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_tenant_waits_for_itself_only() {
        let (queue, [tenant, other]) = (OverviewQueue::default(), [1, 2].map(|id| TenantId(Uuid::from_u128(id))));
        let turn = queue.wait(tenant).await.unwrap();
        assert!(queue.wait(other).await.is_ok());
        assert!(matches!(queue.wait(tenant).await, Err(Error::Overloaded)));
        let (next, ()) = tokio::join!(queue.wait(tenant), async { drop(turn) });
        assert!(next.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn requests_beyond_the_limit_do_not_wait() {
        let (queue, tenant) = (OverviewQueue::default(), TenantId(Uuid::from_u128(1)));
        let _turn = queue.wait(tenant).await.unwrap();
        let start = Instant::now();
        let outcomes =
            join_all((0..MAX_REQUESTS).map(|_| async { (queue.wait(tenant).await.is_ok(), start.elapsed()) }));
        let mut waits: Vec<_> = outcomes.await.into_iter().map(|(is_ok, waited)| (is_ok, waited < MAX_WAIT)).collect();
        assert_eq!(waits.pop(), Some((false, true)), "the last one is refused at once");
        assert!(waits.iter().all(|wait| *wait == (false, false)));
    }
}
