//! Pages of lists.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
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
    /// Makes a page of the first `limit` of `rows`. `id` returns the id of a row.
    ///
    /// The caller must have read at most `limit + 1` rows. The additional row shows that there is a next page.
    pub(crate) fn new(mut rows: Vec<T>, limit: u64, id: impl Fn(&T) -> Uuid) -> Self {
        let has_more = rows.len() as u64 > limit;
        rows.truncate(limit as usize);
        let next_cursor = rows.last().filter(|_| has_more).map(|last| encode(id(last)));
        Self { data: rows, next_cursor }
    }
}

/// Returns the cursor of the page that starts after the row `id`: the id in base64url without padding (RFC 4648 §5).
fn encode(id: Uuid) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(id.as_bytes())
}

/// Returns the id that a cursor contains. The next page starts after the row with this id.
///
/// # Errors
/// `validation_failed` at `/cursor` with the field code `cursor_invalid` if the text is not a cursor.
pub(crate) fn decode(cursor: &str) -> Result<Uuid> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| Uuid::from_slice(&bytes).ok());
    bytes.ok_or_else(|| Error::invalid("/cursor", "cursor_invalid", "must be the next_cursor of a previous page"))
}
