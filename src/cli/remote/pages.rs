//! Lists, which the API gives page by page.

use std::collections::HashSet;

use clap::Args;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    api_request::ApiRequest,
    context::{Api, Context},
    failure::{Failure, Result},
    output::Row,
    problem::not_portico,
    terminal,
};
use crate::cli::arguments::whole_number;

/// The largest page of the API.
const MAX_PAGE: usize = 100;
/// The largest list that is kept in memory, in bytes.
const MAX_LIST_BYTES: usize = 256 << 20;
/// The memory of an object or a cursor beside its text, in bytes. An estimate.
const OVERHEAD: usize = 64;

/// The length of a list.
#[derive(Args)]
pub(super) struct Limit {
    /// The largest number of rows. A note says if there are more.
    #[arg(long, value_name = "N", default_value = "100", value_parser = parse_limit)]
    limit: usize,
}

fn parse_limit(text: &str) -> Result<usize, String> {
    let limit = whole_number(1..=1_000_000, "rows", 100)(text)?;
    usize::try_from(limit).map_err(|error| error.to_string())
}

/// A page of the API. The objects are kept as the server wrote them.
#[derive(Deserialize)]
struct Page {
    data: Vec<Box<RawValue>>,
    next_cursor: Option<String>,
}

/// Prints the objects of a list.
///
/// # Errors
/// As for [`Api::call`] and [`Output::list`](super::output::Output::list).
pub(super) async fn print<T: Row>(context: &Context, api: &Api, request: ApiRequest, limit: &Limit) -> Result<()> {
    let (objects, has_more) = read(api, &request, limit.limit).await?;
    context.output.list::<T>(&objects)?;
    if has_more {
        terminal::note(format!("There are more {}; add --limit N to see more than {}.", T::PLURAL, objects.len()));
    }
    Ok(())
}

/// Returns at most `limit` objects of a list, and whether there are more.
///
/// # Errors
/// As for [`Api::call`]; a failure with the exit code 5 if the pages do not end; and one with the exit code 1 if the
/// list has more than 256 MiB.
pub(super) async fn read(api: &Api, request: &ApiRequest, limit: usize) -> Result<(Vec<Box<RawValue>>, bool)> {
    let (mut objects, mut cursors, mut size_in_memory) = (Vec::new(), HashSet::new(), 0);
    let mut cursor: Option<String> = None;
    loop {
        let size = MAX_PAGE.min(limit - objects.len());
        let page = request.clone().query("limit", Some(size)).query("cursor", cursor);
        let page: Page = api.call(&page).await?.parse_unchanged()?;
        let texts = page.data.iter().map(|object| object.get().len());
        let texts = texts.chain(page.next_cursor.as_ref().map(String::len));
        size_in_memory += texts.map(|length| length + OVERHEAD).sum::<usize>();
        if size_in_memory > MAX_LIST_BYTES {
            return Err(Failure::failed("the list has more than 256 MiB; choose fewer objects"));
        }
        let is_empty = page.data.is_empty();
        objects.extend(page.data);
        objects.truncate(limit);
        cursor = page.next_cursor;
        if cursor.is_none() || objects.len() == limit {
            return Ok((objects, cursor.is_some()));
        }
        if is_empty || !cursors.insert(cursor.clone()) {
            return Err(not_portico("its list has no end"));
        }
    }
}
