//! Seeing the clients, a page at a time.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use portico_entity::{ClientId, client};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::{
    actor::{Permission, Staff},
    app::App,
    error::{Error, Result},
};

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// What is on it.
    pub data: Vec<T>,
    /// Where the next one begins, if there is one.
    pub next_cursor: Option<String>,
}

/// The clients of the caller's tenant, oldest first, at most `limit` of them, from `cursor` on.
///
/// # Errors
/// `forbidden`; `validation_failed` for a cursor that no page gave.
pub async fn list(app: &App, by: &Staff, limit: u64, cursor: Option<&str>) -> Result<Page<client::Model>> {
    by.may(Permission::ClientsRead)?;
    let mut query = super::of(by.tenant.id).query();
    if let Some(cursor) = cursor {
        query = query.filter(client::Column::Id.gt(ClientId(decode(cursor)?)));
    }
    let mut data = query.order_by_asc(client::Column::Id).limit(limit + 1).all(app.db()).await?;
    let has_more = data.len() as u64 > limit;
    data.truncate(limit as usize);
    let next_cursor = data.last().filter(|_| has_more).map(|last| encode(last.id.0));
    Ok(Page { data, next_cursor })
}

fn encode(id: Uuid) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(id.as_bytes())
}

fn decode(cursor: &str) -> Result<Uuid> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| Uuid::from_slice(&bytes).ok());
    bytes.ok_or_else(|| Error::invalid("/cursor", "cursor_invalid", "must be the next_cursor of a page"))
}
