//! Replacing the recovery codes.

use portico_entity::email::SecurityEvent;

use super::{enable::record_for_tenants, notify};
use crate::{
    identity::{recovery_codes::NewCodes, users},
    platform::{
        actor::{Actor, FreshSessionUser},
        app::App,
        error::{Error, Result},
        secret::PlainToken,
    },
};

/// Replaces the recovery codes of the caller by ten new ones, and returns them. The former codes, the challenges of
/// other sign-ins and the trusted devices stop working. A notice is mailed.
///
/// # Errors
/// - `conflict` if second factors are off.
/// - `session_revoked` if the second factors or the password of the caller were changed at the same time.
/// - `unavailable` or `internal` if the database fails.
pub async fn replace_recovery_codes(app: &App, caller: &FreshSessionUser) -> Result<Vec<PlainToken>> {
    let codes = NewCodes::generate(app).await?;
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    let user = users::lock_unchanged(&tx, caller.id(), caller.user.versions()).await?.ok_or(Error::SESSION_REVOKED)?;
    if user.mfa_enabled_at().is_none() {
        return Err(Error::ConflictBecause("Second factors are off."));
    }
    let shown = codes.store(&tx, user.id()).await?;
    users::raise_factors_version(&tx, user.id()).await?;
    record_for_tenants(&mut tx, &Actor::from(caller), &user, "recovery_codes.replaced").await?;
    notify(&mut tx, &user, SecurityEvent::RecoveryCodesReplaced).await?;
    tx.commit().await?;
    Ok(shown)
}
