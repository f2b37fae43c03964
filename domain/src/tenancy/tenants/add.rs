//! Adds a tenant from the command line.

use portico_entity::{
    TenantId,
    tenant::{self, Status},
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};
use serde_json::json;

use crate::platform::{actor::Actor, app::App, audit, error::Result, locale::Locale, name::Name, slug::Slug};

/// Adds an active tenant without branding, and records an audit event. Returns the new row. `locale` is the language of
/// mails to persons whose own language is unknown.
///
/// # Errors
/// - `conflict` when another tenant has the slug.
/// - `unavailable` or `internal` when the database fails.
pub async fn add(app: &App, slug: &Slug, name: &Name, locale: &Locale) -> Result<tenant::Model> {
    let mut tx = app.begin().await?;
    let row = tenant::ActiveModel {
        id: Set(TenantId(app.new_id())),
        slug: Set(slug.as_str().to_owned()),
        name: Set(name.to_string()),
        status: Set(Status::Active),
        branding: Set(json!({})),
        sign_in_policy: Set(None),
        default_locale: Set(locale.to_string()),
        created_at: Set(app.now()),
    };
    let tenant = row.insert(tx.db()).await?;
    let event = audit::Event::new("tenant.added").target("tenant", tenant.id.0).tenant(tenant.id);
    audit::record(&mut tx, Actor::SYSTEM, event).await?;
    tx.commit().await?;
    Ok(tenant)
}
