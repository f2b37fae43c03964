//! `api_tokens`: the credentials of programs, which act for a tenant.
//!
//! A token belongs either to a staff user (a personal access token) or to a service account: exactly one of
//! `staff_user_id` and `service_account_id` is set. Rows are deleted 30 days after the token has expired.

use sea_orm::entity::prelude::*;

use crate::{ApiTokenId, ServiceAccountId, StaffUserId, TenantId};

/// A row of `api_tokens`: one token.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_tokens")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// The primary key. It is not the secret.
    pub id: ApiTokenId,
    /// The tenant that the token acts for: that of its owner.
    pub tenant_id: TenantId,
    /// The staff user whose token it is. Null for the token of a service account.
    pub staff_user_id: Option<StaffUserId>,
    /// The service account whose token it is. Null for the token of a staff user.
    pub service_account_id: Option<ServiceAccountId>,
    /// The name that the owner gave the token.
    pub name: String,
    /// The first 12 characters of the secret, by which people recognise it.
    pub prefix: String,
    /// The SHA-256 hash of the secret, as 64 hexadecimal digits.
    #[sea_orm(unique)]
    pub token_hash: String,
    /// The names of the permissions that the token may use, separated by spaces.
    pub scopes: String,
    /// The staff user who created the token.
    pub created_by: Option<StaffUserId>,
    /// When the token was created.
    pub created_at: DateTimeUtc,
    /// The time after which the token is invalid.
    pub expires_at: DateTimeUtc,
    /// When the token was last used, to about a minute. Null before the first use.
    pub last_used_at: Option<DateTimeUtc>,
    /// When the token was revoked. Null while it was not.
    pub revoked_at: Option<DateTimeUtc>,
    /// When the mail is due that says that the token expires soon. Null when no mail is due, or when it was enqueued.
    pub expiry_notice_at: Option<DateTimeUtc>,
}

/// The rows of other tables that a row refers to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The tenant of the token.
    #[sea_orm(belongs_to = "super::tenant::Entity", from = "Column::TenantId", to = "super::tenant::Column::Id")]
    Tenant,
    /// The staff user whose token it is.
    #[sea_orm(
        belongs_to = "super::staff_user::Entity",
        from = "Column::StaffUserId",
        to = "super::staff_user::Column::Id"
    )]
    StaffUser,
    /// The service account whose token it is.
    #[sea_orm(
        belongs_to = "super::service_account::Entity",
        from = "Column::ServiceAccountId",
        to = "super::service_account::Column::Id"
    )]
    ServiceAccount,
}

impl Related<super::tenant::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Tenant.def()
    }
}

impl Related<super::staff_user::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::StaffUser.def()
    }
}

impl Related<super::service_account::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::ServiceAccount.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
