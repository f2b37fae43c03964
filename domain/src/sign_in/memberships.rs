//! Where a person may act: their active memberships of clients that are open.

use portico_entity::{ClientId, PortalUserId, client, membership, tenant};
use sea_orm::{
    ColumnTrait, EntityName, EntityTrait, JoinType, PaginatorTrait, QueryFilter, QuerySelect, RelationTrait, Select,
    sea_query::LockType,
};

use crate::{
    error::{Error, Result},
    tx::Tx,
};

/// A client, and the person's membership there.
#[derive(Clone, Debug)]
pub struct ActiveMembership {
    /// What the person is there.
    pub membership: membership::Model,
    /// The client.
    pub client: client::Model,
}

/// The person's open places, or the one at `wanted`. Locked, so that closing a client either waits for what is done here and
/// undoes it, or is seen here.
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

/// Whether the person has places, or the one at `wanted`, open or not.
pub(super) async fn has_membership(tx: &Tx, user: PortalUserId, wanted: Option<ClientId>) -> Result<bool> {
    Ok(memberships(user, wanted).count(tx.db()).await? > 0)
}

/// Whether the client still lets this person in; locked, as [`open_places`] are.
///
/// # Errors
/// `client_suspended` when it does not.
pub(crate) async fn require_open_client(tx: &Tx, membership: &membership::Model) -> Result<()> {
    let open = active_memberships(tx, membership.portal_user_id, Some(membership.client_id)).await?;
    if open.is_empty() { Err(Error::Forbidden("client_suspended")) } else { Ok(()) }
}

fn memberships(user: PortalUserId, wanted: Option<ClientId>) -> Select<membership::Entity> {
    let active = membership::Entity::find()
        .filter(membership::Column::PortalUserId.eq(user))
        .filter(membership::Column::Status.eq(membership::Status::Active));
    match wanted {
        Some(client) => active.filter(membership::Column::ClientId.eq(client)),
        None => active,
    }
}
