//! The counters themselves: one statement takes, another gives back, each of many at once.

use std::{collections::HashMap, time::Duration};

use portico_entity::rate_limit;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Statement, Value};

use super::{Limit, Policy, Quota};
use crate::{
    app::App,
    error::{Error, Result},
    keys::KeyUse,
    secret::hex,
};

/// How long failures in a row are remembered after the last.
const STREAK_RETENTION: Duration = Duration::from_secs(365 * 86_400);
/// The tolerance of what is counted and never refused, in microseconds.
const UNLIMITED_TOLERANCE: i64 = i64::MAX / 2;

/// What one counter is moved by.
#[derive(Clone)]
pub(super) struct Increment {
    pub(super) key: String,
    /// Microseconds of `theoretical_arrival`.
    interval: i64,
    /// One for a counter of failures in a row, else zero.
    failures: i64,
    /// The limit, where it is one.
    policy: Option<Policy>,
}

/// What becomes of the failures in a row when an attempt is taken back.
#[derive(Clone, Copy)]
pub(super) enum StreakUpdate {
    /// This one was none.
    Decrement,
    /// The row ends: the attempt was right.
    Reset,
}

impl Increment {
    /// One unit of `limit`; none where the settings switch it off.
    pub(super) fn of(app: &App, limit: Limit, subject: &[&str]) -> Option<Self> {
        let quota = limit.quota(&app.settings().rate_limits)?;
        let policy = Policy { name: limit.name(), quota };
        let key = key(app, policy.name, subject);
        Some(Self { key, interval: quota.interval(), failures: 0, policy: Some(policy) })
    }

    /// One more failure in the row of this name.
    pub(super) fn failure(app: &App, name: &str, subject: &[&str]) -> Self {
        Self { key: key(app, name, subject), interval: 0, failures: 1, policy: None }
    }
}

/// The limit's name and a keyed hash of its subject.
pub(super) fn key(app: &App, name: &str, subject: &[&str]) -> String {
    let parts: Vec<&[u8]> = subject.iter().map(|part| part.as_bytes()).collect();
    format!("{name}:{}", hex(&app.keys().newest().mac(KeyUse::RateLimit, &parts)[..16]))
}

/// Takes all units of each of `asks`, or none of that one's, and says how many failures in a row each has now. No counter may
/// stand in two of them.
pub(super) async fn reserve(app: &App, db: &impl ConnectionTrait, asks: &[&[Increment]]) -> Result<Vec<Result<i64>>> {
    let now = app.now().timestamp_micros();
    let counts = upsert(app, db, asks, now).await?;
    let is_had = |unit: &&Increment| counts.contains_key(&unit.key);
    let is_refused = |ask: &&&[Increment]| !ask.iter().all(|unit| is_had(&unit));
    let refused = || asks.iter().filter(is_refused).flat_map(|ask| ask.iter());
    // Somebody else took the last unit of one limit while this took one of another.
    let stray: Vec<_> = refused().filter(is_had).cloned().collect();
    refund(db, &stray, StreakUpdate::Decrement).await?;
    let arrivals = load(db, refused().filter(|unit| !is_had(unit)).map(|unit| &unit.key).collect()).await?;
    let one = |ask: &&[Increment]| {
        if is_refused(&ask) {
            let missed = ask.iter().filter(|unit| !is_had(unit));
            return Err(rate_limited(missed, &arrivals, now));
        }
        let streak = ask.iter().filter(|unit| unit.failures > 0).find_map(|unit| counts.get(&unit.key).copied());
        Ok(streak.unwrap_or(0))
    };
    Ok(asks.iter().map(one).collect())
}

