//! Rate limits against guessing and flooding, counted in the database and therefore exact over all processes.
//!
//! An attempt is charged *before* its secret is checked, and in the same way for an unknown email address as for a
//! known one. So neither the count nor the time tells whether an account exists.
//!
//! - A charge (`Charge`) is the set of units that one attempt uses.
//! - A reservation ([`Reservation`]) is a charge that was counted. It can be refunded.
//! - A failure streak (`FailureStreak`) is a counter of consecutive failures. It does not recover with time.

mod counters;
mod limit;
mod settings;
mod up_to;

use portico_entity::rate_limit;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::Expr};

use self::counters::{Increment, StreakUpdate, key};
use crate::platform::{
    app::App,
    error::{Error, Result},
    tx::Tx,
};

pub use limit::{Limit, Quota, Scope};
pub use settings::RateLimitSettings;
pub(crate) use up_to::{give_back, reserve_up_to};

/// The units that an attempt uses: one of each limit, and perhaps one failure of a failure streak.
pub(crate) struct Charge(Vec<Increment>);

/// A charge that was counted, and that can be refunded. Dropping it leaves the attempt counted.
#[must_use]
pub struct Reservation {
    units: Vec<Increment>,
    /// The failure streak including this attempt, or 0 when the charge has none.
    streak: i64,
}

/// Identifies a counter of consecutive failures: its limit and its subject. Time does not reduce the counter.
pub(crate) struct FailureStreak<'a> {
    /// The limit on the length of the streak. Its scope is [`Scope::Streak`].
    pub(crate) limit: &'static Limit,
    /// What is counted, such as an address and a device.
    pub(crate) subject: &'a [&'a str],
}

impl Charge {
    /// Returns a charge of one unit of each of these limits for its subject. Leaves out limits that the settings turn
    /// off.
    ///
    /// The rows are locked in the given order. Every use case lists the limit that most requests share first, so that
    /// no two use cases can deadlock.
    pub(crate) fn of(app: &App, limits: &[(&Limit, &[&str])]) -> Self {
        Self(limits.iter().filter_map(|(limit, subject)| Increment::of(app, limit, subject)).collect())
    }

    /// Returns the keys of the charged counters.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|unit| unit.key.as_str())
    }
}

/// Charges one unit of `limit` for `subject`.
///
/// # Errors
/// - `too_many_requests` when the limit has no unit left.
/// - `unavailable` or `internal` when the database fails.
pub async fn reserve(app: &App, limit: &Limit, subject: &[&str]) -> Result<Reservation> {
    reserve_all(app, &[(limit, subject)]).await
}

/// Charges one unit of each of several limits, or of none of them.
///
/// # Errors
/// - `too_many_requests` when one of the limits has no unit left.
/// - `unavailable` or `internal` when the database fails.
pub(crate) async fn reserve_all(app: &App, limits: &[(&Limit, &[&str])]) -> Result<Reservation> {
    reserve_charge(app, Charge::of(app, limits)).await
}

/// Charges one unit of each of several limits and adds one failure to `streak`, or does neither. The failure stays
/// counted unless the caller calls [`Reservation::succeeded`] or [`Reservation::refund`].
///
/// # Errors
/// - `too_many_requests` when one of the limits has no unit left. Then nothing stays counted. If a concurrent request
///   used the last unit, other requests may see this attempt as counted until it is refunded.
/// - `unavailable` or `internal` when the database fails.
pub(crate) async fn reserve_attempt(
    app: &App,
    limits: &[(&Limit, &[&str])],
    streak: FailureStreak<'_>,
) -> Result<Reservation> {
    let mut charge = Charge::of(app, limits);
    charge.0.push(Increment::failure(app, streak.limit.name, streak.subject));
    reserve_charge(app, charge).await
}

async fn reserve_charge(app: &App, Charge(units): Charge) -> Result<Reservation> {
    let streak = counters::reserve(app, app.db(), &[&units]).await?.pop();
    let streak = streak.unwrap_or_else(|| Err(Error::Internal("the charge was not counted".into())))?;
    Ok(Reservation { units, streak })
}

