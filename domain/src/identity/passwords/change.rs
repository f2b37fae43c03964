//! Changing the password in a session.

use portico_entity::{UserId, email::Kind, session};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, IntoActiveModel};

use super::{Expected, Hasher, PasswordAttempt, check_policy, reset_failures, set_password, verify_password};
use crate::{
    identity::{notices, sessions},
    platform::{
        actor::{PortalUser, check_fresh},
        app::App,
        audit,
        email_address::EmailAddress,
        error::{Error, Result},
        secret::Password,
        session_revocation::RevocationReason,
    },
    tenancy::memberships,
};

/// Changes the password of the caller from `current` to `new`.
///
/// The caller's other sessions end and the current session stays valid. A notice is enqueued. A wrong current
/// password counts as a failed sign-in.
///
/// # Errors
/// - `step_up_required`: second factors are on, and the session is not fresh.
/// - `too_many_requests`: a rate limit for failed sign-ins is used up.
/// - `invalid_credentials`: the current password is wrong.
/// - `validation_failed`: the new password breaks the policy.
/// - `overloaded`: no hashing slot was free within 3 seconds, or the client disconnected.
/// - `conflict`: another request changed the password at the same time.
/// - `unavailable` or `internal`: a database query failed.
pub async fn change(app: &App, caller: &PortalUser, current: &Password, new: &Password) -> Result<()> {
    let user = &caller.user;
    if user.mfa_enabled_at.is_some() {
        check_fresh(&caller.session, user.mfa_enabled_at, app.now())?;
    }
    let address = EmailAddress::stored(&user.email)?;
    let attempt = PasswordAttempt {
        context: &caller.context,
        email: &address,
        user: Some(user),
        password: current,
        actor: caller.into(),
        // The caller may be an attacker who took over the session and guesses the password, so a failure is audited.
        failure: audit::Event::failed("password.changed").target("portal_user", user.id.0),
    };
    let verified = verify_password(app, attempt).await?;
    let recorded = verified.record_success(app.db(), user).await;
    verified.refund_if_transient(app, recorded).await?;
    check_policy(app, "/new_password", new, user, &[]).await?;
    let phc = app.get::<Hasher>().hash(&caller.context, new).await?;

    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    if !set_password(&mut tx, user, phc, Expected::Version(user.credential_version)).await? {
        return Err(Error::ConflictBecause("Another request has changed the password."));
    }
    sessions::end_all(&mut tx, UserId::Portal(user.id), Some(caller.session.id), RevocationReason::PasswordChanged)
        .await?;
    let mut session: session::ActiveModel = caller.session.clone().into_active_model();
    session.credential_version = Set(user.credential_version + 1);
    session.update(tx.db()).await?;
    notices::enqueue_for_portal_user(&mut tx, Kind::PasswordChanged, user).await?;
    memberships::record_for_each_tenant(&mut tx, caller, user.id, "password.changed").await?;
    reset_failures(&mut tx, &user.email).await?;
    tx.commit().await
}
