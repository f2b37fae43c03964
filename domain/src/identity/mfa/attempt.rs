//! An attempt to prove a second factor. Each attempt is counted before the factor is checked.

use portico_entity::{RecoveryCodeId, session::Factor};
use sea_orm::ConnectionTrait;

use crate::{
    identity::{
        devices, recovery_codes,
        totp::{self, RightCode},
    },
    limits,
    platform::{
        actor::{RequestContext, User},
        app::App,
        error::Result,
        rate_limit::{self, FailureStreak, RateLimitSettings, Reservation},
        secret::PlainToken,
        tx::Tx,
    },
};

/// A second factor that a user has entered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Submitted<'a> {
    /// A code of the authenticator app.
    Totp(&'a PlainToken),
    /// A recovery code.
    RecoveryCode(&'a PlainToken),
}

/// A second factor that was right. It must still be [spent](ProvedFactor::spend).
#[derive(Clone, Copy, Debug)]
pub(crate) enum ProvedFactor {
    /// A code of the authenticator app.
    Totp(RightCode),
    /// A recovery code.
    RecoveryCode(RecoveryCodeId),
}

impl ProvedFactor {
    /// Returns the kind of factor.
    pub(crate) const fn factor(self) -> Factor {
        match self {
            Self::Totp(_) => Factor::Totp,
            Self::RecoveryCode(_) => Factor::RecoveryCode,
        }
    }

    /// Marks the factor as used. Returns whether it was unused: of concurrent uses, one succeeds.
    ///
    /// # Errors
    /// `unavailable` or `internal` if the database fails.
    pub(crate) async fn spend(self, tx: &Tx) -> Result<bool> {
        match self {
            Self::Totp(code) => totp::use_step(tx, code).await,
            Self::RecoveryCode(code) => recovery_codes::use_code(tx, code).await,
        }
    }
}

/// An attempt that was counted.
#[must_use]
pub(crate) struct Attempt {
    reservation: Reservation,
    /// The factor, if it was right.
    pub(crate) proved: Option<ProvedFactor>,
    /// The user and the known device, which the failure streaks belong to.
    subject: [String; 2],
}

/// Counts an attempt of `user` and checks the factor. A right factor is not spent yet.
///
/// The attempt uses a unit of [`MFA_MISSES`](limits::MFA_MISSES), for all challenges and kinds of factors together,
/// and adds a failure to the streak of [`MFA_LOCKOUT`](limits::MFA_LOCKOUT). A known device has counters of its own,
/// so that a person who knows the password cannot lock the owner out. After the lockout, codes of the authenticator
/// app count as wrong, until another factor or a known device ends the streak.
///
/// # Errors
/// - `too_many_requests` if the limit is exhausted. The factor is not checked then.
/// - `unavailable` or `internal` if the database fails. The attempt is then refunded if it failed for a moment.
pub(crate) async fn attempt(
    app: &App,
    context: &RequestContext,
    user: &User,
    submitted: Submitted<'_>,
) -> Result<Attempt> {
    let device = devices::known_device(app, context, user.id().realm(), &user.email()?).await?.unwrap_or_default();
    let subject = [user.id().uuid().to_string(), device];
    let subjects: [&str; 2] = [&subject[0], &subject[1]];
    let streak = FailureStreak { limit: &limits::MFA_LOCKOUT, subject: &subjects };
    let reservation = rate_limit::reserve_attempt(app, &[(&limits::MFA_MISSES, &subjects)], streak).await?;
    let max_streak = app.section::<RateLimitSettings>().max_streak(&limits::MFA_LOCKOUT).map_or(i64::MAX, i64::from);
    let is_locked = reservation.streak() > max_streak;
    match check(app, user, submitted, is_locked).await {
        Ok(proved) => Ok(Attempt { reservation, proved, subject }),
        Err(error) => reservation.refund_if_transient(app, Err(error)).await,
    }
}

async fn check(app: &App, user: &User, submitted: Submitted<'_>, is_locked: bool) -> Result<Option<ProvedFactor>> {
    match submitted {
        Submitted::Totp(code) => {
            let Some(secret) = totp::find(app.db(), user.id()).await? else { return Ok(None) };
            let right = totp::check(app, &secret, code)?.filter(|_| !is_locked);
            Ok(right.map(ProvedFactor::Totp))
        }
        Submitted::RecoveryCode(code) => {
            Ok(recovery_codes::find(app, user.id(), code).await?.map(ProvedFactor::RecoveryCode))
        }
    }
}

/// Ends the failure streaks of `user`, who has proved a passkey: those of [`MFA_LOCKOUT`](limits::MFA_LOCKOUT). A
/// passkey is no attempt that is counted, because it cannot be guessed.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn end_lockout(tx: &Tx, context: &RequestContext, user: &User) -> Result<()> {
    let app = tx.app();
    let id = user.id().uuid().to_string();
    let device = devices::known_device_in(app, tx.db(), context, user.id().realm(), &user.email()?).await?;
    for device in ["", device.as_deref().unwrap_or_default()] {
        let streak = FailureStreak { limit: &limits::MFA_LOCKOUT, subject: &[&id, device] };
        rate_limit::reset_streak(app, tx.db(), streak).await?;
    }
    Ok(())
}

impl Attempt {
    /// Refunds the unit and ends the failure streaks. In a transaction, call this last: other attempts that count on
    /// the same rows wait until it commits.
    ///
    /// # Errors
    /// `unavailable` or `internal` if the database fails.
    pub(crate) async fn record_success(&self, app: &App, db: &impl ConnectionTrait) -> Result<()> {
        self.reservation.succeeded(db).await?;
        // The owner is there, so the failures of unknown devices do not count any more.
        let shared = FailureStreak { limit: &limits::MFA_LOCKOUT, subject: &[&self.subject[0], ""] };
        if self.subject[1].is_empty() { Ok(()) } else { rate_limit::reset_streak(app, db, shared).await }
    }

    /// Refunds the attempt if `result` is a transient error. Returns `result`.
    ///
    /// # Errors
    /// The error of `result`.
    pub(crate) async fn refund_if_transient<T>(self, app: &App, result: Result<T>) -> Result<T> {
        self.reservation.refund_if_transient(app, result).await
    }
}