/// Charges several attempts by one statement within `tx`. Each charge is counted completely or not at all. Returns one
/// result for each charge.
///
/// This is for use cases without a secret to guess, where the charge and the act may commit together: without a
/// commit nothing is counted. The rows stay locked until the transaction ends, so call this first in the transaction.
/// No two charges may contain the same counter.
///
/// # Errors
/// - The outer error: `unavailable` or `internal` when the database fails.
/// - The inner errors: `too_many_requests` for each charge that is refused.
pub(crate) async fn reserve_each(tx: &Tx, charges: &[&Charge]) -> Result<Vec<Result<()>>> {
    let charges: Vec<&[Increment]> = charges.iter().map(|charge| charge.0.as_slice()).collect();
    let results = counters::reserve(tx.app(), tx.db(), &charges).await?;
    Ok(results.into_iter().map(|result| result.map(drop)).collect())
}

impl Reservation {
    /// Returns the failure streak including this attempt, or 0 when the charge has none.
    pub(crate) fn streak(&self) -> i64 {
        self.streak
    }

    /// Refunds the whole charge and subtracts its failure from the streak: the attempt was not made, or it succeeded
    /// and the charge has no streak.
    ///
    /// # Errors
    /// `unavailable` or `internal` when the database fails.
    pub async fn refund(self, app: &App) -> Result<()> {
        counters::refund(app.db(), &self.units, StreakUpdate::Decrement).await
    }

    /// Refunds the units and resets the failure streak, because the attempt succeeded.
    ///
    /// # Errors
    /// `unavailable` or `internal` when the database fails.
    pub(crate) async fn succeeded(&self, db: &impl ConnectionTrait) -> Result<()> {
        counters::refund(db, &self.units, StreakUpdate::Reset).await
    }

    /// Keeps the units charged and subtracts the failure from the streak: the secret was right, but the attempt was
    /// refused for another reason. So such an attempt uses as many units as one with a wrong secret.
    ///
    /// # Errors
    /// `unavailable` or `internal` when the database fails.
    pub(crate) async fn refused_although_right(&self, db: &impl ConnectionTrait) -> Result<()> {
        let failures: Vec<_> = self.units.iter().filter(|unit| unit.is_failure()).cloned().collect();
        counters::refund(db, &failures, StreakUpdate::Decrement).await
    }

    /// Refunds the whole charge if `result`, the result of what was charged, is a transient error. Returns `result`.
    ///
    /// # Errors
    /// The error of `result`.
    pub async fn refund_if_transient<T>(self, app: &App, result: Result<T>) -> Result<T> {
        if result.as_ref().is_err_and(Error::is_transient) {
            // The database failed a moment ago. If it fails again, the attempt stays counted.
            let _ = self.refund(app).await;
        }
        result
    }
}

