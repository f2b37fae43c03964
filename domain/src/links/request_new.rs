//! Trading an expired link for a new one.

use chrono::TimeDelta;
use portico_entity::{auth_token::Purpose, email::Kind};

use crate::{
    actor::Visitor,
    app::App,
    audit,
    email_address::EmailAddress,
    error::{Error, Result},
    links,
    mail::NewEmail,
    secret::PlainToken,
    sign_in,
};

/// How long after its end a link may still be traded.
const TRADED_FOR: TimeDelta = TimeDelta::days(14);

/// Mails a new link in place of an expired one, to the address that the old one went to and to no other.
///
/// # Errors
/// `token_unknown`; `token_used`; `token_revoked`; `token_expired` when it is more than 14 days; `too_many_requests`.
pub async fn request_new(app: &App, by: &Visitor, token: &PlainToken) -> Result<()> {
    let link = links::find(app, token).await?;
    match link.check_live(app.now()) {
        Err(Error::Gone("token_expired")) if app.now() - link.token.expires_at < TRADED_FOR => {}
        state => state?,
    }
    let email = EmailAddress::stored(&link.user.email)?;
    let ttl = &app.settings().links;
    let (kind, ttl) = match link.token.purpose {
        Purpose::Reset => (Kind::Reset, ttl.reset_ttl),
        Purpose::Activation | Purpose::Accept => (Kind::Invitation, ttl.activation_ttl),
    };
    let mail = NewEmail {
        portal_user: Some(link.user.id),
        invitation: link.token.invitation_id,
        expires_at: Some(app.now() + ttl),
        ..NewEmail::new(kind, &email)
    };
    let event = audit::Event::new("link.renewed").target("portal_user", link.user.id.0);
    sign_in::ask_for_mail(app, by, mail, event).await
}
