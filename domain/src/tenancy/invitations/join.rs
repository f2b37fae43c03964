//! Accepting an invitation and activating its membership.

use portico_entity::{
    client,
    invitation::{self, Status},
    membership,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use crate::platform::{actor::Actor, audit, clock::Time, error::Result, tx::Tx};

/// Marks a pending invitation as accepted, activates its membership with the role that was offered, and records the
/// audit event `invitation.accepted`.
///
/// Returns the membership. Returns `None`, and changes nothing, if the invitation is no longer pending, has expired,
/// or was resent after `issued_at`. For a link, that is the time at which it was issued. Also returns `None`
/// if the membership row no longer exists.
///
/// # Errors
/// A failed database query.
pub(crate) async fn join(
    tx: &mut Tx,
    actor: &Actor,
    invitation: &invitation::Model,
    client: &client::Model,
    issued_at: Time,
) -> Result<Option<membership::Model>> {
    let accepted = invitation::Entity::update_many()
        .col_expr(invitation::Column::Status, Expr::value(Status::Accepted))
        .filter(invitation::Column::Id.eq(invitation.id))
        .filter(invitation::Column::Status.eq(Status::Pending))
        .filter(invitation::Column::LinksValidFrom.lte(issued_at))
        .filter(invitation::Column::ExpiresAt.gt(tx.app().now()))
        .exec(tx.db())
        .await?;
    if accepted.rows_affected == 0 {
        return Ok(None);
    }
    membership::Entity::update_many()
        .col_expr(membership::Column::Status, Expr::value(membership::Status::Active))
        .filter(membership::Column::PortalUserId.eq(invitation.portal_user_id))
        .filter(membership::Column::ClientId.eq(invitation.client_id))
        .filter(membership::Column::Status.eq(membership::Status::Invited))
        .exec(tx.db())
        .await?;
    let event = audit::Event::new("invitation.accepted")
        .target("invitation", invitation.id.0)
        .tenant(client.tenant_id)
        .client(client.id);
    audit::record(tx, actor.clone(), event).await?;
    let membership = membership::Entity::find()
        .filter(membership::Column::PortalUserId.eq(invitation.portal_user_id))
        .filter(membership::Column::ClientId.eq(invitation.client_id))
        .one(tx.db())
        .await?;
    Ok(membership)
}
