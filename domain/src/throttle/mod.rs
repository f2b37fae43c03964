//! Limits on guessing and flooding, exact over all processes: one conditional statement each, in the database.
//!
//! A limit is taken *before* the secret is looked at, and in the same way for strangers, so neither the count nor the
//! time tells who has an account.

mod settings;

use std::{collections::HashMap, time::Duration};

use portico_entity::throttle;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Statement, Value, sea_query::Expr};

use crate::{
    app::App,
    error::{Error, Result},
    keys::KeyUse,
    secret::hex,
    tx::Tx,
};

pub use settings::{LimitSettings, Quota};

/// How long failures in a row are remembered after the last.
const IN_A_ROW_LIVES: Duration = Duration::from_secs(365 * 86_400);
/// What a counter of failures is when one of them was none. Others may have ended the row meanwhile.
const ONE_LESS: &str = "CASE WHEN throttles.count > 0 THEN throttles.count - 1 ELSE 0 END";
/// The tolerance of what is counted and never refused, in microseconds.
const NEVER: i64 = i64::MAX / 2;

/// A limit as an answer may name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Its name, in snake_case.
    pub name: &'static str,
    /// How much it allows.
    pub quota: Quota,
}

/// What is limited in the database. Limits of one process alone are the API's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Wrong passwords for one address from one network, or from one known device.
    SignInAccount,
    /// Wrong passwords from one network.
    SignInNetwork,
    /// Recovery mails asked for one mailbox.
    RecoveryAccount,
    /// Recovery mails asked for from one network.
    RecoveryNetwork,
    /// Codes asked for one mailbox, or for it from one known device.
    SendCode,
    /// Codes asked for from one network.
    SendCodeNetwork,
    /// Wrong codes for one address.
    CodeMisses,
    /// Invitations of one recipient by one tenant.
    InviteRecipient,
    /// Invitations by one actor.
    InviteActor,
}

impl Limit {
    const fn name(self) -> &'static str {
        match self {
            Self::SignInAccount => "sign_in_account",
            Self::SignInNetwork => "sign_in_network",
            Self::RecoveryAccount => "recovery_account",
            Self::RecoveryNetwork => "recovery_network",
            Self::SendCode => "send_code",
            Self::SendCodeNetwork => "send_code_network",
            Self::CodeMisses => "code_misses",
            Self::InviteRecipient => "invite_recipient",
            Self::InviteActor => "invite_actor",
        }
    }

    fn quota(self, settings: &LimitSettings) -> Option<Quota> {
        match self {
            Self::SignInAccount => settings.sign_in_account,
            Self::SignInNetwork => settings.sign_in_network,
            Self::RecoveryAccount => settings.recovery_account,
            Self::RecoveryNetwork => settings.recovery_network,
            Self::SendCode => settings.send_code,
            Self::SendCodeNetwork => settings.send_code_network,
            Self::CodeMisses => settings.code_misses,
            Self::InviteRecipient => settings.invite_recipient,
            Self::InviteActor => settings.invite_actor,
        }
    }
}

/// What an attempt is to be counted as.
pub(crate) struct Units(Vec<Unit>);

/// What an attempt was counted as: units of limits, and perhaps one more failure in a row. It can be taken back.
#[must_use]
pub struct Taken {
    units: Vec<Unit>,
    /// How many failures in a row there are with this one, where they were counted.
    in_a_row: i64,
}

/// What one counter is moved by.
#[derive(Clone)]
struct Unit {
    key: String,
    /// Microseconds of `full_at`.
    interval: i64,
    /// One for a counter of failures in a row, else zero.
    failures: i64,
    /// The limit, where it is one.
    policy: Option<Policy>,
}

/// Failures in a row, without regard to time: their name and whose they are.
pub(crate) struct InARow<'a>(pub(crate) &'static str, pub(crate) &'a [&'a str]);

