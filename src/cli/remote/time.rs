//! The time of this machine, and times as the API takes them.

use chrono::SecondsFormat;
use portico_domain::platform::clock::{Clock, Time};

/// Returns the time of this machine.
pub(super) fn now() -> Time {
    Clock::System.now()
}

/// Returns a time as the API takes it (RFC 3339).
pub(super) fn rfc3339(time: Time) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
