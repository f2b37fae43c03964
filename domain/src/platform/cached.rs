//! A cached value that is loaded at most once in a given time, regardless of the number of callers.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use tokio::sync::Mutex;

use crate::platform::error::Result;

/// The last loaded value and the time when it was loaded. Empty by default.
pub(crate) struct Cached<T>(Mutex<Option<(Instant, T)>>);

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
    /// Concurrent callers wait for the running `load`. An error is not cached.
    ///
    /// # Errors
    /// The error of `load`.
    pub(crate) async fn get_or_load<F: Future<Output = Result<T>>>(
        &self,
        ttl: Duration,
        load: impl FnOnce() -> F,
    ) -> Result<T> {
        let mut last = self.0.lock().await;
        match &*last {
            Some((loaded_at, value)) if loaded_at.elapsed() < ttl => Ok(value.clone()),
            _ => {
                let value = load().await?;
                *last = Some((Instant::now(), value.clone()));
                Ok(value)
            }
        }
    }
}
