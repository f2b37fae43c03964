//! Checks that refuse a request before its handler sees it.

use std::sync::Arc;

use poem::{
    Endpoint, IntoResponse, Middleware, Request, Response, Result,
    http::{StatusCode, header},
};
use portico_domain::platform::actor::RequestContext;

use super::{AllowedOrigins, csrf, query};
use crate::http::{
    auth,
    document::{self, MAX_BODY_BYTES},
    error::ApiError,
    host,
    rate_limit::RateLimits,
};

/// The longest URI of a request, in bytes.
const MAX_URI_BYTES: usize = 8 * 1024;
/// The largest total size of all headers, in bytes. The server refuses twice as much before it calls the middleware.
const MAX_HEADER_BYTES: usize = 16 * 1024;

/// The middleware that refuses requests that exceed a rate limit, are malformed or too large, come from a page of a
/// foreign origin, or have an unknown query parameter.
pub(crate) struct RequestChecks {
    /// The limits of this process.
    pub(crate) rate_limits: Arc<RateLimits>,
    /// The origins whose pages may call the API.
    pub(crate) origins: Arc<AllowedOrigins>,
}

/// The endpoint that [`RequestChecks`] makes.
pub(crate) struct RequestChecksEndpoint<E> {
    inner: E,
    rate_limits: Arc<RateLimits>,
    origins: Arc<AllowedOrigins>,
}

impl<E: Endpoint> Middleware<E> for RequestChecks {
    type Output = RequestChecksEndpoint<E>;

    fn transform(&self, inner: E) -> RequestChecksEndpoint<E> {
        RequestChecksEndpoint { inner, rate_limits: self.rate_limits.clone(), origins: self.origins.clone() }
    }
}

impl<E: Endpoint> Endpoint for RequestChecksEndpoint<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let network = request.data::<RequestContext>().map(RequestContext::network).unwrap_or_default();
        let operation = document::of(&request)?.operation(request.method().as_str(), request.uri().path());
        let declared = operation.map_or(&[][..], |operation| operation.rate_limits.as_slice());
        // Each wrong token is counted by the operation. A network that has sent too many of them has no session, so
        // that their verification does not use up the processor.
        let may_have_session = operation.is_some_and(|operation| operation.takes_session)
            && self.rate_limits.failed_auth().check(&network).is_ok();
        let session = if may_have_session { auth::signed_session(&request) } else { None };
        self.rate_limits.take(&network, session, declared).map_err(ApiError::Domain)?;
        check_head(&request)?;
        host::check(&request)?;
        auth::authorization(&request)?;
        csrf::check(&request, &self.origins)?;
        let length = request.header(header::CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok());
        let max = operation.map_or(MAX_BODY_BYTES, |operation| operation.max_body_bytes);
        if length.is_some_and(|length| length > max) {
            return Err(ApiError::BodyTooLarge(max).into());
        }
        query::check(&request)?;
        request.set_data(self.rate_limits.failed_auth());
        let result = self.inner.call(request).await.map(IntoResponse::into_response);
        let status = result.as_ref().map_or_else(poem::Error::status, Response::status);
        // The response to a link token or a code that does not exist. Every other response follows a right secret, or a
        // request without one.
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND) {
            self.rate_limits.count_miss(&network, declared);
        }
        result
    }
}

/// Checks the size of the URI and of the headers.
///
/// # Errors
/// `uri_too_long` or `headers_too_large`.
fn check_head(request: &Request) -> Result<(), ApiError> {
    if request.uri().to_string().len() > MAX_URI_BYTES {
        return Err(ApiError::UriTooLong);
    }
    let headers = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len());
    if headers.sum::<usize>() > MAX_HEADER_BYTES { Err(ApiError::HeadersTooLarge) } else { Ok(()) }
}
