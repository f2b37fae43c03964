//! Why a request failed, and its problem document (RFC 9457).
//!
//! - `codes.rs`: the table of all codes, with their statuses.
//! - `failure.rs`: how an operation declares the codes that it can answer.

pub(crate) mod codes;
mod failure;

use poem::{
    Body, Response,
    http::{HeaderName, HeaderValue, StatusCode, header},
};
use poem_openapi::{Object, types::ToJSON};
use portico_domain::platform::error::{Error, FieldError, FieldProblem, RateLimited};
use serde_json::json;
use tracing::error;
use uuid::Uuid;

use codes::Code;
use failure::PROBLEM_JSON;
pub(crate) use failure::{ApiResult, Declaration, limit, request};

/// A mebibyte, in bytes.
const MIB: usize = 1024 * 1024;
/// The value of `Retry-After` if the server is busy or the database is unavailable, in seconds.
const BUSY_RETRY_AFTER_SECONDS: u64 = 2;

/// Why a request failed: an error of the use case, or of the HTTP request.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// The use case failed.
    Domain(Error),
    /// The request was sent by a page of an origin that is not allowed. Holds the detail of the problem.
    CsrfRejected(String),
    /// The body or the query cannot be parsed. Holds the detail of the problem.
    Malformed(&'static str),
    /// The body is larger than the operation allows. Holds the largest size in bytes.
    BodyTooLarge(usize),
    /// The body did not arrive within 15 seconds.
    RequestTimeout,
    /// The URI is longer than 8 KiB.
    UriTooLong,
    /// The headers are larger than 16 KiB in total.
    HeadersTooLarge,
    /// The body has a content type that the operation does not take, or has a content coding.
    UnsupportedMediaType,
    /// The path exists, but not with this method. Holds the allowed methods, as in an `Allow` header.
    MethodNotAllowed(String),
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

impl std::error::Error for ApiError {}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        Self::Domain(error)
    }
}

impl From<ApiError> for poem::Error {
    fn from(failure: ApiError) -> Self {
        let status = failure.status();
        poem::Error::new(failure, status)
    }
}

impl ApiError {
    fn status(&self) -> StatusCode {
        StatusCode::from_u16(Code::named(self.code()).status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn code(&self) -> &'static str {
        match self {
            Self::CsrfRejected(_) => "csrf_rejected",
            Self::Malformed(_) => "malformed_request",
            Self::BodyTooLarge(_) => "body_too_large",
            Self::RequestTimeout => "request_timeout",
            Self::UriTooLong => "uri_too_long",
            Self::HeadersTooLarge => "headers_too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::MethodNotAllowed(_) => "method_not_allowed",
            Self::Domain(error) => error.code(),
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::CsrfRejected(why) => why.clone(),
            Self::Malformed(why) => (*why).into(),
            Self::BodyTooLarge(max) if *max >= MIB => format!("The request body may have at most {} MiB.", max / MIB),
            Self::BodyTooLarge(max) => format!("The request body may have at most {} KiB.", max / 1024),
            Self::RequestTimeout => "The request body must arrive within 15 seconds.".into(),
            Self::UriTooLong => "The URI may have at most 8 KiB.".into(),
            Self::HeadersTooLarge => "The headers may have at most 16 KiB in total.".into(),
            Self::UnsupportedMediaType => {
                "The body must have a content type of this operation, which is application/json in UTF-8 unless the \
                 document names another one, and no Content-Encoding."
                    .into()
            }
            Self::MethodNotAllowed(allowed) => format!("Allowed methods: {allowed}."),
            Self::Domain(Error::Invalid(fields)) => match fields.as_slice() {
                [field] if field.pointer.is_empty() => format!("The body {}.", field.problem.detail),
                [field] => format!("{} {}.", field.pointer, field.problem.detail),
                fields => format!("{} fields are invalid.", fields.len()),
            },
            Self::Domain(Error::ConflictBecause(why)) => (*why).into(),
            Self::Domain(Error::RateLimited(refusal)) => format!("Try again in {} seconds.", refusal.retry_after),
            _ => format!("{}.", Code::named(self.code()).title),
        }
    }

    fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Domain(Error::RateLimited(refusal)) => Some(refusal.retry_after),
            Self::Domain(error) if error.is_transient() => Some(BUSY_RETRY_AFTER_SECONDS),
            _ => None,
        }
    }

    /// Returns the response. The text of an internal error is logged and not sent.
    pub(crate) fn into_response(self, request_id: Uuid) -> Response {
        if let Self::Domain(Error::Internal(reason) | Error::Unavailable(reason) | Error::Aborted(reason)) = &self {
            error!(reason, code = self.code(), "request failed");
        }
        let (status, retry_after) = (self.status(), self.retry_after());
        let code = Code::named(self.code());
        let mut problem = json!({
            "type": problem_type(code),
            "title": code.title,
            "status": code.status,
            "detail": self.detail(),
            "code": code.name,
            "request_id": request_id,
        });
        if let Some(seconds) = retry_after {
            problem["retry_after"] = seconds.into();
        }
        if let Self::Domain(Error::Invalid(fields)) = &self {
            let fields = fields.iter().map(InvalidField::from);
            problem["errors"] = fields.collect::<Vec<_>>().to_json().unwrap_or_default();
        }
        let mut response =
            Response::builder().status(status).content_type(PROBLEM_JSON).body(Body::from_string(problem.to_string()));
        let headers = response.headers_mut();
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if let Self::Domain(Error::RateLimited(refusal)) = &self {
            for (name, value) in rate_limit_headers(refusal) {
                headers.extend(HeaderValue::from_str(&value).map(|value| (name, value)));
            }
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Self::MethodNotAllowed(allowed) = &self
            && let Ok(allowed) = HeaderValue::from_str(allowed)
        {
            headers.insert(header::ALLOW, allowed);
        }
        response
    }
}

