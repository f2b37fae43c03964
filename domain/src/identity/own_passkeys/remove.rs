//! Removing a passkey of the caller.

use portico_entity::{
    PasskeyId,
    email::SecurityEvent,
    passkey::{Column, Entity},
    session,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::{
    identity::{mfa, passkeys, totp, users},
    platform::{
        actor::{Actor, FreshSessionUser, User},
        app::App,
        error::{Error, Result},
        session_revocation::{RevocationReason, revoke_sessions},
        tx::Tx,
    },
};

/// Removes a passkey of the caller. The sessions that it opened end, also that of the caller, as do challenges of
/// other sign-ins and trusted devices. A notice is mailed.
///
/// # Errors
/// - `not_found` if the caller has no passkey with this id.
/// - `last_sign_in_method` if the caller could not sign in any more: a portal user without a password, with the last
///   usable passkey.
/// - `conflict` if second factors are on, and the passkey is the last one besides recovery codes.
/// - `session_revoked` if the second factors or the password of the caller were changed at the same time.
/// - `unavailable` or `internal` if the database fails.
pub async fn remove(app: &App, caller: &FreshSessionUser, id: PasskeyId) -> Result<()> {
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    let user = users::lock_unchanged(&tx, caller.id(), caller.user.versions()).await?.ok_or(Error::SESSION_REVOKED)?;
    let own = Entity::find_by_id(id).filter(passkeys::owned_by(user.id())).one(tx.db()).await?;
    let passkey = own.ok_or(Error::NOT_FOUND)?;
    if passkeys::is_usable(app, &passkey) && passkeys::count_usable(app, tx.db(), user.id()).await? == 1 {
        check_last(&tx, &user).await?;
    }
    Entity::delete_many().filter(Column::Id.eq(id)).exec(tx.db()).await?;
    users::raise_factors_version(&tx, user.id()).await?;
    revoke_sessions(&mut tx, session::Column::PasskeyId.eq(id), RevocationReason::PasskeyRemoved).await?;
    mfa::record_for_tenants(&mut tx, &Actor::from(caller), &user, "passkey.removed").await?;
    mfa::notify(&mut tx, &user, SecurityEvent::PasskeyRemoved).await?;
    tx.commit().await
}

/// Checks that `user` can do without the last usable passkey. Staff users can always sign in with a mailed code.
async fn check_last(tx: &Tx, user: &User) -> Result<()> {
    if matches!(user, User::Portal(user) if user.password_phc.is_none()) {
        return Err(Error::Conflict("last_sign_in_method"));
    }
    if user.mfa_enabled_at().is_some() && totp::find(tx.db(), user.id()).await?.is_none() {
        return Err(Error::ConflictBecause(
            "The passkey is the last second factor. Add another one, or turn second factors off.",
        ));
    }
    Ok(())
}
