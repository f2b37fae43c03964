//! Registering a passkey in a session.

use portico_entity::{ceremony::CeremonyKind, email::SecurityEvent, passkey};

use crate::{
    identity::{
        mfa,
        passkeys::{self, Bound, Occasion, PresentedCeremony, StartedCeremony},
        users,
    },
    platform::{
        actor::{Actor, FreshSessionUser},
        app::App,
        error::{Error, Result, ResultExt},
        name::Name,
    },
};

/// Starts the registration of a passkey for the caller. It can be completed in the same session only.
///
/// # Errors
/// - `conflict` if the caller has ten passkeys, or if the public URL allows none.
/// - `session_revoked` if the second factors or the password of the caller were changed at the same time.
/// - `unavailable` or `internal` if the database fails.
pub async fn start_registration(app: &App, caller: &FreshSessionUser) -> Result<StartedCeremony> {
    let tx = app.begin().await?;
    let user = users::lock_unchanged(&tx, caller.id(), caller.user.versions()).await?.ok_or(Error::SESSION_REVOKED)?;
    let started = passkeys::start_registration(&tx, &user, occasion(caller)).await?;
    tx.commit().await?;
    Ok(started)
}

/// Verifies the response to the registration, and stores the passkey. A notice is mailed. Second factors stay on or
/// off.
///
/// The ceremony is used up before the response is verified, also if the response is refused.
///
/// # Errors
/// - `invalid_code` if the ceremony is unknown, used, expired or of another session, or if the response is refused.
///   The error is the same for all of them.
/// - `conflict` if the caller has ten passkeys, or if the passkey is registered already.
/// - `session_revoked` if the second factors or the password of the caller were changed at the same time.
/// - `unavailable` or `internal` if the database fails.
pub async fn register(
    app: &App,
    caller: &FreshSessionUser,
    presented: &PresentedCeremony,
    name: Option<&Name>,
) -> Result<passkey::Model> {
    let new = passkeys::finish_registration(app, occasion(caller), presented).await?.ok_or(Error::INVALID_CODE)?;
    let stored = async {
        let mut tx = app.begin().await?.caused_by(caller.context.request_id);
        let user = users::lock_unchanged(&tx, caller.id(), caller.user.versions()).await?;
        let user = user.ok_or(Error::SESSION_REVOKED)?;
        let passkey = passkeys::insert(&tx, &user, &caller.context, new, name).await?;
        mfa::record_for_tenants(&mut tx, &Actor::from(caller), &user, "passkey.added").await?;
        mfa::notify(&mut tx, &user, SecurityEvent::PasskeyAdded).await?;
        tx.commit().await?;
        Ok(passkey)
    };
    stored.await.not_retryable()
}

fn occasion(caller: &FreshSessionUser) -> Occasion {
    Occasion {
        kind: CeremonyKind::Registration,
        realm: caller.id().realm(),
        user: Some(caller.id()),
        bound_to: Bound::Session(caller.session.id),
    }
}
