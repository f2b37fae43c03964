//! `staff_users`: the people who administer the clients of a tenant.
//!
//! A staff user signs in with a mailed code and has no password.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{StaffUserId, TenantId};

/// The role of a staff user or a service account. `Permission` of the `domain` crate maps it to permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Has all permissions.
    Owner,
    /// Has all permissions but to change staff users, service accounts and their tokens.
    Admin,
    /// Works with clients, their portal users and mails.
    Support,
    /// May only read.
    Viewer,
}

impl Role {
    /// Every role, the one with the most permissions first.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Admin, Self::Support, Self::Viewer];

    /// Returns the text that the database stores for this role.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Support => "support",
            Self::Viewer => "viewer",
        }
    }
}

/// A row of `staff_users`: one staff user of one tenant.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "staff_users")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// The primary key.
    pub id: StaffUserId,
    /// The tenant that the staff user works for.
    pub tenant_id: TenantId,
    /// The email address in normal form. Unique in the installation. It cannot be changed. A removed staff user has an
    /// address of the reserved domain `invalid` (RFC 2606), so that the former address can be used again.
    #[sea_orm(unique)]
    pub email: String,
    /// The display name.
    pub name: String,
    /// The role, which decides the permissions.
    pub role: Role,
    /// A number that a change of credentials raises by one. Sessions of another version are invalid.
    pub credential_version: i32,
    /// When the staff user turned second factors on. Null while they are off.
    pub mfa_enabled_at: Option<DateTimeUtc>,
    /// A number that every change of the second factors raises by one. Challenges and setups of an older version are
    /// invalid.
    pub factors_version: i32,
    /// The user handle of passkeys: 64 random bytes in base64url. Null until the first registration of a passkey
    /// begins.
    pub webauthn_handle: Option<String>,
    /// When the staff user was disabled. A disabled staff user cannot sign in. Null while the staff user is enabled.
    pub disabled_at: Option<DateTimeUtc>,
    /// When the staff user was added.
    pub created_at: DateTimeUtc,
    /// The preferred language as a BCP 47 tag. Null for the language of the tenant.
    pub locale: Option<String>,
    /// When the staff user last signed in. Null before the first sign-in.
    pub last_sign_in_at: Option<DateTimeUtc>,
    /// The staff user who invited this one. Null when the command line did.
    pub invited_by: Option<StaffUserId>,
    /// When the staff user was removed. The row stays, with the name, for the rows that refer to it. A removed staff
    /// user is also disabled. Null while the staff user exists.
    pub removed_at: Option<DateTimeUtc>,
}

/// The rows of other tables that a row refers to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The tenant of the staff user.
    #[sea_orm(belongs_to = "super::tenant::Entity", from = "Column::TenantId", to = "super::tenant::Column::Id")]
    Tenant,
}

impl Related<super::tenant::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Tenant.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
