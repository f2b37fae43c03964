//! Query strings, read as strictly as bodies: only the parameters that the document names, each once.

use poem::Request;
use portico_domain::error::{Error, FieldProblem};

use crate::{error::ApiError, openapi};

/// Refuses a query with a repeated parameter, a text that is not UTF-8 or holds NUL, or a parameter that the operation does
/// not have: a misspelt `?Action=resend` must not do something else. Paths outside of the document are left alone.
pub(super) fn check(request: &Request) -> Result<(), ApiError> {
    let Some(query) = request.uri().query().filter(|query| !query.is_empty()) else { return Ok(()) };
    let Some(known) = openapi::query_parameters(request.method().as_str(), request.uri().path()) else {
        return Ok(());
    };
    let mut seen = Vec::new();
    let mut unknown = Vec::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        // The parser puts this in the place of what is not UTF-8.
        if [&name, &value].iter().any(|text| text.contains(['\0', '\u{fffd}'])) || seen.contains(&name) {
            return Err(ApiError::Malformed("The query repeats a parameter, or holds NUL or what is not UTF-8."));
        }
        if !known.contains(&&*name) {
            let shown: String = name.chars().take(100).collect();
            unknown
                .push(FieldProblem::new("unknown_field", "is not a parameter of this request").at(format!("/{shown}")));
        }
        seen.push(name);
    }
    if unknown.is_empty() { Ok(()) } else { Err(ApiError::Domain(Error::Invalid(unknown))) }
}
