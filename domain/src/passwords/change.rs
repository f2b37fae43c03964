//! Changing the password in a session.

use portico_entity::{email::Kind, session};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, IntoActiveModel};

use super::{Expected, check_policy, set_password};
use crate::{
    actor::PortalUser,
    app::App,
    audit,
    email_address::EmailAddress,
    error::{Error, Result},
    mail,
    secret::Password,
    sessions, sign_in,
};

/// Changes the password of the caller from `current` to `new`.
///
/// The caller's other sessions end and the current session stays valid. A notice is enqueued. A wrong current
/// password counts as a failed sign-in.
///
/// # Errors
/// - `too_many_requests`: a rate limit for failed sign-ins is used up.
/// - `invalid_credentials`: the current password is wrong.
/// - `validation_failed`: the new password breaks the policy.
/// - `overloaded`: no hashing slot was free within 3 seconds, or the client disconnected.
/// - `conflict`: another request changed the password at the same time.
/// - `unavailable` or `internal`: a database query failed.
pub async fn change(app: &App, caller: &PortalUser, current: &Password, new: &Password) -> Result<()> {
    let user = &caller.user;
    let address = EmailAddress::stored(&user.email)?;
    let verified = match sign_in::verify_password(app, &caller.context, &address, Some(user), current).await {
        Err(error @ Error::Unauthenticated(_)) => {
            // The caller may be an attacker who took over the session and guesses the password, so the failure is
            // audited.
            let mut tx = app.begin().await?;
            audit::record(&mut tx, caller, audit::Event::failed("password.changed").target("portal_user", user.id.0))
                .await?;
            tx.commit().await?;
            return Err(error);
        }
        verified => verified?,
    };
    let recorded = verified.record_success(app.db(), user).await;
    verified.refund_if_transient(app, recorded).await?;
    check_policy(&app.settings().passwords, "/new_password", new, &user.email, &[&user.name])?;
    let phc = app.hasher().hash(&caller.context, new).await?;

    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    if !set_password(&mut tx, user, phc, Expected::Version(user.credential_version)).await? {
        return Err(Error::CONFLICT);
    }
    sessions::end_all(&mut tx, sessions::SessionOwner::Portal(user.id), Some(caller.session.id), "password_changed")
        .await?;
    let mut session: session::ActiveModel = caller.session.clone().into_active_model();
    session.credential_version = Set(user.credential_version + 1);
    session.update(tx.db()).await?;
    mail::enqueue_notice(&mut tx, Kind::PasswordChanged, user).await?;
    audit::record_for_tenants(&mut tx, caller, user.id, "password.changed").await?;
    sign_in::reset_failures(&mut tx, &user.email).await?;
    tx.commit().await
}
