//! Access to staff users through their tenant. A staff user of another tenant, or one who was removed, is `not_found`,
//! the same as an id that does not exist.

use portico_entity::{
    StaffUserId, TenantId,
    staff_user::{Column, Entity, Model},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Select};

use crate::platform::error::{Error, Result};

/// Returns a query for the staff users of `tenant` who were not removed.
pub(super) fn of(tenant: TenantId) -> Select<Entity> {
    Entity::find().filter(Column::TenantId.eq(tenant)).filter(Column::RemovedAt.is_null())
}

/// Loads the staff user `id` of `tenant`.
///
/// # Errors
/// - `not_found`: the tenant has no staff user with this id.
/// - `unavailable` or `internal`: the database query failed.
pub(super) async fn find(db: &impl ConnectionTrait, tenant: TenantId, id: StaffUserId) -> Result<Model> {
    of(tenant).filter(Column::Id.eq(id)).one(db).await?.ok_or(Error::NOT_FOUND)
}

/// Loads the staff user with this address, in any tenant.
///
/// # Errors
/// - `not_found`: no staff user has the address.
/// - `unavailable` or `internal`: the database query failed.
pub(super) async fn find_by_email(db: &impl ConnectionTrait, email: &str) -> Result<Model> {
    let query = Entity::find().filter(Column::Email.eq(email)).filter(Column::RemovedAt.is_null());
    query.one(db).await?.ok_or(Error::NOT_FOUND)
}
