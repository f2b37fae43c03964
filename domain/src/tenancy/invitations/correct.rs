//! Correcting the address or the name of an invitation.

use portico_entity::{ClientId, InvitationId, client, invitation, invitation::Column};
use sea_orm::{ColumnTrait, Condition};
use serde_json::json;

use super::{
    InviteInput, SentInvitation, cancel,
    invite::{limit_invitations, open_client},
    inviter::Inviter,
    resend::check_open,
    write::write,
};
use crate::platform::{
    actor::{Authorized, access::ClientsEdit},
    app::App,
    audit,
    email_address::EmailAddress,
    error::{Error, Result},
    name::Name,
};

/// The input of [`correct`].
pub struct Correction {
    /// The right address. It may be the old one, if only the name is wrong.
    pub email: EmailAddress,
    /// The right name. Without it, the name of the old invitation stays, unless that was made from the old address.
    pub name: Option<Name>,
}

/// Cancels an invitation to a client of the caller's tenant and sends another one, with another id, to the right
/// address, in one transaction. The role stays, and so does the language, if the old invitation has set it.
///
/// # Errors
/// The checks run in this order:
/// - `not_found`: the caller's tenant has no client with this id, or the client has no invitation with this id.
/// - `client_suspended`: the client is archived.
/// - `already_activated`: the invitation was accepted.
/// - `conflict`: the invitation was cancelled.
/// - `too_many_requests`: a rate limit of the recipient or of the caller is used up. A correction counts as an
///   invitation.
/// - `portal_user_exists`: the person with the right address already has a membership of this client. Then the old
///   invitation stays.
/// - `unavailable` or `internal`: a database query failed. For `unavailable`, the rate limits are refunded.
pub async fn correct(
    app: &App,
    caller: &Authorized<ClientsEdit>,
    client: ClientId,
    id: InvitationId,
    correction: Correction,
) -> Result<SentInvitation> {
    let inviter = Inviter::from(caller);
    let client = open_client(app, &inviter, client).await?;
    let old = super::find(app.db(), client.id, id).await?;
    check_open(old.status)?;
    let reservation = limit_invitations(app, &inviter, &correction.email).await?;
    let corrected = replace(app, &inviter, &client, &old, correction).await;
    reservation.refund_if_transient(app, corrected).await
}

/// Cancels `old` and writes the invitation that replaces it, in one transaction.
async fn replace(
    app: &App,
    inviter: &Inviter,
    client: &client::Model,
    old: &invitation::Model,
    correction: Correction,
) -> Result<SentInvitation> {
    let mut tx = app.begin().await?.caused_by(inviter.request_id);
    let which = Condition::all().add(Column::Id.eq(old.id));
    if cancel::end(&mut tx, which).await?.is_empty() {
        // Another request has accepted or cancelled it since it was read.
        check_open(super::find(tx.db(), client.id, old.id).await?.status)?;
        return Err(Error::ConflictBecause("Another request has changed the invitation."));
    }
    let name = correction.name.or_else(|| kept_name(old));
    let input = InviteInput { email: correction.email, name, role: old.role, locale: old.locale.clone() };
    let sent = write(&mut tx, inviter, client, &[&input]).await?.pop().flatten();
    let sent = sent.ok_or(Error::Conflict("portal_user_exists"))?;
    let event = audit::Event::new("invitation.corrected")
        .target("invitation", old.id.0)
        .tenant(inviter.tenant)
        .client(client.id)
        .details(json!({ "replaced_by": sent.invitation.id }));
    audit::record(&mut tx, inviter.actor.clone(), event).await?;
    tx.commit().await?;
    Ok(sent)
}

/// Returns the name of the old invitation, unless it was made from the address.
fn kept_name(old: &invitation::Model) -> Option<Name> {
    let is_from_address = old.email.rsplit_once('@').is_some_and(|(local_part, _)| local_part == old.name);
    if is_from_address { None } else { old.name.parse().ok() }
}
