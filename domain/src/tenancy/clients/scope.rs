//! Access to clients through their tenant. A client of another tenant is `not_found`, the same as an id that does not
//! exist.

use portico_entity::{
    ClientId, TenantId,
    client::{self, Column, Entity},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Select};

use crate::platform::error::{Error, Result};

/// The clients of one tenant. Made by [`of`].
pub(crate) struct ClientsOf(TenantId);

/// Returns a handle to the clients of `tenant`. Every client id that comes from a caller must be loaded through this
/// handle.
pub(crate) fn of(tenant: TenantId) -> ClientsOf {
    ClientsOf(tenant)
}

impl ClientsOf {
    /// Returns a query for all clients of the tenant, to which filters can be added.
    pub(crate) fn query(&self) -> Select<Entity> {
        Entity::find().filter(Column::TenantId.eq(self.0))
    }

    /// Loads the client `id`.
    ///
    /// # Errors
    /// - `not_found`: the tenant has no client with this id.
    /// - `unavailable` or `internal`: the database query failed.
    pub(crate) async fn find(&self, db: &impl ConnectionTrait, id: ClientId) -> Result<client::Model> {
        self.query().filter(Column::Id.eq(id)).one(db).await?.ok_or(Error::NOT_FOUND)
    }
}
