//! The response objects of tenancy that several operations share: tenants, clients and roles.

use poem_openapi::{Enum, Object};
use portico_domain::{
    entity::{membership, tenant},
    platform::actor::{ActiveMembership, OpenClientStatus},
};
use uuid::Uuid;

/// A tenant: a company that uses Portico.
#[derive(Object)]
pub(crate) struct Tenant {
    /// The id of the tenant (UUIDv7).
    id: Uuid,
    /// The short name, unique in the installation.
    slug: String,
    /// The full name.
    name: String,
}

impl From<&tenant::Model> for Tenant {
    fn from(tenant: &tenant::Model) -> Self {
        Self { id: tenant.id.0, slug: tenant.slug.clone(), name: tenant.name.clone() }
    }
}

/// A client that the portal user can act for, and the user's role there.
#[derive(Object)]
pub(crate) struct ClientSummary {
    /// The id of the client (UUIDv7).
    id: Uuid,
    /// The name of the client.
    name: String,
    /// The role of the user at the client.
    role: MemberRole,
    /// The status of the client.
    status: ClientSummaryStatus,
}

/// The role of a portal user at a client.
///
/// - `admin`: an administrator of the client.
/// - `member`: any other portal user of the client.
#[derive(Enum, Clone, Copy)]
#[oai(rename_all = "snake_case")]
pub(crate) enum MemberRole {
    /// An administrator of the client.
    Admin,
    /// Any other portal user of the client.
    Member,
}

/// The status of a client that portal users can act for.
///
/// - `active`: portal users can act for the client.
/// - `past_due`: the client is marked as past due; its portal users can still act for it.
#[derive(Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum ClientSummaryStatus {
    /// Portal users can act for the client.
    Active,
    /// As `Active`, and marked as past due.
    PastDue,
}

impl From<&ActiveMembership> for ClientSummary {
    fn from(active: &ActiveMembership) -> Self {
        Self {
            id: active.client.id.0,
            name: active.client.name.clone(),
            role: active.membership.role.into(),
            status: match active.client.status {
                OpenClientStatus::Active => ClientSummaryStatus::Active,
                OpenClientStatus::PastDue => ClientSummaryStatus::PastDue,
            },
        }
    }
}

impl From<membership::Role> for MemberRole {
    fn from(role: membership::Role) -> Self {
        match role {
            membership::Role::Admin => Self::Admin,
            membership::Role::Member => Self::Member,
        }
    }
}

impl From<MemberRole> for membership::Role {
    fn from(role: MemberRole) -> Self {
        match role {
            MemberRole::Admin => Self::Admin,
            MemberRole::Member => Self::Member,
        }
    }
}
