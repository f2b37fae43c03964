//! Limits on guessing and flooding, exact over all processes: one conditional statement each, in the database.
//!
//! A limit is taken *before* the secret is looked at, and in the same way for strangers, so neither the count nor the
//! time tells who has an account.

mod settings;

use std::time::Duration;

use portico_entity::throttle;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, Statement, Value,
    sea_query::{Expr, SimpleExpr},
};

use crate::{
    app::App,
    error::{Error, Result},
    keys::KeyUse,
    secret::hex,
    tx::Tx,
};

pub use settings::{LimitSettings, Quota};

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

/// Units that were taken, and can be given back.
#[must_use]
pub struct Taken(Vec<(String, i64)>);

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
    let mut all = Taken(Vec::new());
    // One after the other: whom the first turns away must not take a unit of the second from somebody else, not even for a moment.
    for limit in limits {
        let refused = match take_from(app, app.db(), &[*limit]).await {
            Ok((taken, None)) => {
                all.0.extend(taken.0);
                continue;
            }
            Ok((_, Some(error))) | Err(error) => error,
        };
        all.give_back(app).await?;
        return Err(refused);
    }
    Ok(all)
}

/// Takes one unit of each of several limits within `tx`: for acts without a secret to guess, where being counted and being
/// done may be one commit. Without a commit nothing was taken. The rows stay locked until then, so take them first, the most
/// shared one before the others, in every act alike.
///
/// # Errors
/// `too_many_requests` when one of them has none left; then do not commit.
pub(crate) async fn take_with(tx: &Tx, limits: &[(Limit, &[&str])]) -> Result<()> {
    let (_, refused) = take_from(tx.app(), tx.db(), limits).await?;
    refused.map_or(Ok(()), Err)
}

/// Takes what can be taken by one statement, and says what the first limit that had nothing left answers.
async fn take_from(
    app: &App,
    db: &impl ConnectionTrait,
    limits: &[(Limit, &[&str])],
) -> Result<(Taken, Option<Error>)> {
    let now = app.now().timestamp_micros();
    let mut asked = Vec::with_capacity(limits.len());
    for (limit, subject) in limits {
        if let Some(quota) = limit.quota(&app.settings().limits) {
            asked.push((key(app, limit.name(), subject), Policy { name: limit.name(), quota }));
        }
    }
    if asked.is_empty() {
        return Ok((Taken(Vec::new()), None));
    }
    let (mut rows, mut tolerances, mut values) = (Vec::new(), String::new(), vec![Value::from(now)]);
    for (key, Policy { quota, .. }) in &asked {
        let n = values.len();
        rows.push(format!("(${}, ${} + $1, 0, ${})", n + 1, n + 2, n + 3));
        tolerances += &format!(" WHEN ${} THEN ${}", n + 1, n + 4);
        let expires_at = app.now() + quota.per * 2;
        values.extend([key.as_str().into(), quota.interval().into(), expires_at.into(), tolerance(*quota).into()]);
    }
    // `full_at` is GCRA's theoretical arrival time: full burst again once it has passed.
    let sql = format!(
        "INSERT INTO throttles (key, full_at, count, expires_at) VALUES {}
         ON CONFLICT (key) DO UPDATE SET
             full_at = CASE WHEN throttles.full_at < $1 THEN $1 ELSE throttles.full_at END + excluded.full_at - $1,
             expires_at = excluded.expires_at
         WHERE throttles.full_at <= $1 + CASE throttles.key{tolerances} END
         RETURNING key",
        rows.join(", ")
    );
    let rows = db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await?;
    let had: Vec<String> = rows.iter().map(|row| row.try_get_by_index(0)).collect::<std::result::Result<_, _>>()?;
    let refused = asked.iter().find(|(key, _)| !had.contains(key));
    let refused = match refused {
        None => None,
        Some((key, policy)) => {
            let full_at = throttle::Entity::find_by_id(key.clone()).one(db).await?.map_or(now, |row| row.full_at);
            let wait = u64::try_from(full_at - tolerance(policy.quota) - now).unwrap_or(0);
            Some(Error::TooMany { policy: *policy, retry_after: Ord::max(wait.div_ceil(1_000_000), 1) })
        }
    };
    let taken = asked.into_iter().filter(|(key, _)| had.contains(key));
    Ok((Taken(taken.map(|(key, policy)| (key, policy.quota.interval())).collect()), refused))
}

