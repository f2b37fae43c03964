//! The response to a request: its status and its body.

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::{
    Response, StatusCode,
    body::{Body, Bytes, Incoming},
};
use serde::{Deserialize, de::DeserializeOwned};

use super::failure::OutboundError;

/// The largest body that is read, in bytes.
pub(super) const MAX_BODY_BYTES: usize = 1024 * 1024;

/// The error codes of a token endpoint (RFC 6749 §5.2).
const OAUTH_ERRORS: [&str; 6] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
];

/// Reads the body of `response` as JSON.
///
/// # Errors
/// - [`OutboundError::Redirect`], [`OutboundError::OAuth`] or [`OutboundError::Status`] if the status is not 200.
/// - [`OutboundError::TooLarge`] if the body is larger than [`MAX_BODY_BYTES`].
/// - [`OutboundError::Connection`] if the connection is closed before the end of the body.
/// - [`OutboundError::NotJson`] if the body is not a JSON text of the form of `T`.
pub(super) async fn read_json<T: DeserializeOwned>(response: Response<Incoming>) -> Result<T, OutboundError> {
    let status = response.status();
    if status.is_redirection() {
        return Err(OutboundError::Redirect(status.as_u16()));
    }
    match status {
        StatusCode::OK => {
            let body = read(response.into_body()).await?;
            serde_json::from_slice(&body).map_err(|_| OutboundError::NotJson)
        }
        StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED => {
            let body = read(response.into_body()).await?;
            Err(oauth_error(&body).unwrap_or(OutboundError::Status(status.as_u16())))
        }
        _ => Err(OutboundError::Status(status.as_u16())),
    }
}

/// Reads a body up to the limit.
async fn read(body: Incoming) -> Result<Bytes, OutboundError> {
    if body.size_hint().lower() > MAX_BODY_BYTES as u64 {
        return Err(OutboundError::TooLarge);
    }
    match Limited::new(body, MAX_BODY_BYTES).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(OutboundError::TooLarge),
        Err(_) => Err(OutboundError::Connection("the response ends too early".into())),
    }
}

/// Returns the error of the body, if it is one that the standard defines. The text of the server is not used.
fn oauth_error(body: &[u8]) -> Option<OutboundError> {
    #[derive(Deserialize)]
    struct OAuthError {
        error: String,
    }
    let OAuthError { error } = serde_json::from_slice(body).ok()?;
    OAUTH_ERRORS.into_iter().find(|code| *code == error).map(OutboundError::OAuth)
}
