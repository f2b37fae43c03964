//! Saying a thing once, not once for each connection that it happens to.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long nothing is said after something was.
const QUIET: Duration = Duration::from_secs(60);

/// A complaint that is made at most once a minute.
pub(super) struct Seldom(Mutex<Option<Instant>>);

impl Seldom {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Whether it is time to complain; if so, it has been done.
    pub(super) fn again(&self) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_time = last.is_none_or(|last| last.elapsed() >= QUIET);
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
        let seldom = Seldom::new();
        assert!(seldom.again());
        assert!(!seldom.again());
    }
}
