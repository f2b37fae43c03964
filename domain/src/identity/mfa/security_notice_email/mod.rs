//! The notice about a change of the second factors, and about attempts to guess one.

use chrono::TimeDelta;
use portico_entity::{
    UserId,
    email::{self, Column, Entity, Kind, SecurityEvent},
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};

use crate::{
    identity::users,
    platform::{
        actor::User,
        app::App,
        clock::Time,
        error::Result,
        mail::{self, ComposeError, Composed, NewEmail},
        tx::Tx,
    },
    tenancy::tenants::Brand,
};

/// The context of the templates.
pub(crate) struct SecurityNotice {
    brand: Brand,
    name: String,
    /// What has happened.
    event: SecurityEvent,
    /// When it has happened.
    at: Time,
    /// Whether the user can have a password. Staff users have none.
    has_password: bool,
    /// The page on which the user sees and changes the second factors.
    account_url: String,
}

mail::templates!(
    SecurityNotice,
    English: "identity/mfa/security_notice_email/en.txt",
    German: "identity/mfa/security_notice_email/de.txt",
    French: "identity/mfa/security_notice_email/fr.txt",
    Spanish: "identity/mfa/security_notice_email/es.txt",
);

#[cfg(test)]
impl mail::checks::Example for SecurityNotice {
    fn example(language: crate::platform::language::Language, is_complete: bool) -> Self {
        Self {
            brand: Brand::example(language),
            name: mail::checks::NAME.into(),
            event: if is_complete { SecurityEvent::MfaEnabled } else { SecurityEvent::MfaGuessed },
            at: "2026-03-03T09:05:00Z".parse().unwrap(),
            has_password: is_complete,
            account_url: mail::checks::URL.into(),
        }
    }
}

/// Enqueues the notice about `event` to `user`. It concerns the user and not a tenant, so it appears in no tenant's
/// mail log.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn notify(tx: &mut Tx, user: &User, event: SecurityEvent) -> Result<()> {
    let mail = NewEmail {
        portal_user: user.id().portal(),
        staff_user: user.id().staff(),
        security_event: Some(event),
        ..NewEmail::new(Kind::SecurityNotice, &user.email()?)
    };
    mail::enqueue(tx, mail).await?;
    Ok(())
}

/// Enqueues the notice as [`notify`] does, unless the user got one about the same event within the last day.
///
/// The caller must have locked the user's row.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn notify_once_a_day(tx: &mut Tx, user: &User, event: SecurityEvent) -> Result<()> {
    let owner = match user.id() {
        UserId::Portal(id) => Column::PortalUserId.eq(id),
        UserId::Staff(id) => Column::StaffUserId.eq(id),
    };
    let sent = Entity::find()
        .filter(owner)
        .filter(Column::Kind.eq(Kind::SecurityNotice))
        .filter(Column::SecurityEvent.eq(event))
        .filter(Column::CreatedAt.gt(tx.app().now() - TimeDelta::days(1)))
        .count(tx.db())
        .await?;
    if sent > 0 { Ok(()) } else { notify(tx, user, event).await }
}

/// Composes the notice of the `emails` row. It is suppressed if the account no longer exists.
///
/// # Errors
/// A [`ComposeError::Job`] if the database or a template fails. A [`ComposeError::Mail`] if the recipient is not a
/// valid address.
pub(crate) async fn compose(app: &App, row: &email::Model) -> std::result::Result<Composed, ComposeError> {
    let user = match UserId::from_columns(row.portal_user_id, row.staff_user_id) {
        Some(id) => users::find(app.db(), id).await?,
        None => None,
    };
    let (Some(user), Some(event)) = (user, row.security_event) else {
        return Ok(Composed::Suppressed("the account no longer exists"));
    };
    let (brand, account) = match &user {
        User::Portal(user) => (Brand::of_person(app, user).await?, "/portal/account"),
        User::Staff(user) => (Brand::of_staff_user(app, user).await?, "/console/account"),
    };
    let notice = SecurityNotice {
        brand,
        name: mail::defuse_links(user.name()),
        event,
        at: row.created_at,
        has_password: matches!(user, User::Portal(_)),
        account_url: app.public_url(account),
    };
    Ok(mail::message(row, render(&notice)?)?)
}