/// Returns the `type` of a problem, a URN.
pub(crate) fn problem_type(code: &Code) -> String {
    format!("urn:portico:{}", code.name)
}

/// Returns the headers that name the limit and say when it allows a request again.
///
/// Source: IETF draft "RateLimit header fields for HTTP".
fn rate_limit_headers(refusal: &RateLimited) -> [(HeaderName, String); 2] {
    let RateLimited { limit, burst, window, retry_after } = refusal;
    [
        (HeaderName::from_static("ratelimit-policy"), format!("\"{limit}\";q={burst};w={}", window.as_secs())),
        (HeaderName::from_static("ratelimit"), format!("\"{limit}\";r=0;t={retry_after}")),
    ]
}

/// A field that is not valid.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
pub(crate) struct InvalidField {
    /// The field, as a JSON pointer (RFC 6901).
    pub(crate) pointer: String,
    /// The code for programs. It never changes.
    pub(crate) code: String,
    /// What is wrong, as a clause that follows the name of the field.
    pub(crate) detail: String,
    /// A value that is valid and near to the wrong one, if there is one: for `contrast_too_low`, the nearest colour of
    /// the same hue.
    pub(crate) suggestion: Option<String>,
}

impl From<&FieldError> for InvalidField {
    fn from(FieldError { pointer, problem }: &FieldError) -> Self {
        let FieldProblem { code, detail, suggestion } = problem.clone();
        Self { pointer: pointer.clone(), code: code.into(), detail, suggestion }
    }
}

/// Converts an error of the framework. `allowed` returns the methods of the path, or `None` if there is no such path.
pub(crate) fn from_poem(error: &poem::Error, allowed: impl FnOnce() -> Option<String>) -> ApiError {
    use poem::error::{MethodNotAllowedError, NotFoundError, ParsePathError as RoutePathError};
    use poem_openapi::error::{ContentTypeError, ParseParamError, ParsePathError};
    if error.is::<NotFoundError>() || error.is::<ParsePathError>() || error.is::<RoutePathError>() {
        // No object has a malformed id.
        ApiError::Domain(Error::NOT_FOUND)
    } else if error.is::<MethodNotAllowedError>() || error.status() == StatusCode::METHOD_NOT_ALLOWED {
        allowed().map_or(ApiError::Domain(Error::NOT_FOUND), ApiError::MethodNotAllowed)
    } else if error.is::<ContentTypeError>() {
        ApiError::UnsupportedMediaType
    } else if let Some(parameter) = error.downcast_ref::<ParseParamError>() {
        // The detail of a `FieldProblem` follows the name of the type.
        let reason = parameter.reason.split_once("\": ").map(|(_, detail)| detail);
        // The framework appends the type that it was parsing.
        let reason = reason.map(|detail| detail.split_once(" (occurred while").map_or(detail, |(detail, _)| detail));
        let detail = reason.filter(|detail| detail.starts_with("must "));
        let detail = detail.unwrap_or("must be a number from 1 to 100");
        ApiError::Domain(Error::invalid(format!("/{}", parameter.name), "invalid", detail))
    } else if error.status() == StatusCode::NOT_FOUND {
        ApiError::Domain(Error::NOT_FOUND)
    } else if error.status().is_client_error() {
        ApiError::Malformed("The request cannot be parsed.")
    } else {
        ApiError::Domain(Error::Internal(error.to_string()))
    }
}
