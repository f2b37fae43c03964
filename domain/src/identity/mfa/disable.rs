//! Turning second factors off.

use portico_entity::{UserId, email::SecurityEvent};

use super::{enable::record_for_tenants, notify};
use crate::{
    identity::{recovery_codes, sessions, totp, trusted_devices, users},
    platform::{
        actor::{Actor, FreshSessionUser, User},
        app::App,
        error::{Error, Result},
        session_revocation::RevocationReason,
        tx::Tx,
    },
    tenancy::memberships,
};

/// Turns second factors off: deletes the authenticator app, the recovery codes and the trusted devices of the caller.
/// Passkeys stay. The caller's other sessions end, and a notice is mailed.
///
/// # Errors
/// - `conflict` if second factors are off.
/// - `required_by_tenant` if a tenant of the caller requires a second factor, also during the grace period.
/// - `session_revoked` if the second factors or the password of the caller were changed at the same time.
/// - `unavailable` or `internal` if the database fails.
pub async fn disable(app: &App, caller: &FreshSessionUser) -> Result<()> {
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    let user = users::lock_unchanged(&tx, caller.id(), caller.user.versions()).await?.ok_or(Error::SESSION_REVOKED)?;
    if user.mfa_enabled_at().is_none() {
        return Err(Error::ConflictBecause("Second factors are off."));
    }
    if caller.mfa_due_at.is_some() || is_required_elsewhere(&tx, &user).await? {
        return Err(Error::Conflict("required_by_tenant"));
    }
    totp::delete(&tx, user.id()).await?;
    recovery_codes::delete(&tx, user.id()).await?;
    trusted_devices::forget(&tx, user.id()).await?;
    users::set_mfa_enabled_at(&tx, user.id(), None).await?;
    sessions::end_all(&mut tx, user.id(), Some(caller.session.id), RevocationReason::FactorsChanged).await?;
    record_for_tenants(&mut tx, &Actor::from(caller), &user, "mfa.disabled").await?;
    notify(&mut tx, &user, SecurityEvent::MfaDisabled).await?;
    tx.commit().await
}

/// Returns whether a tenant at whose clients a portal user can act requires a second factor. A staff user has one
/// tenant only.
async fn is_required_elsewhere(tx: &Tx, user: &User) -> Result<bool> {
    let UserId::Portal(id) = user.id() else { return Ok(false) };
    let active = memberships::active_memberships(tx, id, None).await?;
    Ok(active.iter().any(|active| active.policy.portal_mfa_due_at(&active.membership).is_some()))
}
