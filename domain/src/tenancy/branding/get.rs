//! Reading the brand of the caller's tenant.

use portico_entity::tenant;
use sea_orm::{ConnectionTrait, EntityTrait};

use super::{Color, Logo, Support, logo, stored::Stored};
use crate::platform::{
    actor::{Authorized, access::SettingsRead},
    app::App,
    error::{Error, Result},
};

/// The brand of a tenant, as its staff users see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branding {
    /// The slug of the tenant.
    pub slug: String,
    /// The name on pages and in mails.
    pub name: String,
    /// The accent of the light theme and of mails.
    pub accent: Color,
    /// The accent of the dark theme.
    pub accent_dark: Color,
    /// The radius of corners, in pixels.
    pub radius: u8,
    /// The support contacts.
    pub support: Support,
    /// The language for people who have chosen none, a BCP 47 language tag.
    pub locale: String,
    /// The number of changes of the brand.
    pub version: u32,
    /// The logo, if there is one.
    pub logo: Option<Logo>,
}

impl Branding {
    /// Reads the brand of `tenant`.
    ///
    /// # Errors
    /// `unavailable` or `internal`: the database failed, or the branding cannot be read.
    pub(super) async fn of(db: &impl ConnectionTrait, tenant: tenant::Model) -> Result<Self> {
        let stored = Stored::of(&tenant)?;
        let logo = logo::find(db, tenant.id).await?;
        let support = stored.support();
        Ok(Self {
            slug: tenant.slug,
            name: tenant.name,
            accent: stored.accent,
            accent_dark: stored.accent_dark,
            radius: stored.radius,
            support,
            locale: tenant.default_locale,
            version: stored.version,
            logo,
        })
    }
}

/// Returns the brand of the caller's tenant.
///
/// # Errors
/// `unavailable` or `internal`: the database failed.
pub async fn get(app: &App, caller: &Authorized<SettingsRead>) -> Result<Branding> {
    let tenant = tenant::Entity::find_by_id(caller.tenant.id).one(app.db()).await?.ok_or(Error::NOT_FOUND)?;
    Branding::of(app.db(), tenant).await
}
