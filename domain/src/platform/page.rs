//! Pages of lists.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sea_orm::{ColumnTrait, Order, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::platform::error::{Error, Result};

/// One page of a list that is ordered by id.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The items of the page.
    pub data: Vec<T>,
    /// The cursor of the next page; `None` for the last page. Opaque for clients.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Returns the page with each item converted by `convert`.
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Page<U> {
        Page { data: self.data.into_iter().map(convert).collect(), next_cursor: self.next_cursor }
    }
}

/// The page that a caller asks for.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// The largest number of items.
    limit: u64,
    /// The id of the last item of the previous page. `None` asks for the first page.
    after: Option<Uuid>,
}

impl PageRequest {
    /// Returns a request for at most `limit` items. `cursor` is the `next_cursor` of the previous page, or `None` for
    /// the first page.
    ///
    /// # Errors
    /// `validation_failed` at `/cursor` with the field code `cursor_invalid` if the text is not a cursor.
    pub fn new(limit: u64, cursor: Option<&str>) -> Result<Self> {
        Ok(Self { limit, after: cursor.map(decode).transpose()? })
    }

    /// Returns `query` for the rows of this page, ordered by the column `id`, and one row more, which shows that there
    /// is a next page.
    pub(crate) fn select<Q>(&self, query: Q, id: impl ColumnTrait, order: Order) -> Q
    where
        Q: QueryFilter + QueryOrder + QuerySelect,
    {
        let query = match (self.after, &order) {
            (None, _) => query,
            (Some(after), Order::Desc) => query.filter(id.lt(after)),
            (Some(after), _) => query.filter(id.gt(after)),
        };
        query.order_by(id, order).limit(self.limit + 1)
    }

    /// Returns the page of the rows that the query of [`select`](Self::select) has found. `id` returns the id of a row.
    pub(crate) fn page<T>(&self, mut rows: Vec<T>, id: impl Fn(&T) -> Uuid) -> Page<T> {
        let has_more = rows.len() as u64 > self.limit;
        rows.truncate(usize::try_from(self.limit).unwrap_or(usize::MAX));
        let next_cursor = rows.last().filter(|_| has_more).map(|last| encode(id(last)));
        Page { data: rows, next_cursor }
    }
}

/// Returns the cursor of the page that starts after the row `id`: the id in base64url without padding (RFC 4648 §5).
fn encode(id: Uuid) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(id.as_bytes())
}

/// Returns the id that a cursor contains.
///
/// # Errors
/// `validation_failed` at `/cursor` with the field code `cursor_invalid` if the text is not a cursor.
fn decode(cursor: &str) -> Result<Uuid> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| Uuid::from_slice(&bytes).ok());
    bytes.ok_or_else(|| Error::invalid("/cursor", "cursor_invalid", "must be the next_cursor of a previous page"))
}