/// Moves the counters that can be moved, by one statement, and returns what each of those counts now.
async fn upsert(app: &App, db: &impl ConnectionTrait, asks: &[&[Increment]], now: i64) -> Result<HashMap<String, i64>> {
    let mut units: Vec<_> =
        asks.iter().enumerate().flat_map(|(who, ask)| ask.iter().enumerate().map(move |at| (who, at))).collect();
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
            (app.now() + unit.policy.map_or(STREAK_RETENTION, |policy| policy.quota.per * 2)).into(),
            unit.policy.map_or(UNLIMITED_TOLERANCE, |policy| tolerance(policy.quota)).into(),
            i64::try_from(*who).unwrap_or(i64::MAX).into(),
        ]);
    }
    if rows.is_empty() {
        return Ok(HashMap::new());
    }
    // `theoretical_arrival` is GCRA's theoretical arrival time: full burst again once it has passed. Whom one limit turns away takes
    // nothing of another: all are looked at before any is taken; one by one, since for a join Postgres would read the
    // whole table as long as its statistics are older than the counters.
    let sql = format!(
        "WITH asked (key, step, failures, expires_at, tolerance, who, row) AS (VALUES {})
         INSERT INTO rate_limits (key, theoretical_arrival, count, expires_at)
         SELECT key, $1 + step, failures, expires_at FROM asked
         WHERE NOT EXISTS (
             SELECT 1 FROM asked AS beside WHERE beside.who = asked.who
             AND (SELECT held.theoretical_arrival FROM rate_limits AS held WHERE held.key = beside.key) > $1 + beside.tolerance)
         ORDER BY row
         ON CONFLICT (key) DO UPDATE SET
             theoretical_arrival = CASE WHEN rate_limits.theoretical_arrival < $1 THEN $1 ELSE rate_limits.theoretical_arrival END + excluded.theoretical_arrival - $1,
             count = rate_limits.count + excluded.count,
             expires_at = excluded.expires_at
         WHERE rate_limits.theoretical_arrival <= $1 + (SELECT tolerance FROM asked WHERE asked.key = rate_limits.key)
         RETURNING key, count",
        rows.join(", "),
    );
    let rows = db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await?;
    rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).collect()
}

/// Until when each of these counters is taken, in microseconds.
async fn load(db: &impl ConnectionTrait, keys: Vec<&String>) -> Result<HashMap<String, i64>> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = rate_limit::Entity::find().filter(rate_limit::Column::Key.is_in(keys)).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.key, row.theoretical_arrival)).collect())
}

/// What the first limit that has nothing left says to whom none of `missed` was given. Where none is empty any more, the first.
fn rate_limited<'a>(missed: impl Iterator<Item = &'a Increment>, arrivals: &HashMap<String, i64>, now: i64) -> Error {
    let waits = missed.filter_map(|unit| {
        let policy = unit.policy?;
        let theoretical_arrival = arrivals.get(&unit.key).copied().unwrap_or(now);
        Some((policy, Ord::max(theoretical_arrival - tolerance(policy.quota) - now, 0)))
    });
    let waits: Vec<_> = waits.collect();
    match waits.iter().find(|(_, wait)| *wait > 0).or(waits.first()) {
        Some((policy, wait)) => {
            Error::RateLimited { policy: *policy, retry_after: Ord::max(wait.unsigned_abs().div_ceil(1_000_000), 1) }
        }
        None => Error::Internal("a failure was not counted".into()),
    }
}

/// How far ahead of now, in microseconds, `theoretical_arrival` may be before a unit is taken: the burst but one.
fn tolerance(quota: Quota) -> i64 {
    quota.interval().saturating_mul(i64::from(quota.burst) - 1)
}

/// Gives units back, by one statement. An upsert, though the rows are there: it locks them in the order of the list, as taking
/// does, and an UPDATE in an order of its own.
pub(super) async fn refund(db: &impl ConnectionTrait, units: &[Increment], failures: StreakUpdate) -> Result<()> {
    if units.is_empty() {
        return Ok(());
    }
    let failures = match failures {
        // Somebody else may have ended the row meanwhile.
        StreakUpdate::Decrement => "CASE WHEN rate_limits.count > 0 THEN rate_limits.count - 1 ELSE 0 END",
        StreakUpdate::Reset => "0",
    };
    let (mut rows, mut values) = (Vec::new(), Vec::<Value>::new());
    for (row, unit) in units.iter().enumerate() {
        let n = values.len();
        rows.push(format!("(${}, ${}, ${}, {row})", n + 1, n + 2, n + 3));
        values.extend([unit.key.as_str().into(), unit.interval.into(), unit.failures.into()]);
    }
    let sql = format!(
        "WITH taken (key, step, failures, row) AS (VALUES {})
         INSERT INTO rate_limits (key, theoretical_arrival, count, expires_at)
         SELECT key, step, failures, (SELECT held.expires_at FROM rate_limits AS held WHERE held.key = taken.key)
         FROM taken
         WHERE (SELECT held.expires_at FROM rate_limits AS held WHERE held.key = taken.key) IS NOT NULL
         ORDER BY row
         ON CONFLICT (key) DO UPDATE SET
             theoretical_arrival = rate_limits.theoretical_arrival - excluded.theoretical_arrival,
             count = CASE excluded.count WHEN 0 THEN rate_limits.count ELSE {failures} END",
        rows.join(", "),
    );
    db.execute_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await?;
    Ok(())
}
