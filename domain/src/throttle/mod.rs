//! Limits on guessing and flooding, exact over all processes: one conditional statement each, in the database.
//!
//! A limit is taken *before* the secret is looked at, and in the same way for strangers, so neither the count nor the
//! time tells who has an account.

mod counters;
mod limit;
mod settings;

use portico_entity::throttle;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::Expr};

use self::counters::{Failures, Unit, key};
use crate::{
    app::App,
    error::{Error, Result},
    tx::Tx,
};

pub use limit::{Limit, Policy};
pub use settings::{LimitSettings, Quota};

/// What an attempt is to be counted as.
pub(crate) struct Units(Vec<Unit>);

/// What an attempt was counted as: units of limits, and perhaps one more failure in a row. It can be taken back.
#[must_use]
pub struct Taken {
    units: Vec<Unit>,
    /// How many failures in a row there are with this one, where they were counted.
    in_a_row: i64,
}

/// Failures in a row, without regard to time: their name and whose they are.
pub(crate) struct InARow<'a>(pub(crate) &'static str, pub(crate) &'a [&'a str]);

impl Units {
    /// One unit of each of these limits, the most shared one before the others, in every act alike: their rows are locked in
    /// this order.
    pub(crate) fn of(app: &App, limits: &[(Limit, &[&str])]) -> Self {
        Self(limits.iter().filter_map(|(limit, subject)| Unit::of(app, *limit, subject)).collect())
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
pub async fn take(app: &App, limit: Limit, subject: &[&str]) -> Result<Taken> {
    take_all(app, &[(limit, subject)]).await
}

/// Takes one unit of each of several limits, or of none of them.
///
/// # Errors
/// `too_many_requests` when one of them has none left.
pub(crate) async fn take_all(app: &App, limits: &[(Limit, &[&str])]) -> Result<Taken> {
    take_alone(app, Units::of(app, limits)).await
}

/// As [`take_all`], and counts one more failure in a row, until [`Taken::succeeded`] says that it was none.
///
/// # Errors
/// `too_many_requests` when one of the limits has no unit left; then nothing is counted, though others may see it counted for a
/// moment if they took the last unit at the same time.
pub(crate) async fn attempt(app: &App, limits: &[(Limit, &[&str])], in_a_row: InARow<'_>) -> Result<Taken> {
    let mut units = Units::of(app, limits);
    units.0.push(Unit::failure(app, in_a_row.0, in_a_row.1));
    take_alone(app, units).await
}

async fn take_alone(app: &App, Units(units): Units) -> Result<Taken> {
    let in_a_row = counters::take(app, app.db(), &[&units]).await?.pop();
    let in_a_row = in_a_row.unwrap_or_else(|| Err(Error::Internal("nothing was taken".into())))?;
    Ok(Taken { units, in_a_row })
}

/// Takes units for many who ask at once, within `tx`: for acts without a secret to guess, where being counted and being done
/// may be one commit. Without a commit nothing was taken. The rows stay locked until then, so take them first.
///
/// Each gets all of theirs or none, as [`take_all`] says. No counter may stand in two of `asks`.
///
/// # Errors
/// When the database fails; and `too_many_requests` for each who is refused.
pub(crate) async fn take_each(tx: &Tx, asks: &[&Units]) -> Result<Vec<Result<()>>> {
    let asks: Vec<&[Unit]> = asks.iter().map(|ask| ask.0.as_slice()).collect();
    let taken = counters::take(tx.app(), tx.db(), &asks).await?;
    Ok(taken.into_iter().map(|one| one.map(drop)).collect())
}

impl Taken {
    /// How many failures in a row there are, should this attempt fail.
    pub(crate) fn in_a_row(&self) -> i64 {
        self.in_a_row
    }

    /// Takes everything back: the attempt was right where nothing else was counted, or was not made.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn give_back(self, app: &App) -> Result<()> {
        counters::give_back(app.db(), &self.units, Failures::OneLess).await
    }

    /// Gives the units back and ends the row of failures: the attempt was right.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn succeeded(&self, db: &impl ConnectionTrait) -> Result<()> {
        counters::give_back(db, &self.units, Failures::Ended).await
    }

    /// Gives the units back if what they were taken for could not even be tried, and returns how it ended.
    ///
    /// # Errors
    /// As `done` was.
    pub async fn unless_unavailable<T>(self, app: &App, done: Result<T>) -> Result<T> {
        if done.as_ref().is_err_and(Error::is_passing) {
            // The database is in trouble; if it still is, the units are lost with the request.
            let _ = self.give_back(app).await;
        }
        done
    }
}

