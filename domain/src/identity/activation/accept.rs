//! Accepting an invitation in a session, for portal users who have activated the account.

use portico_entity::link_token::Purpose;

use crate::{
    identity::link_tokens,
    platform::{
        actor::{Actor, PortalUser},
        app::App,
        error::{Error, Result},
        secret::PlainToken,
    },
    tenancy::{invitations, memberships},
};

/// Accepts the invitation of an accept link, so that the caller becomes a member of its client.
///
/// # Errors
/// - `token_unknown`: no link has this secret, or the link has another purpose.
/// - `token_used`, `token_revoked` or `token_expired`: the link is no longer valid.
/// - `wrong_account`: the link was mailed to another portal user. The link stays unused.
/// - `client_suspended`: the client was archived, or its tenant suspended, during this request.
/// - `unavailable` or `internal`: a database query failed.
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
        invitations::join(&mut tx, &Actor::from(caller), &invited.invitation, &invited.client, link.token.issued_at)
            .await?;
    memberships::require_open(&tx, &joined.ok_or(Error::TOKEN_REVOKED)?).await?;
    tx.commit().await
}
