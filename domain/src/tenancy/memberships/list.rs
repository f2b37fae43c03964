//! Listing the portal users of a client or of a tenant, one page at a time.

use portico_entity::{
    ClientId, TenantId, client,
    membership::{self, Column, Status},
    portal_user,
    search_word::Subject,
};
use sea_orm::{ColumnTrait, EntityTrait, Order, QueryFilter};

use super::Member;
use crate::{
    platform::{
        actor::{Authorized, access::ClientsRead},
        app::App,
        error::{Error, Result},
        page::{Page, PageRequest},
        search::{self, SearchText},
    },
    tenancy::clients,
};

/// Which memberships [`list_of_client`] and [`list_of_tenant`] return. A field that is `None` does not restrict the
/// list.
#[derive(Debug, Default)]
pub struct MemberFilter {
    /// Only memberships with a word of the name, or an address, that begins with this text.
    pub search: Option<SearchText>,
    /// Only memberships with this status.
    pub status: Option<Status>,
}

/// Returns a page of the memberships of a client of the caller's tenant that match `filter`, oldest first.
///
/// # Errors
/// - `not_found`: the caller's tenant has no client with this id.
/// - `unavailable` or `internal`: a database query failed.
pub async fn list_of_client(
    app: &App,
    caller: &Authorized<ClientsRead>,
    client: ClientId,
    filter: &MemberFilter,
    page: &PageRequest,
) -> Result<Page<Member>> {
    list_of_client_as(app, caller.tenant.id, client, filter, page).await
}

/// Returns a page of the memberships of a client of `tenant` as [`list_of_client`] does. The function checks no
/// permission.
///
/// # Errors
/// The errors of [`list_of_client`].
pub(crate) async fn list_of_client_as(
    app: &App,
    tenant: TenantId,
    client: ClientId,
    filter: &MemberFilter,
    page: &PageRequest,
) -> Result<Page<Member>> {
    let client = clients::of(tenant).find(app.db(), client).await?;
    list(app, tenant, Some(client.id), filter, page).await.map(|page| page.map(|(member, _)| member))
}

/// Returns a page of the memberships of all clients of the caller's tenant that match `filter`, each with its client,
/// oldest first.
///
/// # Errors
/// `unavailable` or `internal`: a database query failed.
pub async fn list_of_tenant(
    app: &App,
    caller: &Authorized<ClientsRead>,
    filter: &MemberFilter,
    page: &PageRequest,
) -> Result<Page<(Member, client::Model)>> {
    list(app, caller.tenant.id, None, filter, page).await
}

/// Returns a page of the memberships of `tenant`, or only of those of the client `only`.
async fn list(
    app: &App,
    tenant: TenantId,
    only: Option<ClientId>,
    filter: &MemberFilter,
    page: &PageRequest,
) -> Result<Page<(Member, client::Model)>> {
    let mut query =
        membership::Entity::find().find_also_related(portal_user::Entity).find_also(membership::Entity, client::Entity);
    query = match only {
        Some(client) => query.filter(Column::ClientId.eq(client)),
        None => query.filter(Column::TenantId.eq(tenant)),
    };
    if let Some(text) = &filter.search {
        query = query.filter(Column::Id.in_subquery(search::ids(tenant, Subject::Membership, text)));
    }
    if let Some(status) = filter.status {
        query = query.filter(Column::Status.eq(status));
    }
    let rows = page.select(query, Column::Id, Order::Asc).all(app.db()).await?;
    let mut members = Vec::with_capacity(rows.len());
    for (membership, user, client) in rows {
        let missing = || Error::Internal(format!("the membership {} has no portal user or no client", membership.id));
        let (user, client) = user.zip(client).ok_or_else(missing)?;
        members.push((Member { membership, email: user.email }, client));
    }
    Ok(page.page(members, |(member, _)| member.membership.id.0))
}
