//! Telling the administrators of a client that there is a new one.

use portico_entity::{PortalUserId, client, email::Kind, membership::Column, portal_user};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};

use super::admins_of;
use crate::platform::{
    actor::Actor,
    email_address::EmailAddress,
    error::Result,
    mail::{self, NewEmail},
    tx::Tx,
};

/// How many administrators are told of a new one. A client with more of them would otherwise cause as many mails as the
/// square of their number.
const MAX_RECIPIENTS: u64 = 50;

/// Enqueues a notice to the administrators of `client` that the portal users `new` have become administrators too.
///
/// Each administrator gets one mail, however many persons are new, except `actor` and the new ones. If there are more
/// than [`MAX_RECIPIENTS`], those who were invited first are told.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn announce(tx: &mut Tx, actor: &Actor, client: &client::Model, new: &[PortalUserId]) -> Result<()> {
    if new.is_empty() {
        return Ok(());
    }
    let excluded = new.iter().copied().chain(actor.portal_user_id());
    let recipients: Vec<(PortalUserId, String)> = admins_of(client.id)
        .select_only()
        .column(Column::PortalUserId)
        .column(portal_user::Column::Email)
        .filter(Column::PortalUserId.is_not_in(excluded))
        .order_by_asc(Column::Id)
        .limit(MAX_RECIPIENTS)
        .into_tuple()
        .all(tx.db())
        .await?;
    let about = if let [one] = new { Some(*one) } else { None };
    let request = tx.request_id();
    let mut mails = Vec::with_capacity(recipients.len());
    for (admin, address) in recipients {
        let mail = NewEmail {
            tenant: Some(client.tenant_id),
            client: Some(client.id),
            portal_user: Some(admin),
            about,
            ..NewEmail::new(Kind::NewAdmin, &EmailAddress::stored(&address)?)
        };
        mails.push((mail, request));
    }
    mail::enqueue_all(tx, mails).await?;
    Ok(())
}
