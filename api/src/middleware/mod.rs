//! What happens to every request before and after its handler, from the outside in:
//! [`RequestContextMiddleware`] gives it an id and a log line, and every answer its headers; [`Cors`] lets the pages of configured origins
//! read the answer; [`RequestChecks`] turns away what is too much, too large, from another site, or asked in words that the document
//! does not have; [`RunToCompletion`] reads the request whole, lets its work finish whoever waits, and runs it again if the database
//! undid it for others' sake.

mod buffered_request;
mod client_address;
mod cors;
mod csrf;
mod query;
mod rate_limit;
mod request_checks;
mod request_context;
mod run_to_completion;

use poem::{Endpoint, IntoResponse, Request, Response};
use portico_domain::{actor::RequestContext, error::Error, metrics};

use crate::{
    error::{self, ApiError},
    openapi,
};

#[cfg(any(test, feature = "fuzzing"))]
pub use client_address::fuzz as fuzz_forwarded_for;
pub(crate) use cors::Cors;
pub(crate) use rate_limit::{FailedAuthLimiter, RateLimits};
pub(crate) use request_checks::RequestChecks;
pub(crate) use request_context::RequestContextMiddleware;
pub(crate) use run_to_completion::RunToCompletion;

/// Calls `inner` and turns whatever fails into its problem.
async fn answer(inner: &impl Endpoint, request: Request) -> Response {
    let request_id = request.data::<RequestContext>().map(|context| context.request_id).unwrap_or_default();
    let path = request.uri().path().to_owned();
    let failure = match inner.call(request).await {
        Ok(response) => return response.into_response(),
        Err(failure) if failure.is_from_response() => return failure.into_response(),
        Err(failure) => failure,
    };
    // Ours carries everything; a framework's is told apart by its type.
    let failure = match failure.downcast::<ApiError>() {
        Ok(ours) => ours,
        Err(theirs) => error::from_poem(&theirs, || openapi::allowed_methods(&path)),
    };
    if let ApiError::Domain(Error::RateLimited { policy, .. }) = &failure {
        metrics::rate_limited(policy.name);
    }
    failure.into_response(request_id)
}
