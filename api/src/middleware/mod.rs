//! What happens to every request before and after its handler, from the outside in:
//! [`Outermost`] gives it an id and a log line, and every answer its headers; [`Cors`] lets the pages of configured origins
//! read the answer; [`Guard`] turns away what is too much, too large, from another site, or asked in words that the document
//! does not have; [`Detach`] reads the request whole, lets its work finish whoever waits, and runs it again if the database
//! undid it for others' sake.

mod asked;
mod client_address;
mod cors;
mod csrf;
mod detach;
mod guard;
mod outermost;
mod query;
mod shield;

use poem::{Endpoint, IntoResponse, Request, Response};
use portico_domain::{actor::RequestContext, error::Error, metrics};

use crate::{
    document,
    error::{self, Failure},
};

#[cfg(any(test, feature = "fuzzing"))]
pub use client_address::fuzz as fuzz_forwarded_for;
pub(crate) use cors::Cors;
pub(crate) use detach::Detach;
pub(crate) use guard::Guard;
pub(crate) use outermost::Outermost;
pub(crate) use shield::{BadBearers, Shield};

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
    let failure = match failure.downcast::<Failure>() {
        Ok(ours) => ours,
        Err(theirs) => error::of_framework(&theirs, || document::allowed_methods(&path)),
    };
    if let Failure::Domain(Error::TooMany { policy, .. }) = &failure {
        metrics::throttled(policy.name);
    }
    failure.into_response(request_id)
}
