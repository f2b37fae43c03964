//! Requests for another activation link.

use portico_entity::email::Kind;

use crate::{
    identity::recovery,
    platform::{actor::Anonymous, app::App, audit, email_address::EmailAddress, error::Result, mail::NewEmail},
    tenancy::invitations::InvitationSettings,
};

/// Enqueues a mail with another activation link to `email`.
///
/// Older links stay valid, and the invitation keeps its expiry time. If the invitation has expired, it is renewed, at
/// most twice. The request does the same work for an unknown address as for an invited one: the worker looks the
/// address up.
///
/// # Errors
/// - `too_many_requests`: a rate limit of the network or of the mailbox is used up. Unknown addresses have the same
///   limits.
/// - `unavailable` or `internal`: the mail could not be written to the outbox.
pub async fn resend(app: &App, caller: &Anonymous, email: &EmailAddress) -> Result<()> {
    let expires_at = app.now() + app.section::<InvitationSettings>().activation_ttl;
    let mail = NewEmail { expires_at: Some(expires_at), ..NewEmail::new(Kind::Activation, email) };
    recovery::request_mail(app, caller, mail, audit::Event::new("activation.requested")).await
}
