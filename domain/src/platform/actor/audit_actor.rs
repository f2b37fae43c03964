//! Who an audit event names.

use portico_entity::{PortalUserId, StaffUserId, audit_event::ActorRealm, session::SessionOwner};
use uuid::Uuid;

use super::{Access, Anonymous, Authorized, PortalUser, Principal, RequestContext, StaffUser, TenantCaller};

/// Who an audit event names.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The realm of the actor.
    pub(in crate::platform) realm: ActorRealm,
    /// The id of the portal user or staff user. `None` for an anonymous caller and for Portico itself.
    pub(in crate::platform) id: Option<Uuid>,
    /// The request that caused the event. `None` for a job or the command line.
    pub(in crate::platform) context: Option<RequestContext>,
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

impl From<&TenantCaller> for Actor {
    fn from(caller: &TenantCaller) -> Self {
        match &caller.principal {
            Principal::StaffUser { user, .. } => Self::staff_user(user.id, &caller.context),
        }
    }
}

impl<A: Access> From<&Authorized<A>> for Actor {
    fn from(caller: &Authorized<A>) -> Self {
        Self::from(&**caller)
    }
}
