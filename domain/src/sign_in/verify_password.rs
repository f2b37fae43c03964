//! Verifies a password.
//!
//! Each attempt is counted before the password is checked. An unknown email address causes the same work as a known
//! one, so neither the answer nor its time tells whether an account exists.

use portico_entity::{
    email::Kind,
    portal_user::{self, Column},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::Expr};

use super::device::known_device;
use crate::{
    actor::{Anonymous, RequestContext},
    app::App,
    audit,
    email_address::EmailAddress,
    error::{Error, Result},
    mail,
    passwords::Verification,
    rate_limit::{self, FailureStreak, Limit, Reservation},
    secret::Password,
    sessions::Realm,
    tx::{self, Tx},
};

/// The name of the failure streak of sign-in, which is counted per email address and known device.
const FAILURE_STREAK: &str = "sign_in_lockout";

/// Proof that a password was right. The attempt stays counted as a failure until
/// [`record_success`](VerifiedPassword::record_success) is called.
#[must_use]
pub(crate) struct VerifiedPassword {
    reservation: Reservation,
    /// A new hash with the current cost parameters, if the stored hash has other ones.
    rehashed: Option<String>,
}

/// Verifies that `password` is the password of `user`. `user` is the account of `email`, or `None` when the email
/// address is unknown; then the verification takes the same time and fails.
///
/// The attempt uses a unit of [`Limit::SignInNetwork`] and of [`Limit::SignInAccount`], and adds a failure to the
/// failure streak. When the streak reaches `PORTICO_LIMIT_SIGN_IN_LOCKOUT` and the device is not known, this function
/// locks the password until a reset, mails a notice and records an audit event. A known device may still use a locked
/// password, until its own streak exceeds the limit.
///
/// # Errors
/// - `too_many_requests` when a rate limit is exhausted. The password is not checked then.
/// - `invalid_credentials` when the email address is unknown, the password is wrong or locked, or the account is
///   disabled or not activated.
/// - `overloaded` when no hashing slot became free in time. The attempt is not counted then.
/// - `unavailable` or `internal` when the database fails.
pub(crate) async fn verify_password(
    app: &App,
    context: &RequestContext,
    email: &EmailAddress,
    user: Option<&portal_user::Model>,
    password: &Password,
) -> Result<VerifiedPassword> {
    let device = known_device(app, context, Realm::Portal, email).unwrap_or_default();
    let network = context.network();
    let account: [&str; 2] = if device.is_empty() { [email.as_str(), &network] } else { [email.as_str(), &device] };
    let limits: [(Limit, &[&str]); 2] = [(Limit::SignInNetwork, &[&network]), (Limit::SignInAccount, &account)];
    // A known device proves that the account exists. So its streak may depend on the credential version, and starts
    // again after a password change.
    let version = user.filter(|_| !device.is_empty()).map_or(String::new(), |user| user.credential_version.to_string());
    let streak = FailureStreak(FAILURE_STREAK, &[email.as_str(), &device, &version]);
    let reservation = rate_limit::reserve_attempt(app, &limits, streak).await?;
    let limit = app.settings().rate_limits.sign_in_lockout.map_or(i64::MAX, i64::from);

    // If the account cannot sign in or the streak is over its limit, the password is compared with a dummy hash,
    // which takes the same time. A password that guesses from elsewhere have locked stays usable from the owner's
    // known devices, which have streaks of their own.
    let is_unlocked = |user: &&portal_user::Model| user.password_locked_at.is_none() || !device.is_empty();
    let usable = user.filter(|user| user.disabled_at.is_none()).filter(is_unlocked);
    let phc = usable.and_then(|user| user.password_phc.as_deref()).filter(|_| reservation.streak() <= limit);
    let verification = match app.hasher().verify(context, phc, password).await {
        Ok(verification) => verification,
        Err(error) => return reservation.refund_if_transient(app, Err(error)).await,
    };
    if let Verification::Right { rehashed } = verification {
        return Ok(VerifiedPassword { reservation, rehashed });
    }
    // The failure stays counted. If the request ran again, the failure would be counted twice.
    tx::mark_not_retryable();
    if reservation.streak() >= limit && device.is_empty() {
        lock(app, context, user).await?;
    }
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
    rate_limit::reset_streak(tx.app(), tx.db(), FailureStreak(FAILURE_STREAK, &[email, "", ""])).await
}

/// Replaces the stored hash by `phc`, if the stored hash is still the one that was verified. The password does not
/// change, so the credential version stays.
async fn store_rehashed(db: &impl ConnectionTrait, user: &portal_user::Model, phc: &str) -> Result<()> {
    portal_user::Entity::update_many()
        .col_expr(Column::PasswordPhc, Expr::value(phc))
        .filter(Column::Id.eq(user.id))
        .filter(Column::PasswordPhc.eq(user.password_phc.clone()))
        .exec(db)
        .await?;
    Ok(())
}

/// Locks the password of `user` until a reset, mails a notice and records an audit event. Does nothing when there is
/// no user or no password, or when the password is already locked.
async fn lock(app: &App, context: &RequestContext, user: Option<&portal_user::Model>) -> Result<()> {
    let Some(user) = user.filter(|user| user.password_phc.is_some()) else { return Ok(()) };
    let mut tx = app.begin().await?.caused_by(context.request_id);
    let locked = portal_user::Entity::update_many()
        .col_expr(Column::PasswordLockedAt, Expr::value(app.now()))
        .filter(Column::Id.eq(user.id))
        .filter(Column::PasswordLockedAt.is_null())
        .exec(tx.db())
        .await?;
    if locked.rows_affected == 1 {
        mail::enqueue_notice(&mut tx, Kind::PasswordLocked, user).await?;
        audit::record_for_tenants(&mut tx, &Anonymous { context: context.clone() }, user.id, "password.locked").await?;
    }
    tx.commit().await
}
