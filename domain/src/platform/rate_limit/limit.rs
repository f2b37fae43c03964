//! What a rate limit is.

use std::time::Duration;

/// A rate limit. [`limits`](crate::limits) is the table of all of them.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// The name in responses and metrics, in snake_case.
    pub name: &'static str,
    /// The environment variable.
    pub setting: &'static str,
    /// The value in production if the variable is not set.
    pub default: &'static str,
    /// The value in development if the variable is not set.
    pub development: &'static str,
    /// Where the limit is counted.
    pub scope: Scope,
    /// What is counted, for the documentation.
    pub description: &'static str,
}

/// Where a rate limit is counted, and how its setting is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// In the database, exactly, for all processes. The setting is a [`Quota`].
    Shared,
    /// In the memory of one process, before any other work. The setting is a [`Quota`].
    Process,
    /// In the database, as consecutive failures without regard to time. The setting is a number of failures.
    Streak,
}

/// How much a limit allows: a burst, and the time in which a full burst becomes available again. Written `5/15m`.
///
/// The algorithm is GCRA (ATM Forum Traffic Management 4.0): one unit becomes available again every `window / burst`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// The number of units in a burst, at least 1.
    pub burst: u32,
    /// The time in which a full burst becomes available again.
    pub window: Duration,
}

impl Quota {
    /// Returns the microseconds after which one unit becomes available again.
    pub(super) fn interval_micros(self) -> i64 {
        i64::try_from(self.window.as_micros() / u128::from(self.burst)).unwrap_or(i64::MAX / 4)
    }

    /// Returns the microseconds in which a full burst becomes available again.
    pub(super) fn window_micros(self) -> i64 {
        i64::try_from(self.window.as_micros()).unwrap_or(i64::MAX / 4)
    }
}

/// A [`Limit`] that is on, with its quota.
#[derive(Clone, Copy, Debug)]
pub(super) struct ActiveLimit {
    /// The name of the limit, in snake_case.
    pub(super) name: &'static str,
    /// The quota of the limit.
    pub(super) quota: Quota,
}
