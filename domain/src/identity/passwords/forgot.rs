//! Requests for a reset link.

use portico_entity::email::Kind;

use crate::{
    identity::{link_tokens::LinkTokenSettings, recovery},
    platform::{actor::Anonymous, app::App, audit, email_address::EmailAddress, error::Result, mail::NewEmail},
};

/// Enqueues a mail with a reset link to `email`.
///
/// The request does the same work for an unknown address as for the address of a portal user: only the job that sends
/// the mail looks the address up.
///
/// # Errors
/// - `too_many_requests`: a rate limit of the network or of the mailbox is used up. Unknown addresses have the same
///   limits.
/// - `unavailable` or `internal`: the mail could not be written to the outbox.
pub async fn forgot(app: &App, caller: &Anonymous, email: &EmailAddress) -> Result<()> {
    let expires_at = app.now() + app.section::<LinkTokenSettings>().reset_ttl;
    let mail = NewEmail { expires_at: Some(expires_at), ..NewEmail::new(Kind::Reset, email) };
    recovery::request_mail(app, caller, mail, audit::Event::new("password.reset_requested")).await
}
