//! The counters of the rate limits: the SQL that charges and refunds them.
//!
//! One statement charges any number of counters, another one refunds them, and a third adds any amounts to them. All
//! run the same SQL on Postgres and on SQLite.

use std::{collections::HashMap, time::Duration};

use portico_entity::rate_limit;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Statement, Value, sea_query::Expr};

use super::{Limit, Quota, RateLimitSettings, limit::ActiveLimit};
use crate::platform::{
    app::App,
    error::{Error, RateLimited, Result},
    keys::KeyUse,
};

/// How long a failure streak is kept after its last failure.
const STREAK_RETENTION: Duration = Duration::from_secs(365 * 86_400);
/// The GCRA tolerance of a counter that never refuses, in microseconds.
const UNLIMITED_TOLERANCE: i64 = i64::MAX / 2;

/// One unit of one counter: the amount by which a charge raises it.
#[derive(Clone)]
pub(super) struct Increment {
    /// The key of the `rate_limits` row.
    pub(super) key: String,
    /// The amount that is added to `theoretical_arrival`, in microseconds. Zero for a failure streak.
    interval: i64,
    /// The amount that is added to `count`: one for a failure streak, else zero.
    failures: i64,
    /// The limit. `None` for a failure streak, which never refuses.
    limit: Option<ActiveLimit>,
}

/// How a refund changes a failure streak.
#[derive(Clone, Copy)]
pub(super) enum StreakUpdate {
    /// Subtracts one failure, because the attempt was not a failure.
    Decrement,
    /// Sets the streak to zero, because the attempt succeeded.
    Reset,
}

impl Increment {
    /// Returns one unit of `limit` for `subject`, or `None` when the settings turn the limit off.
    pub(super) fn of(app: &App, limit: &Limit, subject: &[&str]) -> Option<Self> {
        let quota = app.section::<RateLimitSettings>().quota(limit)?;
        let key = key(app, limit.name, subject);
        let limit = ActiveLimit { name: limit.name, quota };
        Some(Self { key, interval: quota.interval_micros(), failures: 0, limit: Some(limit) })
    }

    /// Returns one failure of the streak `name` for `subject`.
    pub(super) fn failure(app: &App, name: &str, subject: &[&str]) -> Self {
        Self { key: key(app, name, subject), interval: 0, failures: 1, limit: None }
    }

    /// Returns whether this is a failure of a streak, and not a unit of a limit.
    pub(super) fn is_failure(&self) -> bool {
        self.failures > 0
    }
}

/// Returns the key of a `rate_limits` row: the limit's name, a colon, and the first 16 bytes of a keyed hash of the
/// subject in hexadecimal. So the table holds no email address and no network.
pub(super) fn key(app: &App, name: &str, subject: &[&str]) -> String {
    let parts: Vec<&[u8]> = subject.iter().map(|part| part.as_bytes()).collect();
    format!("{name}:{}", hex::encode(&app.keys().newest().mac(KeyUse::RateLimit, &parts)[..16]))
}

/// Charges the counters of each charge: all of them or none of them. Returns for each charge its failure streak,
/// including this failure, or the error of the exhausted limit. The streak is 0 when the charge has none.
///
/// No two charges may contain the same counter.
///
/// # Errors
/// The outer error: `unavailable` or `internal` when the database fails. The inner error: `too_many_requests`.
pub(super) async fn reserve(
    app: &App,
    db: &impl ConnectionTrait,
    charges: &[&[Increment]],
) -> Result<Vec<Result<i64>>> {
    let now = app.now().timestamp_micros();
    let counts = upsert(app, db, charges, now).await?;
    let is_counted = |unit: &&Increment| counts.contains_key(&unit.key);
    let is_refused = |charge: &&&[Increment]| !charge.iter().all(|unit| is_counted(&unit));
    let refused = || charges.iter().filter(is_refused).flat_map(|charge| charge.iter());
    // A concurrent transaction may use the last unit of one limit after the statement has checked all limits. Then
    // some units of a refused charge are counted and must be refunded.
    let counted: Vec<_> = refused().filter(is_counted).cloned().collect();
    refund(db, &counted, StreakUpdate::Decrement).await?;
    let not_counted: Vec<_> = refused().filter(|unit| !is_counted(unit)).collect();
    let mut arrivals = load(db, not_counted.iter().map(|unit| &unit.key).collect()).await?;
    for unit in not_counted {
        correct_future_arrival(db, unit, arrivals.get_mut(&unit.key), now).await?;
    }
    let outcome = |charge: &&[Increment]| {
        if is_refused(&charge) {
            let not_counted = charge.iter().filter(|unit| !is_counted(unit));
            return Err(rate_limited(not_counted, &arrivals, now));
        }
        let streak = charge.iter().filter(|unit| unit.is_failure()).find_map(|unit| counts.get(&unit.key).copied());
        Ok(streak.unwrap_or(0))
    };
    Ok(charges.iter().map(outcome).collect())
}

