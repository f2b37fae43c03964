//! A request with its whole body in memory, which can be run more than once.

use std::time::Duration;

use poem::{
    Body, Request, RequestParts,
    error::ReadBodyError,
    http::{self, uri::Scheme},
    web::{LocalAddr, RemoteAddr},
};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

use portico_domain::platform::error::Error;

use crate::http::{
    document::{self, MAX_BODY_BYTES},
    error::ApiError,
    server::BodyRead,
};

/// How long the whole request body may take to arrive, counted from when the server starts to read it.
const BODY_TIMEOUT: Duration = Duration::from_secs(15);

/// How many requests to operations with a large body are handled at the same time, which bounds their memory.
static LARGE_BODIES: Semaphore = Semaphore::const_new(4);
/// How long such a request waits for others.
const LARGE_BODY_WAIT: Duration = Duration::from_secs(5);

/// A request with its whole body in memory.
pub(super) struct BufferedRequest {
    head: http::request::Parts,
    local: LocalAddr,
    remote: RemoteAddr,
    scheme: Scheme,
    body: Vec<u8>,
    /// Held while a large body is in memory.
    _permit: Option<SemaphorePermit<'static>>,
}

impl BufferedRequest {
    /// Reads the body of `request`. The bytes are counted, so `Content-Length` need not be true or present.
    ///
    /// # Errors
    /// - `body_too_large` if the body is larger than the operation allows: [`MAX_BODY_BYTES`] (64 KiB) for most.
    /// - `overloaded` if too many other requests with large bodies are handled.
    /// - `request_timeout` if it does not arrive within 15 seconds.
    /// - `malformed_request` if the connection ends before the body does.
    pub(super) async fn read(mut request: Request) -> Result<Self, ApiError> {
        let max = max_bytes(&request);
        let permit = if max > MAX_BODY_BYTES { Some(permit().await?) } else { None };
        let body = timeout(BODY_TIMEOUT, request.take_body().into_bytes_limit(max)).await;
        let body = body.map_err(|_| ApiError::RequestTimeout)?.map_err(|error| match error {
            ReadBodyError::PayloadTooLarge => ApiError::BodyTooLarge(max),
            _ => ApiError::Malformed("The request body is incomplete."),
        })?;
        if let Some(read) = request.extensions().get::<BodyRead>() {
            read.set();
        }
        let (mut head, ()) = http::Request::new(()).into_parts();
        head.method = request.method().clone();
        head.uri = request.uri().clone();
        head.version = request.version();
        head.headers = request.headers().clone();
        head.extensions = request.extensions().clone();
        let (local, remote) = (request.local_addr().clone(), request.remote_addr().clone());
        Ok(Self { head, local, remote, scheme: request.scheme().clone(), body: body.into(), _permit: permit })
    }

    /// Returns a copy of the request, with its body.
    pub(super) fn request(&self) -> Request {
        let parts = (self.head.clone(), self.local.clone(), self.remote.clone(), self.scheme.clone());
        Request::from_parts(RequestParts::from(parts), Body::from(self.body.clone()))
    }
}

/// Returns the largest body of a request, in bytes, as its operation declares it.
pub(super) fn max_bytes(request: &Request) -> usize {
    let operation = document::of(request)
        .ok()
        .and_then(|document| document.operation(request.method().as_str(), request.uri().path()));
    operation.map_or(MAX_BODY_BYTES, |operation| operation.max_body_bytes)
}

async fn permit() -> Result<SemaphorePermit<'static>, ApiError> {
    let permit = timeout(LARGE_BODY_WAIT, LARGE_BODIES.acquire()).await;
    permit.ok().and_then(Result::ok).ok_or(ApiError::Domain(Error::Overloaded))
}
