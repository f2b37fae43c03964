//! A request with its whole body in memory, which can be run more than once.

use std::time::Duration;

use poem::{
    Body, Request, RequestParts,
    error::ReadBodyError,
    http::{self, uri::Scheme},
    web::{LocalAddr, RemoteAddr},
};
use tokio::time::timeout;

use crate::http::{body::MAX_BYTES, error::ApiError, server::BodyRead};

/// How long the whole request body may take to arrive, counted from when the server starts to read it.
const BODY_TIMEOUT: Duration = Duration::from_secs(15);

/// A request with its whole body in memory.
pub(super) struct BufferedRequest {
    head: http::request::Parts,
    local: LocalAddr,
    remote: RemoteAddr,
    scheme: Scheme,
    body: Vec<u8>,
}

impl BufferedRequest {
    /// Reads the body of `request`. The bytes are counted, so `Content-Length` need not be true or present.
    ///
    /// # Errors
    /// - `body_too_large` if the body is larger than [`MAX_BYTES`] (64 KiB).
    /// - `request_timeout` if it does not arrive within 15 seconds.
    /// - `malformed_request` if the connection ends before the body does.
    pub(super) async fn read(mut request: Request) -> Result<Self, ApiError> {
        let body = timeout(BODY_TIMEOUT, request.take_body().into_bytes_limit(MAX_BYTES)).await;
        let body = body.map_err(|_| ApiError::RequestTimeout)?.map_err(|error| match error {
            ReadBodyError::PayloadTooLarge => ApiError::BodyTooLarge,
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
        Ok(Self { head, local, remote, scheme: request.scheme().clone(), body: body.into() })
    }

    /// Returns a copy of the request, with its body.
    pub(super) fn request(&self) -> Request {
        let parts = (self.head.clone(), self.local.clone(), self.remote.clone(), self.scheme.clone());
        Request::from_parts(RequestParts::from(parts), Body::from(self.body.clone()))
    }
}
