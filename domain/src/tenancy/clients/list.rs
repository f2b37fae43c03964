//! Listing the clients of a tenant, one page at a time.

use portico_entity::{
    TenantId,
    client::{self, Status},
    search_word::Subject,
};
use sea_orm::{ColumnTrait, Order, QueryFilter, QueryOrder, QuerySelect, Select};

use crate::{
    platform::{
        actor::{Authorized, access::ClientsRead},
        app::App,
        error::{Error, Result},
        page::{Page, PageRequest},
        search::{self, SearchText},
    },
    tenancy::tenants,
};

/// Which clients [`list`] returns. A field that is `None` does not restrict the list.
#[derive(Debug, Default)]
pub struct ClientFilter {
    /// Only clients with a word of the name, or an external reference, that begins with this text.
    pub search: Option<SearchText>,
    /// Only clients with this status.
    pub status: Option<Status>,
}

/// Returns a page of the clients of the caller's tenant that match `filter`, oldest first.
///
/// # Errors
/// `unavailable` or `internal`: a database query failed.
pub async fn list(
    app: &App,
    caller: &Authorized<ClientsRead>,
    filter: &ClientFilter,
    page: &PageRequest,
) -> Result<Page<client::Model>> {
    let rows = page.select(select(caller.tenant.id, filter), client::Column::Id, Order::Asc).all(app.db()).await?;
    Ok(page.page(rows, |client| client.id.0))
}

/// Returns the first `limit` clients of the tenant with the slug `tenant` that match `filter`, oldest first. For the
/// command line.
///
/// # Errors
/// - `not_found`: no tenant has this slug.
/// - `unavailable` or `internal`: a database query failed.
pub async fn list_by_slug(app: &App, tenant: &str, filter: &ClientFilter, limit: u64) -> Result<Vec<client::Model>> {
    let tenant = tenants::find(app, tenant).await?.ok_or(Error::NOT_FOUND)?;
    Ok(select(tenant.id, filter).order_by_asc(client::Column::Id).limit(limit).all(app.db()).await?)
}

/// Returns a query for the clients of `tenant` that match `filter`.
fn select(tenant: TenantId, filter: &ClientFilter) -> Select<client::Entity> {
    let mut query = super::of(tenant).query();
    if let Some(text) = &filter.search {
        query = query.filter(client::Column::Id.in_subquery(search::ids(tenant, Subject::Client, text)));
    }
    if let Some(status) = filter.status {
        query = query.filter(client::Column::Status.eq(status));
    }
    query
}
