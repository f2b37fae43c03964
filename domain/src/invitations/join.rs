//! Becoming an active member through an invitation.

use portico_entity::{
    client,
    invitation::{self, Status},
    membership,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use crate::{
    actor::Actor,
    audit,
    error::{Error, Result},
    tx::Tx,
};

/// Accepts a pending invitation and makes its membership active, with the role that was offered.
///
/// # Errors
/// `token_revoked` when it is not pending any more.
pub(crate) async fn join(
    tx: &mut Tx,
    actor: &Actor,
    invitation: &invitation::Model,
    client: &client::Model,
) -> Result<membership::Model> {
    let accepted = invitation::Entity::update_many()
        .col_expr(invitation::Column::Status, Expr::value(Status::Accepted))
        .filter(invitation::Column::Id.eq(invitation.id))
        .filter(invitation::Column::Status.eq(Status::Pending))
        .exec(tx.db())
        .await?;
    let joined = membership::Entity::update_many()
        .col_expr(membership::Column::Status, Expr::value(membership::Status::Active))
        .filter(membership::Column::PortalUserId.eq(invitation.portal_user_id))
        .filter(membership::Column::ClientId.eq(invitation.client_id))
        .filter(membership::Column::Status.eq(membership::Status::Invited))
        .exec_with_returning(tx.db())
        .await?;
    let (1, Some(membership)) = (accepted.rows_affected, joined.into_iter().next()) else {
        return Err(Error::TOKEN_REVOKED);
    };
    let event = audit::Event::new("invitation.accepted")
        .target("invitation", invitation.id.0)
        .tenant(client.tenant_id)
        .client(client.id);
    audit::record(tx, actor.clone(), event).await?;
    Ok(membership)
}
