//! Whether the failed mail of an invitation can be sent again.

use portico_entity::{
    client, email,
    invitation::{self, Entity, Status},
};
use sea_orm::EntityTrait;

use super::list::shown_expiry;
use crate::platform::{clock::Time, error::Result, tx::Tx};

/// Returns when the invitation of the failed mail `mail` expires for its inviter, which may be after the mail would
/// have expired.
///
/// Returns `None` if the mail makes no sense any more: the invitation is no longer pending, a resend has sent a newer
/// mail, or the client is archived.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn retry_until(tx: &Tx, mail: &email::Model) -> Result<Option<Time>> {
    let Some(id) = mail.invitation_id else { return Ok(None) };
    let found = Entity::find_by_id(id).find_also_related(client::Entity).one(tx.db()).await?;
    let Some((invitation, Some(client))) = found else { return Ok(None) };
    let is_open = client.status != client::Status::Archived;
    Ok((is_open && is_current(&invitation, mail)).then(|| shown_expiry(&invitation)))
}

/// Returns whether the invitation is pending and `mail` is not older than its last resend.
fn is_current(invitation: &invitation::Model, mail: &email::Model) -> bool {
    invitation.status == Status::Pending && mail.created_at >= invitation.links_valid_from
}
