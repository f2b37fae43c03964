//! The middleware around every handler of the public listener, from the outermost to the innermost:
//!
//! 1. [`RequestContextMiddleware`] gives each request an id and a log line, and each response its security headers.
//! 2. [`Cors`] lets web pages of allowed origins call the API and read the responses.
//! 3. [`RequestChecks`] refuses requests that exceed a rate limit, are malformed or too large, come from a foreign web
//!    page, or carry an unknown query parameter.
//! 4. [`RunToCompletion`] reads the whole request, runs the handler to its end even if the client disconnects, and
//!    runs it again if the database aborted its transaction.

mod buffered_request;
mod client_address;
mod cors;
mod csrf;
mod logged_path;
mod origins;
mod query;
mod request_checks;
mod request_context;
mod run_to_completion;

use poem::{Endpoint, IntoResponse, Request, Response};
use portico_domain::platform::{actor::RequestContext, error::Error, metrics};

use crate::http::{
    document,
    error::{self, ApiError},
};

#[cfg(any(test, feature = "fuzzing"))]
pub use client_address::fuzz as fuzz_forwarded_for;
pub(crate) use cors::Cors;
pub(crate) use origins::AllowedOrigins;
pub(crate) use request_checks::{RequestChecks, check_head};
pub(crate) use request_context::RequestContextMiddleware;
pub(crate) use run_to_completion::RunToCompletion;

/// Calls `inner` and returns its response. A failure becomes a problem document (RFC 9457).
async fn respond(inner: &impl Endpoint, request: Request) -> Response {
    let request_id = request.data::<RequestContext>().map(|context| context.request_id).unwrap_or_default();
    let (path, document) = (request.uri().path().to_owned(), document::of(&request));
    let error = match inner.call(request).await {
        Ok(response) => return response.into_response(),
        Err(error) if error.is_from_response() => return error.into_response(),
        Err(error) => error,
    };
    // Errors of the handlers are `ApiError`s. All others come from poem and are mapped by their type.
    let error = match error.downcast::<ApiError>() {
        Ok(error) => error,
        Err(error) => match document {
            Ok(document) => error::from_poem(&error, || document.allowed_methods(&path)),
            Err(missing) => missing,
        },
    };
    if let ApiError::Domain(Error::RateLimited(refusal)) = &error {
        metrics::rate_limited(refusal.limit);
    }
    error.into_response(request_id)
}
