//! The Rust client of Portico. All of it except [`Problem`] is generated from the OpenAPI document when it is built.

use serde::Deserialize;

/// The generated client.
#[expect(clippy::all, reason = "the generator does not follow all lints")]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/client.rs"));
}

pub use generated::*;

/// Why a call failed (RFC 9457).
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Problem {
    /// The code for programs, such as `portal_user_exists`. It never changes.
    pub code: String,
    /// What went wrong this time.
    pub detail: String,
    /// The HTTP status.
    pub status: u16,
    /// The id of the request in the server's logs.
    pub request_id: uuid::Uuid,
    /// The time to wait before a retry, in seconds. Present with the statuses 429 and 503.
    pub retry_after: Option<u64>,
    /// Every field that is not valid. Present with the status 422.
    #[serde(default)]
    pub errors: Vec<InvalidField>,
}

/// A field that is not valid.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct InvalidField {
    /// The field, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// The code for programs. It never changes.
    pub code: String,
    /// What is wrong, as a clause that follows the name of the field.
    pub detail: String,
}

impl Problem {
    /// Reads the problem of a failed call.
    ///
    /// # Errors
    /// Returns the error as it was if the server has not answered with a problem: because it could not be reached, or
    /// because a proxy answered in its place.
    pub async fn of<T>(error: Error<T>) -> Result<Self, Error<T>> {
        match error {
            Error::UnexpectedResponse(response) => {
                let body = response.bytes().await.map_err(Error::ResponseBodyError)?;
                serde_json::from_slice(&body).map_err(|error| Error::InvalidResponsePayload(body, error))
            }
            error => Err(error),
        }
    }
}
