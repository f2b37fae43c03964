//! Accepting an invitation and activating its membership.

use portico_entity::{
    client,
    invitation::{self, Status},
    membership,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, sea_query::Expr};

use crate::{
    platform::{
        actor::Actor,
        audit,
        clock::Time,
        error::{Error, Result},
        tx::Tx,
    },
    tenancy::client_admins,
};

/// Marks a pending invitation as accepted, activates its membership with the role that was offered, and records the
/// audit event `invitation.accepted`. The other administrators of the client get a notice if the person becomes one.
///
/// An invitation of a colleague is accepted only while the colleague is an administrator of the client. The client is
/// locked for sharing before this is checked. So a transaction that takes the role away either waits and finds the
/// invitation accepted, or has cancelled it.
///
/// Returns the membership. Returns `None`, and changes nothing, if the invitation is no longer pending, has expired,
/// or was resent after `issued_at`. For a link, that is the time at which it was issued. Also returns `None`
/// if the colleague who created it is no longer an administrator, or if the membership row no longer exists.
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
    let of_invitation = Condition::all()
        .add(membership::Column::PortalUserId.eq(invitation.portal_user_id))
        .add(membership::Column::ClientId.eq(invitation.client_id));
    let has_membership = membership::Entity::find().filter(of_invitation.clone()).count(tx.db()).await? > 0;
    if !has_membership || !has_inviter_rights(tx, invitation).await? {
        return Ok(None);
    }
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
    let activated = membership::Entity::update_many()
        .col_expr(membership::Column::Status, Expr::value(membership::Status::Active))
        .filter(of_invitation.clone())
        .filter(membership::Column::Status.eq(membership::Status::Invited))
        .exec(tx.db())
        .await?;
    let event = audit::Event::new("invitation.accepted")
        .target("invitation", invitation.id.0)
        .tenant(client.tenant_id)
        .client(client.id);
    audit::record(tx, actor.clone().known_to(client.tenant_id, &invitation.name), event).await?;
    let membership = membership::Entity::find().filter(of_invitation).one(tx.db()).await?;
    if activated.rows_affected > 0 && membership.as_ref().is_some_and(client_admins::is_admin) {
        client_admins::announce(tx, actor, client, &[invitation.portal_user_id]).await?;
    }
    Ok(membership)
}

/// Returns whether the invitation may still be accepted for its creator's sake: a colleague who has created it must be
/// an administrator of the client. Keeps it so until the transaction ends.
async fn has_inviter_rights(tx: &mut Tx, invitation: &invitation::Model) -> Result<bool> {
    let Some(colleague) = invitation.created_by_portal_user else { return Ok(true) };
    match client_admins::require(tx, invitation.client_id, colleague).await {
        Ok(()) => Ok(true),
        Err(Error::Forbidden(_)) => Ok(false),
        Err(error) => Err(error),
    }
}
