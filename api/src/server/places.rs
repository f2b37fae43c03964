//! Places for connections: how many there may be, in all and for one network.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use ipnet::IpNet;
use portico_domain::actor::network_of;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, futures::Notified};
use tracing::warn;

use super::seldom::Seldom;

/// One network may have one in so many of the places.
const SHARE: usize = 4;

/// The places of one listener.
pub(crate) struct Places {
    free: Arc<Semaphore>,
    share: usize,
    /// Whose connections carry many clients, and so have no share.
    proxies: Arc<[IpNet]>,
    taken: Mutex<HashMap<String, usize>>,
    crowded: Notify,
    complained: Seldom,
}

/// A place that nobody has yet.
pub(super) struct FreePlace {
    permit: OwnedSemaphorePermit,
    places: Arc<Places>,
}

/// A place that a connection has; dropped, it is free again.
pub(super) struct Place {
    network: Option<String>,
    places: Arc<Places>,
    _permit: OwnedSemaphorePermit,
}

impl Places {
    /// So many in all, at least four. `proxies` may take all of them, any other network a quarter.
    pub(crate) fn new(most: usize, proxies: Arc<[IpNet]>) -> Arc<Self> {
        let most = most.clamp(SHARE, Semaphore::MAX_PERMITS);
        Arc::new(Self {
            free: Arc::new(Semaphore::new(most)),
            share: most / SHARE,
            proxies,
            taken: Mutex::default(),
            crowded: Notify::new(),
            complained: Seldom::new(),
        })
    }

    /// Waits for a place. Those who only keep theirs warm are told to go.
    pub(super) async fn next(self: &Arc<Self>) -> FreePlace {
        loop {
            if let Ok(permit) = self.free.clone().try_acquire_owned() {
                return FreePlace { permit, places: self.clone() };
            }
            if self.complained.again() {
                warn!("all places for connections are taken (PORTICO_CONNECTIONS); others wait");
            }
            self.make_room();
            // Given back at once: the next round takes it.
            drop(self.free.acquire().await);
        }
    }

    /// Tells connections that wait for their next request to go.
    pub(super) fn make_room(&self) {
        self.crowded.notify_waiters();
    }
}

impl FreePlace {
    /// Takes it for a client there; none if that network has its share.
    pub(super) fn of(self, ip: IpAddr) -> Option<Place> {
        let Self { permit, places } = self;
        let ip = ip.to_canonical();
        let network = (!places.proxies.iter().any(|proxy| proxy.contains(&ip))).then(|| network_of(ip));
        if let Some(network) = &network {
            let mut taken = places.taken.lock().unwrap_or_else(PoisonError::into_inner);
            let count = taken.entry(network.clone()).or_default();
            if *count >= places.share {
                return None;
            }
            *count += 1;
        }
        Some(Place { network, places, _permit: permit })
    }
}

impl Place {
    /// Ends when others wait for a place.
    pub(super) fn crowded(&self) -> Notified<'_> {
        self.places.crowded.notified()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(network) = &self.network else { return };
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(network) {
            *count -= 1;
            if *count == 0 {
                taken.remove(network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_network_has_its_share_and_a_proxy_all() {
        let places = Places::new(8, ["10.0.0.0/8".parse().unwrap()].into());
        let take = async |ip: &str| places.next().await.of(ip.parse().unwrap());
        let (one, two) = (take("192.0.2.1").await.unwrap(), take("::ffff:192.0.2.1").await.unwrap());
        assert!(take("192.0.2.1").await.is_none(), "two of eight");
        let other = take("192.0.2.2").await.unwrap();
        let proxy = [take("10.0.0.1").await, take("10.0.0.1").await, take("10.0.0.1").await];
        assert!(proxy.iter().all(Option::is_some));
        drop(one);
        assert!(take("192.0.2.1").await.is_some(), "the one that left made room");
        drop((two, other, proxy));
        assert!(places.taken.lock().unwrap().is_empty(), "nothing is kept of those who left");
        assert_eq!(places.free.available_permits(), 8);
    }

    #[tokio::test]
    async fn who_finds_no_place_waits_and_the_idle_are_told() {
        let places = Places::new(4, ["10.0.0.0/8".parse().unwrap()].into());
        let mut all = Vec::new();
        for _ in 0..4 {
            all.push(places.next().await.of("10.0.0.1".parse().unwrap()).unwrap());
        }
        let leaves = all.pop().unwrap();
        let mut told = Box::pin(leaves.crowded());
        told.as_mut().enable();
        let waits = tokio::spawn({
            let places = places.clone();
            async move { places.next().await.of("10.0.0.1".parse().unwrap()).is_some() }
        });
        told.await;
        assert!(!waits.is_finished());
        drop(leaves);
        assert!(waits.await.unwrap());
    }
}
