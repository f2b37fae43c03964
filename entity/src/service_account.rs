//! `service_accounts`: accounts of programs that act for a tenant.
//!
//! A service account has no address and no sign-in. It acts by its [API tokens](crate::api_token), and it stays when
//! the staff user who created it is removed.

use sea_orm::entity::prelude::*;

use crate::{ServiceAccountId, StaffUserId, TenantId, staff_user::Role};

/// A row of `service_accounts`: one service account of one tenant.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "service_accounts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// The primary key.
    pub id: ServiceAccountId,
    /// The tenant that the service account acts for.
    pub tenant_id: TenantId,
    /// The name, which says what the program does.
    pub name: String,
    /// The role, which bounds the scopes of the tokens. Never `Owner`.
    pub role: Role,
    /// The staff user who created the service account.
    pub created_by: Option<StaffUserId>,
    /// When the service account was created.
    pub created_at: DateTimeUtc,
    /// When the service account was removed. Its row stays for the audit log. Null while it exists.
    pub removed_at: Option<DateTimeUtc>,
}

/// The rows of other tables that a row refers to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The tenant of the service account.
    #[sea_orm(belongs_to = "super::tenant::Entity", from = "Column::TenantId", to = "super::tenant::Column::Id")]
    Tenant,
}

impl Related<super::tenant::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Tenant.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
