//! A sign-in that accepts an invitation.

use portico_entity::{link_token::Purpose, portal_user};

use super::SignInInput;
use crate::{
    identity::{
        link_tokens::{self, InvitationContext, LinkDetails},
        not_me,
        passwords::VerifiedPassword,
        sessions::{self, IssuedSession},
    },
    platform::{
        actor::{Actor, Anonymous},
        app::App,
        audit,
        error::{Error, Result},
        secret::PlainToken,
    },
    tenancy::{invitations, memberships},
};

/// Accepts the invitation of the accept link `secret` and opens a session at its client, after the password of `user`
/// was verified. The acceptance, the session, the audit events and the refund of the rate limits commit together.
///
/// # Errors
/// Nothing was written then, and the link stays unused.
/// - `token_unknown`, `token_used`, `token_revoked` or `token_expired`: as for [`link_tokens::check`]. A valid link of
///   another purpose is `token_unknown`.
/// - `wrong_account`: the link was mailed to another portal user.
/// - `validation_failed` at `/client_id`: the input names another client than the invitation.
/// - `invalid_credentials`: the password was changed after it was verified.
/// - `client_suspended`: the client was archived, or its tenant suspended, during this request.
/// - `unavailable` or `internal`: a database query failed.
pub(super) async fn accept_and_open(
    app: &App,
    caller: &Anonymous,
    user: portal_user::Model,
    verified: &VerifiedPassword,
    (secret, input): (&PlainToken, &SignInInput),
) -> Result<IssuedSession> {
    let LinkDetails { token, invitation, .. } = find_link(app, &user, secret).await?;
    let InvitationContext { invitation, client, .. } = invitation.ok_or(Error::TOKEN_REVOKED)?;
    if input.client.is_some_and(|named| named != client.id) {
        return Err(Error::invalid("/client_id", "client_mismatch", "must be the client of the invitation"));
    }
    let signer = sessions::signer(app).await?;
    let actor = Actor::portal_user(&user, &caller.context);
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    link_tokens::consume(&mut tx, &token).await?;
    // Otherwise a former password could accept the invitation, although the session that it opens is invalid.
    if !sessions::lock_unchanged_portal_user(&mut tx, &user).await? {
        return Err(Error::INVALID_CREDENTIALS);
    }
    let joined = invitations::join(&mut tx, &actor, &invitation, &client, token.issued_at).await?;
    let active = memberships::require_open(&tx, &joined.ok_or(Error::TOKEN_REVOKED)?).await?;
    let session = sessions::open_portal(&mut tx, &user, &active.membership, &caller.context, input.replaces).await?;
    let event = audit::Event::new("session.opened").target("session", session.id.0);
    audit::record(&mut tx, actor, event).await?;
    if !verified.is_known_device {
        not_me::enqueue_notice(&mut tx, &user, &session).await?;
    }
    verified.record_success(tx.db(), &user).await?;
    tx.commit().await?;
    signer.issue_portal(app, session, user, active)
}

/// Looks the accept link up, and checks that it is valid and was mailed to `user`.
async fn find_link(app: &App, user: &portal_user::Model, secret: &PlainToken) -> Result<LinkDetails> {
    let link = link_tokens::find(app, secret).await?;
    link.check_live(app.now())?;
    if link.token.purpose != Purpose::Accept {
        return Err(Error::TOKEN_UNKNOWN);
    }
    if link.user.id != user.id {
        return Err(Error::Conflict("wrong_account"));
    }
    Ok(link)
}
