//! The mail with a sign-in code, for staff users and for portal users.

use portico_entity::{email, portal_user, session::Method, staff_user, tenant};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::live_flows::make_code;
use crate::{
    identity::mailed_codes::MailedCodeSettings,
    platform::{
        actor::{Realm, User},
        app::App,
        error::Result,
        mail::{self, ComposeError, Composed},
    },
    tenancy::{memberships, tenants::Brand},
};

/// The context of the templates of mails with a code.
pub(crate) struct CodeEmail {
    pub(super) brand: Brand,
    /// The user's name.
    pub(super) name: String,
    /// The six digits.
    pub(super) code: String,
    /// The lifetime of a code in minutes, rounded up.
    pub(super) minutes: u64,
}

mail::templates!(
    CodeEmail,
    English: "identity/mailed_codes/code_email/en.txt",
    German: "identity/mailed_codes/code_email/de.txt",
    French: "identity/mailed_codes/code_email/fr.txt",
    Spanish: "identity/mailed_codes/code_email/es.txt",
);

#[cfg(test)]
impl mail::checks::Example for CodeEmail {
    fn example(language: crate::platform::language::Language, is_complete: bool) -> Self {
        Self {
            brand: Brand::example(language),
            name: mail::checks::NAME.into(),
            code: mail::checks::CODE.into(),
            minutes: if is_complete { 10 } else { 1 },
        }
    }
}

/// Composes the mail of the `emails` row. The worker looks the user of `realm` up here; the request did not.
///
/// The mail is suppressed when no enabled user who may sign in by a code has the email address, when a resend has
/// replaced the mail, or when the user has three live codes. If the entry of `PORTICO_SECRET` that made the code was
/// removed, another mail with a new code takes the place of this one.
///
/// # Errors
/// A [`ComposeError::Job`] if the database or a template fails. A [`ComposeError::Mail`] if the recipient is not a
/// valid address.
pub(crate) async fn compose(
    app: &App,
    row: &email::Model,
    realm: Realm,
) -> std::result::Result<Composed, ComposeError> {
    let user = match realm {
        Realm::Portal => portal_user(app, &row.recipient).await?,
        Realm::Staff => staff_user(app, &row.recipient).await?,
    };
    match user {
        Ok(user) => compose_for(app, row, &user, render).await,
        Err(reason) => Ok(Composed::Suppressed(reason)),
    }
}

/// Composes the mail `row` to `user` with the templates of `render`.
pub(super) async fn compose_for(
    app: &App,
    row: &email::Model,
    user: &User,
    render: fn(&CodeEmail) -> std::result::Result<mail::Rendered, askama::Error>,
) -> std::result::Result<Composed, ComposeError> {
    let code = match make_code(app, row, user.id()).await? {
        Ok(code) => code,
        Err(suppressed) => return Ok(suppressed),
    };
    let brand = match user {
        User::Portal(user) => Brand::of_person(app, user).await?,
        User::Staff(user) => Brand::of_staff_user(app, user).await?,
    };
    let context = CodeEmail {
        brand,
        name: mail::defuse_links(user.name()),
        code: code.reveal().to_owned(),
        minutes: app.section::<MailedCodeSettings>().code_ttl.as_secs().div_ceil(60),
    };
    Ok(mail::message(row, render(&context)?)?)
}

/// Returns the staff user with this address who may sign in, or the reason to suppress the mail.
async fn staff_user(app: &App, email: &str) -> Result<std::result::Result<User, &'static str>> {
    let found = staff_user::Entity::find()
        .find_also_related(tenant::Entity)
        .filter(staff_user::Column::Email.eq(email))
        .filter(staff_user::Column::DisabledAt.is_null())
        .filter(tenant::Column::Status.eq(tenant::Status::Active))
        .one(app.db())
        .await?;
    Ok(found.map(|(user, _)| User::Staff(user)).ok_or("no staff user has this address"))
}

/// Returns the portal user with this address who may sign in by a code at one of their clients, or the reason to
/// suppress the mail.
async fn portal_user(app: &App, email: &str) -> Result<std::result::Result<User, &'static str>> {
    const UNKNOWN: &str = "no portal user who may sign in by a code has this address";
    let found = portal_user::Entity::find()
        .filter(portal_user::Column::Email.eq(email))
        .filter(portal_user::Column::DisabledAt.is_null())
        .one(app.db())
        .await?;
    let Some(user) = found.filter(portal_user::Model::is_activated) else { return Ok(Err(UNKNOWN)) };
    let is_allowed = memberships::allow_method(app.db(), user.id, Method::Code).await?;
    Ok(if is_allowed { Ok(User::Portal(user)) } else { Err(UNKNOWN) })
}
