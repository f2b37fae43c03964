//! What is turned away before anybody looks at it.

use std::sync::Arc;

use poem::{Endpoint, Middleware, Request, Result, http::header};
use portico_domain::actor::RequestContext;

use super::{csrf, query, rate_limit::RateLimits};
use crate::{body::MAX_BYTES, error::ApiError};

/// The longest address of a request, in bytes. None of ours is a tenth of it.
const MAX_URI: usize = 8 * 1024;
/// The most that all headers may have together, in bytes. What is twice as long never gets here: see `server`.
const MAX_HEADERS: usize = 16 * 1024;

/// Turns away floods, other sites' pages, queries with unknown words, and heads and bodies that are too large.
pub(crate) struct RequestChecks {
    pub(crate) rate_limits: Arc<RateLimits>,
    pub(crate) origins: Arc<[String]>,
}

pub(crate) struct RequestChecksEndpoint<E> {
    inner: E,
    rate_limits: Arc<RateLimits>,
    origins: Arc<[String]>,
}

impl<E: Endpoint> Middleware<E> for RequestChecks {
    type Output = RequestChecksEndpoint<E>;

    fn transform(&self, inner: E) -> RequestChecksEndpoint<E> {
        RequestChecksEndpoint { inner, rate_limits: self.rate_limits.clone(), origins: self.origins.clone() }
    }
}

impl<E: Endpoint> Endpoint for RequestChecksEndpoint<E> {
    type Output = E::Output;

    async fn call(&self, mut request: Request) -> Result<E::Output> {
        let network = request.data::<RequestContext>().map(RequestContext::network).unwrap_or_default();
        self.rate_limits.take(&network, request.uri().path()).map_err(ApiError::Domain)?;
        check_head(&request)?;
        csrf::check(&request, &self.origins).map_err(ApiError::Domain)?;
        let length = request.header(header::CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok());
        if length.is_some_and(|length| length > MAX_BYTES) {
            return Err(ApiError::BodyTooLarge.into());
        }
        query::check(&request)?;
        request.set_data(self.rate_limits.failed_auth());
        self.inner.call(request).await
    }
}

fn check_head(request: &Request) -> Result<(), ApiError> {
    if request.uri().to_string().len() > MAX_URI {
        return Err(ApiError::UriTooLong);
    }
    let headers = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len());
    if headers.sum::<usize>() > MAX_HEADERS { Err(ApiError::HeadersTooLarge) } else { Ok(()) }
}
