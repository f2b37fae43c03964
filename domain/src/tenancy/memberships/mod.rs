//! Memberships: which portal user belongs to which client, with which role.
//!
//! A portal user can act for a client if the membership is active and the client is open. A client is open when it is
//! not archived and its tenant is not suspended.

mod change;
mod list;
mod member;
mod remove;

pub(crate) use change::change_in;
pub use change::{MemberAccess, MemberChange, change};
pub(crate) use list::list_of_client_as;
pub use list::{MemberFilter, list_of_client, list_of_tenant};
pub use member::Member;
pub(crate) use member::{LockedMember, find_with_user, lock, lock_portal_user};
use member::{end_sessions, suppress_mail};
pub use remove::remove;
pub(crate) use remove::remove_in;

use std::collections::BTreeMap;

use portico_entity::{ClientId, PortalUserId, TenantId, client, membership, session::Method, tenant};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityName, EntityTrait, JoinType, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, RelationTrait, Select,
    sea_query::{Expr, LockType},
};

use crate::platform::{
    actor::{ActiveMembership, Actor, OpenClient},
    audit,
    error::{Error, Result},
    sign_in_policy::SignInPolicy,
    tx::Tx,
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
    let mut active = Vec::new();
    let clients = rows.iter().filter_map(|(_, client)| client.as_ref());
    let policies = policies(tx.db(), clients.map(|client| client.tenant_id)).await?;
    for (membership, client) in rows {
        let Some(client) = client.and_then(OpenClient::from_row) else { continue };
        let Some(policy) = policies.get(&client.tenant_id).copied() else { continue };
        active.push(ActiveMembership { membership, client, policy });
    }
    Ok(active)
}

/// Returns the sign-in policies of these tenants.
async fn policies(
    db: &impl ConnectionTrait,
    tenants: impl Iterator<Item = TenantId>,
) -> Result<BTreeMap<TenantId, SignInPolicy>> {
    let tenants = tenant::Entity::find().filter(tenant::Column::Id.is_in(tenants)).all(db).await?;
    tenants.iter().map(|tenant| Ok((tenant.id, SignInPolicy::of(tenant)?))).collect()
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

/// Returns whether `user` may sign in by `method` at one of the clients that they can act for.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(crate) async fn allow_method(db: &impl ConnectionTrait, user: PortalUserId, method: Method) -> Result<bool> {
    let tenants = tenant::Entity::find()
        .join(JoinType::InnerJoin, client::Relation::Tenant.def().rev())
        .join(JoinType::InnerJoin, membership::Relation::Client.def().rev())
        .filter(membership::Column::PortalUserId.eq(user))
        .filter(membership::Column::Status.eq(membership::Status::Active))
        .filter(client::Column::Status.ne(client::Status::Archived))
        .filter(tenant::Column::Status.eq(tenant::Status::Active))
        .distinct()
        .all(db)
        .await?;
    for tenant in tenants {
        if SignInPolicy::of(&tenant)?.methods.allows(method) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Records that a session now acts for `membership`. A sign-in without a client selects the membership that was used
/// last.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(crate) async fn record_use(tx: &mut Tx, membership: &membership::Model) -> Result<()> {
    membership::Entity::update_many()
        .col_expr(membership::Column::LastUsedAt, Expr::value(tx.app().now()))
        .filter(membership::Column::Id.eq(membership.id))
        .exec(tx.db())
        .await?;
    Ok(())
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
/// whose clients the user has joined.
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
    let events = names_by_tenant(tx.db(), user)
        .await?
        .into_iter()
        .map(|(tenant, name)| (actor.clone().known_to(tenant, &name), event(tenant)));
    audit::record_all(tx, events.collect::<Vec<_>>()).await
}

/// Returns the tenants at whose clients `user` has joined, each with the name that it typed for the newest membership.
/// A tenant that has only invited the person must not learn that there is an account.
async fn names_by_tenant(db: &impl ConnectionTrait, user: PortalUserId) -> Result<BTreeMap<TenantId, String>> {
    let names: Vec<(TenantId, String)> = membership::Entity::find()
        .inner_join(client::Entity)
        .select_only()
        .column(client::Column::TenantId)
        .column(membership::Column::DisplayName)
        .filter(membership::Column::PortalUserId.eq(user))
        .filter(membership::Column::Status.ne(membership::Status::Invited))
        .order_by_asc(membership::Column::Id)
        .into_tuple()
        .all(db)
        .await?;
    Ok(names.into_iter().collect())
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

#[cfg(test)]
mod tests {
    use crate::{
        platform::actor::{
            Authorized,
            access::{ClientsEdit, ClientsRead},
        },
        tenancy::invitations::{self, InviteInput, SentInvitation},
        testing::{self, TestApp},
    };
    use portico_entity::membership::Role;

    use super::*;
    use crate::platform::page::PageRequest;

    /// Inserts a client, and returns it with an owner of its tenant.
    pub(super) async fn owner_and_client(app: &TestApp) -> (Authorized<ClientsEdit>, client::Model) {
        let client = app.insert_client().await;
        (app.owner_of(client.tenant_id).await.authorize(app.now()).unwrap(), client)
    }

    /// Invites `email` to the client. The mail stays in the queue.
    pub(super) async fn invite(
        app: &TestApp,
        owner: &Authorized<ClientsEdit>,
        client: ClientId,
        email: &str,
    ) -> SentInvitation {
        let input = InviteInput { email: email.parse().unwrap(), name: None, role: Role::Member, locale: None };
        invitations::invite(app, owner, client, input).await.unwrap()
    }

    #[tokio::test]
    async fn memberships_are_listed_in_pages_by_search_and_status() {
        let app = testing::app().await;
        let (owner, client) = owner_and_client(&app).await;
        for email in ["ann@x.test", "ben@x.test", "anna@x.test"] {
            invite(&app, &owner, client.id, email).await;
            // Ids are ordered by their time.
            app.clock().advance(chrono::TimeDelta::milliseconds(1));
        }
        app.run_queue().await;
        let reader: Authorized<ClientsRead> = (*owner).clone().authorize(app.now()).unwrap();
        let emails = async |filter: MemberFilter, cursor: Option<String>| {
            let request = PageRequest::new(2, cursor.as_deref()).unwrap();
            let page = list_of_client(&app, &reader, client.id, &filter, &request).await.unwrap();
            (page.data.into_iter().map(|member| member.email).collect::<Vec<_>>(), page.next_cursor)
        };
        let (first, cursor) = emails(MemberFilter::default(), None).await;
        assert_eq!(first, ["ann@x.test", "ben@x.test"]);
        assert_eq!(emails(MemberFilter::default(), cursor).await, (vec!["anna@x.test".to_owned()], None));
        let search = || MemberFilter { search: Some("ANN".parse().unwrap()), status: None };
        assert_eq!(emails(search(), None).await.0, ["ann@x.test", "anna@x.test"]);
        let active = MemberFilter { status: Some(membership::Status::Active), ..search() };
        assert!(emails(active, None).await.0.is_empty());
    }
}
