//! The stored logos.

use std::sync::Arc;

use portico_entity::{
    TenantId,
    tenant_logo::{Column, Entity},
};
use sea_orm::{ConnectionTrait, EntityTrait, QuerySelect};

use super::{BrandCache, PublicBrand};
use crate::platform::{app::App, error::Result, mail::InlineImage};

/// What is known of a logo without its image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logo {
    /// The SHA-256 hash of the image on pages, in hexadecimal.
    pub hash: String,
    /// The width of the image on pages, in pixels.
    pub width: u32,
    /// The height of the image on pages, in pixels.
    pub height: u32,
}

/// The image of a logo on pages. Clones share the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoImage {
    /// The SHA-256 hash of the image, in hexadecimal.
    pub hash: String,
    /// The image: a PNG file.
    pub png: Arc<[u8]>,
}

/// Returns what is known of the tenant's logo, without its image.
///
/// # Errors
/// `unavailable` or `internal`: the database failed.
pub(super) async fn find(db: &impl ConnectionTrait, tenant: TenantId) -> Result<Option<Logo>> {
    let columns = [Column::Width, Column::Height];
    let found = Entity::find_by_id(tenant).select_only().column(Column::Hash).columns(columns);
    let found: Option<(String, i32, i32)> = found.into_tuple().one(db).await?;
    Ok(found.map(|(hash, width, height)| Logo { hash, width: width.unsigned_abs(), height: height.unsigned_abs() }))
}

/// Returns the image of the logo of a brand; `None` if it has no logo.
///
/// # Errors
/// `unavailable` or `internal`: the database failed.
pub async fn logo_image(app: &App, brand: &PublicBrand) -> Result<Option<LogoImage>> {
    let (Some(logo), Some(tenant)) = (&brand.logo, brand.tenant_id) else { return Ok(None) };
    let load = async || {
        let found = Entity::find_by_id(tenant).select_only().columns([Column::Hash, Column::Png]);
        let found: Option<(String, Vec<u8>)> = found.into_tuple().one(app.db()).await?;
        Ok(found.map(|(hash, png)| LogoImage { hash, png: png.into() }))
    };
    app.get::<BrandCache>().logo_or_load(&logo.hash, load).await
}

/// Returns the image of the tenant's logo in mails.
///
/// # Errors
/// `unavailable` or `internal`: the database failed.
pub(crate) async fn mail_logo(db: &impl ConnectionTrait, tenant: TenantId) -> Result<Option<InlineImage>> {
    let columns = [Column::Hash, Column::MailPng, Column::MailWidth, Column::MailHeight];
    let found: Option<(String, Vec<u8>, i32, i32)> =
        Entity::find_by_id(tenant).select_only().columns(columns).into_tuple().one(db).await?;
    Ok(found
        .map(|(hash, png, width, height)| InlineImage::new(&hash, png, (width.unsigned_abs(), height.unsigned_abs()))))
}