/// Charges the counters that have units left, by one statement. Returns `count` of each counter that was charged, by
/// its key.
async fn upsert(
    app: &App,
    db: &impl ConnectionTrait,
    charges: &[&[Increment]],
    now: i64,
) -> Result<HashMap<String, i64>> {
    let mut units: Vec<_> = charges
        .iter()
        .enumerate()
        .flat_map(|(charge, units)| units.iter().enumerate().map(move |(position, unit)| (charge, position, unit)))
        .collect();
    // The statement locks the rows in this order: by the position in their charge, then by key. The same order in
    // every transaction prevents deadlocks.
    units.sort_unstable_by_key(|(_, position, unit)| (*position, &unit.key));
    let (mut rows, mut values) = (Vec::new(), vec![Value::from(now)]);
    for (row, (charge, _, unit)) in (0_i64..).zip(&units) {
        let n = values.len();
        rows.push(format!("(${}, ${}, ${}, ${}, ${}, ${}, {row})", n + 1, n + 2, n + 3, n + 4, n + 5, n + 6));
        values.extend([
            unit.key.as_str().into(),
            unit.interval.into(),
            unit.failures.into(),
            (app.now() + unit.limit.map_or(STREAK_RETENTION, |limit| limit.quota.window * 2)).into(),
            unit.limit.map_or(UNLIMITED_TOLERANCE, |limit| tolerance(limit.quota)).into(),
            i64::try_from(*charge).unwrap_or(i64::MAX).into(),
        ]);
    }
    if rows.is_empty() {
        return Ok(HashMap::new());
    }
    // `theoretical_arrival` is the theoretical arrival time of GCRA: once it has passed, the whole burst is available
    // again. $1 is now.
    //
    // The NOT EXISTS checks all counters of a charge before any of them is charged, so a charge that one limit
    // refuses uses no unit of another limit. The subqueries look up one key each. With a join instead, Postgres would
    // scan the whole table while its statistics are older than the rows.
    let sql = format!(
        "WITH charged (key, step, failures, expires_at, tolerance, charge, row) AS (VALUES {})
         INSERT INTO rate_limits (key, theoretical_arrival, count, expires_at)
         SELECT key, $1 + step, failures, expires_at FROM charged
         WHERE NOT EXISTS (
             SELECT 1 FROM charged AS sibling
             WHERE sibling.charge = charged.charge
             AND (
                 SELECT existing.theoretical_arrival FROM rate_limits AS existing WHERE existing.key = sibling.key
             ) > $1 + sibling.tolerance
         )
         ORDER BY row
         ON CONFLICT (key) DO UPDATE SET
             theoretical_arrival =
                 CASE WHEN rate_limits.theoretical_arrival < $1 THEN $1 ELSE rate_limits.theoretical_arrival END
                 + excluded.theoretical_arrival - $1,
             count = rate_limits.count + excluded.count,
             expires_at = excluded.expires_at
         WHERE rate_limits.theoretical_arrival
             <= $1 + (SELECT tolerance FROM charged WHERE charged.key = rate_limits.key)
         RETURNING key, count",
        rows.join(", "),
    );
    let rows = db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await?;
    rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).collect()
}

/// Corrects the counter of `unit` if its `arrival` is further ahead than one period of the limit, which no charge
/// makes: the clock of a process was wrong. The counter is then exhausted for one period from now. Without this it
/// would refuse until the time that the wrong clock showed.
async fn correct_future_arrival(
    db: &impl ConnectionTrait,
    unit: &Increment,
    arrival: Option<&mut i64>,
    now: i64,
) -> Result<()> {
    let (Some(limit), Some(arrival)) = (unit.limit, arrival) else { return Ok(()) };
    let latest = now.saturating_add(limit.quota.window_micros());
    if *arrival <= latest {
        return Ok(());
    }
    rate_limit::Entity::update_many()
        .col_expr(rate_limit::Column::TheoreticalArrival, Expr::value(latest))
        .filter(rate_limit::Column::Key.eq(&unit.key))
        .filter(rate_limit::Column::TheoreticalArrival.eq(*arrival))
        .exec(db)
        .await?;
    *arrival = latest;
    Ok(())
}

