//! How long to wait before the next attempt.

use chrono::TimeDelta;

use crate::platform::random::Random;

/// Exponential back-off with a jitter of ±25 %, so that work that failed at the same time does not all run again at the
/// same time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    /// The delay after the first failed attempt in seconds, before jitter. It doubles after each further failure.
    pub(crate) first_seconds: f64,
    /// The maximum delay in seconds, before jitter.
    pub(crate) max_seconds: f64,
}

impl Backoff {
    /// After a failed attempt.
    pub(crate) const FAILURE: Self = Self { first_seconds: 5.0, max_seconds: 3_600.0 };
    /// While a service is unavailable. The maximum is shorter, so that work resumes soon after the outage.
    pub(crate) const OUTAGE: Self = Self { max_seconds: 300.0, ..Self::FAILURE };

    /// Returns the delay after the failed attempt with this number. The first attempt is 1.
    pub(crate) fn after(self, attempt: i32, random: Random) -> TimeDelta {
        let doubled = self.first_seconds * 2f64.powi(attempt.clamp(1, 30) - 1);
        let seconds = doubled.min(self.max_seconds) * (0.75 + random.fraction() / 2.0);
        TimeDelta::milliseconds((seconds * 1_000.0) as i64)
    }
}
