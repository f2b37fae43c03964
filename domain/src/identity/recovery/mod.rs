//! Requests for a mail with a link: a forgotten password, a lost or an expired link.

use crate::{
    identity::devices,
    limits,
    platform::{
        actor::{Anonymous, Realm},
        app::App,
        audit,
        error::Result,
        mail::{self, NewEmail},
        rate_limit::Charge,
    },
};

/// Enqueues `mail` and records `event`, and counts the request for the recipient's mailbox and the caller's network.
///
/// The request does the same work whether or not the address belongs to a user; the worker looks the user up. A known
/// device of the address has its own count, and none of its network.
///
/// # Errors
/// - `too_many_requests`: the limit of the mailbox or of the network is exhausted.
/// - `unavailable` or `internal`: the database failed.
pub(crate) async fn request_mail(app: &App, caller: &Anonymous, mail: NewEmail, event: audit::Event) -> Result<()> {
    let device = devices::known_device(app, &caller.context, Realm::Portal, &mail.to).await?.unwrap_or_default();
    let (network, mailbox) = (caller.context.network(), mail.to.mailbox());
    let (network, own): ([&str; 1], [&str; 2]) = ([&network], [&mailbox, &device]);
    let charged = devices::counters(&device, (&limits::RECOVERY_NETWORK, &network), (&limits::RECOVERY_ACCOUNT, &own));
    mail::request(app, caller, mail, event, Charge::of(app, &charged)).await
}
