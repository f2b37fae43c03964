//! Somebody asks for their activation link again.

use portico_entity::email::Kind;

use crate::{actor::Anonymous, app::App, audit, email_address::EmailAddress, error::Result, mail::NewEmail, sign_in};

/// Asks for one more activation link to be mailed to `email`. It kills no other link and keeps the invitation's expiry;
/// an expired invitation is renewed, at most twice. The same work for a stranger as for somebody invited.
///
/// # Errors
/// `too_many_requests`, alike for strangers.
pub async fn resend(app: &App, caller: &Anonymous, email: &EmailAddress) -> Result<()> {
    let expires_at = app.now() + app.settings().link_tokens.activation_ttl;
    let mail = NewEmail { expires_at: Some(expires_at), ..NewEmail::new(Kind::Activation, email) };
    sign_in::request_mail(app, caller, mail, audit::Event::new("activation.requested")).await
}
