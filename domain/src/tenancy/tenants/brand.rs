//! The brand of a mail.

use portico_entity::{TenantId, portal_user, staff_user, tenant};
use sea_orm::EntityTrait;

use crate::{
    platform::{
        app::App,
        error::Result,
        language::Language,
        mail::{ButtonColors, InlineImage},
    },
    tenancy::{
        branding::{self, MailColors, Support},
        tenants,
    },
};

/// The name under which a mail is sent, how the mail looks, and its language.
pub(crate) struct Brand {
    /// The name of the tenant, or a neutral name.
    pub(crate) name: String,
    /// The language of the mail.
    pub(crate) language: Language,
    /// The colours of buttons and links.
    pub(crate) colors: MailColors,
    /// The logo. It takes the place of the name.
    pub(crate) logo: Option<InlineImage>,
    /// The contacts in the last line.
    pub(crate) support: Support,
}

impl Brand {
    /// Returns the brand of the tenant `id`, in the language that the recipient prefers, else in the tenant's default
    /// language, else in English. Returns a neutral brand if the tenant does not exist.
    ///
    /// # Errors
    /// `unavailable` or `internal` if the database fails.
    pub(crate) async fn of_tenant(app: &App, id: TenantId, preferred: Option<Language>) -> Result<Self> {
        let tenant = tenant::Entity::find_by_id(id).one(app.db()).await?;
        let Some(tenant) = tenant else { return Ok(Self::neutral(preferred)) };
        let logo = branding::mail_logo(app.db(), id).await?;
        let (colors, support) = branding::mail_style(&tenant)?;
        Ok(Self { colors, logo, support, ..Self::of(tenant, preferred) })
    }

    /// Returns the brand for mail about the account of the portal user `user`: that of the user's tenant. Returns a
    /// neutral brand if the user belongs to several tenants or to none, so that no tenant learns of the others from a
    /// forwarded mail.
    ///
    /// # Errors
    /// `unavailable` or `internal` if the database fails.
    pub(crate) async fn of_person(app: &App, user: &portal_user::Model) -> Result<Self> {
        let preferred = Language::first_of([user.locale.as_deref()]);
        let tenants = tenants::of_person(app.db(), user.id).await?;
        match tenants.first() {
            Some(tenant) if tenants.len() == 1 => Self::of_tenant(app, *tenant, preferred).await,
            _ => Ok(Self::neutral(preferred)),
        }
    }

    /// Returns the brand for mail to the staff user `user`.
    ///
    /// # Errors
    /// `unavailable` or `internal` if the database fails.
    pub(crate) async fn of_staff_user(app: &App, user: &staff_user::Model) -> Result<Self> {
        Self::of_tenant(app, user.tenant_id, Language::first_of([user.locale.as_deref()])).await
    }

    /// Returns the colours of buttons.
    pub(crate) fn button_colors(&self) -> ButtonColors {
        let MailColors { accent, on_accent } = self.colors;
        ButtonColors { background: accent.to_string(), text: on_accent.to_string() }
    }

    /// Returns whether the last line of a mail has contacts.
    pub(crate) fn has_support(&self) -> bool {
        self.support.email.is_some() || self.support.phone.is_some()
    }

    fn of(tenant: tenant::Model, preferred: Option<Language>) -> Self {
        let language = preferred.or_else(|| Language::of(&tenant.default_locale)).unwrap_or(Language::English);
        Self { name: tenant.name, ..Self::neutral(Some(language)) }
    }

    fn neutral(preferred: Option<Language>) -> Self {
        let language = preferred.unwrap_or(Language::English);
        let name = match language {
            Language::English => branding::NEUTRAL_NAME,
            Language::German => "Kundenportal",
            Language::French => "Espace client",
            Language::Spanish => "Portal de clientes",
        };
        let (colors, support) = (MailColors::default(), Support::default());
        Self { name: name.into(), language, colors, logo: None, support }
    }
}

#[cfg(test)]
impl Brand {
    /// Returns the brand of a mail in a test.
    pub(crate) fn example(language: Language) -> Self {
        Self { name: "Blue Harbour".into(), ..Self::neutral(Some(language)) }
    }
}
