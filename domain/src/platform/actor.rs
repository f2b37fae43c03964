//! Callers: who calls a use case, from where, and what the caller may do.
//!
//! A use case takes the caller type with the fewest rights that it needs, so its signature says who may call it.

use std::net::{IpAddr, Ipv6Addr};

use portico_entity::{
    ClientId, PortalUserId, StaffUserId, TenantId,
    audit_event::ActorRealm,
    client, membership, portal_user,
    session::{self, SessionOwner},
    staff_user, tenant,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::error::{Error, Result};

/// How many characters of a user agent are kept.
const MAX_USER_AGENT_CHARS: usize = 200;

/// One of two separate sets of users. Each has its own tables, cookies and token audience, and a token of one realm is
/// not valid in the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Realm {
    /// Portal users: the persons at the clients.
    Portal,
    /// Staff users of the tenants.
    Staff,
}

impl Realm {
    /// Both realms.
    pub const ALL: [Self; 2] = [Self::Portal, Self::Staff];

    /// Returns the realm of a session's owner.
    pub const fn of(owner: SessionOwner) -> Self {
        match owner {
            SessionOwner::Portal(_) => Self::Portal,
            SessionOwner::Staff(_) => Self::Staff,
        }
    }
}

/// Where a request came from.
#[derive(Clone, Debug)]
pub struct RequestContext {
    /// The id that responses, logs, audit events and jobs of one request share.
    pub request_id: Uuid,
    /// The client's IP address; `None` on the command line.
    pub ip: Option<IpAddr>,
    /// The `User-Agent` header without control characters, at most 200 characters.
    pub user_agent: Option<String>,
    /// The values of the cookies of known devices, of both realms.
    pub devices: Vec<String>,
    /// Cancelled when the client has disconnected and does not wait for the response.
    pub disconnected: CancellationToken,
}

impl RequestContext {
    /// Returns the context of a request that came over the network.
    pub fn new(request_id: Uuid, ip: Option<IpAddr>, user_agent: Option<&str>, devices: Vec<String>) -> Self {
        let user_agent =
            user_agent.map(|text| text.chars().filter(|c| !c.is_control()).take(MAX_USER_AGENT_CHARS).collect());
        let (ip, disconnected) = (ip.map(|ip| ip.to_canonical()), CancellationToken::new());
        Self { request_id, ip, user_agent, devices, disconnected }
    }

    /// Returns the network that rate limits count, or `local` on the command line.
    pub fn network(&self) -> String {
        self.ip.map_or_else(|| "local".into(), network_of)
    }
}

/// Returns the network of an address for rate limits: the IPv4 address, or the /64 prefix of an IPv6 address.
///
/// ```
/// use portico_domain::platform::actor::network_of;
///
/// assert_eq!(network_of([192, 0, 2, 1].into()), "192.0.2.1");
/// assert_eq!(network_of("2001:db8::1:2:3:4".parse().unwrap()), "2001:db8::/64");
/// ```
pub fn network_of(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

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

/// A staff user with a live session.
#[derive(Clone, Debug)]
pub struct StaffUser {
    /// Where the request came from.
    pub context: RequestContext,
    /// The user.
    pub user: staff_user::Model,
    /// The session.
    pub session: session::Model,
    /// The tenant. Objects of other tenants do not exist for this caller.
    pub tenant: tenant::Model,
}

/// What a staff user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Read clients, their portal users and invitations.
    ClientsRead,
    /// Change clients, invite, and send invitations again.
    ClientsEdit,
}

impl StaffUser {
    /// Checks that the caller's role has the permission.
    ///
    /// # Errors
    /// `forbidden` if it does not.
    pub fn require(&self, permission: Permission) -> Result<()> {
        use staff_user::Role::{Admin, Owner, Support, Viewer};
        let allowed = match permission {
            Permission::ClientsRead => matches!(self.user.role, Owner | Admin | Support | Viewer),
            Permission::ClientsEdit => matches!(self.user.role, Owner | Admin | Support),
        };
        if allowed { Ok(()) } else { Err(Error::Forbidden("forbidden")) }
    }
}

/// Who an audit event names.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The realm of the actor.
    pub(super) realm: ActorRealm,
    /// The id of the portal user or staff user. `None` for an anonymous caller and for Portico itself.
    pub(super) id: Option<Uuid>,
    /// The request that caused the event. `None` for a job or the command line.
    pub(super) context: Option<RequestContext>,
}

impl Actor {
    /// Portico itself: a job or the command line.
    pub const SYSTEM: Self = Self { realm: ActorRealm::System, id: None, context: None };

    /// Returns the portal user with this id.
    pub fn portal_user(id: PortalUserId, context: &RequestContext) -> Self {
        Self { realm: ActorRealm::Portal, id: Some(id.0), context: Some(context.clone()) }
    }

    /// Returns the staff user with this id.
    pub fn staff_user(id: StaffUserId, context: &RequestContext) -> Self {
        Self { realm: ActorRealm::Staff, id: Some(id.0), context: Some(context.clone()) }
    }

    /// Returns the owner of a session.
    pub fn session_owner(owner: SessionOwner, context: &RequestContext) -> Self {
        match owner {
            SessionOwner::Portal(id) => Self::portal_user(id, context),
            SessionOwner::Staff(id) => Self::staff_user(id, context),
        }
    }
}

impl From<&Anonymous> for Actor {
    fn from(caller: &Anonymous) -> Self {
        Self { realm: ActorRealm::Anonymous, id: None, context: Some(caller.context.clone()) }
    }
}

impl From<&PortalUser> for Actor {
    fn from(caller: &PortalUser) -> Self {
        Self::portal_user(caller.user.id, &caller.context)
    }
}

impl From<&StaffUser> for Actor {
    fn from(caller: &StaffUser) -> Self {
        Self::staff_user(caller.user.id, &caller.context)
    }
}
