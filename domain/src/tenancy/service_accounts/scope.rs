//! Access to service accounts through their tenant. A service account of another tenant, or one that was removed, is
//! `not_found`, the same as an id that does not exist.

use portico_entity::{
    ServiceAccountId, TenantId,
    service_account::{Column, Entity, Model},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Select};

use crate::platform::error::{Error, Result};

/// Returns a query for the service accounts of `tenant` that were not removed.
pub(super) fn of(tenant: TenantId) -> Select<Entity> {
    Entity::find().filter(Column::TenantId.eq(tenant)).filter(Column::RemovedAt.is_null())
}

/// Loads the service account `id` of `tenant`.
///
/// # Errors
/// - `not_found`: the tenant has no service account with this id.
/// - `unavailable` or `internal`: the database query failed.
pub(super) async fn find(db: &impl ConnectionTrait, tenant: TenantId, id: ServiceAccountId) -> Result<Model> {
    of(tenant).filter(Column::Id.eq(id)).one(db).await?.ok_or(Error::NOT_FOUND)
}
