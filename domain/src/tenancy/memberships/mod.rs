//! The memberships that a portal user can act for: active memberships of open clients.
//!
//! A client is open when it is not archived and its tenant is not suspended.

use portico_entity::{ClientId, PortalUserId, client, membership, tenant};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityName, EntityTrait, JoinType, PaginatorTrait, QueryFilter, QuerySelect,
    RelationTrait, Select, sea_query::LockType,
};

use crate::{
    platform::{
        actor::{ActiveMembership, Actor, OpenClient},
        audit,
        error::{Error, Result},
        tx::Tx,
    },
    tenancy::tenants,
};

/// Returns the active memberships of `user` at open clients, or only the one at the client `wanted`.
///
/// Locks the rows of the clients and tenants for sharing. So a transaction that archives a client or suspends a
/// tenant either waits for this transaction and then ends the session that it opens, or is already visible to this
/// query.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(crate) async fn active_memberships(
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
    let active = |(membership, client): (_, Option<_>)| {
        Some(ActiveMembership { membership, client: OpenClient::from_row(client?)? })
    };
    Ok(rows.into_iter().filter_map(active).collect())
}

/// Returns whether `user` has an active membership, or one at the client `wanted`. The client need not be open.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(crate) async fn has_membership(tx: &Tx, user: PortalUserId, wanted: Option<ClientId>) -> Result<bool> {
    Ok(memberships(user, wanted).count(tx.db()).await? > 0)
}

/// Returns `membership` with its client, if it is active and the client is open. Locks the rows of the client and the
/// tenant, as [`active_memberships`] does.
///
/// # Errors
/// - `client_suspended` when the membership is not active or the client is not open.
/// - `unavailable` or `internal` when the database fails.
pub(crate) async fn require_open(tx: &Tx, membership: &membership::Model) -> Result<ActiveMembership> {
    let active = active_memberships(tx, membership.portal_user_id, Some(membership.client_id)).await?;
    active.into_iter().next().ok_or(Error::Forbidden("client_suspended"))
}

/// Returns the names that belong to the memberships of `user`, in any status: how each tenant calls the person, and the
/// names of the clients and of their tenants. A name may occur several times.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(crate) async fn names_around(db: &impl ConnectionTrait, user: PortalUserId) -> Result<Vec<String>> {
    let rows: Vec<(String, String, String)> = membership::Entity::find()
        .join(JoinType::InnerJoin, membership::Relation::Client.def())
        .join(JoinType::InnerJoin, client::Relation::Tenant.def())
        .select_only()
        .column(membership::Column::DisplayName)
        .column(client::Column::Name)
        .column(tenant::Column::Name)
        .filter(membership::Column::PortalUserId.eq(user))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().flat_map(|(person, client, tenant)| [person, client, tenant]).collect())
}

/// Writes an event about the password or a membership of the portal user `user` to the audit log of each tenant at
/// whose clients the user has a membership.
///
/// # Errors
/// `unavailable` or `internal` when the database fails. The caller must then not commit `tx`.
pub(crate) async fn record_for_each_tenant(
    tx: &mut Tx,
    actor: impl Into<Actor>,
    user: PortalUserId,
    action: &'static str,
) -> Result<()> {
    let actor = actor.into();
    let event = |tenant| audit::Event::new(action).target("portal_user", user.0).tenant(tenant);
    let events = tenants::of_person(tx.db(), user).await?.into_iter().map(|tenant| (actor.clone(), event(tenant)));
    audit::record_all(tx, events.collect::<Vec<_>>()).await
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
