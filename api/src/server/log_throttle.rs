//! Saying a thing once, not once for each connection that it happens to.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long nothing is said after something was.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// A warning that is made at most once a minute.
pub(super) struct LogThrottle(Mutex<Option<Instant>>);

impl LogThrottle {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Whether it is time to complain; if so, it has been done.
    pub(super) fn should_log(&self) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_time = last.is_none_or(|last| last.elapsed() >= LOG_INTERVAL);
        if is_time {
            *last = Some(Instant::now());
        }
        is_time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_once() {
        let seldom = LogThrottle::new();
        assert!(seldom.should_log());
        assert!(!seldom.should_log());
    }
}
