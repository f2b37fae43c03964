//! How a portal user reaches the tenant.

use portico_entity::{TenantId, tenant};
use sea_orm::EntityTrait;

use super::{Support, stored::Stored};
use crate::platform::{app::App, error::Result};

/// A tenant and its support contacts, for people who are known to belong to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantContact {
    /// The slug, which pages need to show the brand.
    pub slug: String,
    /// The name.
    pub name: String,
    /// The support contacts.
    pub support: Support,
}

/// Returns the contacts of the tenant `id`; `None` if it does not exist.
///
/// # Errors
/// `unavailable` or `internal`: the database failed.
pub async fn contact_of(app: &App, id: TenantId) -> Result<Option<TenantContact>> {
    let Some(tenant) = tenant::Entity::find_by_id(id).one(app.db()).await? else { return Ok(None) };
    let support = Stored::of(&tenant)?.support();
    Ok(Some(TenantContact { slug: tenant.slug, name: tenant.name, support }))
}
