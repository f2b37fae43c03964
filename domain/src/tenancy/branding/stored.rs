//! What `tenants.branding` contains.

use portico_entity::{TenantId, tenant};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel, QuerySelect, sea_query::LockType};
use serde::{Deserialize, Serialize};

use super::{Color, contrast};
use crate::platform::{
    error::{Error, Result},
    tx::Tx,
};

/// The largest radius of corners, in pixels.
pub const MAX_RADIUS: u8 = 24;

/// How portal users reach the support of a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Support {
    /// The e-mail address.
    pub email: Option<String>,
    /// The telephone number.
    pub phone: Option<String>,
}

/// The JSON object in `tenants.branding`. An absent field has its default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Stored {
    /// The number of changes of the brand, also of the name, the language and the logo, which have columns.
    pub(super) version: u32,
    /// The accent of the light theme and of mails.
    pub(super) accent: Color,
    /// The accent of the dark theme.
    pub(super) accent_dark: Color,
    /// The radius of corners, in pixels.
    pub(super) radius: u8,
    /// The e-mail address of the support.
    pub(super) support_email: Option<String>,
    /// The telephone number of the support.
    pub(super) support_phone: Option<String>,
}

impl Default for Stored {
    fn default() -> Self {
        Self {
            version: 0,
            accent: Color::new(0x1f, 0x4f, 0xbf),
            accent_dark: Color::new(0x9d, 0xb8, 0xff),
            radius: 8,
            support_email: None,
            support_phone: None,
        }
    }
}

impl Stored {
    /// Reads the branding of a tenant.
    ///
    /// # Errors
    /// `internal` if it is not the JSON object that this version writes.
    pub(super) fn of(tenant: &tenant::Model) -> Result<Self> {
        Self::deserialize(&tenant.branding)
            .map_err(|error| Error::Internal(format!("the branding of the tenant {} is wrong: {error}", tenant.slug)))
    }

    /// Returns the support contacts.
    pub(super) fn support(&self) -> Support {
        Support { email: self.support_email.clone(), phone: self.support_phone.clone() }
    }
}

/// The colours of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MailColors {
    /// The background of buttons.
    pub(crate) accent: Color,
    /// The text on buttons.
    pub(crate) on_accent: Color,
}

impl From<&Stored> for MailColors {
    fn from(stored: &Stored) -> Self {
        Self { accent: stored.accent, on_accent: contrast::text_on(stored.accent) }
    }
}

impl Default for MailColors {
    fn default() -> Self {
        Self::from(&Stored::default())
    }
}

/// Returns the colours and the support contacts that mails of the tenant show.
///
/// # Errors
/// `internal` if the branding in the database cannot be read.
pub(crate) fn mail_style(tenant: &tenant::Model) -> Result<(MailColors, Support)> {
    let stored = Stored::of(tenant)?;
    Ok((MailColors::from(&stored), stored.support()))
}

/// Locks the row of the tenant until the transaction ends, and returns it with its branding. Of two changes at the same
/// time, the second sees what the first has written, so that each has a version of its own.
///
/// # Errors
/// - `not_found`: the tenant does not exist.
/// - `unavailable` or `internal`: the database failed, or the branding cannot be read.
pub(super) async fn lock(tx: &mut Tx, id: TenantId) -> Result<(tenant::Model, Stored)> {
    let locked = tenant::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(tx.db()).await?;
    let tenant = locked.ok_or(Error::NOT_FOUND)?;
    let stored = Stored::of(&tenant)?;
    Ok((tenant, stored))
}

/// Writes the tenant, its branding and the next version.
///
/// # Errors
/// `unavailable` or `internal`: the database failed.
pub(super) async fn write(tx: &mut Tx, tenant: tenant::Model, stored: Stored) -> Result<tenant::Model> {
    let stored = Stored { version: stored.version.saturating_add(1), ..stored };
    let branding = serde_json::to_value(stored).map_err(|error| Error::Internal(error.to_string()))?;
    let (name, locale) = (tenant.name.clone(), tenant.default_locale.clone());
    let mut row = tenant.into_active_model();
    row.name = Set(name);
    row.default_locale = Set(locale);
    row.branding = Set(branding);
    Ok(row.update(tx.db()).await?)
}

#[cfg(test)]
mod tests {
    use super::{
        super::contrast::{DARK, LIGHT},
        *,
    };

    #[test]
    fn default_colors_can_be_read() {
        let stored = Stored::default();
        assert_eq!(LIGHT.check(stored.accent), None);
        assert_eq!(DARK.check(stored.accent_dark), None);
    }

    #[test]
    fn absent_fields_have_their_defaults_and_colors_are_checked() {
        let read = |json: serde_json::Value| serde_json::from_value::<Stored>(json);
        assert_eq!(read(serde_json::json!({})).unwrap(), Stored::default());
        assert_eq!(read(serde_json::json!({ "radius": 3 })).unwrap(), Stored { radius: 3, ..Stored::default() });
        assert!(read(serde_json::json!({ "accent": "red;}" })).is_err());
    }
}
