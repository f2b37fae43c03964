//! Turning second factors on.

use portico_entity::{email::SecurityEvent, session::Factor};

use super::notify;
use crate::{
    identity::{
        passkeys,
        recovery_codes::NewCodes,
        sessions,
        totp::{self, RightCode},
        users,
    },
    limits,
    platform::{
        actor::{Actor, FreshSessionUser, User},
        app::App,
        audit,
        error::{Error, Result, ResultExt},
        rate_limit,
        secret::PlainToken,
        session_revocation::RevocationReason,
        tx::Tx,
    },
    tenancy::memberships,
};

/// Turns second factors on, and returns ten new recovery codes.
///
/// With a `code`, confirms the setup of an authenticator app with its first code. A former authenticator app and
/// former recovery codes stop working. The caller's session counts as one in which a second factor was proved.
/// Without a code, the passkeys of the caller become the second factors.
///
/// The caller's other sessions end, and a notice is mailed.
///
/// # Errors
/// - `invalid_code` if the code is wrong, or if there is no setup that can be confirmed. The attempt counts as a miss.
/// - `conflict` without a code: the caller has no usable passkey, or second factors are on.
/// - `too_many_requests` if the caller has entered too many wrong codes.
/// - `session_revoked` if the caller's session has ended at the same time.
/// - `unavailable` or `internal` if the database fails.
pub async fn enable(app: &App, caller: &FreshSessionUser, code: Option<&PlainToken>) -> Result<Vec<PlainToken>> {
    let Some(code) = code else { return enable_by_passkey(app, caller).await };
    let subject: [&str; 2] = [&caller.id().uuid().to_string(), ""];
    let reservation = rate_limit::reserve(app, &limits::MFA_MISSES, &subject).await?;
    let enabled = confirm(app, caller, code).await;
    if enabled.is_ok() {
        // What was confirmed is committed, so a failed refund is ignored: the counter has one miss too many.
        let _ = reservation.refund(app).await;
        return enabled;
    }
    reservation.refund_if_transient(app, enabled).await
}

/// Makes the passkeys of the caller their second factors.
async fn enable_by_passkey(app: &App, caller: &FreshSessionUser) -> Result<Vec<PlainToken>> {
    let codes = NewCodes::generate(app).await?;
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    let user = users::lock_unchanged(&tx, caller.id(), caller.user.versions()).await?.ok_or(Error::SESSION_REVOKED)?;
    if user.mfa_enabled_at().is_some() {
        return Err(Error::ConflictBecause("Second factors are on."));
    }
    if passkeys::count_usable(app, tx.db(), user.id()).await? == 0 {
        return Err(Error::ConflictBecause("Without a code, a passkey is needed, and the user has none."));
    }
    let shown = turn_on_by_passkey(&mut tx, &Actor::from(caller), &user, codes).await?;
    sessions::end_all(&mut tx, user.id(), Some(caller.session.id), RevocationReason::FactorsChanged).await?;
    tx.commit().await?;
    Ok(shown)
}

async fn confirm(app: &App, caller: &FreshSessionUser, code: &PlainToken) -> Result<Vec<PlainToken>> {
    let Some(right) = totp::check_setup(app, &caller.user, code).await? else {
        record_failure(app, caller).await.not_retryable()?;
        return Err(Error::INVALID_CODE);
    };
    let codes = NewCodes::generate(app).await?;
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    let user = users::lock_unchanged(&tx, caller.id(), caller.user.versions()).await?.ok_or(Error::SESSION_REVOKED)?;
    let shown = turn_on(&mut tx, &Actor::from(caller), &user, right, codes).await?;
    sessions::end_all(&mut tx, user.id(), Some(caller.session.id), RevocationReason::FactorsChanged).await?;
    sessions::prove_again(&mut tx, &caller.session, Some(Factor::Totp)).await?.ok_or(Error::SESSION_REVOKED)?;
    tx.commit().await?;
    Ok(shown)
}

/// Confirms the setup of `user`, turns second factors on, stores the recovery codes, and enqueues the notice. Returns
/// the recovery codes as they are shown. Ends no session.
///
/// The caller must have locked the user's row.
///
/// # Errors
/// - `invalid_code` if another request has confirmed or replaced the setup.
/// - `unavailable` or `internal` if the database fails.
pub(crate) async fn turn_on(
    tx: &mut Tx,
    actor: &Actor,
    user: &User,
    code: RightCode,
    codes: NewCodes,
) -> Result<Vec<PlainToken>> {
    if !totp::confirm(tx, user, code).await? {
        return Err(Error::INVALID_CODE);
    }
    let (action, notice) = match user.mfa_enabled_at() {
        None => ("mfa.enabled", SecurityEvent::MfaEnabled),
        Some(_) => ("totp.replaced", SecurityEvent::TotpReplaced),
    };
    store_turned_on(tx, actor, user, codes, (action, notice)).await
}

/// Turns second factors on for `user`, who has a passkey, stores the recovery codes, and enqueues the notice.
/// Returns the recovery codes as they are shown. Ends no session.
///
/// The caller must have locked the user's row.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn turn_on_by_passkey(
    tx: &mut Tx,
    actor: &Actor,
    user: &User,
    codes: NewCodes,
) -> Result<Vec<PlainToken>> {
    store_turned_on(tx, actor, user, codes, ("mfa.enabled", SecurityEvent::MfaEnabled)).await
}

/// Stores that second factors are on, and the recovery codes. Records `action`, and enqueues `notice`.
async fn store_turned_on(
    tx: &mut Tx,
    actor: &Actor,
    user: &User,
    codes: NewCodes,
    (action, notice): (&'static str, SecurityEvent),
) -> Result<Vec<PlainToken>> {
    let shown = codes.store(tx, user.id()).await?;
    let now = tx.app().now();
    users::set_mfa_enabled_at(tx, user.id(), Some(user.mfa_enabled_at().unwrap_or(now))).await?;
    record_for_tenants(tx, actor, user, action).await?;
    notify(tx, user, notice).await?;
    Ok(shown)
}

/// Records an event about the factors of `user` in the audit log of each tenant that the user belongs to.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn record_for_tenants(tx: &mut Tx, actor: &Actor, user: &User, action: &'static str) -> Result<()> {
    match user {
        User::Portal(user) => memberships::record_for_each_tenant(tx, actor.clone(), user.id, action).await,
        User::Staff(user) => {
            let event = audit::Event::new(action).target("staff_user", user.id.0).tenant(user.tenant_id);
            audit::record(tx, actor.clone(), event).await
        }
    }
}

/// Records a wrong code in the audit log.
async fn record_failure(app: &App, caller: &FreshSessionUser) -> Result<()> {
    let mut tx = app.begin().await?;
    let event = audit::Event::failed("mfa.enabled").target(super::setup::target(&caller.user), caller.id().uuid());
    audit::record(&mut tx, caller, event).await?;
    tx.commit().await
}