impl Units {
    /// One unit of each of these limits, the most shared one before the others, in every act alike: their rows are locked in
    /// this order.
    pub(crate) fn of(app: &App, limits: &[(Limit, &[&str])]) -> Self {
        let settings = &app.settings().limits;
        let unit = |(limit, subject): &(Limit, &[&str])| {
            let quota = limit.quota(settings)?;
            let policy = Policy { name: limit.name(), quota };
            let key = key(app, policy.name, subject);
            Some(Unit { key, interval: quota.interval(), failures: 0, policy: Some(policy) })
        };
        Self(limits.iter().filter_map(unit).collect())
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
    units.0.push(Unit { key: key(app, in_a_row.0, in_a_row.1), interval: 0, failures: 1, policy: None });
    take_alone(app, units).await
}

async fn take_alone(app: &App, units: Units) -> Result<Taken> {
    let taken = take_from(app, app.db(), &[&units]).await?;
    taken.into_iter().next().unwrap_or_else(|| Err(Error::Internal("nothing was taken".into())))
}

/// Takes units for many who ask at once, within `tx`: for acts without a secret to guess, where being counted and being done
/// may be one commit. Without a commit nothing was taken. The rows stay locked until then, so take them first.
///
/// Each gets all of theirs or none, as [`take_all`] says. No counter may stand in two of `asks`.
///
/// # Errors
/// When the database fails.
pub(crate) async fn take_each(tx: &Tx, asks: &[&Units]) -> Result<Vec<Result<Taken>>> {
    take_from(tx.app(), tx.db(), asks).await
}

/// Takes units by one statement.
async fn take_from(app: &App, db: &impl ConnectionTrait, asks: &[&Units]) -> Result<Vec<Result<Taken>>> {
    let now = app.now().timestamp_micros();
    let mut units: Vec<_> =
        asks.iter().enumerate().flat_map(|(who, ask)| ask.0.iter().enumerate().map(move |at| (who, at))).collect();
    // Rows are locked in the order of the list: by their place in what each asks for, then by their keys.
    units.sort_unstable_by_key(|(_, (place, unit))| (*place, &unit.key));
    let (mut rows, mut values) = (Vec::new(), vec![Value::from(now)]);
    for (row, (who, (_, unit))) in (0_i64..).zip(&units) {
        let n = values.len();
        rows.push(format!("(${}, ${}, ${}, ${}, ${}, ${}, {row})", n + 1, n + 2, n + 3, n + 4, n + 5, n + 6));
        values.extend([
            unit.key.as_str().into(),
            unit.interval.into(),
            unit.failures.into(),
            (app.now() + unit.policy.map_or(IN_A_ROW_LIVES, |policy| policy.quota.per * 2)).into(),
            unit.policy.map_or(NEVER, |policy| tolerance(policy.quota)).into(),
            i64::try_from(*who).unwrap_or(i64::MAX).into(),
        ]);
    }
    let mut counts = HashMap::new();
    if !rows.is_empty() {
        // `full_at` is GCRA's theoretical arrival time: full burst again once it has passed. Whom one limit turns away takes
        // nothing of another: all are looked at before any is taken; one by one, since for a join Postgres would read the
        // whole table as long as its statistics are older than the counters.
        let sql = format!(
            "WITH asked (key, step, failures, expires_at, tolerance, who, row) AS (VALUES {})
             INSERT INTO throttles (key, full_at, count, expires_at)
             SELECT key, $1 + step, failures, expires_at FROM asked
             WHERE NOT EXISTS (
                 SELECT 1 FROM asked AS beside WHERE beside.who = asked.who
                 AND (SELECT held.full_at FROM throttles AS held WHERE held.key = beside.key) > $1 + beside.tolerance)
             ORDER BY row
             ON CONFLICT (key) DO UPDATE SET
                 full_at = CASE WHEN throttles.full_at < $1 THEN $1 ELSE throttles.full_at END + excluded.full_at - $1,
                 count = throttles.count + excluded.count,
                 expires_at = excluded.expires_at
             WHERE throttles.full_at <= $1 + (SELECT tolerance FROM asked WHERE asked.key = throttles.key)
             RETURNING key, count",
            rows.join(", "),
        );
        for row in db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await? {
            counts.insert(row.try_get_by_index::<String>(0)?, row.try_get_by_index::<i64>(1)?);
        }
    }
    let is_had = |unit: &&Unit| counts.contains_key(&unit.key);
    let is_refused = |ask: &&&Units| !ask.0.iter().all(|unit| is_had(&unit));
    let refused = || asks.iter().filter(is_refused).flat_map(|ask| &ask.0);
    // Somebody else took the last unit of one limit while this took one of another.
    let stray: Vec<_> = refused().filter(is_had).cloned().collect();
    Taken { units: stray, in_a_row: 0 }.move_back(db, ONE_LESS).await?;
    let held = held(db, refused().filter(|unit| !is_had(unit)).map(|unit| &unit.key).collect()).await?;
    let one = |ask: &&Units| {
        if is_refused(&ask) {
            let missed = ask.0.iter().filter(|unit| !is_had(unit));
            return Err(refusal(missed, &held, now));
        }
        let in_a_row = ask.0.iter().filter(|unit| unit.failures > 0).find_map(|unit| counts.get(&unit.key).copied());
        Ok(Taken { units: ask.0.clone(), in_a_row: in_a_row.unwrap_or(0) })
    };
    Ok(asks.iter().map(one).collect())
}

/// Until when each of these counters is taken, in microseconds.
async fn held(db: &impl ConnectionTrait, keys: Vec<&String>) -> Result<HashMap<String, i64>> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = throttle::Entity::find().filter(throttle::Column::Key.is_in(keys)).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.key, row.full_at)).collect())
}

