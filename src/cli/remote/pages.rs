//! Lists, which the API gives page by page.

use clap::Args;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    api_request::ApiRequest,
    context::{Api, Context},
    failure::Result,
    output::Row,
    terminal,
};
use crate::cli::arguments::whole_number;

/// The largest page of the API.
const MAX_PAGE: usize = 100;

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
/// As for [`Api::call`].
pub(super) async fn read(api: &Api, request: &ApiRequest, limit: usize) -> Result<(Vec<Box<RawValue>>, bool)> {
    let mut objects = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let size = MAX_PAGE.min(limit - objects.len());
        let page = request.clone().query("limit", Some(size)).query("cursor", cursor);
        let page: Page = api.call(&page).await?.parse()?;
        objects.extend(page.data);
        objects.truncate(limit);
        cursor = page.next_cursor;
        if cursor.is_none() || objects.len() == limit {
            return Ok((objects, cursor.is_some()));
        }
    }
}
