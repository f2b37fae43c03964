//! The callers of the portal: persons at the clients, with and without a session.

use portico_entity::{ClientId, TenantId, client, membership, portal_user, session, tenant};

use super::RequestContext;
use crate::platform::{clock::Time, sign_in_policy::SignInPolicy};

/// A caller without a credential.
#[derive(Clone, Debug)]
pub struct Anonymous {
    /// Where the request came from.
    pub context: RequestContext,
}

/// A portal user with a live session, who acts for one open client.
#[derive(Clone, Debug)]
pub struct PortalUser {
    /// Where the request came from.
    pub context: RequestContext,
    /// The user.
    pub user: portal_user::Model,
    /// The session.
    pub session: session::Model,
    /// The client that the user acts for, and the membership there.
    pub active: ActiveMembership,
    /// The tenant of that client.
    pub tenant: tenant::Model,
}

impl PortalUser {
    /// Returns when the portal user must have a second factor; `None` if the tenant requires none.
    pub fn mfa_due_at(&self) -> Option<Time> {
        self.active.policy.portal_mfa_due_at(&self.active.membership)
    }
}

/// A portal user with a live session, and all memberships of open clients.
#[derive(Clone, Debug)]
pub struct PortalUserWithMemberships {
    /// The caller.
    pub caller: PortalUser,
    /// All active memberships of open clients, by the name of the client. Contains the one that the user acts for.
    pub memberships: Vec<ActiveMembership>,
}

/// An active membership of an open client.
#[derive(Clone, Debug)]
pub struct ActiveMembership {
    /// The membership.
    pub membership: membership::Model,
    /// The client.
    pub client: OpenClient,
    /// The sign-in policy of the client's tenant.
    pub policy: SignInPolicy,
}

/// A client that is not archived.
///
/// There is no way to make one from an archived client, so no view of it can show the wrong status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenClient {
    /// The id.
    pub id: ClientId,
    /// The tenant.
    pub tenant_id: TenantId,
    /// The name.
    pub name: String,
    /// The status.
    pub status: OpenClientStatus,
}

/// The status of an [`OpenClient`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenClientStatus {
    /// In order.
    Active,
    /// Payment is due.
    PastDue,
}

impl OpenClient {
    /// Returns the client if it is not archived.
    pub fn from_row(client: client::Model) -> Option<Self> {
        let status = match client.status {
            client::Status::Active => OpenClientStatus::Active,
            client::Status::PastDue => OpenClientStatus::PastDue,
            client::Status::Archived => return None,
        };
        Some(Self { id: client.id, tenant_id: client.tenant_id, name: client.name, status })
    }
}
