//! Limits on guessing and flooding, exact over all processes: one conditional statement each, in the database.
//!
//! A limit is taken *before* the secret is looked at, and in the same way for strangers, so neither the count nor the
//! time tells who has an account.

mod counters;
mod limit;
mod settings;

use portico_entity::rate_limit;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::Expr};

use self::counters::{Increment, StreakUpdate, key};
use crate::{
    app::App,
    error::{Error, Result},
    tx::Tx,
};

pub use limit::{Limit, Policy};
pub use settings::{Quota, RateLimitSettings};

/// What an attempt is to be counted as.
pub(crate) struct Charge(Vec<Increment>);

/// What an attempt was counted as: units of limits, and perhaps one more failure in a row. It can be taken back.
#[must_use]
pub struct Reservation {
    units: Vec<Increment>,
    /// How many failures in a row there are with this one, where they were counted.
    streak: i64,
}

/// Failures in a row, without regard to time: their name and whose they are.
pub(crate) struct FailureStreak<'a>(pub(crate) &'static str, pub(crate) &'a [&'a str]);

impl Charge {
    /// One unit of each of these limits, the most shared one before the others, in every act alike: their rows are locked in
    /// this order.
    pub(crate) fn of(app: &App, limits: &[(Limit, &[&str])]) -> Self {
        Self(limits.iter().filter_map(|(limit, subject)| Increment::of(app, *limit, subject)).collect())
    }

    /// The counters they are of.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|unit| unit.key.as_str())
    }
}

/// Takes one unit of `limit` for `subject`.
///
/// # Errors
/// `too_many_requests` when none is left.
pub async fn reserve(app: &App, limit: Limit, subject: &[&str]) -> Result<Reservation> {
    reserve_all(app, &[(limit, subject)]).await
}

/// Takes one unit of each of several limits, or of none of them.
///
/// # Errors
/// `too_many_requests` when one of them has none left.
pub(crate) async fn reserve_all(app: &App, limits: &[(Limit, &[&str])]) -> Result<Reservation> {
    reserve_charge(app, Charge::of(app, limits)).await
}

/// As [`reserve_all`], and counts one more failure in a row, until [`Reservation::succeeded`] says that it was none.
///
/// # Errors
/// `too_many_requests` when one of the limits has no unit left; then nothing is counted, though others may see it counted for a
/// moment if they took the last unit at the same time.
pub(crate) async fn reserve_attempt(
    app: &App,
    limits: &[(Limit, &[&str])],
    streak: FailureStreak<'_>,
) -> Result<Reservation> {
    let mut units = Charge::of(app, limits);
    units.0.push(Increment::failure(app, streak.0, streak.1));
    reserve_charge(app, units).await
}

async fn reserve_charge(app: &App, Charge(units): Charge) -> Result<Reservation> {
    let streak = counters::reserve(app, app.db(), &[&units]).await?.pop();
    let streak = streak.unwrap_or_else(|| Err(Error::Internal("nothing was taken".into())))?;
    Ok(Reservation { units, streak })
}

/// Takes units for many who ask at once, within `tx`: for acts without a secret to guess, where being counted and being done
/// may be one commit. Without a commit nothing was taken. The rows stay locked until then, so take them first.
///
/// Each gets all of theirs or none, as [`reserve_all`] says. No counter may stand in two of `asks`.
///
/// # Errors
/// When the database fails; and `too_many_requests` for each who is refused.
pub(crate) async fn reserve_each(tx: &Tx, asks: &[&Charge]) -> Result<Vec<Result<()>>> {
    let asks: Vec<&[Increment]> = asks.iter().map(|ask| ask.0.as_slice()).collect();
    let taken = counters::reserve(tx.app(), tx.db(), &asks).await?;
    Ok(taken.into_iter().map(|one| one.map(drop)).collect())
}

impl Reservation {
    /// How many failures in a row there are, should this attempt fail.
    pub(crate) fn streak(&self) -> i64 {
        self.streak
    }

    /// Takes everything back: the attempt was right where nothing else was counted, or was not made.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refund(self, app: &App) -> Result<()> {
        counters::refund(app.db(), &self.units, StreakUpdate::Decrement).await
    }

    /// Gives the units back and ends the row of failures: the attempt was right.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn succeeded(&self, db: &impl ConnectionTrait) -> Result<()> {
        counters::refund(db, &self.units, StreakUpdate::Reset).await
    }

    /// Gives the units back if what they were taken for could not even be tried, and returns how it ended.
    ///
    /// # Errors
    /// As `done` was.
    pub async fn refund_if_transient<T>(self, app: &App, done: Result<T>) -> Result<T> {
        if done.as_ref().is_err_and(Error::is_transient) {
            // The database is in trouble; if it still is, the units are lost with the request.
            let _ = self.refund(app).await;
        }
        done
    }
}

