//! Accepting an invitation while signed in: for people who already have a password.

use portico_entity::link_token::Purpose;

use super::join;
use crate::{
    actor::{Actor, PortalUser},
    app::App,
    error::{Error, Result},
    link_tokens,
    secret::PlainToken,
    sign_in,
};

/// Joins the client that the link invites to.
///
/// # Errors
/// `token_unknown`, `token_used`, `token_revoked` or `token_expired`; `wrong_account` when the link was mailed to another
/// person.
pub async fn accept(app: &App, caller: &PortalUser, token: &PlainToken) -> Result<()> {
    let link = link_tokens::find(app, token).await?;
    link.check_for(Purpose::Accept, app.now())?;
    if link.user.id != caller.user.id {
        return Err(Error::Conflict("wrong_account"));
    }
    let invited = link.invitation.ok_or(Error::TOKEN_REVOKED)?;
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    link_tokens::consume(&mut tx, &link.token).await?;
    let joined =
        join(&mut tx, &Actor::from(caller), &invited.invitation, &invited.client, link.token.issued_at).await?;
    sign_in::require_open_client(&tx, &joined.ok_or(Error::TOKEN_REVOKED)?).await?;
    tx.commit().await
}
