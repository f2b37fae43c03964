//! Adds a tenant from the command line.

use std::str::FromStr;

use portico_entity::{
    TenantId,
    tenant::{self, Status},
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};
use serde_json::json;

use crate::platform::{
    actor::Actor,
    app::App,
    audit,
    error::{FieldProblem, Result},
    locale::Locale,
    name::Name,
};

/// The short name of a tenant: 2 to 40 lower-case ASCII letters, digits and hyphens. It starts with a letter and does
/// not end with a hyphen.
#[derive(Clone, Debug)]
pub struct Slug(String);

impl Slug {
    /// Returns the text of the slug.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Slug {
    type Err = FieldProblem;

    fn from_str(typed: &str) -> std::result::Result<Self, FieldProblem> {
        let is_valid = (2..=40).contains(&typed.len())
            && typed.starts_with(|c: char| c.is_ascii_lowercase())
            && !typed.ends_with('-')
            && typed.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        let problem =
            || FieldProblem::new("slug_invalid", "must have 2 to 40 lower-case letters, digits and hyphens, e.g. acme");
        if is_valid { Ok(Self(typed.into())) } else { Err(problem()) }
    }
}

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
        slug: Set(slug.0.clone()),
        name: Set(name.to_string()),
        status: Set(Status::Active),
        branding: Set(json!({})),
        default_locale: Set(locale.to_string()),
        created_at: Set(app.now()),
    };
    let tenant = row.insert(tx.db()).await?;
    let event = audit::Event::new("tenant.added").target("tenant", tenant.id.0).tenant(tenant.id);
    audit::record(&mut tx, Actor::SYSTEM, event).await?;
    tx.commit().await?;
    Ok(tenant)
}
