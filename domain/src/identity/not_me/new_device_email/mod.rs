//! The notice about a sign-in from an unknown device, with the link that reports it.

use portico_entity::{email, link_token::Purpose, portal_user, session};
use sea_orm::EntityTrait;

use crate::{
    identity::link_tokens::{self, NOT_ME_TTL},
    platform::{
        app::App,
        clock::Time,
        mail::{self, ComposeError, Composed},
        user_agent,
    },
    tenancy::tenants::Brand,
};

/// The values of the templates of the notice.
pub(crate) struct NewDeviceEmail {
    brand: Brand,
    name: String,
    /// When the session was opened.
    at: Time,
    /// The name of the device: words of our own, and no text of the user agent.
    device: String,
    /// The IP address, if it is known.
    ip: Option<String>,
    /// The URL with the secret of the link in its fragment.
    link: String,
    /// The time at which the link expires.
    expires: Time,
}

mail::templates!(
    NewDeviceEmail,
    English: "identity/not_me/new_device_email/en.txt",
    German: "identity/not_me/new_device_email/de.txt",
    French: "identity/not_me/new_device_email/fr.txt",
    Spanish: "identity/not_me/new_device_email/es.txt",
);

#[cfg(test)]
impl mail::checks::Example for NewDeviceEmail {
    fn example(language: crate::platform::language::Language, is_complete: bool) -> Self {
        Self {
            brand: Brand::example(language),
            name: mail::checks::NAME.into(),
            at: "2026-03-03T09:05:00Z".parse().unwrap(),
            device: user_agent::device_name(None, language),
            ip: is_complete.then(|| "192.0.2.1".into()),
            link: mail::checks::URL.into(),
            expires: "2026-03-03T09:05:00Z".parse().unwrap(),
        }
    }
}

/// Composes the mail of kind `new_device`. Returns [`Composed::Suppressed`] if the account or the session no longer
/// exists, or if the link is no longer valid. A session that has ended is reported all the same.
///
/// # Errors
/// A failed database query, template or message.
pub(crate) async fn compose(app: &App, row: &email::Model) -> Result<Composed, ComposeError> {
    let (Some(user), Some(session)) = (row.portal_user_id, row.session_id) else {
        return Ok(Composed::Suppressed("the account no longer exists"));
    };
    let user = portal_user::Entity::find_by_id(user).one(app.db()).await?;
    let session = session::Entity::find_by_id(session).one(app.db()).await?;
    let (Some(user), Some(session)) = (user, session) else {
        return Ok(Composed::Suppressed("the account or the session no longer exists"));
    };
    let secret = match link_tokens::issue(app, row, Purpose::NotMe, &user, None).await? {
        Ok(secret) => secret,
        Err(composed) => return Ok(composed),
    };
    let brand = Brand::of_person(app, &user).await?;
    let context = NewDeviceEmail {
        device: user_agent::device_name(session.user_agent.as_deref(), brand.language),
        brand,
        name: mail::defuse_links(&user.name),
        at: session.created_at,
        ip: session.ip,
        link: app.public_url(&format!("/portal/not-me#token={}", secret.reveal())),
        expires: row.created_at + NOT_ME_TTL,
    };
    Ok(mail::message(row, render(&context)?)?)
}