/// Resets a failure streak, because the secret that the failures were about has changed.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(crate) async fn reset_streak(app: &App, db: &impl ConnectionTrait, streak: FailureStreak<'_>) -> Result<()> {
    rate_limit::Entity::update_many()
        .col_expr(rate_limit::Column::Count, Expr::value(0))
        .filter(rate_limit::Column::Key.eq(key(app, streak.limit.name, streak.subject)))
        .exec(db)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::{limits, platform::error::RateLimited, testing};

    #[tokio::test]
    async fn burst_is_allowed_then_units_come_back_one_at_a_time() {
        let app = testing::app().await;
        // 5/15m: one unit comes back every 3 minutes.
        for _ in 0..5 {
            let _ = reserve(&app, &limits::SIGN_IN_ACCOUNT, &["ann", "net"]).await.unwrap();
        }
        let Err(Error::RateLimited(RateLimited { retry_after, .. })) =
            reserve(&app, &limits::SIGN_IN_ACCOUNT, &["ann", "net"]).await
        else {
            panic!("the sixth attempt must be refused")
        };
        assert_eq!(retry_after, 180);
        let other = reserve(&app, &limits::SIGN_IN_ACCOUNT, &["annnet"]).await.unwrap();
        // The wait is exact: one second earlier the attempt is still refused.
        app.clock().advance(TimeDelta::seconds(179));
        assert!(reserve(&app, &limits::SIGN_IN_ACCOUNT, &["ann", "net"]).await.is_err());
        app.clock().advance(TimeDelta::seconds(1));
        let reservation = reserve(&app, &limits::SIGN_IN_ACCOUNT, &["ann", "net"]).await.unwrap();
        assert!(reserve(&app, &limits::SIGN_IN_ACCOUNT, &["ann", "net"]).await.is_err());
        reservation.refund(&app).await.unwrap();
        other.refund(&app).await.unwrap();
        let _ = reserve(&app, &limits::SIGN_IN_ACCOUNT, &["ann", "net"]).await.unwrap();
    }

    #[tokio::test]
    async fn refusal_by_one_limit_charges_no_other_limit() {
        let app = testing::app().await;
        let charged: [(&Limit, &[&str]); 2] =
            [(&limits::SEND_CODE_NETWORK, &["net"]), (&limits::SEND_CODE, &["ann@x.test", ""])];
        while reserve(&app, &limits::SEND_CODE_NETWORK, &["net"]).await.is_ok() {}
        let name = |error| match error {
            Error::RateLimited(refusal) => refusal.limit,
            error => panic!("{error}"),
        };
        assert_eq!(reserve_all(&app, &charged).await.map(drop).map_err(name), Err("send_code_network"));
        let tx = app.begin().await.unwrap();
        let (exhausted, available) =
            (Charge::of(&app, &charged), Charge::of(&app, &[(&limits::SEND_CODE_NETWORK, &["a third"])]));
        let results = reserve_each(&tx, &[&exhausted, &available]).await.unwrap();
        assert_eq!(
            results.into_iter().map(|result| result.map(drop).map_err(name)).collect::<Vec<_>>(),
            [Err("send_code_network"), Ok(())]
        );
        tx.commit().await.unwrap();
        // All units are left: 60 in development.
        for _ in 0..60 {
            let _ = reserve(&app, &limits::SEND_CODE, &["ann@x.test", ""]).await.unwrap();
        }
        // The reverse holds too: a refusal by the second limit does not charge the first.
        let charged: [(&Limit, &[&str]); 2] =
            [(&limits::SEND_CODE_NETWORK, &["other"]), (&limits::SEND_CODE, &["ann@x.test", ""])];
        assert_eq!(reserve_all(&app, &charged).await.map(drop).map_err(name), Err("send_code"));
        let row = rate_limit::Entity::find_by_id(key(&app, "send_code_network", &["other"])).one(app.db()).await;
        assert!(row.unwrap().is_none());
    }

    #[tokio::test]
    async fn failure_streak_counts_until_a_success() {
        let app = testing::app().await;
        let charged: [(&Limit, &[&str]); 1] = [(&limits::SIGN_IN_ACCOUNT, &["ann", "net"])];
        let fail = async || {
            reserve_attempt(&app, &charged, FailureStreak { limit: &limits::SIGN_IN_LOCKOUT, subject: &["ann"] }).await
        };
        assert_eq!(fail().await.unwrap().streak(), 1);
        let second = fail().await.unwrap();
        assert_eq!(second.streak(), 2);
        // The attempt was not a failure.
        second.refund(&app).await.unwrap();
        let second = fail().await.unwrap();
        assert_eq!(second.streak(), 2);
        second.succeeded(app.db()).await.unwrap();
        // The first attempt still uses one of the five units. An attempt that the limit refuses adds no failure.
        for failures in 1..=4 {
            assert_eq!(fail().await.unwrap().streak(), failures);
        }
        assert!(fail().await.is_err());
        app.clock().advance(TimeDelta::minutes(3));
        assert_eq!(fail().await.unwrap().streak(), 5);
        app.clock().advance(TimeDelta::minutes(3));
        reset_streak(&app, app.db(), FailureStreak { limit: &limits::SIGN_IN_LOCKOUT, subject: &["ann"] })
            .await
            .unwrap();
        assert_eq!(fail().await.unwrap().streak(), 1);
    }

    /// The clock of a process was wrong for a minute, and is right again.
    #[tokio::test]
    async fn counter_from_a_wrong_clock_recovers_within_one_period() {
        for ahead in [TimeDelta::hours(1), TimeDelta::days(400), TimeDelta::days(30_000)] {
            let app = testing::app().await;
            let charge = async || reserve(&app, &limits::SIGN_IN_ACCOUNT, &["ann", "net"]).await.map(drop);
            app.clock().advance(ahead);
            charge().await.unwrap();
            app.clock().advance(-ahead);
            let Err(Error::RateLimited(refusal)) = charge().await else { panic!("the counter counts as exhausted") };
            assert_eq!(refusal.retry_after, 180, "5/15m: a unit comes back every 3 minutes");
            app.clock().advance(TimeDelta::minutes(3));
            charge().await.unwrap();
            app.clock().advance(TimeDelta::minutes(15));
            for _ in 0..5 {
                charge().await.unwrap();
            }
            assert!(charge().await.is_err());
        }
    }
}
