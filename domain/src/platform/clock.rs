//! The clock. Only this module reads the system clock.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, Duration, TimeDelta, TimeZone, Utc};
use uuid::{Builder, Uuid};

/// A time in UTC with a precision of microseconds.
///
/// Postgres stores microseconds, so a value does not change when it is written and read again.
pub type Time = DateTime<Utc>;

/// How far a stored time may be ahead of the time that the code could store now. A time further ahead was stored by a
/// process whose clock was wrong, and must not be believed: the clock is right again, but the row stays.
pub const MAX_CLOCK_ERROR: TimeDelta = TimeDelta::minutes(5);

/// Returns the smallest id (UUIDv7, RFC 9562 §5.7) that can be made at `time`. Rows with ids from this one on were
/// inserted at `time` or later, apart from differences between clocks.
pub(crate) fn first_id_at(time: Time) -> Uuid {
    let milliseconds = u64::try_from(time.timestamp_millis()).unwrap_or(0).min((1 << 48) - 1);
    Builder::from_unix_timestamp_millis(milliseconds, &[0; 10]).into_uuid()
}

/// A source of the current time.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The system clock.
    System,
    /// A clock that changes only through [`advance`](Self::advance), for tests. It holds microseconds since the Unix
    /// epoch.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// Returns a manual clock that shows `time`.
    pub fn manual(time: Time) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(time.timestamp_micros())))
    }

    /// Returns the current time, truncated to microseconds.
    pub fn now(&self) -> Time {
        let microseconds = match self {
            #[expect(clippy::disallowed_methods, reason = "only this module reads the system clock")]
            Self::System => Utc::now().timestamp_micros(),
            Self::Manual(microseconds) => microseconds.load(Ordering::SeqCst),
        };
        Utc.timestamp_micros(microseconds).single().unwrap_or_default()
    }

    /// Moves a manual clock by `by`. Does nothing for the system clock.
    pub fn advance(&self, by: Duration) {
        if let Self::Manual(microseconds) = self {
            microseconds.fetch_add(by.num_microseconds().unwrap_or(0), Ordering::SeqCst);
        }
    }
}
