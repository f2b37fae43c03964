//! Setting a new password by a mailed link.

use portico_entity::{auth_token::Purpose, email::Kind};

use super::{Condition, check_policy, write};
use crate::{
    actor::{Actor, Visitor},
    app::App,
    audit,
    error::{Error, Result},
    links, mail,
    secret::{Password, PlainToken},
    sessions, sign_in,
};

/// Sets a new password. Ends all sessions, kills the sibling links, opens a closed password and mails a notice; does
/// not sign in.
///
/// # Errors
/// In this order: `token_unknown`, `token_used`, `token_revoked` or `token_expired`; `validation_failed` for the
/// password, which does not spend the link; `overloaded`.
pub async fn reset(app: &App, by: &Visitor, token: &PlainToken, password: &Password) -> Result<()> {
    let link = links::find(app, token).await?;
    link.check_for(Purpose::Reset, app.now())?;
    let user = &link.user;
    // The link is in a mailbox for ever, so it is no more of a secret than the person's name.
    let known = [user.name.as_str(), token.reveal()];
    check_policy(&app.settings().passwords, "/password", password, &user.email, &known)?;
    let phc = app.hasher().hash(&by.context, password).await?;

    let actor = Actor::portal_user(user, &by.context);
    let mut tx = app.begin().await?.caused_by(by.context.request_id);
    links::consume(&mut tx, &link.token).await?;
    if !write(&mut tx, user, phc, Condition::Version(link.token.credential_version)).await? {
        return Err(Error::TOKEN_REVOKED);
    }
    sessions::end_all(&mut tx, sessions::Person::Portal(user.id), None, "password_reset").await?;
    mail::post_notice(&mut tx, Kind::PasswordChanged, user).await?;
    audit::record_for_tenants(&mut tx, actor, user.id, "password.reset").await?;
    sign_in::forget_failures(&mut tx, &user.email).await?;
    tx.commit().await
}
