//! `audit_exports`: the exports of the audit log that run. They are bounded for each tenant over all processes.

use sea_orm::entity::prelude::*;

use crate::TenantId;

/// A row of `audit_exports`: a slot of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_exports")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// The tenant.
    pub tenant_id: TenantId,
    #[sea_orm(primary_key, auto_increment = false)]
    /// The number of the slot, from 0.
    pub slot: i32,
    /// The export that has the slot.
    pub holder: Uuid,
    /// The end of the lease. Another export may take the slot then.
    pub expires_at: DateTimeUtc,
}

/// No relation is declared, because no query joins from this table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
