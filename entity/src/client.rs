//! `clients`: the customers of the tenants.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{ClientId, TenantId};

/// The status of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The portal users of the client can sign in.
    Active,
    /// As [`Active`](Status::Active). The client has not paid in time.
    PastDue,
    /// No portal user can act for the client. Its data stays.
    Archived,
}

/// A row of `clients`: one customer of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "clients")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// The primary key.
    pub id: ClientId,
    /// The tenant that the client belongs to.
    pub tenant_id: TenantId,
    /// The display name.
    pub name: String,
    /// The tenant's own reference for the client, such as a customer number. Unique within the tenant. Null when
    /// there is none.
    pub external_ref: Option<String>,
    /// The status.
    pub status: Status,
    /// When the client was created.
    pub created_at: DateTimeUtc,
    /// Whether `search_words` holds the words of the row. A job adds those of rows that an older version has inserted.
    pub is_search_indexed: bool,
}

/// The rows of other tables that a row refers to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The tenant of the client.
    #[sea_orm(belongs_to = "super::tenant::Entity", from = "Column::TenantId", to = "super::tenant::Column::Id")]
    Tenant,
}

impl Related<super::tenant::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Tenant.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
