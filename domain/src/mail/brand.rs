//! In whose name a mail speaks.

use portico_entity::{PortalUserId, TenantId, tenant};
use sea_orm::EntityTrait;

use crate::{app::App, error::Result, tenants};

/// The name and language of a mail.
pub(crate) struct Brand {
    /// The tenant's name, or a neutral one.
    pub(crate) name: String,
    /// A BCP 47 language tag.
    pub(crate) locale: String,
}

impl Brand {
    /// A tenant's own.
    pub(crate) async fn of_tenant(app: &App, id: TenantId, locale: Option<&str>) -> Result<Self> {
        let tenant = tenant::Entity::find_by_id(id).one(app.db()).await?;
        Ok(tenant.map_or_else(|| Self::neutral(locale), |tenant| Self::of(tenant, locale)))
    }

    /// For mail about the person: their tenant's, or a neutral one for a person of several tenants, so that none
    /// of them learns of the others from a forwarded mail.
    pub(crate) async fn of_person(app: &App, id: PortalUserId, locale: Option<&str>) -> Result<Self> {
        let tenants = tenants::of_person(app.db(), id).await?;
        match tenants.first() {
            Some(tenant) if tenants.len() == 1 => Self::of_tenant(app, *tenant, locale).await,
            _ => Ok(Self::neutral(locale)),
        }
    }

    fn of(tenant: tenant::Model, locale: Option<&str>) -> Self {
        Self { name: tenant.name, locale: locale.map_or(tenant.default_locale, Into::into) }
    }

    fn neutral(locale: Option<&str>) -> Self {
        Self { name: "Client portal".into(), locale: locale.unwrap_or("en").into() }
    }
}
