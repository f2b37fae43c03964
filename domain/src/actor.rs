//! Who is asking, from where, and what they may do. A use case takes the narrowest of these that it needs, so that its
//! signature says who may call it.

use std::net::{IpAddr, Ipv6Addr};

use portico_entity::{audit_event::ActorRealm, client, membership, portal_user, session, staff_user, tenant};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    error::{Error, Result},
    sign_in::ActiveMembership,
};

/// The longest user agent that is kept, in characters.
const MAX_USER_AGENT_CHARS: usize = 200;

/// Where a request came from.
#[derive(Clone, Debug)]
pub struct RequestContext {
    /// Ties together the answer, the logs, the audit events and the jobs of one request.
    pub request_id: Uuid,
    /// The client's address; none on the command line.
    pub ip: Option<IpAddr>,
    /// What the client calls itself; at most 200 characters, none of them a control character.
    pub user_agent: Option<String>,
    /// What the browser showed as cookies of known devices, of either realm.
    pub devices: Vec<String>,
    /// Cancelled when the client has gone: nobody waits for the answer any more.
    pub disconnected: CancellationToken,
}

impl RequestContext {
    /// A request that came over the network.
    pub fn new(request_id: Uuid, ip: Option<IpAddr>, user_agent: Option<&str>, devices: Vec<String>) -> Self {
        let user_agent =
            user_agent.map(|text| text.chars().filter(|c| !c.is_control()).take(MAX_USER_AGENT_CHARS).collect());
        Self {
            request_id,
            ip: ip.map(|ip| ip.to_canonical()),
            user_agent,
            devices,
            disconnected: CancellationToken::new(),
        }
    }

    /// The network that limits are counted for.
    pub fn network(&self) -> String {
        self.ip.map_or_else(|| "local".into(), network_of)
    }
}

/// The network that counts as one caller: an IPv4 address, or the /64 of an IPv6 address.
pub fn network_of(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

/// Somebody who has not said who they are.
#[derive(Clone, Debug)]
pub struct Anonymous {
    /// Where they ask from.
    pub context: RequestContext,
}

/// A portal user in a live session, at an active membership of a client that is open.
#[derive(Clone, Debug)]
pub struct PortalUser {
    /// Where they ask from.
    pub context: RequestContext,
    /// The person.
    pub user: portal_user::Model,
    /// Their session.
    pub session: session::Model,
    /// The client they act for, and as what.
    pub membership: membership::Model,
    /// That client.
    pub client: client::Model,
    /// The client's tenant.
    pub tenant: tenant::Model,
}

/// A portal user in a live session, with all the clients that they can act for.
#[derive(Clone, Debug)]
pub struct PortalUserWithMemberships {
    /// Who, and at which client.
    pub signed_in: PortalUser,
    /// The open clients, by name; the one they act for is among them.
    pub memberships: Vec<ActiveMembership>,
}

/// Staff of a tenant in a live session.
#[derive(Clone, Debug)]
pub struct StaffUser {
    /// Where they ask from.
    pub context: RequestContext,
    /// The person.
    pub user: staff_user::Model,
    /// Their session.
    pub session: session::Model,
    /// The tenant; nothing outside it exists for them.
    pub tenant: tenant::Model,
}

/// What staff may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// See clients, their people and invitations.
    ClientsRead,
    /// Change clients, invite and resend.
    ClientsEdit,
}

impl StaffUser {
    /// # Errors
    /// `forbidden` when the role does not give the permission.
    pub fn may(&self, permission: Permission) -> Result<()> {
        use staff_user::Role::{Admin, Owner, Support, Viewer};
        let allowed = match permission {
            Permission::ClientsRead => matches!(self.user.role, Owner | Admin | Support | Viewer),
            Permission::ClientsEdit => matches!(self.user.role, Owner | Admin | Support),
        };
        if allowed { Ok(()) } else { Err(Error::Forbidden("forbidden")) }
    }
}

/// Who did something, as the audit log keeps it.
#[derive(Clone, Debug)]
pub struct Actor {
    pub(crate) realm: ActorRealm,
    pub(crate) id: Option<Uuid>,
    pub(crate) context: Option<RequestContext>,
}

impl Actor {
    /// Portico itself: a job or the command line.
    pub const SYSTEM: Self = Self { realm: ActorRealm::System, id: None, context: None };

    /// The portal user that a visitor has just verified to be.
    pub fn portal_user(user: &portal_user::Model, context: &RequestContext) -> Self {
        Self { realm: ActorRealm::Portal, id: Some(user.id.0), context: Some(context.clone()) }
    }

    /// The staff user that a visitor has just verified to be.
    pub fn staff_user(user: &staff_user::Model, context: &RequestContext) -> Self {
        Self { realm: ActorRealm::Staff, id: Some(user.id.0), context: Some(context.clone()) }
    }
}

impl From<&Anonymous> for Actor {
    fn from(visitor: &Anonymous) -> Self {
        Self { realm: ActorRealm::Anonymous, id: None, context: Some(visitor.context.clone()) }
    }
}

impl From<&PortalUser> for Actor {
    fn from(caller: &PortalUser) -> Self {
        Self::portal_user(&caller.user, &caller.context)
    }
}

impl From<&StaffUser> for Actor {
    fn from(caller: &StaffUser) -> Self {
        Self::staff_user(&caller.user, &caller.context)
    }
}
