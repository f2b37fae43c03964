//! Changing a password while signed in.

use portico_entity::{email::Kind, session};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, IntoActiveModel};

use super::{Condition, check_policy, write};
use crate::{
    actor::SignedIn,
    app::App,
    audit,
    email_address::EmailAddress,
    error::{Error, Result},
    mail,
    secret::Password,
    sessions, sign_in,
};

/// Changes the password of the caller. Their other sessions end, this one lives; a notice is mailed. Wrong guesses at
/// the current password count as wrong sign-ins.
///
/// # Errors
/// `too_many_requests`; `invalid_credentials` for a wrong current password; `validation_failed` for the new one;
/// `overloaded`; `conflict` when the password was changed elsewhere meanwhile.
pub async fn change(app: &App, by: &SignedIn, current: &Password, new: &Password) -> Result<()> {
    let user = &by.user;
    let address = EmailAddress::stored(&user.email)?;
    let proved = match sign_in::prove_password(app, &by.context, &address, Some(user), current).await {
        Err(error @ Error::Unauthenticated(_)) => {
            // Somebody guesses at the password of a session that they may have taken over.
            let mut tx = app.begin().await?;
            audit::record(&mut tx, by, audit::Event::failed("password.changed").target("portal_user", user.id.0))
                .await?;
            tx.commit().await?;
            return Err(error);
        }
        proved => proved?,
    };
    let settled = proved.settle(app.db(), user).await;
    proved.unless_unavailable(app, settled).await?;
    check_policy(&app.settings().passwords, "/new_password", new, &user.email, &[&user.name])?;
    let phc = app.hasher().hash(&by.context, new).await?;

    let mut tx = app.begin().await?.caused_by(by.context.request_id);
    if !write(&mut tx, user, phc, Condition::Version(user.credential_version)).await? {
        return Err(Error::CONFLICT);
    }
    sessions::end_all(&mut tx, sessions::Person::Portal(user.id), Some(by.session.id), "password_changed").await?;
    let mut session: session::ActiveModel = by.session.clone().into_active_model();
    session.credential_version = Set(user.credential_version + 1);
    session.update(tx.db()).await?;
    mail::post_notice(&mut tx, Kind::PasswordChanged, user).await?;
    audit::record_for_tenants(&mut tx, by, user.id, "password.changed").await?;
    sign_in::forget_failures(&mut tx, &user.email).await?;
    tx.commit().await
}
