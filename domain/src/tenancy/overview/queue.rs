//! How many overviews are computed at a time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use portico_entity::TenantId;
use tokio::{sync::OwnedMutexGuard, time::timeout};

use crate::platform::error::{Error, Result};

/// How long a request waits for the others of its tenant.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// The overviews that this process computes: one at a time for each tenant.
///
/// The figures of a year take a large tenant much time in the database. Without a limit, the staff users of one tenant
/// could use all connections of the process to it. The limit also holds with several processes: a tenant uses no more
/// connections than there are processes.
///
/// The figures are not kept for the next request instead. Each process would keep those of another time, so a page that
/// is loaded again could show smaller numbers than before. And each range of days would need an entry of its own.
#[derive(Default)]
pub struct OverviewQueue(Mutex<HashMap<TenantId, Turn>>);

/// The turn of a tenant. It stays in memory, because it has less than a hundred bytes.
type Turn = Arc<tokio::sync::Mutex<()>>;

impl OverviewQueue {
    /// Waits for the turn of a request of `tenant`. The turn ends when the guard is dropped.
    ///
    /// # Errors
    /// `overloaded`: other requests of the tenant take too long.
    pub(super) async fn wait(&self, tenant: TenantId) -> Result<OwnedMutexGuard<()>> {
        let turn = self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(tenant).or_default().clone();
        timeout(MAX_WAIT, turn.lock_owned()).await.map_err(|_| Error::Overloaded)
    }
}

#[cfg(test)]
mod tests {
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
}
