//! Charging as many units as a limit has left.

use super::{Limit, RateLimitSettings, counters};
use crate::platform::{app::App, error::Result, tx::Tx};

/// The bounds of a counter that is only given units back. A sum with them does not overflow.
const UNBOUNDED: (i64, i64) = (i64::MIN / 2, i64::MAX / 2);

/// Charges up to `wanted` units of `limit` for each subject, within `tx`: without a commit nothing is counted. Returns
/// how many units were charged to each subject.
///
/// The rows stay locked until the transaction ends. No two subjects may be equal.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(crate) async fn reserve_up_to(tx: &Tx, limit: &Limit, subjects: &[(Vec<String>, u32)]) -> Result<Vec<u32>> {
    let app = tx.app();
    let Some(quota) = app.section::<RateLimitSettings>().quota(limit) else {
        return Ok(subjects.iter().map(|(_, wanted)| *wanted).collect());
    };
    let keys: Vec<String> = subjects.iter().map(|(subject, _)| key_of(app, limit, subject)).collect();
    let (now, interval) = (app.now().timestamp_micros(), quota.interval_micros());
    let wanted: Vec<_> =
        keys.iter().zip(subjects).map(|(key, (_, wanted))| (key.as_str(), i64::from(*wanted))).collect();
    let steps: Vec<_> = wanted.iter().map(|(key, wanted)| (*key, wanted * interval)).collect();
    let latest = now.saturating_add(quota.window_micros());
    let expires_at = app.now() + quota.window * 2;
    let arrivals = counters::add(tx.db(), &steps, (now, latest), expires_at.into()).await?;
    let tolerance = interval.saturating_mul(i64::from(quota.burst) - 1);
    let granted = |(key, wanted): &(&str, i64)| {
        // Before the charge. A unit is granted if the units before it leave it within the tolerance.
        let arrival = arrivals.get(*key).copied().unwrap_or(latest) - wanted * interval;
        let room = now + tolerance - arrival;
        if room < 0 { 0 } else { Ord::min(*wanted, room / interval.max(1) + 1) }
    };
    let granted: Vec<i64> = wanted.iter().map(granted).collect();
    let surplus: Vec<_> = wanted
        .iter()
        .zip(&granted)
        .filter(|((_, wanted), granted)| *granted < wanted)
        .map(|((key, wanted), granted)| (*key, (granted - wanted) * interval))
        .collect();
    counters::add(tx.db(), &surplus, UNBOUNDED, expires_at.into()).await?;
    Ok(granted.into_iter().map(|granted| u32::try_from(granted).unwrap_or(0)).collect())
}

/// Gives back units of `limit` that [`reserve_up_to`] has charged to these subjects in this transaction.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(crate) async fn give_back(tx: &Tx, limit: &Limit, subjects: &[(Vec<String>, u32)]) -> Result<()> {
    let app = tx.app();
    let Some(quota) = app.section::<RateLimitSettings>().quota(limit) else { return Ok(()) };
    let unused = subjects.iter().filter(|(_, units)| *units > 0);
    let steps: Vec<_> = unused
        .map(|(subject, units)| (key_of(app, limit, subject), -i64::from(*units) * quota.interval_micros()))
        .collect();
    let steps: Vec<_> = steps.iter().map(|(key, step)| (key.as_str(), *step)).collect();
    counters::add(tx.db(), &steps, UNBOUNDED, (app.now() + quota.window * 2).into()).await?;
    Ok(())
}

fn key_of(app: &App, limit: &Limit, subject: &[String]) -> String {
    let parts: Vec<&str> = subject.iter().map(String::as_str).collect();
    counters::key(app, limit.name, &parts)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::{limits, platform::rate_limit::reserve, testing};

    #[tokio::test]
    async fn as_many_units_are_charged_as_are_left() {
        let app = testing::app().await;
        let take = async |wanted: &[(&str, u32)]| {
            let tx = app.begin().await.unwrap();
            let subjects: Vec<_> = wanted.iter().map(|(name, units)| (vec![(*name).to_owned()], *units)).collect();
            let granted = reserve_up_to(&tx, &limits::INVITE_RECIPIENT, &subjects).await.unwrap();
            tx.commit().await.unwrap();
            granted
        };
        // 10/1d.
        assert_eq!(take(&[("ann", 3), ("bob", 12)]).await, [3, 10]);
        assert_eq!(take(&[("ann", 8), ("bob", 1), ("cid", 1)]).await, [7, 0, 1]);
        assert!(reserve(&app, &limits::INVITE_RECIPIENT, &["ann"]).await.is_err(), "the same counter");
        app.clock().advance(TimeDelta::days(1) / 10 * 2);
        assert_eq!(take(&[("bob", 5)]).await, [2]);
        let tx = app.begin().await.unwrap();
        give_back(&tx, &limits::INVITE_RECIPIENT, &[(vec!["bob".into()], 2), (vec!["ann".into()], 0)]).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(take(&[("bob", 5)]).await, [2]);
        app.clock().advance(TimeDelta::days(2));
        assert_eq!(take(&[("bob", 50)]).await, [10]);
    }

    #[tokio::test]
    async fn counter_from_a_wrong_clock_is_exhausted_for_one_period_only() {
        let app = testing::app().await;
        let take = async || {
            let tx = app.begin().await.unwrap();
            let granted = reserve_up_to(&tx, &limits::INVITE_RECIPIENT, &[(vec!["ann".into()], 20)]).await.unwrap();
            tx.commit().await.unwrap();
            granted
        };
        app.clock().advance(TimeDelta::days(400));
        assert_eq!(take().await, [10]);
        app.clock().advance(-TimeDelta::days(400));
        assert_eq!(take().await, [0]);
        app.clock().advance(TimeDelta::days(1));
        assert_eq!(take().await, [10]);
    }
}
