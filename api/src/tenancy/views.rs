//! The response objects of tenancy that several operations share: tenants, clients, portal users and roles.

use chrono::{DateTime, Utc};
use poem_openapi::{Enum, Object};
use portico_domain::{
    entity::{client, membership, staff_user, tenant},
    platform::actor::{ActiveMembership, OpenClientStatus},
    tenancy::{
        branding::{Support, TenantContact},
        memberships::Member,
    },
};
use uuid::Uuid;

use crate::http::nullable::Nullable;

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

/// How a portal user reaches the support of a tenant.
#[derive(Object)]
pub(crate) struct SupportContacts {
    /// The email address; `null` if there is none.
    email: Nullable<String>,
    /// The telephone number; `null` if there is none.
    phone: Nullable<String>,
}

impl From<Support> for SupportContacts {
    fn from(support: Support) -> Self {
        Self { email: Nullable(support.email), phone: Nullable(support.phone) }
    }
}

/// A tenant and its support, for people who are known to belong to it.
#[derive(Object)]
#[oai(rename = "TenantContact")]
pub(crate) struct TenantContactView {
    /// The short name, with which pages show the brand.
    slug: String,
    /// The name.
    name: String,
    /// The contacts of the support.
    support: SupportContacts,
}

impl From<TenantContact> for TenantContactView {
    fn from(tenant: TenantContact) -> Self {
        Self { slug: tenant.slug, name: tenant.name, support: tenant.support.into() }
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

/// A client, as other objects refer to it.
#[derive(Object)]
pub(crate) struct ClientReference {
    /// The id of the client (UUIDv7).
    pub(crate) id: Uuid,
    /// The name of the client.
    pub(crate) name: String,
}

impl From<client::Model> for ClientReference {
    fn from(client: client::Model) -> Self {
        Self { id: client.id.0, name: client.name }
    }
}

/// A portal user at one client.
#[derive(Object)]
#[oai(rename = "PortalUser")]
pub(crate) struct PortalUserView {
    /// The id of the membership (UUIDv7). It is not the id of the user's account.
    pub(crate) id: Uuid,
    /// The email address, in lower case.
    pub(crate) email: String,
    /// The name that the tenant, or an administrator of the client, entered for the user at this client.
    pub(crate) name: String,
    /// The role at the client.
    pub(crate) role: MemberRole,
    /// The status at the client.
    pub(crate) status: MemberStatus,
    /// When the user last signed in to this client or switched to it (RFC 3339, UTC); `null` if never.
    pub(crate) last_sign_in_at: Nullable<DateTime<Utc>>,
    /// When the user was invited to this client (RFC 3339, UTC).
    pub(crate) invited_at: DateTime<Utc>,
}

impl From<Member> for PortalUserView {
    fn from(Member { membership, email }: Member) -> Self {
        Self {
            id: membership.id.0,
            email,
            name: membership.display_name,
            role: membership.role.into(),
            status: membership.status.into(),
            last_sign_in_at: Nullable(membership.last_used_at),
            invited_at: membership.invited_at,
        }
    }
}

/// The status of a portal user at a client.
///
/// - `invited`: the user has not joined yet.
/// - `active`: the user can act for the client.
/// - `disabled`: the user cannot act for the client.
#[derive(Enum, Clone, Copy)]
#[oai(rename_all = "snake_case")]
pub(crate) enum MemberStatus {
    /// The user has not joined yet.
    Invited,
    /// The user can act for the client.
    Active,
    /// The user cannot act for the client.
    Disabled,
}

impl From<membership::Status> for MemberStatus {
    fn from(status: membership::Status) -> Self {
        match status {
            membership::Status::Invited => Self::Invited,
            membership::Status::Active => Self::Active,
            membership::Status::Disabled => Self::Disabled,
        }
    }
}

impl From<MemberStatus> for membership::Status {
    fn from(status: MemberStatus) -> Self {
        match status {
            MemberStatus::Invited => Self::Invited,
            MemberStatus::Active => Self::Active,
            MemberStatus::Disabled => Self::Disabled,
        }
    }
}

/// The role of a portal user at a client.
///
/// - `admin`: an administrator of the client, who manages its other portal users.
/// - `member`: any other portal user of the client.
#[derive(Enum, Clone, Copy)]
#[oai(rename_all = "snake_case")]
pub(crate) enum MemberRole {
    /// An administrator of the client, who manages its other portal users.
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

/// The role of a staff user or a service account, which decides the permissions.
///
/// - `owner`: has all permissions.
/// - `admin`: has all permissions but `staff:edit`.
/// - `support`: has `clients:read`, `clients:edit`, `emails:read` and `emails:edit`.
/// - `viewer`: has every permission that ends with `:read`.
#[derive(Enum, Clone, Copy)]
#[oai(rename_all = "snake_case")]
pub(crate) enum StaffRole {
    /// Has all permissions.
    Owner,
    /// Has all permissions but `staff:edit`.
    Admin,
    /// Works with clients and mails.
    Support,
    /// May read everything.
    Viewer,
}

impl From<staff_user::Role> for StaffRole {
    fn from(role: staff_user::Role) -> Self {
        match role {
            staff_user::Role::Owner => Self::Owner,
            staff_user::Role::Admin => Self::Admin,
            staff_user::Role::Support => Self::Support,
            staff_user::Role::Viewer => Self::Viewer,
        }
    }
}

impl From<StaffRole> for staff_user::Role {
    fn from(role: StaffRole) -> Self {
        match role {
            StaffRole::Owner => Self::Owner,
            StaffRole::Admin => Self::Admin,
            StaffRole::Support => Self::Support,
            StaffRole::Viewer => Self::Viewer,
        }
    }
}
