//! A cached value that is loaded at most once in a given time, regardless of the number of callers.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use tokio::sync::Mutex;

use crate::platform::error::Result;

/// The outcome of the last load and the time when it ended. Empty by default.
pub(crate) struct Cached<T>(Mutex<Option<(Instant, Result<T>)>>);

impl<T> Default for Cached<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T: Clone> Cached<T> {
    /// Forgets the cached value.
    pub(crate) async fn clear(&self) {
        *self.0.lock().await = None;
    }

    /// Returns the cached value if it is younger than `ttl`. Otherwise calls `load`, and caches and returns its value.
    ///
    /// Concurrent callers wait for the running `load`. If it fails, they get the same error: if each of them called
    /// `load` in turn, and each `load` waited for a database that does not answer, the last would wait very long. Later
    /// callers call `load` again.
    ///
    /// # Errors
    /// The error of `load`.
    pub(crate) async fn get_or_load<F: Future<Output = Result<T>>>(
        &self,
        ttl: Duration,
        load: impl FnOnce() -> F,
    ) -> Result<T> {
        let began_at = Instant::now();
        let mut last = self.0.lock().await;
        match &*last {
            Some((ended_at, Ok(value))) if ended_at.elapsed() < ttl => return Ok(value.clone()),
            Some((ended_at, Err(error))) if *ended_at > began_at => return Err(error.clone()),
            _ => (),
        }
        let outcome = load().await;
        *last = Some((Instant::now(), outcome.clone()));
        outcome
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures_util::future::join_all;

    use super::*;
    use crate::platform::error::Error;

    /// Calls `get_or_load` ten times at once, with loads that end in `outcome`. Returns the number of loads.
    async fn load_ten_times(cached: &Cached<u32>, outcome: Result<u32>) -> u32 {
        let loads = AtomicU32::new(0);
        let load = async || {
            loads.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            outcome.clone()
        };
        let outcomes = join_all((0..10).map(|_| cached.get_or_load(Duration::from_secs(60), load))).await;
        for got in outcomes {
            assert_eq!(got.map_err(|error| error.code()), outcome.clone().map_err(|error| error.code()));
        }
        loads.into_inner()
    }

    #[tokio::test]
    async fn callers_that_wait_get_the_outcome_of_the_running_load() {
        let cached = Cached::default();
        for error in [Error::Unavailable("no connection".into()), Error::Internal("broken".into()), Error::Overloaded] {
            assert_eq!(load_ten_times(&cached, Err(error)).await, 1);
        }
        assert_eq!(load_ten_times(&cached, Ok(7)).await, 1);
        assert_eq!(load_ten_times(&cached, Ok(7)).await, 0, "the value is cached");
        cached.clear().await;
        assert_eq!(load_ten_times(&cached, Ok(8)).await, 1);
    }
}
