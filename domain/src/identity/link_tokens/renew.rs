//! Replacing an expired link with a new one.

use chrono::TimeDelta;
use portico_entity::{email::Kind, link_token::Purpose};

use crate::{
    identity::{
        link_tokens::{self, LinkTokenSettings},
        recovery,
    },
    platform::{
        actor::Anonymous,
        app::App,
        audit,
        email_address::EmailAddress,
        error::{Error, Result},
        mail::NewEmail,
        secret::PlainToken,
    },
    tenancy::invitations::InvitationSettings,
};

/// How long after its expiry a link can be replaced with a new one.
const RENEWAL_PERIOD: TimeDelta = TimeDelta::days(14);

/// Enqueues a mail with a new link in place of a link that expired less than 14 days ago.
///
/// The mail goes to the address of the old link and to no other.
///
/// # Errors
/// - `conflict`: the link is still valid, so nothing needs to be replaced.
/// - `token_unknown`: no link has this secret.
/// - `token_used` or `token_revoked`: the link was used or revoked.
/// - `token_expired`: the link expired 14 days ago or earlier.
/// - `too_many_requests`: a rate limit of the network or of the mailbox is used up.
/// - `unavailable` or `internal`: a database query failed, or the mail could not be written to the outbox.
pub async fn renew(app: &App, caller: &Anonymous, token: &PlainToken) -> Result<()> {
    let link = link_tokens::find(app, token).await?;
    match link.check_live(app.now()) {
        Ok(()) => return Err(Error::ConflictBecause("The link is still valid.")),
        Err(Error::Gone("token_expired")) if app.now() - link.token.expires_at < RENEWAL_PERIOD => {}
        Err(error) => return Err(error),
    }
    let email = EmailAddress::stored(&link.user.email)?;
    let (kind, ttl) = match link.token.purpose {
        // A person who wants to report a sign-in after seven days sets a new password, which ends all sessions too.
        Purpose::Reset | Purpose::NotMe => (Kind::Reset, app.section::<LinkTokenSettings>().reset_ttl),
        Purpose::Activation | Purpose::Accept => (Kind::Invitation, app.section::<InvitationSettings>().activation_ttl),
    };
    let mail = NewEmail {
        portal_user: Some(link.user.id),
        invitation: link.token.invitation_id,
        expires_at: Some(app.now() + ttl),
        ..NewEmail::new(kind, &email)
    };
    let event = audit::Event::new("link.renewed").target("portal_user", link.user.id.0);
    recovery::request_mail(app, caller, mail, event).await
}
