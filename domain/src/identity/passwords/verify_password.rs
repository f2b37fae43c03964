//! Verifies a password.
//!
//! Each attempt is counted before the password is checked. An unknown email address causes the same work as a known
//! one, so neither the response nor its time tells whether an account exists.

use portico_entity::{
    email::Kind,
    portal_user::{self, Column},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::Expr};

use super::{
    cost::{self, Cost},
    hashing::{Hasher, Verification},
};
use crate::{
    identity::{devices, notices},
    limits,
    platform::{
        actor::{Actor, Anonymous, Realm, RequestContext},
        app::App,
        audit,
        email_address::EmailAddress,
        error::{Error, Result, ResultExt},
        rate_limit::{self, FailureStreak, RateLimitSettings, Reservation},
        secret::Password,
        tx::Tx,
    },
    tenancy::memberships,
};

/// Proof that a password was right. The attempt stays counted as a failure until
/// [`record_success`](VerifiedPassword::record_success) or [`record_refusal`](VerifiedPassword::record_refusal) is
/// called.
#[must_use]
pub(crate) struct VerifiedPassword {
    reservation: Reservation,
    /// A new hash with the current cost parameters, if the stored hash has other ones.
    rehashed: Option<String>,
}

/// An attempt to prove the knowledge of a password.
pub(crate) struct PasswordAttempt<'a> {
    /// Where the attempt came from.
    pub(crate) context: &'a RequestContext,
    /// The email address that was typed.
    pub(crate) email: &'a EmailAddress,
    /// The account of `email`; `None` if the address is unknown.
    pub(crate) user: Option<&'a portal_user::Model>,
    /// The password that was typed.
    pub(crate) password: &'a Password,
    /// The actor of the audit event for a wrong password.
    pub(crate) actor: Actor,
    /// The audit event for a wrong password.
    pub(crate) failure: audit::Event,
}

/// Checks the password of an attempt. If the email address is unknown, the check takes the same time and fails. The
/// time also does not depend on the cost of the stored hash; see [`cost`].
///
/// The attempt uses a unit of [`SIGN_IN_ACCOUNT`](limits::SIGN_IN_ACCOUNT) and, unless the device is known, of
/// [`SIGN_IN_NETWORK`](limits::SIGN_IN_NETWORK), and adds a failure to the failure streak. A wrong password is recorded
/// in the audit log. When the streak reaches [`SIGN_IN_LOCKOUT`](limits::SIGN_IN_LOCKOUT) and the device is not known,
/// this function locks the password until a reset, mails a notice and records an audit event. A known device may still
/// use a locked password, until its own streak exceeds the limit.
///
/// # Errors
/// - `too_many_requests` when a rate limit is exhausted. The password is not checked then.
/// - `invalid_credentials` when the email address is unknown, the password is wrong or locked, or the account is
///   disabled or not activated. The failure stays counted.
/// - `overloaded` when no hashing slot became free in time. The attempt is not counted then.
/// - `unavailable` or `internal` when the database fails.
pub(crate) async fn verify_password(app: &App, attempt: PasswordAttempt<'_>) -> Result<VerifiedPassword> {
    let (context, email, user) = (attempt.context, attempt.email, attempt.user);
    let costs = cost::in_use(app).await?;
    let device = devices::known_device(app, context, Realm::Portal, email).await?.unwrap_or_default();
    let network = context.network();
    let account: [&str; 2] = [email.as_str(), if device.is_empty() { &network } else { &device }];
    let network: [&str; 1] = [&network];
    let charged =
        devices::counters(&device, (&limits::SIGN_IN_NETWORK, &network), (&limits::SIGN_IN_ACCOUNT, &account));
    // A known device proves that the account exists. So its streak may depend on the credential version, and starts
    // again after a password change.
    let version = user.filter(|_| !device.is_empty()).map_or(String::new(), |user| user.credential_version.to_string());
    let streak = FailureStreak { limit: &limits::SIGN_IN_LOCKOUT, subject: &[email.as_str(), &device, &version] };
    let reservation = rate_limit::reserve_attempt(app, &charged, streak).await?;
    let max_streak =
        app.section::<RateLimitSettings>().max_streak(&limits::SIGN_IN_LOCKOUT).map_or(i64::MAX, i64::from);

    // If the password is locked or the streak is over its limit, only dummy hashes are computed, which take the same
    // time. Wrong guesses from other devices can lock a password. The owner can still use it on a known device, because
    // each known device has its own failure streak.
    let is_unlocked = |user: &&portal_user::Model| user.password_locked_at.is_none() || !device.is_empty();
    let phc = user
        .filter(is_unlocked)
        .and_then(|user| user.password_phc.as_deref())
        .filter(|_| reservation.streak() <= max_streak);
    let verification = match app.get::<Hasher>().verify(context, phc, attempt.password, costs).await {
        Ok(verification) => verification,
        Err(error) => return reservation.refund_if_transient(app, Err(error)).await,
    };
    let failure = match verification {
        Verification::Right { rehashed } if user.is_some_and(|user| user.disabled_at.is_none()) => {
            return Ok(VerifiedPassword { reservation, rehashed });
        }
        Verification::Right { .. } => Failure::Disabled(reservation),
        Verification::Wrong if reservation.streak() >= max_streak && device.is_empty() => Failure::ReachesLockout,
        Verification::Wrong => Failure::Wrong,
    };
    // The failure stays counted, so the request must not run again: it would be counted twice.
    record_failure(app, attempt, failure).await.not_retryable()?;
    Err(Error::INVALID_CREDENTIALS)
}

