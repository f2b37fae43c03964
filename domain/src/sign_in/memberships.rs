//! The memberships that a portal user can act for: active memberships of open clients.
//!
//! A client is open when it is not archived and its tenant is not suspended.

use portico_entity::{ClientId, PortalUserId, client, membership, tenant};
use sea_orm::{
    ColumnTrait, EntityName, EntityTrait, JoinType, PaginatorTrait, QueryFilter, QuerySelect, RelationTrait, Select,
    sea_query::LockType,
};

use crate::{
    error::{Error, Result},
    tx::Tx,
};

/// An active membership at an open client, with that client.
///
/// Inside the crate, the session queries also use this type for memberships that are not checked yet.
#[derive(Clone, Debug)]
pub struct ActiveMembership {
    /// The portal user's membership.
    pub membership: membership::Model,
    /// The client of the membership.
    pub client: client::Model,
}

/// Returns the active memberships of `user` at open clients, or only the one at the client `wanted`.
///
/// Locks the rows of the clients and tenants for sharing. So a transaction that archives a client or suspends a
/// tenant either waits for this transaction and then ends the session that it opens, or is already visible to this
/// query.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(super) async fn active_memberships(
    tx: &Tx,
    user: PortalUserId,
    wanted: Option<ClientId>,
) -> Result<Vec<ActiveMembership>> {
    let mut query = memberships(user, wanted)
        .join(JoinType::InnerJoin, membership::Relation::Client.def())
        .join(JoinType::InnerJoin, client::Relation::Tenant.def())
        .filter(client::Column::Status.ne(client::Status::Archived))
        .filter(tenant::Column::Status.eq(tenant::Status::Active))
        .select_also(client::Entity);
    let (clients, tenants) = (client::Entity.table_ref(), tenant::Entity.table_ref());
    QuerySelect::query(&mut query).lock_with_tables(LockType::Share, [clients, tenants]);
    let rows = query.all(tx.db()).await?;
    let active = |(membership, client): (_, Option<_>)| Some(ActiveMembership { membership, client: client? });
    Ok(rows.into_iter().filter_map(active).collect())
}

/// Returns whether `user` has an active membership, or one at the client `wanted`. The client need not be open.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(super) async fn has_membership(tx: &Tx, user: PortalUserId, wanted: Option<ClientId>) -> Result<bool> {
    Ok(memberships(user, wanted).count(tx.db()).await? > 0)
}

/// Checks that `membership` is active and that its client is open. Locks the rows of the client and the tenant, as
/// [`active_memberships`] does.
///
/// # Errors
/// - `client_suspended` when the membership is not active or the client is not open.
/// - `unavailable` or `internal` when the database fails.
pub(crate) async fn require_open_client(tx: &Tx, membership: &membership::Model) -> Result<()> {
    let active = active_memberships(tx, membership.portal_user_id, Some(membership.client_id)).await?;
    if active.is_empty() { Err(Error::Forbidden("client_suspended")) } else { Ok(()) }
}

/// A query for the active memberships of `user`, or for the one at the client `wanted`.
fn memberships(user: PortalUserId, wanted: Option<ClientId>) -> Select<membership::Entity> {
    let active = membership::Entity::find()
        .filter(membership::Column::PortalUserId.eq(user))
        .filter(membership::Column::Status.eq(membership::Status::Active));
    match wanted {
        Some(client) => active.filter(membership::Column::ClientId.eq(client)),
        None => active,
    }
}
