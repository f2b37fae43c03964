//! Limits on guessing and flooding, exact over all processes: one conditional statement each, in the database.
//!
//! A limit is taken *before* the secret is looked at, and in the same way for strangers, so neither the count nor the
//! time tells who has an account.

mod settings;

use std::{collections::HashMap, fmt::Write, time::Duration};

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

/// What an attempt was counted as: units of limits, and perhaps one more failure in a row. It can be taken back.
#[must_use]
pub struct Taken {
    units: Vec<Unit>,
    /// How many failures in a row there are with this one, where they were counted.
    in_a_row: i64,
}

/// What one counter was moved by.
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
    take_alone(app, units(app, limits)).await
}

/// As [`take_all`], and counts one more failure in a row, until [`Taken::succeeded`] says that it was none.
///
/// # Errors
/// `too_many_requests` when one of the limits has no unit left; then nothing is counted.
pub(crate) async fn attempt(app: &App, limits: &[(Limit, &[&str])], in_a_row: InARow<'_>) -> Result<Taken> {
    let mut units = units(app, limits);
    units.push(Unit { key: key(app, in_a_row.0, in_a_row.1), interval: 0, failures: 1, policy: None });
    take_alone(app, units).await
}

/// Takes one unit of each of several limits within `tx`: for acts without a secret to guess, where being counted and being
/// done may be one commit. Without a commit nothing was taken. The rows stay locked until then, so take them first, the most
/// shared one before the others, in every act alike.
///
/// # Errors
/// `too_many_requests` when one of them has none left; then do not commit.
pub(crate) async fn take_with(tx: &Tx, limits: &[(Limit, &[&str])]) -> Result<()> {
    let (_, refused) = take_from(tx.app(), tx.db(), units(tx.app(), limits)).await?;
    refused.map_or(Ok(()), Err)
}

fn units(app: &App, limits: &[(Limit, &[&str])]) -> Vec<Unit> {
    let settings = &app.settings().limits;
    let unit = |(limit, subject): &(Limit, &[&str])| {
        let quota = limit.quota(settings)?;
        let policy = Policy { name: limit.name(), quota };
        Some(Unit {
            key: key(app, policy.name, subject),
            interval: quota.interval(),
            failures: 0,
            policy: Some(policy),
        })
    };
    limits.iter().filter_map(unit).collect()
}

async fn take_alone(app: &App, units: Vec<Unit>) -> Result<Taken> {
    match take_from(app, app.db(), units).await? {
        (taken, None) => Ok(taken),
        // Somebody else took the last unit of one limit while this took one of the others.
        (taken, Some(refused)) => {
            taken.give_back(app).await?;
            Err(refused)
        }
    }
}

/// Takes the units by one statement, and says what the first limit that had none left answers.
async fn take_from(app: &App, db: &impl ConnectionTrait, units: Vec<Unit>) -> Result<(Taken, Option<Error>)> {
    if units.is_empty() {
        return Ok((Taken { units, in_a_row: 0 }, None));
    }
    let now = app.now().timestamp_micros();
    let (mut rows, mut tolerances, mut shut) = (Vec::new(), String::new(), Vec::new());
    let mut values = vec![Value::from(now)];
    for unit in &units {
        let n = values.len();
        rows.push(format!("(${}, ${}, ${}, ${})", n + 1, n + 2, n + 3, n + 4));
        let _ = write!(tolerances, " WHEN ${} THEN ${}", n + 1, n + 5);
        shut.push(format!("key = ${} AND full_at > $1 + ${}", n + 1, n + 5));
        let expires_at = app.now() + unit.policy.map_or(IN_A_ROW_LIVES, |policy| policy.quota.per * 2);
        let tolerance = unit.policy.map_or(NEVER, |policy| tolerance(policy.quota));
        values.extend([
            unit.key.as_str().into(),
            unit.interval.into(),
            unit.failures.into(),
            expires_at.into(),
            tolerance.into(),
        ]);
    }
    // `full_at` is GCRA's theoretical arrival time: full burst again once it has passed. Rows are locked in the order of the
    // list. Whom one limit turns away takes nothing of another: each is looked at before any is taken.
    let sql = format!(
        "INSERT INTO throttles (key, full_at, count, expires_at)
         SELECT column1, $1 + column2, column3, column4 FROM (VALUES {}) AS asked
         WHERE NOT EXISTS (SELECT 1 FROM throttles WHERE {})
         ON CONFLICT (key) DO UPDATE SET
             full_at = CASE WHEN throttles.full_at < $1 THEN $1 ELSE throttles.full_at END + excluded.full_at - $1,
             count = throttles.count + excluded.count,
             expires_at = excluded.expires_at
         WHERE throttles.full_at <= $1 + CASE throttles.key{tolerances} END
         RETURNING key, count",
        rows.join(", "),
        shut.join(" OR "),
    );
    let rows = db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await?;
    let mut counts = HashMap::new();
    for row in rows {
        counts.insert(row.try_get_by_index::<String>(0)?, row.try_get_by_index::<i64>(1)?);
    }
    let in_a_row = units.iter().find(|unit| unit.failures > 0).and_then(|unit| counts.get(&unit.key).copied());
    let (had, missed): (Vec<_>, Vec<_>) = units.into_iter().partition(|unit| counts.contains_key(&unit.key));
    let refused = if missed.is_empty() { None } else { Some(refusal(db, &missed, now).await?) };
    Ok((Taken { units: had, in_a_row: in_a_row.unwrap_or(0) }, refused))
}

/// What the first limit that has nothing left says to whom none of `missed` was given. Where none is empty any more, the first.
async fn refusal(db: &impl ConnectionTrait, missed: &[Unit], now: i64) -> Result<Error> {
    let keys = missed.iter().map(|unit| &unit.key);
    let rows = throttle::Entity::find().filter(throttle::Column::Key.is_in(keys)).all(db).await?;
    let waits = missed.iter().filter_map(|unit| {
        let policy = unit.policy?;
        let full_at = rows.iter().find(|row| row.key == unit.key).map_or(now, |row| row.full_at);
        Some((policy, Ord::max(full_at - tolerance(policy.quota) - now, 0)))
    });
    let waits: Vec<_> = waits.collect();
    let (policy, wait) = waits
        .iter()
        .find(|(_, wait)| *wait > 0)
        .or(waits.first())
        .ok_or_else(|| Error::Internal("a failure was not counted".into()))?;
    Ok(Error::TooMany { policy: *policy, retry_after: Ord::max(wait.unsigned_abs().div_ceil(1_000_000), 1) })
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
        self.move_back(app.db(), "throttles.count - 1").await
    }

    /// Gives the units back and ends the row of failures: the attempt was right. For the end of a transaction, since all
    /// others who are counted there wait for its commit.
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
        let (mut rows, mut values) = (Vec::new(), Vec::<Value>::new());
        for unit in &self.units {
            let n = values.len();
            rows.push(format!("(${}, ${}, ${})", n + 1, n + 2, n + 3));
            values.extend([unit.key.as_str().into(), unit.interval.into(), unit.failures.into()]);
        }
        if rows.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "INSERT INTO throttles (key, full_at, count, expires_at)
             SELECT column1, column2, column3, (SELECT expires_at FROM throttles WHERE key = column1)
             FROM (VALUES {}) AS taken WHERE EXISTS (SELECT 1 FROM throttles WHERE key = column1)
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
        assert_eq!(take_with(&tx, &limits).await.map_err(name), Err("send_code_network"));
        drop(tx);
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
