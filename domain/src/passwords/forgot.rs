//! Somebody has forgotten their password.

use portico_entity::email::Kind;

use crate::{actor::Anonymous, app::App, audit, email_address::EmailAddress, error::Result, mail::NewEmail, sign_in};

/// Asks for a reset link to be mailed to `email`.
///
/// The same work for a stranger as for a customer: nobody is looked up here, only the job that sends finds out.
///
/// # Errors
/// `too_many_requests`, alike for strangers.
pub async fn forgot(app: &App, caller: &Anonymous, email: &EmailAddress) -> Result<()> {
    let expires_at = app.now() + app.settings().link_tokens.reset_ttl;
    let mail = NewEmail { expires_at: Some(expires_at), ..NewEmail::new(Kind::Reset, email) };
    sign_in::request_mail(app, caller, mail, audit::Event::new("password.reset_requested")).await
}
