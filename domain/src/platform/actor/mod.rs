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
mod user;

pub use api_token::{ApiToken, Scopes, TokenOwner};
pub use audit_actor::Actor;
pub use client_admin::ClientAdmin;
pub use permission::{Access, Permission, access};
pub use portal_user::{
    ActiveMembership, Anonymous, OpenClient, OpenClientStatus, PortalUser, PortalUserWithMemberships,
};
pub use request_context::{RequestContext, network_of};
pub use session_user::{FreshSessionUser, MayOweMfa, SessionUser, Unenrolled};
pub(crate) use tenant_caller::check_fresh;
pub use tenant_caller::{Authorized, FreshStaffUser, Principal, StaffUser, TenantCaller};

pub use portico_entity::Realm;
pub use user::{User, Versions};
