//! Clients through their tenant: outside of it a client is not found, like one that does not exist.

use portico_entity::{
    ClientId, TenantId,
    client::{self, Column, Entity},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Select};

use crate::error::{Error, Result};

/// The clients of one tenant.
pub(crate) struct ClientsOf(TenantId);

/// The clients of `tenant`. A client whose id came from a caller is loaded through here.
pub(crate) fn of(tenant: TenantId) -> ClientsOf {
    ClientsOf(tenant)
}

impl ClientsOf {
    /// All of them.
    pub(crate) fn query(&self) -> Select<Entity> {
        Entity::find().filter(Column::TenantId.eq(self.0))
    }

    /// The one of that id.
    ///
    /// # Errors
    /// `not_found`.
    pub(crate) async fn find(&self, db: &impl ConnectionTrait, id: ClientId) -> Result<client::Model> {
        self.query().filter(Column::Id.eq(id)).one(db).await?.ok_or(Error::NOT_FOUND)
    }
}
