//! A sign-in that accepts an invitation.

use portico_entity::{ClientId, LinkTokenId, link_token::Purpose, membership, portal_user};

use crate::{
    identity::link_tokens::{self, InvitationContext, LinkDetails},
    platform::{
        actor::{ActiveMembership, Actor},
        app::App,
        clock::Time,
        error::{Error, Result},
        secret::PlainToken,
        sign_in_policy::SignInPolicy,
        tx::Tx,
    },
    tenancy::{invitations, memberships},
};

/// The accept link of an invitation, and the invitation.
pub(super) struct Found {
    link: LinkDetails,
    invited: InvitationContext,
}

/// Returns the id of the accept link with this secret.
///
/// # Errors
/// - `token_unknown` if no link has this secret.
/// - `unavailable` or `internal` if the database fails.
pub(super) async fn id_of(app: &App, secret: &PlainToken) -> Result<LinkTokenId> {
    Ok(link_tokens::find(app, secret).await?.token.id)
}

/// Loads the accept link, and checks that it is valid, was mailed to `user`, and belongs to the client `wanted`, if
/// that is given. The link stays unused.
///
/// # Errors
/// - `token_unknown`, `token_used`, `token_revoked` or `token_expired`: as for [`link_tokens::check`]. A valid link of
///   another purpose is `token_unknown`.
/// - `wrong_account`: the link was mailed to another portal user.
/// - `validation_failed` at `/client_id`: `wanted` is another client than that of the invitation.
/// - `unavailable` or `internal`: a database query failed.
pub(super) async fn find(
    tx: &Tx,
    user: &portal_user::Model,
    link: LinkTokenId,
    wanted: Option<ClientId>,
) -> Result<Found> {
    let mut link = link_tokens::load_by_id(tx, link).await?;
    link.check_live(tx.app().now())?;
    if link.token.purpose != Purpose::Accept {
        return Err(Error::TOKEN_UNKNOWN);
    }
    if link.user.id != user.id {
        return Err(Error::Conflict("wrong_account"));
    }
    let invited = link.invitation.take().ok_or(Error::TOKEN_REVOKED)?;
    if wanted.is_some_and(|wanted| wanted != invited.client.id) {
        return Err(Error::invalid("/client_id", "client_mismatch", "must be the client of the invitation"));
    }
    Ok(Found { link, invited })
}

/// Uses the link, accepts the invitation, and returns the membership.
///
/// # Errors
/// - `token_used`, `token_revoked` or `token_expired`: the link is no longer valid.
/// - `client_suspended`: the client was archived, or its tenant suspended, during this request.
/// - `unavailable` or `internal`: a database query failed.
pub(super) async fn accept(tx: &mut Tx, actor: &Actor, found: Found) -> Result<ActiveMembership> {
    let Found { link, invited } = found;
    link_tokens::consume(tx, &link.token).await?;
    let joined = invitations::join(tx, actor, &invited.invitation, &invited.client, link.token.issued_at).await?;
    memberships::require_open(tx, &joined.ok_or(Error::TOKEN_REVOKED)?).await
}

impl Found {
    /// Returns the client of the invitation.
    pub(super) fn client_id(&self) -> ClientId {
        self.invited.client.id
    }

    /// Returns the sign-in policy of the client's tenant.
    ///
    /// # Errors
    /// `internal` if the policy cannot be read.
    pub(super) fn policy(&self) -> Result<SignInPolicy> {
        SignInPolicy::of(&self.invited.tenant)
    }

    /// Returns when the invited person must have a second factor; `None` if `policy` requires none.
    pub(super) fn mfa_due_at(&self, policy: &SignInPolicy) -> Option<Time> {
        let is_admin = self.invited.invitation.role == membership::Role::Admin;
        policy.portal_mfa_due_at_for(is_admin, self.invited.invitation.created_at)
    }
}
