//! The range of days that figures are about.

use chrono::{Days as DayCount, NaiveDate, NaiveTime};

use crate::platform::{
    clock::Time,
    error::{Error, Result},
};

/// The longest range.
const MAX_DAYS: i64 = 366;
/// The length of the range if its first day is not given.
const DEFAULT_DAYS: u64 = 30;

/// A range of days (UTC), 1 to 366 days long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    first: NaiveDate,
    last: NaiveDate,
}

impl Days {
    /// Returns the days from `first` to `last`, both included. Without `last`, the range ends with the day of `now`,
    /// and without `first`, it has 30 days.
    ///
    /// # Errors
    /// `validation_failed` at `/from` with the field code `range_invalid` if `first` is later than the last day, or if
    /// the range has more than 366 days.
    pub fn new(first: Option<NaiveDate>, last: Option<NaiveDate>, now: Time) -> Result<Self> {
        let last = last.unwrap_or_else(|| now.date_naive());
        let first = first.unwrap_or_else(|| last - DayCount::new(DEFAULT_DAYS - 1));
        let problem = |detail| Err(Error::invalid("/from", "range_invalid", detail));
        match (last - first).num_days() {
            ..0 => problem("must not be later than to, which is today if it is absent"),
            MAX_DAYS.. => problem("must be at most 365 days before to, which is today if it is absent"),
            _ => Ok(Self { first, last }),
        }
    }

    /// Returns the days, the first one first.
    pub(super) fn iter(self) -> impl Iterator<Item = NaiveDate> {
        self.first.iter_days().take_while(move |day| *day <= self.last)
    }

    /// Returns the beginning of the first day.
    pub(super) fn start(self) -> Time {
        self.first.and_time(NaiveTime::MIN).and_utc()
    }

    /// Returns the end of the last day, which is the beginning of the day after it.
    pub(super) fn end(self) -> Time {
        (self.last + DayCount::new(1)).and_time(NaiveTime::MIN).and_utc()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_30_days_by_default_and_366_at_most() {
        let day = |text: &str| Some(text.parse::<NaiveDate>().unwrap());
        let now: Time = "2026-11-28T23:59:59Z".parse().unwrap();
        let length = |first, last| Days::new(first, last, now).map(|days| days.iter().count()).ok();
        assert_eq!(Days::new(None, None, now).unwrap(), Days::new(day("2026-10-30"), day("2026-11-28"), now).unwrap());
        assert_eq!((length(None, None), length(None, day("2024-03-01"))), (Some(30), Some(30)));
        assert_eq!((length(day("2026-11-28"), None), length(day("2026-11-29"), None)), (Some(1), None));
        assert_eq!(length(day("2025-11-28"), day("2026-11-28")), Some(366));
        assert_eq!(length(day("2025-11-27"), day("2026-11-28")), None);
        assert_eq!(length(day("0000-01-01"), day("9999-12-31")), None);
        assert_eq!(
            (length(None, day("0000-01-01")), length(day("9999-12-31"), day("9999-12-31"))),
            (Some(30), Some(1))
        );
    }
}
