//! Accepting an invitation while signed in: for people who already have a password.

use portico_entity::auth_token::Purpose;

use super::join;
use crate::{
    actor::{Actor, SignedIn},
    app::App,
    error::{Error, Result},
    links,
    secret::PlainToken,
    sign_in,
};

/// Joins the client that the link invites to.
///
/// # Errors
/// `token_unknown`, `token_used`, `token_revoked` or `token_expired`; `wrong_account` when the link was mailed to another
/// person.
pub async fn accept(app: &App, by: &SignedIn, token: &PlainToken) -> Result<()> {
    let link = links::find(app, token).await?;
    link.check_for(Purpose::Accept, app.now())?;
    if link.user.id != by.user.id {
        return Err(Error::Conflict("wrong_account"));
    }
    let invited = link.invitation.ok_or(Error::TOKEN_REVOKED)?;
    let mut tx = app.begin().await?.caused_by(by.context.request_id);
    links::consume(&mut tx, &link.token).await?;
    let joined = join(&mut tx, &Actor::from(by), &invited.invitation, &invited.client, link.token.issued_at).await?;
    sign_in::check_open(&tx, &joined.ok_or(Error::TOKEN_REVOKED)?).await?;
    tx.commit().await
}
