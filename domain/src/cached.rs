//! Something looked up now and then, however many ask for it.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use tokio::sync::Mutex;

use crate::error::Result;

/// The last answer, and when it came.
pub(crate) struct Cached<T>(Mutex<Option<(Instant, T)>>);

impl<T> Default for Cached<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T: Clone> Cached<T> {
    /// The last answer if it is younger than `ttl`, else a new one. Those who ask meanwhile wait for it; a failure is
    /// not remembered.
    ///
    /// # Errors
    /// As `load` does.
    pub(crate) async fn get_or_load<F: Future<Output = Result<T>>>(
        &self,
        ttl: Duration,
        load: impl FnOnce() -> F,
    ) -> Result<T> {
        let mut last = self.0.lock().await;
        match &*last {
            Some((at, answer)) if at.elapsed() < ttl => Ok(answer.clone()),
            _ => {
                let answer = load().await?;
                *last = Some((Instant::now(), answer.clone()));
                Ok(answer)
            }
        }
    }
}
