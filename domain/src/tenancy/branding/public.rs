//! The brand that everyone may see: what a page shows before a person has signed in.

use std::sync::Arc;

use portico_entity::{
    TenantId,
    tenant::{Column, Entity, Status},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{BrandCache, Branding, Color, Logo, stored::Stored};
use crate::platform::{app::App, error::Result, slug::Slug};

/// The name on pages and in mails that show the brand of no tenant.
pub(crate) const NEUTRAL_NAME: &str = "Client portal";

/// The brand of a tenant, or the neutral one. It has no contacts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicBrand {
    /// The id of the tenant; `None` for the neutral brand.
    pub(super) tenant_id: Option<TenantId>,
    /// The slug of the tenant; `None` for the neutral brand.
    pub tenant: Option<String>,
    /// The name.
    pub name: String,
    /// The accent of the light theme.
    pub accent: Color,
    /// The accent of the dark theme.
    pub accent_dark: Color,
    /// The radius of corners, in pixels.
    pub radius: u8,
    /// The logo, if there is one.
    pub logo: Option<Logo>,
    /// The language for people who have chosen none; `None` for the neutral brand.
    pub locale: Option<String>,
    /// The number of changes of the brand; 0 for the neutral brand.
    pub version: u32,
}

impl PublicBrand {
    /// Returns the brand of no tenant.
    pub fn neutral() -> Self {
        let Stored { accent, accent_dark, radius, .. } = Stored::default();
        let name = NEUTRAL_NAME.into();
        Self { tenant_id: None, tenant: None, name, accent, accent_dark, radius, logo: None, locale: None, version: 0 }
    }
}

/// Returns the brand of the active tenant with this slug, or the neutral brand if there is none.
///
/// A brand may be some seconds old. `version` is one that the caller knows of: an older brand is read again.
///
/// # Errors
/// `unavailable` or `internal`: the database failed.
pub async fn find_public(app: &App, slug: Option<&str>, version: u32) -> Result<Arc<PublicBrand>> {
    // No query is made for a text that cannot be a slug.
    let Some(slug) = slug.and_then(|slug| slug.parse::<Slug>().ok()) else {
        return Ok(Arc::new(PublicBrand::neutral()));
    };
    app.get::<BrandCache>().get_or_load(slug.as_str(), version, || load(app, &slug)).await
}

async fn load(app: &App, slug: &Slug) -> Result<PublicBrand> {
    let active = Entity::find().filter(Column::Slug.eq(slug.as_str())).filter(Column::Status.eq(Status::Active));
    let Some(tenant) = active.one(app.db()).await? else { return Ok(PublicBrand::neutral()) };
    let tenant_id = Some(tenant.id);
    let Branding { slug, name, accent, accent_dark, radius, locale, version, logo, .. } =
        Branding::of(app.db(), tenant).await?;
    let (tenant, locale) = (Some(slug), Some(locale));
    Ok(PublicBrand { tenant_id, tenant, name, accent, accent_dark, radius, logo, locale, version })
}
