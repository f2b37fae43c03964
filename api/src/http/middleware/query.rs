//! A strict check of query strings: only the parameters in the OpenAPI document are allowed, each at most once, and an
//! enum has only its values.

use poem::Request;
use portico_domain::platform::error::{Error, FieldProblem};

use crate::http::{document, error::ApiError};

/// Checks the query of a request.
///
/// Unknown parameters are refused because a misspelt one, such as `?Action=resend`, would otherwise silently run
/// another action. Paths that are not in the document are not checked, nor are operations that ignore the query, such
/// as the health checks: probes add parameters against caches.
///
/// # Errors
/// - `malformed_request` for a repeated parameter, NUL, or text that is not UTF-8.
/// - `validation_failed` for parameters that the operation does not have, and for values that an enum does not have.
pub(super) fn check(request: &Request) -> Result<(), ApiError> {
    let Some(query) = request.uri().query().filter(|query| !query.is_empty()) else { return Ok(()) };
    let document = document::of(request)?;
    let operation = document.operation(request.method().as_str(), request.uri().path());
    let Some(operation) = operation.filter(|operation| !operation.ignores_query) else { return Ok(()) };
    let mut seen = Vec::new();
    let mut wrong = Vec::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        // The parser replaces invalid UTF-8 with U+FFFD.
        if [&name, &value].iter().any(|text| text.contains(['\0', '\u{fffd}'])) || seen.contains(&name) {
            return Err(ApiError::Malformed(
                "The query repeats a parameter, contains a NUL character, or is not UTF-8.",
            ));
        }
        let problem = match operation.query_parameters.iter().find(|known| known.name == name) {
            None => Some(FieldProblem::new("unknown_field", "is not a parameter of this operation")),
            Some(known) if known.values.is_empty() || known.values.iter().any(|allowed| *allowed == value) => None,
            Some(known) => Some(FieldProblem::new("invalid", format!("must be one of {}", known.values.join(", ")))),
        };
        let shown = || name.chars().take(100).collect::<String>();
        wrong.extend(problem.map(|problem| problem.at(format!("/{}", shown()))));
        seen.push(name);
    }
    if wrong.is_empty() { Ok(()) } else { Err(ApiError::Domain(Error::Invalid(wrong))) }
}
