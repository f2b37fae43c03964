//! A rate limit for a log message that many connections could cause at the same time.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The shortest time between two log messages.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// A rate limit of one log message per [`LOG_INTERVAL`].
pub(crate) struct LogLimiter(Mutex<Option<Instant>>);

impl LogLimiter {
    /// Returns a limit that allows the first message immediately.
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Whether the caller should log now. If so, the next [`LOG_INTERVAL`] starts.
    pub(crate) fn should_log(&self) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = last.is_none_or(|last| last.elapsed() >= LOG_INTERVAL);
        if is_due {
            *last = Some(Instant::now());
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_message_of_an_interval_is_logged() {
        let limiter = LogLimiter::new();
        assert!(limiter.should_log());
        assert!(!limiter.should_log());
    }
}
