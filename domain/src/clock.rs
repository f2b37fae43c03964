//! The only place that reads the clock.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, Duration, TimeZone, Utc};

/// A moment in UTC, with microseconds: what Postgres keeps, so that a value survives a round trip.
pub type Time = DateTime<Utc>;

/// Where the time comes from.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The system's clock.
    System,
    /// A clock that stands still until it is moved; for tests.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `time`.
    pub fn manual(time: Time) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(time.timestamp_micros())))
    }

    /// The time now.
    pub fn now(&self) -> Time {
        let microseconds = match self {
            #[expect(clippy::disallowed_methods, reason = "this is the owner")]
            Self::System => Utc::now().timestamp_micros(),
            Self::Manual(microseconds) => microseconds.load(Ordering::SeqCst),
        };
        Utc.timestamp_micros(microseconds).single().unwrap_or_default()
    }

    /// Moves a manual clock; the system's clock stays as it is.
    pub fn advance(&self, by: Duration) {
        if let Self::Manual(microseconds) = self {
            microseconds.fetch_add(by.num_microseconds().unwrap_or(0), Ordering::SeqCst);
        }
    }
}
