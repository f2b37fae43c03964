//! Listing the clients of a tenant, one page at a time.

use portico_entity::{
    client::{self, Status},
    search_word::Subject,
};
use sea_orm::{ColumnTrait, Order, QueryFilter};

use crate::platform::{
    actor::{Authorized, access::ClientsRead},
    app::App,
    error::Result,
    page::{Page, PageRequest},
    search::{self, SearchText},
};

/// Which clients [`list`] returns. A field that is `None` selects nothing.
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
    let mut query = super::of(caller.tenant.id).query();
    if let Some(text) = &filter.search {
        query = query.filter(client::Column::Id.in_subquery(search::ids(caller.tenant.id, Subject::Client, text)));
    }
    if let Some(status) = filter.status {
        query = query.filter(client::Column::Status.eq(status));
    }
    let rows = page.select(query, client::Column::Id, Order::Asc).all(app.db()).await?;
    Ok(page.page(rows, |client| client.id.0))
}
