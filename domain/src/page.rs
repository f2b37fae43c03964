//! Lists, a page at a time.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use uuid::Uuid;

use crate::error::{Error, Result};

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// What is on it.
    pub data: Vec<T>,
    /// Where the next one begins, if there is one.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// The first `limit` of `rows`, of which one more was read to see whether there is another page.
    pub(crate) fn new(mut rows: Vec<T>, limit: u64, id: impl Fn(&T) -> Uuid) -> Self {
        let has_more = rows.len() as u64 > limit;
        rows.truncate(limit as usize);
        let next_cursor = rows.last().filter(|_| has_more).map(|last| encode(id(last)));
        Self { data: rows, next_cursor }
    }
}

fn encode(id: Uuid) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(id.as_bytes())
}

/// The id that a cursor stands for.
///
/// # Errors
/// `validation_failed` for a cursor that no page gave.
pub(crate) fn decode(cursor: &str) -> Result<Uuid> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| Uuid::from_slice(&bytes).ok());
    bytes.ok_or_else(|| Error::invalid("/cursor", "cursor_invalid", "must be the next_cursor of a page"))
}