/// Ends the row of failures: what they were about is another by now.
///
/// # Errors
/// When the database fails.
pub(crate) async fn end_row(app: &App, db: &impl ConnectionTrait, in_a_row: InARow<'_>) -> Result<()> {
    throttle::Entity::update_many()
        .col_expr(throttle::Column::Count, Expr::value(0))
        .filter(throttle::Column::Key.eq(key(app, in_a_row.0, in_a_row.1)))
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
            let _ = take(&app, Limit::SignInAccount, &["ann", "net"]).await.unwrap();
        }
        let Err(Error::TooMany { retry_after, .. }) = take(&app, Limit::SignInAccount, &["ann", "net"]).await else {
            panic!("the sixth is one too many")
        };
        assert_eq!(retry_after, 180);
        let other = take(&app, Limit::SignInAccount, &["annnet"]).await.unwrap();
        // The wait is neither a lie nor a second too long.
        app.clock().advance(TimeDelta::seconds(179));
        assert!(take(&app, Limit::SignInAccount, &["ann", "net"]).await.is_err());
        app.clock().advance(TimeDelta::seconds(1));
        let taken = take(&app, Limit::SignInAccount, &["ann", "net"]).await.unwrap();
        assert!(take(&app, Limit::SignInAccount, &["ann", "net"]).await.is_err());
        taken.give_back(&app).await.unwrap();
        other.give_back(&app).await.unwrap();
        let _ = take(&app, Limit::SignInAccount, &["ann", "net"]).await.unwrap();
    }

    #[tokio::test]
    async fn whom_the_first_limit_turns_away_takes_nothing_of_the_second() {
        let app = testing::app().await;
        let limits: [(Limit, &[&str]); 2] =
            [(Limit::SendCodeNetwork, &["net"]), (Limit::SendCode, &["ann@x.test", ""])];
        while take(&app, Limit::SendCodeNetwork, &["net"]).await.is_ok() {}
        let name = |error| match error {
            Error::TooMany { policy, .. } => policy.name,
            error => panic!("{error}"),
        };
        assert_eq!(take_all(&app, &limits).await.map(drop).map_err(name), Err("send_code_network"));
        let tx = app.begin().await.unwrap();
        let (shut, other) = (Units::of(&app, &limits), Units::of(&app, &[(Limit::SendCodeNetwork, &["a third"])]));
        let each = take_each(&tx, &[&shut, &other]).await.unwrap();
        assert_eq!(
            each.into_iter().map(|one| one.map(drop).map_err(name)).collect::<Vec<_>>(),
            [Err("send_code_network"), Ok(())]
        );
        tx.commit().await.unwrap();
        for _ in 0..5 {
            let _ = take(&app, Limit::SendCode, &["ann@x.test", ""]).await.unwrap();
        }
        // Nor does whom the second turns away take anything of the first.
        let limits: [(Limit, &[&str]); 2] =
            [(Limit::SendCodeNetwork, &["other"]), (Limit::SendCode, &["ann@x.test", ""])];
        assert_eq!(take_all(&app, &limits).await.map(drop).map_err(name), Err("send_code"));
        let full_at = throttle::Entity::find_by_id(key(&app, "send_code_network", &["other"])).one(app.db()).await;
        assert!(full_at.unwrap().is_none());
    }

    #[tokio::test]
    async fn failures_in_a_row_are_counted_until_a_success() {
        let app = testing::app().await;
        let limits: [(Limit, &[&str]); 1] = [(Limit::SignInAccount, &["ann", "net"])];
        let fail = async || attempt(&app, &limits, InARow("close", &["ann"])).await;
        assert_eq!(fail().await.unwrap().in_a_row(), 1);
        let second = fail().await.unwrap();
        assert_eq!(second.in_a_row(), 2);
        // It was none.
        second.give_back(&app).await.unwrap();
        let second = fail().await.unwrap();
        assert_eq!(second.in_a_row(), 2);
        second.succeeded(app.db()).await.unwrap();
        // One unit is gone for the first; who is turned away does not count.
        for failures in 1..=4 {
            assert_eq!(fail().await.unwrap().in_a_row(), failures);
        }
        assert!(fail().await.is_err());
        app.clock().advance(TimeDelta::minutes(3));
        assert_eq!(fail().await.unwrap().in_a_row(), 5);
        app.clock().advance(TimeDelta::minutes(3));
        end_row(&app, app.db(), InARow("close", &["ann"])).await.unwrap();
        assert_eq!(fail().await.unwrap().in_a_row(), 1);
    }
}
