//! Callers: who calls a use case, from where, and what the caller may do.
//!
//! A use case takes the caller type with the fewest rights that it needs, so its signature says who may call it.

mod api_token;
mod audit_actor;
mod client_admin;
mod permission;
mod portal_user;
mod request_context;
mod session_user;
mod tenant_caller;

pub use api_token::{ApiToken, Scopes, TokenOwner};
pub use audit_actor::Actor;
pub use client_admin::ClientAdmin;
pub use permission::{Access, Permission, access};
pub use portal_user::{
    ActiveMembership, Anonymous, OpenClient, OpenClientStatus, PortalUser, PortalUserWithMemberships,
};
pub use request_context::{RequestContext, network_of};
pub use session_user::SessionUser;
pub use tenant_caller::{Authorized, FreshStaffUser, Principal, StaffUser, TenantCaller};

use portico_entity::UserId;

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
    pub const fn of(owner: UserId) -> Self {
        match owner {
            UserId::Portal(_) => Self::Portal,
            UserId::Staff(_) => Self::Staff,
        }
    }
}
