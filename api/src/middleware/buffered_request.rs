//! A request that has arrived whole and can be run more than once.

use std::time::Duration;

use poem::{
    Body, Request, RequestParts,
    error::ReadBodyError,
    http::{self, uri::Scheme},
    web::{LocalAddr, RemoteAddr},
};
use tokio::time::timeout;

use crate::{body::MAX_BYTES, error::ApiError, server::BodyRead};

/// How long a body may take to arrive, from its first byte to its last.
const BODY_TIMEOUT: Duration = Duration::from_secs(15);

/// Everything of a request, its body in memory.
pub(super) struct BufferedRequest {
    head: http::request::Parts,
    local: LocalAddr,
    remote: RemoteAddr,
    scheme: Scheme,
    body: Vec<u8>,
}

impl BufferedRequest {
    /// Reads the body, counting its bytes whatever length it says it has.
    ///
    /// # Errors
    /// `body_too_large` beyond 64 KiB; `request_timeout` when it is not there within 15 seconds; `malformed_request` when
    /// it breaks off.
    pub(super) async fn read(mut request: Request) -> Result<Self, ApiError> {
        let body = timeout(BODY_TIMEOUT, request.take_body().into_bytes_limit(MAX_BYTES)).await;
        let body = body.map_err(|_| ApiError::RequestTimeout)?.map_err(|error| match error {
            ReadBodyError::PayloadTooLarge => ApiError::BodyTooLarge,
            _ => ApiError::Malformed("The body did not arrive whole."),
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

    /// The request, as often as it is needed.
    pub(super) fn request(&self) -> Request {
        let parts = (self.head.clone(), self.local.clone(), self.remote.clone(), self.scheme.clone());
        Request::from_parts(RequestParts::from(parts), Body::from(self.body.clone()))
    }
}