/// How far ahead of now, in microseconds, `full_at` may be before a unit is taken: the burst but one.
fn tolerance(quota: Quota) -> i64 {
    quota.interval().saturating_mul(i64::from(quota.burst) - 1)
}

impl Taken {
    /// Gives the units back: the attempt was right, or was not made.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn give_back(self, app: &App) -> Result<()> {
        // A statement each: one UPDATE locks its rows in an order of its own, and would wait for those who take them in theirs.
        for (key, interval) in self.0 {
            throttle::Entity::update_many()
                .col_expr(throttle::Column::FullAt, Expr::col(throttle::Column::FullAt).sub(interval))
                .filter(throttle::Column::Key.eq(key))
                .exec(app.db())
                .await?;
        }
        Ok(())
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

/// Counts one more failure in a row for `subject` and returns how many there are now.
///
/// # Errors
/// When the database fails.
pub(crate) async fn count_in_a_row(app: &App, name: &str, subject: &[&str]) -> Result<i64> {
    let expires_at = app.now() + Duration::from_secs(365 * 86_400);
    let statement = Statement::from_sql_and_values(
        app.db().get_database_backend(),
        "INSERT INTO throttles (key, full_at, count, expires_at) VALUES ($1, 0, 1, $2)
         ON CONFLICT (key) DO UPDATE SET count = throttles.count + 1, expires_at = excluded.expires_at
         RETURNING count",
        [key(app, name, subject).into(), expires_at.into()],
    );
    let row = app.db().query_one_raw(statement).await?;
    Ok(row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or(1))
}

/// Takes the last failure back: it was none.
///
/// # Errors
/// When the database fails.
pub(crate) async fn take_back(app: &App, name: &str, subject: &[&str]) -> Result<()> {
    set_count(app, app.db(), name, subject, Expr::col(throttle::Column::Count).sub(1)).await
}

/// Ends the row of failures.
///
/// # Errors
/// When the database fails.
pub(crate) async fn end_row(app: &App, db: &impl ConnectionTrait, name: &str, subject: &[&str]) -> Result<()> {
    set_count(app, db, name, subject, Expr::val(0)).await
}

async fn set_count(
    app: &App,
    db: &impl ConnectionTrait,
    name: &str,
    subject: &[&str],
    count: SimpleExpr,
) -> Result<()> {
    throttle::Entity::update_many()
        .col_expr(throttle::Column::Count, count)
        .filter(throttle::Column::Key.eq(key(app, name, subject)))
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
        // What was taken of the first is given back when the second is empty.
        let limits: [(Limit, &[&str]); 2] =
            [(Limit::SendCodeNetwork, &["other"]), (Limit::SendCode, &["ann@x.test", ""])];
        assert_eq!(take_all(&app, &limits).await.map(drop).map_err(name), Err("send_code"));
        let full_at = throttle::Entity::find_by_id(key(&app, "send_code_network", &["other"])).one(app.db()).await;
        assert_eq!(full_at.unwrap().unwrap().full_at, app.now().timestamp_micros());
    }

    #[tokio::test]
    async fn failures_in_a_row_are_counted_until_a_success() {
        let app = testing::app().await;
        assert_eq!(count_in_a_row(&app, "close", &["ann"]).await.unwrap(), 1);
        assert_eq!(count_in_a_row(&app, "close", &["ann"]).await.unwrap(), 2);
        take_back(&app, "close", &["ann"]).await.unwrap();
        assert_eq!(count_in_a_row(&app, "close", &["ann"]).await.unwrap(), 2);
        end_row(&app, app.db(), "close", &["ann"]).await.unwrap();
        assert_eq!(count_in_a_row(&app, "close", &["ann"]).await.unwrap(), 1);
    }
}
