//! Seeing the clients, a page at a time.

use portico_entity::{ClientId, client};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::{
    actor::{Permission, StaffUser},
    app::App,
    error::Result,
    page::{self, Page},
};

/// The clients of the caller's tenant, oldest first, at most `limit` of them, from `cursor` on.
///
/// # Errors
/// `forbidden`; `validation_failed` for a cursor that no page gave.
pub async fn list(app: &App, caller: &StaffUser, limit: u64, cursor: Option<&str>) -> Result<Page<client::Model>> {
    caller.may(Permission::ClientsRead)?;
    let mut query = super::of(caller.tenant.id).query();
    if let Some(cursor) = cursor {
        query = query.filter(client::Column::Id.gt(ClientId(page::decode(cursor)?)));
    }
    let data = query.order_by_asc(client::Column::Id).limit(limit + 1).all(app.db()).await?;
    Ok(Page::new(data, limit, |client| client.id.0))
}