/// Ends the row of failures: what they were about is another by now.
///
/// # Errors
/// When the database fails.
pub(crate) async fn reset_streak(app: &App, db: &impl ConnectionTrait, streak: FailureStreak<'_>) -> Result<()> {
    rate_limit::Entity::update_many()
        .col_expr(rate_limit::Column::Count, Expr::value(0))
        .filter(rate_limit::Column::Key.eq(key(app, streak.0, streak.1)))
        .exec(db)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::testing;

    #[tokio::test]
    async fn a_burst_then_one_back_at_a_time() {
        let app = testing::app().await;
        // 5/15m: one back every 3 minutes.
        for _ in 0..5 {
            let _ = reserve(&app, Limit::SignInAccount, &["ann", "net"]).await.unwrap();
        }
        let Err(Error::RateLimited { retry_after, .. }) = reserve(&app, Limit::SignInAccount, &["ann", "net"]).await
        else {
            panic!("the sixth is one too many")
        };
        assert_eq!(retry_after, 180);
        let other = reserve(&app, Limit::SignInAccount, &["annnet"]).await.unwrap();
        // The wait is neither a lie nor a second too long.
        app.clock().advance(TimeDelta::seconds(179));
        assert!(reserve(&app, Limit::SignInAccount, &["ann", "net"]).await.is_err());
        app.clock().advance(TimeDelta::seconds(1));
        let taken = reserve(&app, Limit::SignInAccount, &["ann", "net"]).await.unwrap();
        assert!(reserve(&app, Limit::SignInAccount, &["ann", "net"]).await.is_err());
        taken.refund(&app).await.unwrap();
        other.refund(&app).await.unwrap();
        let _ = reserve(&app, Limit::SignInAccount, &["ann", "net"]).await.unwrap();
    }

    #[tokio::test]
    async fn whom_the_first_limit_turns_away_takes_nothing_of_the_second() {
        let app = testing::app().await;
        let limits: [(Limit, &[&str]); 2] =
            [(Limit::SendCodeNetwork, &["net"]), (Limit::SendCode, &["ann@x.test", ""])];
        while reserve(&app, Limit::SendCodeNetwork, &["net"]).await.is_ok() {}
        let name = |error| match error {
            Error::RateLimited { policy, .. } => policy.name,
            error => panic!("{error}"),
        };
        assert_eq!(reserve_all(&app, &limits).await.map(drop).map_err(name), Err("send_code_network"));
        let tx = app.begin().await.unwrap();
        let (shut, other) = (Charge::of(&app, &limits), Charge::of(&app, &[(Limit::SendCodeNetwork, &["a third"])]));
        let each = reserve_each(&tx, &[&shut, &other]).await.unwrap();
        assert_eq!(
            each.into_iter().map(|one| one.map(drop).map_err(name)).collect::<Vec<_>>(),
            [Err("send_code_network"), Ok(())]
        );
        tx.commit().await.unwrap();
        for _ in 0..5 {
            let _ = reserve(&app, Limit::SendCode, &["ann@x.test", ""]).await.unwrap();
        }
        // Nor does whom the second turns away take anything of the first.
        let limits: [(Limit, &[&str]); 2] =
            [(Limit::SendCodeNetwork, &["other"]), (Limit::SendCode, &["ann@x.test", ""])];
        assert_eq!(reserve_all(&app, &limits).await.map(drop).map_err(name), Err("send_code"));
        let theoretical_arrival =
            rate_limit::Entity::find_by_id(key(&app, "send_code_network", &["other"])).one(app.db()).await;
        assert!(theoretical_arrival.unwrap().is_none());
    }

    #[tokio::test]
    async fn failures_in_a_row_are_counted_until_a_success() {
        let app = testing::app().await;
        let limits: [(Limit, &[&str]); 1] = [(Limit::SignInAccount, &["ann", "net"])];
        let fail = async || reserve_attempt(&app, &limits, FailureStreak("close", &["ann"])).await;
        assert_eq!(fail().await.unwrap().streak(), 1);
        let second = fail().await.unwrap();
        assert_eq!(second.streak(), 2);
        // It was none.
        second.refund(&app).await.unwrap();
        let second = fail().await.unwrap();
        assert_eq!(second.streak(), 2);
        second.succeeded(app.db()).await.unwrap();
        // One unit is gone for the first; who is turned away does not count.
        for failures in 1..=4 {
            assert_eq!(fail().await.unwrap().streak(), failures);
        }
        assert!(fail().await.is_err());
        app.clock().advance(TimeDelta::minutes(3));
        assert_eq!(fail().await.unwrap().streak(), 5);
        app.clock().advance(TimeDelta::minutes(3));
        reset_streak(&app, app.db(), FailureStreak("close", &["ann"])).await.unwrap();
        assert_eq!(fail().await.unwrap().streak(), 1);
    }
}
