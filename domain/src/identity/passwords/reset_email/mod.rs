//! The reset mail. It carries a reset link, or an activation link for a portal user who has no password yet.

use portico_entity::{
    email::{self, Kind},
    link_token::Purpose,
    portal_user,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::{
    identity::link_tokens::{self, LinkTokenSettings},
    platform::{
        app::App,
        clock::Time,
        mail::{self, ComposeError, Composed},
    },
    tenancy::tenants::Brand,
};

/// The values of the templates of the reset mail.
pub(crate) struct ResetEmail {
    brand: Brand,
    name: String,
    /// The URL with the secret of the link in its fragment.
    link: String,
    /// The time at which the link expires.
    expires: Time,
}

mail::templates!(
    ResetEmail,
    English: "identity/passwords/reset_email/en.txt",
    German: "identity/passwords/reset_email/de.txt",
    French: "identity/passwords/reset_email/fr.txt",
    Spanish: "identity/passwords/reset_email/es.txt",
);

#[cfg(test)]
impl mail::checks::Example for ResetEmail {
    fn example(language: crate::platform::language::Language, _: bool) -> Self {
        Self {
            brand: Brand::example(language),
            name: mail::checks::NAME.into(),
            link: mail::checks::URL.into(),
            expires: "2026-03-03T09:05:00Z".parse().unwrap(),
        }
    }
}

/// Composes the mail of kind `reset`.
///
/// The request does not look the address up. This function, which the worker runs, does. A portal user who has not
/// activated the account gets an activation mail instead; one who has no password sets the first one by the reset
/// link. Returns [`Composed::Suppressed`] if no enabled portal user has the address, or if the link is no longer
/// valid.
///
/// # Errors
/// A failed database query, template or message.
pub(crate) async fn compose(app: &App, row: &email::Model) -> Result<Composed, ComposeError> {
    let Some(user) = portal_user::Entity::find()
        .filter(portal_user::Column::Email.eq(&row.recipient))
        .filter(portal_user::Column::DisabledAt.is_null())
        .one(app.db())
        .await?
    else {
        return Ok(Composed::Suppressed("no enabled portal user has this address"));
    };
    mail::set_recipient_user(app, row, user.id).await?;
    if !user.is_activated() {
        return Ok(Composed::OtherKind(Kind::Activation));
    }
    let secret = match link_tokens::issue(app, row, Purpose::Reset, &user, None).await? {
        Ok(secret) => secret,
        Err(composed) => return Ok(composed),
    };
    let context = ResetEmail {
        brand: Brand::of_person(app, &user).await?,
        link: app.public_url(&format!("/portal/reset-password#token={}", secret.reveal())),
        name: mail::defuse_links(&user.name),
        expires: row.created_at + app.section::<LinkTokenSettings>().reset_ttl,
    };
    Ok(mail::message(row, render(&context)?)?)
}
