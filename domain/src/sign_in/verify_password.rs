//! Checking a password: counted before it is looked at, and the same work whoever is asked for.

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

/// The counter of failures in a row, per address and known device.
const FAILURE_STREAK: &str = "sign_in_lockout";

/// That a password was right. Until it is settled, the attempt stays counted as a wrong one.
#[must_use]
pub(crate) struct VerifiedPassword {
    reservation: Reservation,
    /// The hash of the current cost, where the stored one is of another.
    rehashed: Option<String>,
}

/// Proves that `password` is that of `user`, whom `email` named; a stranger's address proves nothing, and takes as long.
///
/// # Errors
/// `too_many_requests`; `invalid_credentials` also when the account cannot sign in at all; `overloaded`.
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
    // A known device shows that there is an account, so its row may end with the password it was about.
    let version = user.filter(|_| !device.is_empty()).map_or(String::new(), |user| user.credential_version.to_string());
    let streak = FailureStreak(FAILURE_STREAK, &[email.as_str(), &device, &version]);
    let reservation = rate_limit::reserve_attempt(app, &limits, streak).await?;
    let limit = app.settings().rate_limits.sign_in_lockout.map_or(i64::MAX, i64::from);

    // Only a password that counts is compared; anything else is a comparison with nothing, of the same length.
    // What strangers have closed stays open for the owner's own devices, which have a row of their own.
    let is_open = |user: &&portal_user::Model| user.password_locked_at.is_none() || !device.is_empty();
    let usable = user.filter(|user| user.disabled_at.is_none()).filter(is_open);
    let phc = usable.and_then(|user| user.password_phc.as_deref()).filter(|_| reservation.streak() <= limit);
    let verification = match app.hasher().verify(context, phc, password).await {
        Ok(verification) => verification,
        Err(error) => return reservation.refund_if_transient(app, Err(error)).await,
    };
    if let Verification::Right { rehashed } = verification {
        return Ok(VerifiedPassword { reservation, rehashed });
    }
    // The failure stays counted: run again, it would count twice.
    tx::mark_not_retryable();
    if reservation.streak() >= limit && device.is_empty() {
        lock(app, context, user).await?;
    }
    Err(Error::INVALID_CREDENTIALS)
}

impl VerifiedPassword {
    /// Gives back what the attempt was counted as, and stores a hash of the current cost. In a transaction for its end, since
    /// all others who are counted there wait for its commit.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn record_success(&self, db: &impl ConnectionTrait, user: &portal_user::Model) -> Result<()> {
        if let Some(phc) = &self.rehashed {
            store_rehashed(db, user, phc).await?;
        }
        self.reservation.succeeded(db).await
    }

    /// Takes the attempt back if what came after it could not be done, and returns how it ended.
    ///
    /// # Errors
    /// As `done` was.
    pub(crate) async fn refund_if_transient<T>(self, app: &App, done: Result<T>) -> Result<T> {
        self.reservation.refund_if_transient(app, done).await
    }
}

/// Ends the row of failures of `email`: the password is a new one. For the end of a transaction, as [`VerifiedPassword::settle`].
///
/// # Errors
/// When the database fails.
pub(crate) async fn reset_failures(tx: &mut Tx, email: &str) -> Result<()> {
    rate_limit::reset_streak(tx.app(), tx.db(), FailureStreak(FAILURE_STREAK, &[email, "", ""])).await
}

/// Only if the hash is still the one that was verified; the version stays, since the password does.
async fn store_rehashed(db: &impl ConnectionTrait, user: &portal_user::Model, phc: &str) -> Result<()> {
    portal_user::Entity::update_many()
        .col_expr(Column::PasswordPhc, Expr::value(phc))
        .filter(Column::Id.eq(user.id))
        .filter(Column::PasswordPhc.eq(user.password_phc.clone()))
        .exec(db)
        .await?;
    Ok(())
}

/// Closes the password until a reset, once, and says so to the person.
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
