//! Finds the objects that arguments name: by id, or by what people call them.

use portico_domain::entity::client::Status;
use serde::Deserialize;
use serde_json::{Value, json};
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
    status: Status,
}

impl FoundClient {
    fn has_name(&self, name: &str) -> bool {
        self.name.to_lowercase() == name.to_lowercase()
    }

    /// Returns the path of an operation on the client.
    pub(super) fn path(&self, rest: &str) -> String {
        format!("/api/v1/clients/{}{rest}", self.id)
    }
}

/// A list of objects that each belong to an address.
pub(super) struct AddressList<'a> {
    /// The path of the list.
    pub(super) path: &'a str,
    /// What one of the objects is called, in the singular, such as "staff user".
    pub(super) noun: &'a str,
    /// Whether the list takes a text to search for.
    pub(super) has_search: bool,
    /// The status of the object that is meant if several have the address.
    pub(super) preferred: Option<Value>,
}

/// An object that belongs to an address: a membership, an invitation or a staff user.
#[derive(Deserialize)]
struct Addressed {
    id: String,
    email: Option<String>,
    status: Value,
}

/// Returns the id in its usual form, if `text` is one.
pub(super) fn id(text: &str) -> Option<String> {
    Uuid::parse_str(text.trim()).ok().map(|id| id.to_string())
}

/// Returns the client that has this id, this reference or this name. A name is compared in any letter case. If several
/// have the name and one of them is active, that one is meant.
///
/// # Errors
/// A failure with the exit code 3 if there is none, and one with the exit code 2 if several have the name.
pub(super) async fn client(api: &Api, argument: &str) -> Result<FoundClient> {
    client_with(api, argument, Status::Active).await
}

/// Returns the client that has this id, this reference or this name. If several have the name, those with the status
/// `preferred` are meant.
///
/// # Errors
/// As for [`client`].
pub(super) async fn client_with(api: &Api, argument: &str, preferred: Status) -> Result<FoundClient> {
    if let Some(id) = id(argument) {
        match api.call(&ApiRequest::get(format!("/api/v1/clients/{id}"))).await {
            // A reference may look like an id.
            Err(failure) if failure.kind() == FailureKind::NotFound => {}
            answer => return answer?.parse(),
        }
    }
    let argument = argument.trim();
    let (by_ref, others): (Vec<_>, Vec<_>) =
        search(api, argument).await?.into_iter().partition(|client| client.external_ref.as_deref() == Some(argument));
    let is_named = |client: &FoundClient| client.has_name(argument);
    let mut found: Vec<_> = if by_ref.is_empty() { others.into_iter().filter(is_named).collect() } else { by_ref };
    if found.iter().any(|client| client.status == preferred) {
        found.retain(|client| client.status == preferred);
    }
    let describe = |client: &FoundClient| {
        let status = json!(client.status);
        format!("{}  {}  {}", client.id, status.as_str().unwrap_or_default(), client.name)
    };
    only(found, "client has the id, reference or name", argument, describe)
}

/// Returns the clients that have this name, in any letter case.
///
/// # Errors
/// As for [`Api::call`].
pub(super) async fn named(api: &Api, name: &str) -> Result<Vec<FoundClient>> {
    let mut found = search(api, name.trim()).await?;
    found.retain(|client| client.has_name(name.trim()));
    Ok(found)
}

async fn search(api: &Api, text: &str) -> Result<Vec<FoundClient>> {
    let request = ApiRequest::get("/api/v1/clients").query("q", searchable(text));
    let (objects, _) = pages::read(api, &request, usize::MAX).await?;
    objects.iter().map(|object| output::parse(object)).collect()
}

/// Returns the text of a search: the API takes 2 to 254 characters.
fn searchable(text: &str) -> Option<&str> {
    (2..=254).contains(&text.chars().count()).then_some(text)
}

/// Returns the id of the object in `list` that `argument` names by its id or by its address.
///
/// # Errors
/// A failure with the exit code 3 if there is none, and one with the exit code 2 if there are several.
pub(super) async fn by_address(api: &Api, list: &AddressList<'_>, argument: &str) -> Result<String> {
    if let Some(id) = id(argument) {
        return Ok(id);
    }
    let argument = argument.trim();
    let request = ApiRequest::get(list.path).query("q", searchable(argument).filter(|_| list.has_search));
    let (objects, _) = pages::read(api, &request, usize::MAX).await?;
    let found: Vec<Addressed> = objects.iter().map(|object| output::parse(object)).collect::<Result<_>>()?;
    let has_address =
        |found: &Addressed| found.email.as_ref().is_some_and(|email| email.eq_ignore_ascii_case(argument));
    let mut found: Vec<_> = found.into_iter().filter(has_address).collect();
    if let Some(preferred) = &list.preferred
        && found.iter().any(|found| found.status == *preferred)
    {
        found.retain(|found| found.status == *preferred);
    }
    let describe = |found: &Addressed| format!("{}  {}", found.id, found.status.as_str().unwrap_or_default());
    only(found, &format!("{} has the address", list.noun), argument, describe).map(|found| found.id)
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