impl VerifiedPassword {
    /// Refunds the rate limits, resets the failure streak, and stores the new hash if there is one.
    ///
    /// In a transaction, call this last: other attempts that count on the same `rate_limits` rows wait until it
    /// commits.
    ///
    /// # Errors
    /// `unavailable` or `internal` when the database fails.
    pub(crate) async fn record_success(&self, db: &impl ConnectionTrait, user: &portal_user::Model) -> Result<()> {
        if let Some(phc) = &self.rehashed {
            store_rehashed(db, user, phc).await?;
        }
        self.reservation.succeeded(db).await
    }

    /// Leaves the attempt charged, because it is refused although the password was right. Otherwise the limits would
    /// show which passwords are right. The failure streak is as it was before the attempt.
    ///
    /// In a transaction, call this last, as [`record_success`](Self::record_success).
    ///
    /// # Errors
    /// `unavailable` or `internal` when the database fails.
    pub(crate) async fn record_refusal(&self, db: &impl ConnectionTrait) -> Result<()> {
        self.reservation.refused_although_right(db).await
    }

    /// Refunds the attempt if `result`, the result of what followed the verification, is a transient error. Returns
    /// `result`.
    ///
    /// # Errors
    /// The error of `result`.
    pub(crate) async fn refund_if_transient<T>(self, app: &App, result: Result<T>) -> Result<T> {
        self.reservation.refund_if_transient(app, result).await
    }
}

/// Resets the failure streak of `email` for unknown devices, because the password has changed. The streak of a known
/// device starts again by itself, because it depends on the credential version.
///
/// In a transaction, call this last, as [`VerifiedPassword::record_success`].
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(crate) async fn reset_failures(tx: &mut Tx, email: &str) -> Result<()> {
    rate_limit::reset_streak(
        tx.app(),
        tx.db(),
        FailureStreak { limit: &limits::SIGN_IN_LOCKOUT, subject: &[email, "", ""] },
    )
    .await
}

/// Replaces the stored hash by `phc`, if the stored hash is still the one that was verified. The password does not
/// change, so the credential version stays.
async fn store_rehashed(db: &impl ConnectionTrait, user: &portal_user::Model, phc: &str) -> Result<()> {
    portal_user::Entity::update_many()
        .col_expr(Column::PasswordPhc, Expr::value(phc))
        .col_expr(Column::PasswordCost, Expr::value(Cost::in_phc(phc).map(|cost| cost.to_string())))
        .filter(Column::Id.eq(user.id))
        .filter(Column::PasswordPhc.eq(user.password_phc.clone()))
        .exec(db)
        .await?;
    Ok(())
}

/// Why an attempt is refused.
enum Failure {
    /// The password is wrong, or the account has none.
    Wrong,
    /// The password is wrong, and the failure streak has reached the lockout.
    ReachesLockout,
    /// The password is right, but the account is disabled.
    Disabled(Reservation),
}

/// Records a refused attempt in the audit log, and locks the password if the failure reaches the lockout.
async fn record_failure(app: &App, attempt: PasswordAttempt<'_>, failure: Failure) -> Result<()> {
    let mut tx = app.begin().await?.caused_by(attempt.context.request_id);
    let reaches_lockout = matches!(failure, Failure::ReachesLockout);
    if let Some(user) = attempt.user.filter(|user| reaches_lockout && user.password_phc.is_some()) {
        lock(&mut tx, attempt.context, user).await?;
    }
    audit::record(&mut tx, attempt.actor, attempt.failure).await?;
    if let Failure::Disabled(reservation) = failure {
        reservation.refused_although_right(tx.db()).await?;
    }
    tx.commit().await
}

/// Locks the password of `user` until a reset, mails a notice and records an audit event. Does nothing if the password
/// is already locked.
async fn lock(tx: &mut Tx, context: &RequestContext, user: &portal_user::Model) -> Result<()> {
    let locked = portal_user::Entity::update_many()
        .col_expr(Column::PasswordLockedAt, Expr::value(tx.app().now()))
        .filter(Column::Id.eq(user.id))
        .filter(Column::PasswordLockedAt.is_null())
        .exec(tx.db())
        .await?;
    if locked.rows_affected == 1 {
        notices::enqueue_for_portal_user(tx, Kind::PasswordLocked, user).await?;
        let caller = Anonymous { context: context.clone() };
        memberships::record_for_each_tenant(tx, &caller, user.id, "password.locked").await?;
    }
    Ok(())
}
