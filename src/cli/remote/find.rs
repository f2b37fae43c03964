//! Finds the objects that arguments name: by id, or by what people call them.

use serde::Deserialize;
use uuid::Uuid;

use super::{
    api_request::ApiRequest,
    context::Api,
    failure::{Failure, FailureKind, Result},
    output, pages,
};
use crate::cli::text;

/// How many candidates a failure lists.
const MAX_CANDIDATES: usize = 10;

/// A client.
#[derive(Deserialize)]
pub(super) struct FoundClient {
    /// The id.
    pub(super) id: String,
    /// The name.
    pub(super) name: String,
    external_ref: Option<String>,
    status: String,
}

impl FoundClient {
    /// Returns the path of an operation on the client.
    pub(super) fn path(&self, rest: &str) -> String {
        format!("/api/v1/clients/{}{rest}", self.id)
    }
}

/// An object that belongs to an address: a membership, an invitation or a staff user.
#[derive(Deserialize)]
pub(super) struct Addressed {
    /// The id.
    pub(super) id: String,
    email: Option<String>,
    status: String,
}

/// Returns the id in its usual form, if `text` is one.
pub(super) fn id(text: &str) -> Option<String> {
    Uuid::parse_str(text.trim()).ok().map(|id| id.to_string())
}

/// Returns the client that has this id, this reference or this name. A name is compared in any letter case.
///
/// # Errors
/// A failure with the exit code 3 if there is none, and one with the exit code 2 if several have the name.
pub(super) async fn client(api: &Api, argument: &str) -> Result<FoundClient> {
    if let Some(id) = id(argument) {
        match api.call(&ApiRequest::get(format!("/api/v1/clients/{id}"))).await {
            // A reference may look like an id.
            Err(failure) if failure.kind() == FailureKind::NotFound => {}
            answer => return answer?.parse(),
        }
    }
    let argument = argument.trim();
    let request = ApiRequest::get("/api/v1/clients").query("q", searchable(argument));
    let (objects, _) = pages::read(api, &request, usize::MAX).await?;
    let found: Vec<FoundClient> = objects.iter().map(|object| output::parse(object)).collect::<Result<_>>()?;
    let (by_ref, others): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|client| client.external_ref.as_deref() == Some(argument));
    let is_named = |client: &FoundClient| client.name.to_lowercase() == argument.to_lowercase();
    let found = if by_ref.is_empty() { others.into_iter().filter(is_named).collect() } else { by_ref };
    let describe = |client: &FoundClient| format!("{}  {}  {}", client.id, client.status, client.name);
    only(found, "client has the id, reference or name", argument, describe)
}

/// Returns the text of a search: the API takes 2 to 254 characters.
fn searchable(text: &str) -> Option<&str> {
    (2..=254).contains(&text.chars().count()).then_some(text)
}

/// Returns the id of the object in a list that `argument` names by its id or by its address. If `status` is given and
/// one of several objects has it, that object is meant.
///
/// # Errors
/// A failure with the exit code 3 if there is none, and one with the exit code 2 if there are several.
pub(super) async fn by_address(api: &Api, list: &str, argument: &str, status: Option<&str>) -> Result<String> {
    if let Some(id) = id(argument) {
        return Ok(id);
    }
    let argument = argument.trim();
    let request = ApiRequest::get(list).query("q", searchable(argument));
    // The list of staff users has no search.
    let request = if list == "/api/v1/staff" { ApiRequest::get(list) } else { request };
    let (objects, _) = pages::read(api, &request, usize::MAX).await?;
    let found: Vec<Addressed> = objects.iter().map(|object| output::parse(object)).collect::<Result<_>>()?;
    let has_address =
        |found: &Addressed| found.email.as_ref().is_some_and(|email| email.eq_ignore_ascii_case(argument));
    let mut found: Vec<_> = found.into_iter().filter(has_address).collect();
    if found.len() > 1 && found.iter().any(|found| Some(found.status.as_str()) == status) {
        found.retain(|found| Some(found.status.as_str()) == status);
    }
    let describe = |found: &Addressed| format!("{}  {}", found.id, found.status);
    only(found, "object of this list has the address", argument, describe).map(|found| found.id)
}

/// Returns the only element of `found`. `what` describes it, in the singular, as the subject of a sentence.
///
/// # Errors
/// A failure with the exit code 3 if there is none, and one with the exit code 2 if there are several.
pub(super) fn only<T>(mut found: Vec<T>, what: &str, argument: &str, describe: impl Fn(&T) -> String) -> Result<T> {
    let argument = text::clean(argument);
    if found.len() > 1 {
        let candidates =
            found.iter().take(MAX_CANDIDATES).map(|found| format!("\n  {}", text::clean(&describe(found))));
        let more = if found.len() > MAX_CANDIDATES { "\n  …" } else { "" };
        return Err(Failure::usage(format!(
            "more than one {what} \"{argument}\"; name one by its id:{}{more}",
            candidates.collect::<String>()
        )));
    }
    found.pop().ok_or_else(|| Failure::not_found(format!("no {what} \"{argument}\"")))
}
