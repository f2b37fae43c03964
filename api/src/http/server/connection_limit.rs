//! A limit of the connections of one listener, in total and per network.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use ipnet::IpNet;
use portico_domain::platform::actor::network_of;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, futures::Notified};
use tracing::warn;

use super::log_limiter::LogLimiter;

/// One network may use the maximum number of connections divided by this number.
const NETWORK_SHARE_DIVISOR: usize = 4;

/// Limits the connections of one listener.
pub(crate) struct ConnectionLimiter {
    /// One permit per free slot.
    free: Arc<Semaphore>,
    max_per_network: usize,
    /// The trusted proxies. They connect for many clients, so `max_per_network` does not apply to them.
    proxies: Arc<[IpNet]>,
    /// The number of connections of each network, without those of the proxies.
    assigned: Mutex<HashMap<String, usize>>,
    /// Notified when a new connection needs a slot and none is free.
    eviction_requested: Notify,
    full_log: LogLimiter,
}

/// A slot that is reserved for the next connection, whose network is not known yet.
pub(super) struct UnassignedPermit {
    permit: OwnedSemaphorePermit,
    limiter: Arc<ConnectionLimiter>,
}

/// The slot of one connection. It becomes free when this is dropped.
pub(super) struct ConnectionPermit {
    network: Option<String>,
    limiter: Arc<ConnectionLimiter>,
    _permit: OwnedSemaphorePermit,
}

impl ConnectionLimiter {
    /// Returns a limiter of `max_connections`, at least [`NETWORK_SHARE_DIVISOR`]. The networks in `proxies` may
    /// use all of them, any other network that number divided by [`NETWORK_SHARE_DIVISOR`].
    pub(crate) fn new(max_connections: usize, proxies: Arc<[IpNet]>) -> Arc<Self> {
        let max_connections = max_connections.clamp(NETWORK_SHARE_DIVISOR, Semaphore::MAX_PERMITS);
        Arc::new(Self {
            free: Arc::new(Semaphore::new(max_connections)),
            max_per_network: max_connections / NETWORK_SHARE_DIVISOR,
            proxies,
            assigned: Mutex::default(),
            eviction_requested: Notify::new(),
            full_log: LogLimiter::new(),
        })
    }

    /// Waits for a free slot. While it waits, idle connections are asked to close.
    pub(super) async fn acquire(self: &Arc<Self>) -> UnassignedPermit {
        loop {
            if let Ok(permit) = self.free.clone().try_acquire_owned() {
                return UnassignedPermit { permit, limiter: self.clone() };
            }
            if self.full_log.should_log() {
                warn!("all connection slots are in use (PORTICO_CONNECTIONS); new connections wait");
            }
            self.evict_idle();
            // The permit is released immediately, and the next iteration acquires it.
            drop(self.free.acquire().await);
        }
    }

    /// Asks the connections that wait for their next request to close.
    pub(super) fn evict_idle(&self) {
        self.eviction_requested.notify_waiters();
    }
}

impl UnassignedPermit {
    /// Assigns the slot to a connection from `ip`. Returns `None`, and frees the slot, if the network has used its
    /// share.
    pub(super) fn assign(self, ip: IpAddr) -> Option<ConnectionPermit> {
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
    /// Resolves when another connection waits for a slot, that is, when this connection should close if it is idle.
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
    async fn network_is_limited_to_its_share_and_proxy_is_not() {
        let limiter = ConnectionLimiter::new(8, ["10.0.0.0/8".parse().unwrap()].into());
        let connect = async |ip: &str| limiter.acquire().await.assign(ip.parse().unwrap());
        let (first, second) = (connect("192.0.2.1").await.unwrap(), connect("::ffff:192.0.2.1").await.unwrap());
        assert!(connect("192.0.2.1").await.is_none(), "a network may use two of eight slots");
        let other = connect("192.0.2.2").await.unwrap();
        let proxy = [connect("10.0.0.1").await, connect("10.0.0.1").await, connect("10.0.0.1").await];
        assert!(proxy.iter().all(Option::is_some));
        drop(first);
        assert!(connect("192.0.2.1").await.is_some(), "the slot of the closed connection is free");
        drop((second, other, proxy));
        assert!(limiter.assigned.lock().unwrap().is_empty(), "networks without connections are removed");
        assert_eq!(limiter.free.available_permits(), 8);
    }

    #[tokio::test]
    async fn new_connection_waits_for_a_slot_and_requests_eviction() {
        let limiter = ConnectionLimiter::new(4, ["10.0.0.0/8".parse().unwrap()].into());
        let mut permits = Vec::new();
        for _ in 0..4 {
            permits.push(limiter.acquire().await.assign("10.0.0.1".parse().unwrap()).unwrap());
        }
        let idle = permits.pop().unwrap();
        let mut eviction_requested = Box::pin(idle.eviction_requested());
        eviction_requested.as_mut().enable();
        let waiting = tokio::spawn({
            let limiter = limiter.clone();
            async move { limiter.acquire().await.assign("10.0.0.1".parse().unwrap()).is_some() }
        });
        eviction_requested.await;
        assert!(!waiting.is_finished());
        drop(idle);
        assert!(waiting.await.unwrap());
    }
}
