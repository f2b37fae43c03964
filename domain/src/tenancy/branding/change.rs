//! Changing the brand of a tenant.

use portico_entity::tenant;
use serde_json::json;

use super::{
    BrandCache, Branding, Color, Phone,
    contrast::{DARK, LIGHT},
    stored::{self, Stored},
};
use crate::platform::{
    actor::{Authorized, access::SettingsEdit},
    app::App,
    audit,
    email_address::EmailAddress,
    error::{Error, FieldError, Result},
    locale::Locale,
    name::Name,
};

/// The input of [`change`]. A field that is `None` stays unchanged.
#[derive(Default)]
pub struct BrandingChange {
    /// The name on pages and in mails.
    pub name: Option<Name>,
    /// The accent of the light theme and of mails.
    pub accent: Option<Color>,
    /// The accent of the dark theme.
    pub accent_dark: Option<Color>,
    /// The e-mail address of the support. `Some(None)` removes it.
    pub support_email: Option<Option<EmailAddress>>,
    /// The telephone number of the support. `Some(None)` removes it.
    pub support_phone: Option<Option<Phone>>,
    /// The language for people who have chosen none.
    pub locale: Option<Locale>,
    /// The radius of corners, at most [`MAX_RADIUS`](super::MAX_RADIUS) pixels.
    pub radius: Option<u8>,
}

/// Changes the brand of the caller's tenant, records an audit event, and returns the brand. If no field gets another
/// value, nothing is written.
///
/// # Errors
/// - `validation_failed` with the field code `contrast_too_low`: an accent cannot be read in its theme.
/// - `unavailable` or `internal`: the database failed.
pub async fn change(app: &App, caller: &Authorized<SettingsEdit>, change: BrandingChange) -> Result<Branding> {
    let problems = contrast_problems(&change);
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    let mut tx = app.begin().await?;
    let (mut tenant, mut stored) = stored::lock(&mut tx, caller.tenant.id).await?;
    let fields = apply(change, &mut tenant, &mut stored);
    if fields.is_empty() {
        return Branding::of(tx.db(), tenant).await;
    }
    let tenant = stored::write(&mut tx, tenant, stored).await?;
    let branding = Branding::of(tx.db(), tenant).await?;
    let event = audit::Event::new("branding.changed").target("tenant", caller.tenant.id.0).tenant(caller.tenant.id);
    audit::record(&mut tx, caller, event.details(json!({ "fields": fields }))).await?;
    tx.commit().await?;
    app.get::<BrandCache>().forget(&branding.slug);
    Ok(branding)
}

/// Returns the problems of the accents that the change sets.
fn contrast_problems(change: &BrandingChange) -> Vec<FieldError> {
    let accents = [(&LIGHT, change.accent), (&DARK, change.accent_dark)];
    accents.into_iter().filter_map(|(theme, accent)| theme.check(accent?)).collect()
}

/// Applies the change, and returns the names of the fields that have another value now.
fn apply(change: BrandingChange, tenant: &mut tenant::Model, stored: &mut Stored) -> Vec<&'static str> {
    let mut fields = Vec::new();
    let mut record = |name, is_changed: bool| {
        if is_changed {
            fields.push(name);
        }
    };
    record("name", set(&mut tenant.name, change.name.map(|name| name.to_string())));
    record("colors.accent", set(&mut stored.accent, change.accent));
    record("colors.accent_dark", set(&mut stored.accent_dark, change.accent_dark));
    let email = change.support_email.map(|email| email.map(|email| email.to_string()));
    record("support.email", set(&mut stored.support_email, email));
    let phone = change.support_phone.map(|phone| phone.map(|phone| phone.to_string()));
    record("support.phone", set(&mut stored.support_phone, phone));
    record("locale", set(&mut tenant.default_locale, change.locale.map(|locale| locale.to_string())));
    record("radius", set(&mut stored.radius, change.radius));
    fields
}

/// Sets a field to the new value, if there is one, and returns whether the field has changed.
fn set<T: PartialEq>(field: &mut T, new: Option<T>) -> bool {
    match new {
        Some(new) if *field != new => {
            *field = new;
            true
        }
        _ => false,
    }
}
