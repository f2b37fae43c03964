//! Trading an expired link for a new one.

use chrono::TimeDelta;
use portico_entity::{email::Kind, link_token::Purpose};

use crate::{
    actor::Anonymous,
    app::App,
    audit,
    email_address::EmailAddress,
    error::{Error, Result},
    link_tokens,
    mail::NewEmail,
    secret::PlainToken,
    sign_in,
};

/// How long after its end a link may still be traded.
const RENEWAL_PERIOD: TimeDelta = TimeDelta::days(14);

/// Mails a new link in place of an expired one, to the address that the old one went to and to no other.
///
/// # Errors
/// `token_unknown`; `token_used`; `token_revoked`; `token_expired` when it is more than 14 days; `too_many_requests`.
pub async fn renew(app: &App, caller: &Anonymous, token: &PlainToken) -> Result<()> {
    let link = link_tokens::find(app, token).await?;
    match link.check_live(app.now()) {
        Err(Error::Gone("token_expired")) if app.now() - link.token.expires_at < RENEWAL_PERIOD => {}
        state => state?,
    }
    let email = EmailAddress::stored(&link.user.email)?;
    let ttl = &app.settings().link_tokens;
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
    sign_in::request_mail(app, caller, mail, event).await
}
