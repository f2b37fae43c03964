//! Slots for connections: how many there may be, in all and for one network.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use ipnet::IpNet;
use portico_domain::actor::network_of;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, futures::Notified};
use tracing::warn;

use super::log_throttle::LogThrottle;

/// One network may have one in so many of the places.
const SHARE: usize = 4;

/// The places of one listener.
pub(crate) struct ConnectionLimiter {
    free: Arc<Semaphore>,
    max_per_network: usize,
    /// Whose connections carry many clients, and so have no share.
    proxies: Arc<[IpNet]>,
    assigned: Mutex<HashMap<String, usize>>,
    eviction_requested: Notify,
    full_log: LogThrottle,
}

/// A place that nobody has yet.
pub(super) struct UnassignedPermit {
    permit: OwnedSemaphorePermit,
    limiter: Arc<ConnectionLimiter>,
}

/// A place that a connection has; dropped, it is free again.
pub(super) struct ConnectionPermit {
    network: Option<String>,
    limiter: Arc<ConnectionLimiter>,
    _permit: OwnedSemaphorePermit,
}

impl ConnectionLimiter {
    /// So many in all, at least four. `proxies` may take all of them, any other network a quarter.
    pub(crate) fn new(most: usize, proxies: Arc<[IpNet]>) -> Arc<Self> {
        let most = most.clamp(SHARE, Semaphore::MAX_PERMITS);
        Arc::new(Self {
            free: Arc::new(Semaphore::new(most)),
            max_per_network: most / SHARE,
            proxies,
            assigned: Mutex::default(),
            eviction_requested: Notify::new(),
            full_log: LogThrottle::new(),
        })
    }

    /// Waits for a slot. Those who only keep theirs warm are told to go.
    pub(super) async fn next(self: &Arc<Self>) -> UnassignedPermit {
        loop {
            if let Ok(permit) = self.free.clone().try_acquire_owned() {
                return UnassignedPermit { permit, limiter: self.clone() };
            }
            if self.full_log.should_log() {
                warn!("all connection slots are assigned (PORTICO_CONNECTIONS); others wait");
            }
            self.evict_idle();
            // Given back at once: the next round takes it.
            drop(self.free.acquire().await);
        }
    }

    /// Tells connections that wait for their next request to go.
    pub(super) fn evict_idle(&self) {
        self.eviction_requested.notify_waiters();
    }
}

impl UnassignedPermit {
    /// Takes it for a client there; none if that network has its share.
    pub(super) fn of(self, ip: IpAddr) -> Option<ConnectionPermit> {
        let Self { permit, limiter } = self;
        let ip = ip.to_canonical();
        let network = (!limiter.proxies.iter().any(|proxy| proxy.contains(&ip))).then(|| network_of(ip));
        if let Some(network) = &network {
            let mut assigned = limiter.assigned.lock().unwrap_or_else(PoisonError::into_inner);
            let count = assigned.entry(network.clone()).or_default();
            if *count >= limiter.max_per_network {
                return None;
            }
            *count += 1;
        }
        Some(ConnectionPermit { network, limiter, _permit: permit })
    }
}

impl ConnectionPermit {
    /// Ends when others wait for a place.
    pub(super) fn eviction_requested(&self) -> Notified<'_> {
        self.limiter.eviction_requested.notified()
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let Some(network) = &self.network else { return };
        let mut assigned = self.limiter.assigned.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = assigned.get_mut(network) {
            *count -= 1;
            if *count == 0 {
                assigned.remove(network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_network_has_its_share_and_a_proxy_all() {
        let limiter = ConnectionLimiter::new(8, ["10.0.0.0/8".parse().unwrap()].into());
        let take = async |ip: &str| limiter.next().await.of(ip.parse().unwrap());
        let (one, two) = (take("192.0.2.1").await.unwrap(), take("::ffff:192.0.2.1").await.unwrap());
        assert!(take("192.0.2.1").await.is_none(), "two of eight");
        let other = take("192.0.2.2").await.unwrap();
        let proxy = [take("10.0.0.1").await, take("10.0.0.1").await, take("10.0.0.1").await];
        assert!(proxy.iter().all(Option::is_some));
        drop(one);
        assert!(take("192.0.2.1").await.is_some(), "the one that left made room");
        drop((two, other, proxy));
        assert!(limiter.assigned.lock().unwrap().is_empty(), "nothing is kept of those who left");
        assert_eq!(limiter.free.available_permits(), 8);
    }

    #[tokio::test]
    async fn who_finds_no_place_waits_and_the_idle_are_told() {
        let limiter = ConnectionLimiter::new(4, ["10.0.0.0/8".parse().unwrap()].into());
        let mut all = Vec::new();
        for _ in 0..4 {
            all.push(limiter.next().await.of("10.0.0.1".parse().unwrap()).unwrap());
        }
        let leaves = all.pop().unwrap();
        let mut told = Box::pin(leaves.eviction_requested());
        told.as_mut().enable();
        let waits = tokio::spawn({
            let limiter = limiter.clone();
            async move { limiter.next().await.of("10.0.0.1".parse().unwrap()).is_some() }
        });
        told.await;
        assert!(!waits.is_finished());
        drop(leaves);
        assert!(waits.await.unwrap());
    }
}
