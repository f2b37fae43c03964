//! Who invites: a staff user or program of the tenant, or an administrator of a client.

use portico_entity::{ClientId, PortalUserId, StaffUserId, TenantId};
use uuid::Uuid;

use crate::{
    limits,
    platform::{
        actor::{Actor, Authorized, ClientAdmin, access::ClientsEdit},
        error::Result,
        rate_limit::Limit,
        tx::Tx,
    },
    tenancy::client_admins,
};

/// Who sends, resends or cancels invitations, and what that decides.
///
/// The use cases with a permission in their signature, such as [`invite`](super::invite), make it from their caller.
/// The functions that take an `Inviter` check no permission.
#[derive(Clone, Debug)]
pub struct Inviter {
    /// The actor of the audit events.
    pub(super) actor: Actor,
    /// The id of the request.
    pub(super) request_id: Uuid,
    /// The tenant. Clients of other tenants do not exist for the inviter.
    pub(super) tenant: TenantId,
    /// Who is recorded as the creator of an invitation.
    pub(super) creator: Creator,
    /// The rate limit that one inviter has for single invitations and resends.
    pub(super) limit: &'static Limit,
    /// Under which id rate limits count the inviter.
    pub(super) limit_subject: String,
    /// The id within which [`limits::INVITE_RECIPIENT`] counts the mails to one mailbox: that of the tenant, or for a
    /// colleague that of the client. Otherwise a refusal would tell a colleague that other clients have invited the
    /// person.
    pub(super) recipient_scope: String,
    /// Whether a person with a password and an active membership in the tenant becomes a member at once. Otherwise
    /// every person gets a link.
    pub(super) is_immediate: bool,
}

/// Who created an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Creator {
    /// A staff user.
    Staff(StaffUserId),
    /// An administrator of the client.
    Colleague(PortalUserId),
    /// A program.
    Program,
}

impl Creator {
    /// Returns the staff user.
    pub(super) const fn staff_user(self) -> Option<StaffUserId> {
        match self {
            Self::Staff(id) => Some(id),
            Self::Colleague(_) | Self::Program => None,
        }
    }

    /// Returns the administrator of the client.
    pub(super) const fn portal_user(self) -> Option<PortalUserId> {
        match self {
            Self::Colleague(id) => Some(id),
            Self::Staff(_) | Self::Program => None,
        }
    }
}

impl From<&Authorized<ClientsEdit>> for Inviter {
    fn from(caller: &Authorized<ClientsEdit>) -> Self {
        Self {
            actor: caller.into(),
            request_id: caller.context.request_id,
            tenant: caller.tenant.id,
            creator: caller.staff_user_id().map_or(Creator::Program, Creator::Staff),
            limit: &limits::INVITE_ACTOR,
            limit_subject: caller.rate_limit_subject(),
            recipient_scope: caller.tenant.id.to_string(),
            is_immediate: true,
        }
    }
}

impl From<&ClientAdmin> for Inviter {
    /// Returns the administrator as the inviter of colleagues at the client that the administrator acts for.
    ///
    /// Every person who is invited by a colleague gets a link: no answer may depend on memberships of other clients.
    fn from(caller: &ClientAdmin) -> Self {
        Self {
            actor: caller.into(),
            request_id: caller.context.request_id,
            tenant: caller.tenant.id,
            creator: Creator::Colleague(caller.user.id),
            limit: &limits::INVITE_COLLEAGUE,
            limit_subject: caller.user.id.to_string(),
            recipient_scope: caller.client().to_string(),
            is_immediate: false,
        }
    }
}

impl Inviter {
    /// Checks that a colleague is still an administrator of `client`, and keeps it so until the transaction ends. Does
    /// nothing for other inviters.
    ///
    /// # Errors
    /// The errors of [`client_admins::require`].
    pub(super) async fn require_rights(&self, tx: &mut Tx, client: ClientId) -> Result<()> {
        match self.creator {
            Creator::Colleague(user) => client_admins::require(tx, client, user).await,
            Creator::Staff(_) | Creator::Program => Ok(()),
        }
    }
}

#[cfg(test)]
impl Inviter {
    /// Returns a program of `tenant`.
    pub(super) fn program(tenant: TenantId) -> Self {
        Self {
            actor: Actor::SYSTEM,
            request_id: Uuid::nil(),
            tenant,
            creator: Creator::Program,
            limit: &limits::INVITE_ACTOR,
            limit_subject: "program".into(),
            recipient_scope: tenant.to_string(),
            is_immediate: true,
        }
    }
}
