//! The problem documents (RFC 9457) of the server.

use serde::{Deserialize, Serialize};

use super::failure::Failure;
use crate::cli::text;

/// The members of a problem document that the command line uses.
#[derive(Deserialize)]
pub(super) struct Problem {
    /// What went wrong, for people.
    detail: String,
    /// What went wrong, for programs.
    pub(super) code: String,
    /// The id of the request.
    pub(super) request_id: Option<String>,
    /// The seconds after which the server may accept the request.
    pub(super) retry_after: Option<u64>,
    /// The fields that are not valid.
    #[serde(default)]
    errors: Vec<InvalidField>,
}

/// A field that is not valid.
#[derive(Serialize, Deserialize)]
pub(super) struct InvalidField {
    /// The field, as a JSON pointer (RFC 6901).
    pointer: String,
    /// What is wrong, for programs.
    code: String,
    /// What is wrong, as a clause that follows the name of the field.
    detail: String,
}

/// Fields and parameters of the API that the command line calls otherwise.
const ARGUMENTS: [(&str, &str); 7] = [
    ("scopes", "--scope"),
    ("expires_in_days", "--days"),
    ("external_ref", "--ref"),
    ("header", "the columns of the file"),
    ("q", "--search"),
    ("from", "--since"),
    ("to", "--until"),
];

impl InvalidField {
    /// Returns the name of the field and what is wrong with it.
    pub(super) fn sentence(&self) -> String {
        let pointer = self.pointer.trim_start_matches('/');
        let first = pointer.split('/').next().unwrap_or_default();
        let name = match ARGUMENTS.iter().find(|(field, _)| *field == first) {
            Some((_, argument)) => (*argument).to_owned(),
            None => pointer.replace('/', "."),
        };
        text::clean(&if name.is_empty() { self.detail.clone() } else { format!("{name}: {}", self.detail) })
    }
}

/// Returns the failure that a response with this status and this body reports.
///
/// A body that is no problem document comes from another program, such as a proxy in front of the server.
pub(super) fn failure(status: u16, body: &[u8], content_type: &str) -> Failure {
    let Ok(problem) = serde_json::from_slice::<Problem>(body) else {
        return not_portico(&format!("status {status}, content type {}", content_type_name(content_type)));
    };
    let message = match (status, problem.retry_after, problem.errors.as_slice()) {
        (429, Some(seconds), _) => {
            format!("the rate limit is used up; the server accepts this again in {seconds} s")
        }
        // The detail would repeat the field.
        (_, _, [error]) => error.sentence(),
        (_, _, errors) => {
            let fields: String = errors.iter().map(|error| format!("\n  {}", error.sentence())).collect();
            text::clean(&problem.detail) + &fields
        }
    };
    let message = format!("{message}\ncode: {}", text::clean(&problem.code));
    Failure::problem(status, message, problem)
}

/// Returns the failure of a response that does not come from Portico. `what` describes the response.
pub(super) fn not_portico(what: &str) -> Failure {
    Failure::unreachable(format!(
        "the answer is not one of Portico ({what}); check the URL and the proxies between this machine and the server"
    ))
}

/// Returns the media type without its parameters, or "none".
pub(super) fn content_type_name(content_type: &str) -> String {
    let name = content_type.split(';').next().unwrap_or_default().trim();
    if name.is_empty() { "none".into() } else { text::clean(name) }
}
