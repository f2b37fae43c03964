//! Asking for a mail that lets one in: forgotten passwords, lost and expired links.

use super::device::known_device;
use crate::{
    actor::Visitor,
    app::App,
    audit,
    error::Result,
    mail::{self, NewEmail},
    sessions::Realm,
    throttle::{self, Limit},
};

/// Posts `mail` for somebody who asked for it, counts that, and writes it down. The same work whoever the address belongs
/// to; a known device of that address has its own count.
///
/// # Errors
/// `too_many_requests`, alike for strangers.
pub(crate) async fn ask_for_mail(app: &App, by: &Visitor, mail: NewEmail<'_>, event: audit::Event) -> Result<()> {
    let device = known_device(app, &by.context, Realm::Portal, mail.to).unwrap_or_default();
    let (network, mailbox) = (by.context.network(), mail.to.mailbox());
    let limits: [(Limit, &[&str]); 2] =
        [(Limit::RecoveryNetwork, &[&network]), (Limit::RecoveryAccount, &[&mailbox, &device])];
    // One commit for all of it: there is no secret here that must be looked at after it was counted.
    let mut tx = app.begin().await?.caused_by(by.context.request_id);
    throttle::take_with(&tx, &limits).await?;
    mail::post(&mut tx, mail).await?;
    audit::record(&mut tx, by, event).await?;
    tx.commit().await
}
