//! Tenants: the companies that use Portico.

mod add;
mod brand;
mod list;
mod suspend;

pub use add::add;
pub(crate) use brand::Brand;
pub use list::{TenantOverview, list, show};
pub use suspend::{restore, suspend};

pub use crate::platform::slug::Slug;

use portico_entity::{
    PortalUserId, TenantId, client, membership,
    tenant::{Column, Entity, Model},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};

use crate::platform::{app::App, error::Result};

/// Returns the tenant with this slug, or `None`.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(crate) async fn find(app: &App, slug: &str) -> Result<Option<Model>> {
    Ok(Entity::find().filter(Column::Slug.eq(slug)).one(app.db()).await?)
}

/// Returns the tenants at whose clients `user` has joined, each tenant once. A tenant that has only invited the person
/// must not change the mails of another one.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(crate) async fn of_person(db: &impl ConnectionTrait, user: PortalUserId) -> Result<Vec<TenantId>> {
    let tenants = membership::Entity::find()
        .inner_join(client::Entity)
        .select_only()
        .column(client::Column::TenantId)
        .distinct()
        .filter(membership::Column::PortalUserId.eq(user))
        .filter(membership::Column::Status.ne(membership::Status::Invited))
        .into_tuple()
        .all(db)
        .await?;
    Ok(tenants)
}
