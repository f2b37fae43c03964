//! Replacing the logo of a tenant.

use portico_entity::tenant_logo::{ActiveModel, Column, Entity};
use sea_orm::{ActiveValue::Set, EntityTrait, sea_query::OnConflict};
use serde_json::json;

use super::{
    BrandCache, Branding,
    image::{ImageQueue, LogoImages},
    stored,
};
use crate::platform::{
    actor::{Authorized, access::SettingsEdit},
    app::App,
    audit,
    error::Result,
};

/// Makes `upload`, a PNG, JPEG or WebP file, the logo of the caller's tenant, records an audit event, and returns the
/// brand.
///
/// The image is turned as its metadata says, made smaller and encoded again, so that no metadata is kept. Of an
/// animation, the first image is taken.
///
/// # Errors
/// - `validation_failed` with the field code `image_invalid` or `image_too_large`: the file cannot be decoded, or the
///   image has too many pixels.
/// - `overloaded`: other images of this process take too long.
/// - `unavailable` or `internal`: the database failed.
pub async fn set_logo(app: &App, caller: &Authorized<SettingsEdit>, upload: Vec<u8>) -> Result<Branding> {
    let images = app.get::<ImageQueue>().process(upload).await?;
    let mut tx = app.begin().await?;
    let (tenant, stored) = stored::lock(&mut tx, caller.tenant.id).await?;
    let event = audit::Event::new("branding.logo_set").target("tenant", tenant.id.0).tenant(tenant.id);
    let details = json!({ "hash": images.hash, "width": images.page.width, "height": images.page.height });
    let all = [
        Column::Hash,
        Column::Png,
        Column::Width,
        Column::Height,
        Column::MailPng,
        Column::MailWidth,
        Column::MailHeight,
        Column::UploadedAt,
    ];
    let LogoImages { hash, page, mail } = images;
    let row = ActiveModel {
        tenant_id: Set(tenant.id),
        hash: Set(hash),
        png: Set(page.png),
        width: Set(page.width),
        height: Set(page.height),
        mail_png: Set(mail.png),
        mail_width: Set(mail.width),
        mail_height: Set(mail.height),
        uploaded_at: Set(app.now()),
    };
    let replace = OnConflict::column(Column::TenantId).update_columns(all).to_owned();
    Entity::insert(row).on_conflict(replace).exec_without_returning(tx.db()).await?;
    let tenant = stored::write(&mut tx, tenant, stored).await?;
    let branding = Branding::of(tx.db(), tenant).await?;
    audit::record(&mut tx, caller, event.details(details)).await?;
    tx.commit().await?;
    app.get::<BrandCache>().forget(&branding.slug);
    Ok(branding)
}
