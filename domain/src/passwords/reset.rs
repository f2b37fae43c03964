//! Setting a new password by a mailed link.

use portico_entity::{email::Kind, link_token::Purpose};

use super::{Expected, check_policy, set_password};
use crate::{
    actor::{Actor, Anonymous},
    app::App,
    audit,
    error::{Error, Result},
    link_tokens, mail,
    secret::{Password, PlainToken},
    sessions, sign_in,
};

/// Sets a new password. Ends all sessions, kills the sibling links, opens a closed password and mails a notice; does
/// not sign in.
///
/// # Errors
/// In this order: `token_unknown`, `token_used`, `token_revoked` or `token_expired`; `validation_failed` for the
/// password, which does not spend the link; `overloaded`.
pub async fn reset(app: &App, caller: &Anonymous, token: &PlainToken, password: &Password) -> Result<()> {
    let link = link_tokens::find(app, token).await?;
    link.check_for(Purpose::Reset, app.now())?;
    let user = &link.user;
    // The link is in a mailbox for ever, so it is no more of a secret than the person's name.
    let known = [user.name.as_str(), token.reveal()];
    check_policy(&app.settings().passwords, "/password", password, &user.email, &known)?;
    let phc = app.hasher().hash(&caller.context, password).await?;

    let actor = Actor::portal_user(user, &caller.context);
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    link_tokens::consume(&mut tx, &link.token).await?;
    if !set_password(&mut tx, user, phc, Expected::Version(link.token.credential_version)).await? {
        return Err(Error::TOKEN_REVOKED);
    }
    sessions::end_all(&mut tx, sessions::SessionOwner::Portal(user.id), None, "password_reset").await?;
    mail::enqueue_notice(&mut tx, Kind::PasswordChanged, user).await?;
    audit::record_for_tenants(&mut tx, actor, user.id, "password.reset").await?;
    sign_in::reset_failures(&mut tx, &user.email).await?;
    tx.commit().await
}
