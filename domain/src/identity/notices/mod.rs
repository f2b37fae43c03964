//! Notices: mails that tell a user what has happened to the account. Notices differ only in their texts.

use portico_entity::{
    email::{self, Kind},
    portal_user, staff_user,
};
use sea_orm::EntityTrait;

use crate::{
    platform::{
        app::App,
        clock::Time,
        email_address::EmailAddress,
        error::Result,
        mail::{self, ComposeError, Composed, NewEmail, Rendered, defuse_links},
        tx::Tx,
    },
    tenancy::tenants::Brand,
};

/// The context of the templates of a notice.
pub(crate) struct Notice {
    /// The brand of the mail.
    pub(crate) brand: Brand,
    /// The name of the user, with links defused (see [`defuse_links`]).
    pub(crate) name: String,
    /// When the event happened.
    pub(crate) at: Time,
    /// The URL of the page where the user can request a new password, for the case that another person caused the
    /// event. `None` for staff users, who have no password.
    pub(crate) forgot_url: Option<String>,
}

#[cfg(test)]
impl mail::checks::Example for Notice {
    fn example(language: crate::platform::language::Language, is_complete: bool) -> Self {
        Self {
            brand: Brand::example(language),
            name: mail::checks::NAME.into(),
            at: "2026-03-03T09:05:00Z".parse().unwrap(),
            forgot_url: is_complete.then(|| mail::checks::URL.into()),
        }
    }
}

/// Enqueues a notice of this `kind` to the staff user `user`. It appears in no tenant's mail log.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn enqueue_for_staff_user(tx: &mut Tx, kind: Kind, user: &staff_user::Model) -> Result<()> {
    let to = EmailAddress::stored(&user.email)?;
    mail::enqueue(tx, NewEmail { staff_user: Some(user.id), ..NewEmail::new(kind, &to) }).await?;
    Ok(())
}

/// Enqueues a notice of this `kind` to the portal user `user`. It concerns the user and not a tenant, so it appears
/// in no tenant's mail log.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn enqueue_for_portal_user(tx: &mut Tx, kind: Kind, user: &portal_user::Model) -> Result<()> {
    let to = EmailAddress::stored(&user.email)?;
    mail::enqueue(tx, NewEmail { portal_user: Some(user.id), ..NewEmail::new(kind, &to) }).await?;
    Ok(())
}

/// Composes the notice of the `emails` row `row` with the templates of `render`. The mail is suppressed if the
/// account no longer exists.
///
/// # Errors
/// [`ComposeError::Job`] if the database fails or a template cannot be rendered; [`ComposeError::Mail`] if the
/// recipient in the row is not a valid address.
pub(crate) async fn compose(
    app: &App,
    row: &email::Model,
    render: fn(&Notice) -> std::result::Result<Rendered, askama::Error>,
) -> std::result::Result<Composed, ComposeError> {
    let Some((brand, name, forgot_url)) = recipient(app, row).await? else {
        return Ok(Composed::Suppressed("the account no longer exists"));
    };
    let notice = Notice { brand, name: defuse_links(&name), at: row.created_at, forgot_url };
    Ok(mail::message(row, render(&notice)?)?)
}

/// Returns the brand, the name of the recipient, and the URL for a new password; `None` if the account no longer
/// exists.
async fn recipient(app: &App, row: &email::Model) -> Result<Option<(Brand, String, Option<String>)>> {
    if let Some(id) = row.portal_user_id {
        let Some(user) = portal_user::Entity::find_by_id(id).one(app.db()).await? else { return Ok(None) };
        let brand = Brand::of_person(app, &user).await?;
        return Ok(Some((brand, user.name, Some(app.public_url("/portal/forgot-password")))));
    }
    let Some(id) = row.staff_user_id else { return Ok(None) };
    let Some(user) = staff_user::Entity::find_by_id(id).one(app.db()).await? else { return Ok(None) };
    let brand = Brand::of_staff_user(app, &user).await?;
    Ok(Some((brand, user.name, None)))
}
