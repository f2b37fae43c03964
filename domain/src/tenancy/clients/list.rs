//! Listing the clients of a tenant, one page at a time.

use portico_entity::{ClientId, client};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::platform::{
    actor::{Permission, StaffUser},
    app::App,
    error::Result,
    page::{self, Page},
};

/// Returns at most `limit` clients of the caller's tenant, oldest first.
///
/// `cursor` is the `next_cursor` of the previous page, or `None` for the first page.
///
/// # Errors
/// - `forbidden`: the caller's role does not give [`Permission::ClientsRead`].
/// - `validation_failed`: `cursor` is not a cursor.
/// - `unavailable` or `internal`: a database query failed.
pub async fn list(app: &App, caller: &StaffUser, limit: u64, cursor: Option<&str>) -> Result<Page<client::Model>> {
    caller.require(Permission::ClientsRead)?;
    let mut query = super::of(caller.tenant.id).query();
    if let Some(cursor) = cursor {
        query = query.filter(client::Column::Id.gt(ClientId(page::decode(cursor)?)));
    }
    let data = query.order_by_asc(client::Column::Id).limit(limit + 1).all(app.db()).await?;
    Ok(Page::new(data, limit, |client| client.id.0))
}