/// What the first limit that has nothing left says to whom none of `missed` was given. Where none is empty any more, the first.
fn refusal<'a>(missed: impl Iterator<Item = &'a Unit>, held: &HashMap<String, i64>, now: i64) -> Error {
    let waits = missed.filter_map(|unit| {
        let policy = unit.policy?;
        let full_at = held.get(&unit.key).copied().unwrap_or(now);
        Some((policy, Ord::max(full_at - tolerance(policy.quota) - now, 0)))
    });
    let waits: Vec<_> = waits.collect();
    match waits.iter().find(|(_, wait)| *wait > 0).or(waits.first()) {
        Some((policy, wait)) => {
            Error::TooMany { policy: *policy, retry_after: Ord::max(wait.unsigned_abs().div_ceil(1_000_000), 1) }
        }
        None => Error::Internal("a failure was not counted".into()),
    }
}

/// How far ahead of now, in microseconds, `full_at` may be before a unit is taken: the burst but one.
fn tolerance(quota: Quota) -> i64 {
    quota.interval().saturating_mul(i64::from(quota.burst) - 1)
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
        self.move_back(app.db(), ONE_LESS).await
    }

    /// Gives the units back and ends the row of failures: the attempt was right.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn succeeded(&self, db: &impl ConnectionTrait) -> Result<()> {
        self.move_back(db, "0").await
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

    /// One statement. An upsert, though the rows are there: it locks them in the order of the list, as taking does, and an
    /// UPDATE in an order of its own.
    async fn move_back(&self, db: &impl ConnectionTrait, failures: &str) -> Result<()> {
        if self.units.is_empty() {
            return Ok(());
        }
        let (mut rows, mut values) = (Vec::new(), Vec::<Value>::new());
        for (row, unit) in self.units.iter().enumerate() {
            let n = values.len();
            rows.push(format!("(${}, ${}, ${}, {row})", n + 1, n + 2, n + 3));
            values.extend([unit.key.as_str().into(), unit.interval.into(), unit.failures.into()]);
        }
        let sql = format!(
            "WITH taken (key, step, failures, row) AS (VALUES {})
             INSERT INTO throttles (key, full_at, count, expires_at)
             SELECT key, step, failures, (SELECT held.expires_at FROM throttles AS held WHERE held.key = taken.key)
             FROM taken
             WHERE (SELECT held.expires_at FROM throttles AS held WHERE held.key = taken.key) IS NOT NULL
             ORDER BY row
             ON CONFLICT (key) DO UPDATE SET
                 full_at = throttles.full_at - excluded.full_at,
                 count = CASE excluded.count WHEN 0 THEN throttles.count ELSE {failures} END",
            rows.join(", "),
        );
        db.execute_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await?;
        Ok(())
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

/// The limit's name and a keyed hash of its subject.
fn key(app: &App, name: &str, subject: &[&str]) -> String {
    let parts: Vec<&[u8]> = subject.iter().map(|part| part.as_bytes()).collect();
    format!("{name}:{}", hex(&app.keys().newest().mac(KeyUse::Throttle, &parts)[..16]))
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
