//! What this process remembers of each provider: its metadata and its keys.

use std::{
    future::Future,
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::TimeDelta;
use lru::LruCache;

use super::{discovery::Metadata, failure::OidcError, jwks::KeySet};
use crate::{
    identity::sso::provider::{IssuerRule, Provider},
    platform::clock::Time,
};

/// How many providers are remembered.
const MAX_PROVIDERS: usize = 1_000;
/// After this time a value is loaded again, so that a key that the provider has withdrawn is no longer accepted.
const TTL: TimeDelta = TimeDelta::hours(1);
/// How long a value is used if it cannot be loaded again.
const MAX_STALE: TimeDelta = TimeDelta::hours(24);
/// How often a value is loaded again at most, for example because a token names an unknown key.
const RELOAD_INTERVAL: TimeDelta = TimeDelta::seconds(60);
/// How often a value that was never loaded is tried at most.
const RETRY_INTERVAL: TimeDelta = TimeDelta::seconds(10);

/// The entries of the providers that were used most recently.
pub(super) struct ProviderCache(Mutex<LruCache<String, Arc<Entry>>>);

/// What is remembered of one provider.
pub(super) struct Entry {
    issuer: IssuerRule,
    /// The metadata.
    pub(super) metadata: Refreshed<Metadata>,
    /// The keys.
    pub(super) keys: Refreshed<KeySet>,
}

impl ProviderCache {
    /// Creates an empty cache.
    pub(super) fn new() -> Self {
        Self(Mutex::new(LruCache::new(NonZeroUsize::new(MAX_PROVIDERS).unwrap_or(NonZeroUsize::MIN))))
    }

    /// Returns the entry of `provider`. It is a new one if the provider has another issuer now.
    pub(super) fn entry(&self, provider: &Provider) -> Arc<Entry> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = entries.get(&provider.key).filter(|entry| entry.issuer == provider.issuer) {
            return entry.clone();
        }
        let issuer = provider.issuer.clone();
        let entry = Arc::new(Entry { issuer, metadata: Refreshed::default(), keys: Refreshed::default() });
        entries.put(provider.key.clone(), entry.clone());
        entry
    }
}

/// A value that is loaded when it is needed, at most once at the same time and at most once in an interval.
pub(super) struct Refreshed<T> {
    state: Mutex<State<T>>,
    /// Held while the value is loaded.
    loading: tokio::sync::Mutex<()>,
}

struct State<T> {
    value: Option<(Arc<T>, Time)>,
    attempted_at: Option<Time>,
}

impl<T> Default for Refreshed<T> {
    fn default() -> Self {
        Self { state: Mutex::new(State { value: None, attempted_at: None }), loading: tokio::sync::Mutex::default() }
    }
}

impl<T> Refreshed<T> {
    /// Returns the value if it is less than an hour old and `is_sufficient`. It does not wait.
    pub(super) fn current(&self, now: Time, is_sufficient: impl Fn(&T) -> bool) -> Option<Arc<T>> {
        let state = self.lock();
        let (value, loaded_at) = state.value.as_ref()?;
        ((now - *loaded_at).abs() < TTL && is_sufficient(value)).then(|| value.clone())
    }

    /// Returns the value as [`current`](Self::current) does, or the outcome of `load`. A caller that waits while
    /// another one loads the value gets the outcome of that load.
    ///
    /// If `load` fails or was called less than a minute ago, the value of the last day is returned, even if it is not
    /// sufficient.
    ///
    /// # Errors
    /// The error of `load`, or [`OidcError::NotLoaded`], if there is no value of the last day.
    pub(super) async fn get_or_load<F: Future<Output = Result<T, OidcError>>>(
        &self,
        now: Time,
        is_sufficient: impl Fn(&T) -> bool,
        load: impl FnOnce() -> F,
    ) -> Result<Arc<T>, OidcError> {
        let _loading = self.loading.lock().await;
        if let Some(value) = self.current(now, is_sufficient) {
            return Ok(value);
        }
        let failure = if self.begin_attempt(now) {
            match load().await {
                Ok(value) => {
                    let value = Arc::new(value);
                    self.lock().value = Some((value.clone(), now));
                    return Ok(value);
                }
                Err(error) => error,
            }
        } else {
            OidcError::NotLoaded
        };
        let state = self.lock();
        let stale = state.value.as_ref().filter(|(_, loaded_at)| (now - *loaded_at).abs() < MAX_STALE);
        stale.map(|(value, _)| value.clone()).ok_or(failure)
    }

    /// Returns whether the value may be loaded now, and counts this as an attempt if so.
    fn begin_attempt(&self, now: Time) -> bool {
        let mut state = self.lock();
        let interval = if state.value.is_some() { RELOAD_INTERVAL } else { RETRY_INTERVAL };
        // The absolute difference: a clock that was ahead must not delay the next attempt.
        let may_load = state.attempted_at.is_none_or(|at| (now - at).abs() >= interval);
        if may_load {
            state.attempted_at = Some(now);
        }
        may_load
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn at(seconds: i64) -> Time {
        Time::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    #[tokio::test]
    async fn a_value_is_loaded_once_a_minute_and_the_old_one_stays_if_that_fails() {
        let (cell, loads) = (Refreshed::<u32>::default(), AtomicU32::new(0));
        // A value is sufficient if it is at least `least`.
        let get = async |seconds: i64, least: u32, outcome: Result<u32, OidcError>| {
            let load = || async {
                loads.fetch_add(1, Ordering::Relaxed);
                outcome
            };
            let value = cell.get_or_load(at(seconds), |value| *value >= least, load).await;
            (value.map(|value| *value), loads.swap(0, Ordering::Relaxed))
        };
        let failed = || Err(OidcError::Refused("failed"));
        assert_eq!(get(0, 0, failed()).await, (failed(), 1));
        assert_eq!(get(9, 0, Ok(1)).await, (Err(OidcError::NotLoaded), 0));
        assert_eq!(get(10, 0, Ok(1)).await, (Ok(1), 1));
        assert_eq!(get(60, 0, Ok(2)).await, (Ok(1), 0), "sufficient");
        assert_eq!(get(69, 2, Ok(2)).await, (Ok(1), 0), "not sufficient, but loaded less than a minute ago");
        assert_eq!(get(70, 2, failed()).await, (Ok(1), 1), "the old value stays");
        assert_eq!(get(71, 2, Ok(2)).await, (Ok(1), 0));
        assert_eq!(get(130, 2, Ok(2)).await, (Ok(2), 1));
        assert_eq!(get(130 + 3_599, 0, Ok(3)).await, (Ok(2), 0));
        assert_eq!(get(130 + 3_600, 0, failed()).await, (Ok(2), 1), "too old, but the provider does not answer");
        assert_eq!(get(130 + 86_400, 0, failed()).await, (failed(), 1));
        assert_eq!(get(-10_000, 0, Ok(4)).await, (Ok(4), 1), "the clock was ahead");
    }

    #[tokio::test]
    async fn concurrent_callers_share_one_load() {
        let (cell, loads) = (Refreshed::<u32>::default(), AtomicU32::new(0));
        let load = || async {
            loads.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            Ok(7)
        };
        let calls = (0..10).map(|_| cell.get_or_load(at(0), |_| true, load));
        for value in futures_util::future::join_all(calls).await {
            assert_eq!(*value.unwrap(), 7);
        }
        assert_eq!(loads.into_inner(), 1);
    }
}
