//! Removing the logo of a tenant.

use portico_entity::tenant_logo::Entity;
use sea_orm::EntityTrait;

use super::{BrandCache, Branding, stored};
use crate::platform::{
    actor::{Authorized, access::SettingsEdit},
    app::App,
    audit,
    error::Result,
};

/// Removes the logo of the caller's tenant, records an audit event, and returns the brand. If there is no logo, nothing
/// is written.
///
/// # Errors
/// `unavailable` or `internal`: the database failed.
pub async fn remove_logo(app: &App, caller: &Authorized<SettingsEdit>) -> Result<Branding> {
    let mut tx = app.begin().await?;
    let (tenant, stored) = stored::lock(&mut tx, caller.tenant.id).await?;
    let removed = Entity::delete_by_id(tenant.id).exec(tx.db()).await?;
    if removed.rows_affected == 0 {
        return Branding::of(tx.db(), tenant).await;
    }
    let tenant = stored::write(&mut tx, tenant, stored).await?;
    let branding = Branding::of(tx.db(), tenant).await?;
    let event = audit::Event::new("branding.logo_removed").target("tenant", caller.tenant.id.0);
    audit::record(&mut tx, caller, event.tenant(caller.tenant.id)).await?;
    tx.commit().await?;
    app.get::<BrandCache>().forget(&branding.slug);
    Ok(branding)
}
