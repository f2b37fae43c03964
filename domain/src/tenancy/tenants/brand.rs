//! The brand of a mail.

use portico_entity::{PortalUserId, TenantId, tenant};
use sea_orm::EntityTrait;

use crate::{
    platform::{app::App, error::Result, mail::InlineImage},
    tenancy::{
        branding::{self, MailColors, Support},
        tenants,
    },
};

/// The languages that have texts of every mail.
const LANGUAGES: [&str; 1] = ["en"];

/// The name under which a mail is sent, how the mail looks, and its language.
pub(crate) struct Brand {
    /// The name of the tenant, or a neutral name.
    pub(crate) name: String,
    /// The language of the mail as a language tag (BCP 47): the one that was asked for if there are texts in it, and
    /// otherwise English.
    pub(crate) language: &'static str,
    /// The colours of buttons and links.
    pub(crate) colors: MailColors,
    /// The logo. It takes the place of the name.
    pub(crate) logo: Option<InlineImage>,
    /// The contacts in the last line.
    pub(crate) support: Support,
}

impl Brand {
    /// Returns the brand of the tenant `id`, in `locale` or else in the tenant's default language. Returns a neutral
    /// brand if the tenant does not exist.
    ///
    /// # Errors
    /// `unavailable` or `internal` if the database fails.
    pub(crate) async fn of_tenant(app: &App, id: TenantId, locale: Option<&str>) -> Result<Self> {
        let tenant = tenant::Entity::find_by_id(id).one(app.db()).await?;
        let Some(tenant) = tenant else { return Ok(Self::neutral(locale)) };
        let logo = branding::mail_logo(app.db(), id).await?;
        let (colors, support) = branding::mail_style(&tenant)?;
        Ok(Self { colors, logo, support, ..Self::of(tenant, locale) })
    }

    /// Returns the brand for mail about the account of the portal user `id`: the brand of the user's tenant. Returns a
    /// neutral brand if the user belongs to several tenants or to none, so that no tenant learns of the others from a
    /// forwarded mail.
    ///
    /// # Errors
    /// `unavailable` or `internal` if the database fails.
    pub(crate) async fn of_person(app: &App, id: PortalUserId, locale: Option<&str>) -> Result<Self> {
        let tenants = tenants::of_person(app.db(), id).await?;
        match tenants.first() {
            Some(tenant) if tenants.len() == 1 => Self::of_tenant(app, *tenant, locale).await,
            _ => Ok(Self::neutral(locale)),
        }
    }

    /// Returns whether the last line of a mail has contacts.
    pub(crate) fn has_support(&self) -> bool {
        self.support.email.is_some() || self.support.phone.is_some()
    }

    fn of(tenant: tenant::Model, locale: Option<&str>) -> Self {
        let language = text_language(locale.unwrap_or(&tenant.default_locale));
        Self { name: tenant.name, language, ..Self::neutral(locale) }
    }

    fn neutral(locale: Option<&str>) -> Self {
        Self {
            name: branding::NEUTRAL_NAME.into(),
            language: text_language(locale.unwrap_or_default()),
            colors: MailColors::default(),
            logo: None,
            support: Support::default(),
        }
    }
}

/// Returns the language of the texts for `locale`, a language tag that may name a region.
fn text_language(locale: &str) -> &'static str {
    let (language, _) = locale.split_once('-').unwrap_or((locale, ""));
    LANGUAGES.into_iter().find(|known| *known == language).unwrap_or("en")
}