/// Adds to the arrival time of each counter, after it was brought into `bounds`, and returns the new ones by key. A
/// time before the lower bound means that the whole burst is available, and one after the upper bound that a clock was
/// wrong.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(super) async fn add(
    db: &impl ConnectionTrait,
    steps: &[(&str, i64)],
    (lowest, highest): (i64, i64),
    expires_at: Value,
) -> Result<HashMap<String, i64>> {
    if steps.is_empty() {
        return Ok(HashMap::new());
    }
    // The same order in every transaction prevents deadlocks.
    let mut steps = steps.to_vec();
    steps.sort_unstable();
    let (mut rows, mut values) = (Vec::new(), vec![Value::from(lowest), highest.into(), expires_at]);
    for (row, (key, step)) in steps.into_iter().enumerate() {
        let n = values.len();
        rows.push(format!("(${}, ${}, {row})", n + 1, n + 2));
        values.extend([key.into(), step.into()]);
    }
    let sql = format!(
        "WITH charged (key, step, row) AS (VALUES {})
         INSERT INTO rate_limits (key, theoretical_arrival, count, expires_at)
         SELECT key, $1 + step, 0, $3 FROM charged WHERE true ORDER BY row
         ON CONFLICT (key) DO UPDATE SET
             theoretical_arrival =
                 CASE
                     WHEN rate_limits.theoretical_arrival < $1 THEN $1
                     WHEN rate_limits.theoretical_arrival > $2 THEN $2
                     ELSE rate_limits.theoretical_arrival
                 END
                 + (SELECT charged.step FROM charged WHERE charged.key = rate_limits.key),
             expires_at = excluded.expires_at
         RETURNING key, theoretical_arrival",
        rows.join(", "),
    );
    let rows = db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await?;
    rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).collect()
}

/// Loads `theoretical_arrival` of these counters, in microseconds since 1970, by key.
async fn load(db: &impl ConnectionTrait, keys: Vec<&String>) -> Result<HashMap<String, i64>> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = rate_limit::Entity::find().filter(rate_limit::Column::Key.is_in(keys)).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.key, row.theoretical_arrival)).collect())
}

/// Returns the error for the first exhausted limit among the units that were not counted, with the time until it has
/// a unit. If none of them is still exhausted, returns the error for the first of them.
fn rate_limited<'a>(
    not_counted: impl Iterator<Item = &'a Increment>,
    arrivals: &HashMap<String, i64>,
    now: i64,
) -> Error {
    let waits = not_counted.filter_map(|unit| {
        let limit = unit.limit?;
        let theoretical_arrival = arrivals.get(&unit.key).copied().unwrap_or(now);
        Some((limit, Ord::max(theoretical_arrival - tolerance(limit.quota) - now, 0)))
    });
    let waits: Vec<_> = waits.collect();
    match waits.iter().find(|(_, wait)| *wait > 0).or(waits.first()) {
        Some((limit, wait)) => Error::RateLimited(RateLimited {
            limit: limit.name,
            burst: limit.quota.burst,
            window: limit.quota.window,
            retry_after: Ord::max(wait.unsigned_abs().div_ceil(1_000_000), 1),
        }),
        None => Error::Internal("the failure streak was not counted".into()),
    }
}

/// The GCRA tolerance in microseconds: how far `theoretical_arrival` may be in the future before a unit is charged.
/// It is the time of all units of the burst except one.
fn tolerance(quota: Quota) -> i64 {
    quota.interval_micros().saturating_mul(i64::from(quota.burst) - 1)
}

/// Refunds units, by one statement, and updates the failure streaks among them by `failures`. Ignores counters that
/// no longer have a row.
///
/// The statement is an upsert, although the rows exist, because an upsert locks them in the order of the list, as
/// [`upsert`] does. An UPDATE would lock them in an order that the database chooses.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(super) async fn refund(db: &impl ConnectionTrait, units: &[Increment], failures: StreakUpdate) -> Result<()> {
    if units.is_empty() {
        return Ok(());
    }
    let failures = match failures {
        // A concurrent request may have reset the streak since the failure was counted.
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
        "WITH refunded (key, step, failures, row) AS (VALUES {})
         INSERT INTO rate_limits (key, theoretical_arrival, count, expires_at)
         SELECT
             key,
             step,
             failures,
             (SELECT existing.expires_at FROM rate_limits AS existing WHERE existing.key = refunded.key)
         FROM refunded
         WHERE (SELECT existing.expires_at FROM rate_limits AS existing WHERE existing.key = refunded.key) IS NOT NULL
         ORDER BY row
         ON CONFLICT (key) DO UPDATE SET
             theoretical_arrival = rate_limits.theoretical_arrival - excluded.theoretical_arrival,
             count = CASE excluded.count WHEN 0 THEN rate_limits.count ELSE {failures} END",
        rows.join(", "),
    );
    db.execute_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await?;
    Ok(())
}
