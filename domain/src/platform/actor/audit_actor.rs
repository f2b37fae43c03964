//! Who an audit event names.

use portico_entity::{ApiTokenId, PortalUserId, TenantId, audit_event::ActorRealm, portal_user, staff_user};
use uuid::Uuid;

use super::{
    Access, Anonymous, ApiToken, Authorized, ClientAdmin, FreshStaffUser, PortalUser, Principal, RequestContext,
    StaffUser, TenantCaller, TokenOwner,
};

/// Who an audit event names, with the name and the address at the time of the event.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The realm of the actor.
    pub(in crate::platform) realm: ActorRealm,
    /// The id of the portal user, staff user or service account. `None` for an anonymous caller and for Portico itself.
    pub(in crate::platform) id: Option<Uuid>,
    /// The name that the actor gave.
    name: Option<String>,
    /// A tenant, and the name of the portal user that this tenant typed.
    typed_name: Option<(TenantId, String)>,
    /// The email address of the actor.
    pub(in crate::platform) address: Option<String>,
    /// The API token by which the actor acted. `None` for an actor without one.
    pub(in crate::platform) token: Option<ApiTokenId>,
    /// The request that caused the event. `None` for a job or the command line.
    pub(in crate::platform) context: Option<RequestContext>,
}

impl Actor {
    /// Portico itself: a job or the command line.
    pub const SYSTEM: Self = Self {
        realm: ActorRealm::System,
        id: None,
        name: None,
        typed_name: None,
        address: None,
        token: None,
        context: None,
    };

    /// Returns a portal user. Add [`known_to`](Self::known_to) for the events of a tenant.
    pub fn portal_user(user: &portal_user::Model, context: &RequestContext) -> Self {
        Self {
            realm: ActorRealm::Portal,
            id: Some(user.id.0),
            name: Some(user.name.clone()),
            address: Some(user.email.clone()),
            context: Some(context.clone()),
            ..Self::SYSTEM
        }
    }

    /// Returns the id of the portal user who is the actor; `None` if the actor is not a portal user.
    pub fn portal_user_id(&self) -> Option<PortalUserId> {
        self.id.filter(|_| self.realm == ActorRealm::Portal).map(PortalUserId)
    }

    /// Returns the owner of an API token, who acts by the token.
    pub fn api_token(token: &ApiToken, context: &RequestContext) -> Self {
        let owner = match &token.owner {
            TokenOwner::StaffUser(user) => Self::staff_user(user, context),
            TokenOwner::ServiceAccount(account) => Self {
                realm: ActorRealm::Service,
                id: Some(account.id.0),
                name: Some(account.name.clone()),
                context: Some(context.clone()),
                ..Self::SYSTEM
            },
        };
        Self { token: Some(token.row.id), ..owner }
    }

    /// Returns a staff user.
    pub fn staff_user(user: &staff_user::Model, context: &RequestContext) -> Self {
        Self {
            realm: ActorRealm::Staff,
            id: Some(user.id.0),
            name: Some(user.name.clone()),
            address: Some(user.email.clone()),
            context: Some(context.clone()),
            ..Self::SYSTEM
        }
    }

    /// Sets the name that `tenant` typed for the portal user (`memberships.display_name`). Events of that tenant show
    /// it, and those of another tenant do not.
    #[must_use]
    pub fn known_to(self, tenant: TenantId, name: &str) -> Self {
        Self { typed_name: Some((tenant, name.to_owned())), ..self }
    }

    /// Returns the name that an event of `tenant` shows.
    ///
    /// A tenant sees the name of a portal user that it typed itself: the name that the person or another tenant typed
    /// would tell it something that it does not know. Staff users belong to one tenant, which knows their names.
    pub(in crate::platform) fn name_for(&self, tenant: Option<TenantId>) -> Option<&str> {
        match (self.realm, tenant, &self.typed_name) {
            (ActorRealm::Portal, Some(tenant), Some((known_to, name))) if *known_to == tenant => Some(name),
            (ActorRealm::Portal, Some(_), _) => None,
            _ => self.name.as_deref(),
        }
    }
}

impl From<&Anonymous> for Actor {
    fn from(caller: &Anonymous) -> Self {
        Self { realm: ActorRealm::Anonymous, context: Some(caller.context.clone()), ..Self::SYSTEM }
    }
}

impl From<&PortalUser> for Actor {
    fn from(caller: &PortalUser) -> Self {
        Self::portal_user(&caller.user, &caller.context)
            .known_to(caller.tenant.id, &caller.active.membership.display_name)
    }
}

impl From<&ClientAdmin> for Actor {
    fn from(caller: &ClientAdmin) -> Self {
        Self::from(&**caller)
    }
}

impl From<&StaffUser> for Actor {
    fn from(caller: &StaffUser) -> Self {
        Self::staff_user(&caller.user, &caller.context)
    }
}

impl From<&FreshStaffUser> for Actor {
    fn from(caller: &FreshStaffUser) -> Self {
        Self::from(&**caller)
    }
}

impl From<&TenantCaller> for Actor {
    fn from(caller: &TenantCaller) -> Self {
        match &caller.principal {
            Principal::StaffUser { user, .. } => Self::staff_user(user, &caller.context),
            Principal::ApiToken(token) => Self::api_token(token, &caller.context),
        }
    }
}

impl<A: Access> From<&Authorized<A>> for Actor {
    fn from(caller: &Authorized<A>) -> Self {
        Self::from(&**caller)
    }
}
