//! The status of every failure of the API, and its problem document (RFC 9457).
//!
//! No other file of the API contains the status number of a failure. The internal listener has its own: `internal.rs`.

use poem::{
    Body, Response,
    http::{HeaderName, HeaderValue, StatusCode, header},
};
use poem_openapi::{
    ApiResponse, Object,
    registry::{MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry},
    types::{ToJSON, Type},
};
use portico_domain::platform::error::{Error, RateLimited};
use tracing::error;
use uuid::Uuid;

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
        match self {
            Self::CsrfRejected(_) => StatusCode::FORBIDDEN,
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::BodyTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::UriTooLong => StatusCode::URI_TOO_LONG,
            Self::HeadersTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Domain(error) => match error {
                Error::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
                Error::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
                Error::Forbidden(_) => StatusCode::FORBIDDEN,
                Error::NotFound(_) => StatusCode::NOT_FOUND,
                Error::Conflict(_) | Error::ConflictBecause(_) => StatusCode::CONFLICT,
                Error::Gone(_) => StatusCode::GONE,
                Error::RateLimited(_) => StatusCode::TOO_MANY_REQUESTS,
                Error::Overloaded | Error::Unavailable(_) | Error::Aborted(_) => StatusCode::SERVICE_UNAVAILABLE,
                Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
            },
        }
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
            _ => format!("{}.", title(self.code())),
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
        let problem = Problem {
            r#type: format!("urn:portico:{}", self.code()),
            title: title(self.code()).into(),
            status: status.as_u16(),
            detail: self.detail(),
            code: self.code().into(),
            request_id,
            retry_after,
        };
        let mut json = problem.to_json();
        if let (Self::Domain(Error::Invalid(fields)), Some(serde_json::Value::Object(body))) = (&self, &mut json) {
            let fields: Vec<_> = fields
                .iter()
                .map(|field| InvalidField {
                    pointer: field.pointer.clone(),
                    code: field.problem.code.into(),
                    detail: field.problem.detail.clone(),
                })
                .collect();
            body.insert("errors".into(), fields.to_json().unwrap_or_default());
        }
        let mut response = Response::builder()
            .status(status)
            .content_type(PROBLEM_JSON)
            .body(Body::from_string(json.unwrap_or_default().to_string()));
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

/// Returns what a code means, for people. The same for every occurrence of the code.
fn title(code: &str) -> &'static str {
    match code {
        "validation_failed" => "Some values are invalid",
        "unauthenticated" => "Authentication required",
        "invalid_credentials" => "Wrong email address or password",
        "invalid_code" => "The code is invalid",
        "session_expired" => "The session has expired",
        "session_revoked" => "The session was revoked",
        "forbidden" => "Permission denied",
        "csrf_rejected" => "Cross-site request rejected",
        "step_up_required" => "A fresh sign-in is required",
        "client_suspended" => "The client is archived or its tenant is suspended",
        "not_found" => "Not found",
        "token_unknown" => "Unknown link",
        "token_expired" => "The link has expired",
        "token_used" => "The link was already used",
        "token_revoked" => "The link was revoked or replaced",
        "portal_user_exists" => "The address was already invited to this client",
        "already_activated" => "The user has already joined the client",
        "last_owner" => "The tenant needs an owner",
        "wrong_account" => "The link belongs to another user",
        "last_admin" => "The client would have no administrator",
        "idempotency_mismatch" => "The idempotency key was used with another body",
        "conflict" => "Conflicts with existing data",
        "too_many_requests" => "Too many requests",
        "overloaded" => "The server is overloaded",
        "unavailable" => "Temporarily unavailable",
        "malformed_request" => "The request cannot be parsed",
        "body_too_large" => "The request body is too large",
        "request_timeout" => "The request body did not arrive in time",
        "uri_too_long" => "The URI is too long",
        "headers_too_large" => "The request headers are too large",
        "unsupported_media_type" => "Unsupported media type",
        "method_not_allowed" => "Method not allowed",
        _ => "Internal server error",
    }
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

/// The description of the response 413 of an operation with a large body.
pub(super) const LARGE_BODY_DESCRIPTION: &str = "`body_too_large`: the body is larger than 2 MiB.";

/// The media type of problems (RFC 9457 §3).
const PROBLEM_JSON: &str = "application/problem+json; charset=utf-8";

/// Why a request failed (RFC 9457).
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct Problem {
    /// `urn:portico:` and the code.
    r#type: String,
    /// What the code means. It is the same for every occurrence.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What went wrong this time.
    detail: String,
    /// The code for programs. It never changes.
    code: String,
    /// The id of the request in the server's logs.
    request_id: Uuid,
    /// The time to wait before a retry, in seconds. Present with the statuses 429 and 503.
    retry_after: Option<u64>,
}

/// Why a request failed: some of its fields are not valid.
#[derive(Object)]
struct ValidationProblem {
    /// `urn:portico:validation_failed`.
    r#type: String,
    /// What the code means.
    title: String,
    /// 422.
    status: u16,
    /// What went wrong this time.
    detail: String,
    /// `validation_failed`.
    code: String,
    /// The id of the request in the server's logs.
    request_id: Uuid,
    /// Every field that is not valid.
    errors: Vec<InvalidField>,
}

/// A field that is not valid.
#[derive(Object)]
pub(crate) struct InvalidField {
    /// The field, as a JSON pointer (RFC 6901).
    pub(crate) pointer: String,
    /// The code for programs. It never changes.
    pub(crate) code: String,
    /// What is wrong, as a clause that follows the name of the field.
    pub(crate) detail: String,
}

/// The statuses of failures that only some operations have. An operation names them in its return type, together with
/// the [`limit`] that it declares. Every operation has the other statuses.
pub(crate) mod status {
    /// 415: the operation takes a body.
    pub(crate) const UNSUPPORTED_MEDIA_TYPE: u16 = 1;
    /// 401.
    pub(crate) const UNAUTHORIZED: u16 = 1 << 1;
    /// 404.
    pub(crate) const NOT_FOUND: u16 = 1 << 2;
    /// 409.
    pub(crate) const CONFLICT: u16 = 1 << 3;
    /// 410.
    pub(crate) const GONE: u16 = 1 << 4;
    /// 413 beyond 2 MiB and not beyond 64 KiB.
    pub(crate) const LARGE_BODY: u16 = 1 << 6;
    /// No 422: the operation ignores its query and takes no body.
    pub(crate) const IGNORES_QUERY: u16 = 1 << 5;
}

/// The rate limits against guessing that an operation can declare in its return type. The middleware charges a declared
/// limit before the handler runs.
pub(crate) mod limit {
    use portico_domain::{limits, platform::rate_limit::Limit};

    /// [`limits::SIGN_IN_RATE`]: the operation takes a password.
    pub(crate) const SIGN_IN_RATE: u16 = 1 << 8;
    /// [`limits::TOKEN_NETWORK`]: the operation takes a link token or a code.
    pub(crate) const TOKEN_NETWORK: u16 = 1 << 9;

    /// A limit as the document describes it.
    pub(crate) struct Documented {
        /// The bit in the return type.
        pub(super) bit: u16,
        /// The limit. Its scope is the process.
        pub(crate) limit: &'static Limit,
        /// The description of the response 429.
        pub(crate) description: &'static str,
    }

    /// Every limit that an operation can declare.
    pub(crate) const DOCUMENTED: [Documented; 2] = [
        Documented {
            bit: SIGN_IN_RATE,
            limit: &limits::SIGN_IN_RATE,
            description: "`too_many_requests`: retry after `Retry-After` seconds. Requests are limited per network by \
                          `requests` and `sign_in_rate`.",
        },
        Documented {
            bit: TOKEN_NETWORK,
            limit: &limits::TOKEN_NETWORK,
            description: "`too_many_requests`: retry after `Retry-After` seconds. Requests are limited per network by \
                          `requests`, and link tokens and codes that are not valid by `token_network`.",
        },
    ];

    /// The description of the response 429 of an operation that declares no limit.
    pub(super) const DESCRIPTION: &str =
        "`too_many_requests`: retry after `Retry-After` seconds. Requests are limited per network by `requests`.";
}

/// The failure of an operation. `RESPONSES` combines bits of [`status`] and [`limit`], so that the document lists every
/// response of the operation.
pub(crate) struct Failure<const RESPONSES: u16>(ApiError);

/// The result of every handler.
pub(crate) type ApiResult<T, const RESPONSES: u16> = Result<T, Failure<RESPONSES>>;

impl<E: Into<ApiError>, const RESPONSES: u16> From<E> for Failure<RESPONSES> {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl<const RESPONSES: u16> From<Failure<RESPONSES>> for poem::Error {
    fn from(Failure(failure): Failure<RESPONSES>) -> Self {
        failure.into()
    }
}

impl<const RESPONSES: u16> ApiResponse for Failure<RESPONSES> {
    fn meta() -> MetaResponses {
        // The document names one limit, so an operation declares at most one.
        const { assert!((RESPONSES >> 8).count_ones() <= 1) };
        let declared = limit::DOCUMENTED.iter().find(|documented| RESPONSES & documented.bit != 0);
        let all = [
            (400, true, "`malformed_request`: the request cannot be parsed."),
            (
                401,
                RESPONSES & status::UNAUTHORIZED != 0,
                "`unauthenticated`: the credential is missing, invalid or expired; `invalid_credentials`; \
                 `invalid_code`; `session_expired`; `session_revoked`.",
            ),
            (
                403,
                true,
                "The request is not allowed: `csrf_rejected`, `forbidden`, `client_suspended`, `step_up_required`.",
            ),
            (
                404,
                RESPONSES & status::NOT_FOUND != 0,
                "`not_found`: the object does not exist, or not for this caller; `token_unknown`: the link is unknown.",
            ),
            (408, true, "`request_timeout`: the body did not arrive within 15 seconds."),
            (
                409,
                RESPONSES & status::CONFLICT != 0,
                "`portal_user_exists`, `already_activated`, `wrong_account`, `last_admin`, `last_owner`, \
                 `idempotency_mismatch`, or `conflict` with existing data.",
            ),
            (410, RESPONSES & status::GONE != 0, "No longer valid: `token_expired`, `token_used`, `token_revoked`."),
            (413, RESPONSES & status::LARGE_BODY == 0, "`body_too_large`: the body is larger than 64 KiB."),
            (413, RESPONSES & status::LARGE_BODY != 0, LARGE_BODY_DESCRIPTION),
            (414, true, "`uri_too_long`: the URI is longer than 8 KiB."),
            (
                415,
                RESPONSES & status::UNSUPPORTED_MEDIA_TYPE != 0,
                "`unsupported_media_type`: the content type is not one of this operation, or the body is compressed.",
            ),
            // All other operations refuse unknown query parameters.
            (422, RESPONSES & status::IGNORES_QUERY == 0, "`validation_failed`: `errors` names every invalid field."),
            (429, true, declared.map_or(limit::DESCRIPTION, |documented| documented.description)),
            (431, true, "`headers_too_large`: the headers are larger than 16 KiB in total."),
            (503, true, "`overloaded` or `unavailable`: retry after `Retry-After` seconds."),
        ];
        let responses = all.into_iter().filter(|(_, is_possible, _)| *is_possible);
        MetaResponses { responses: responses.map(|(status, _, description)| problem(status, description)).collect() }
    }

    fn register(registry: &mut Registry) {
        Problem::register(registry);
        ValidationProblem::register(registry);
    }
}

fn problem(status: u16, description: &'static str) -> MetaResponse {
    let schema = if status == 422 { ValidationProblem::schema_ref() } else { Problem::schema_ref() };
    let retry_after = MetaHeader {
        name: "Retry-After".into(),
        description: Some("The time to wait before a retry, in seconds.".into()),
        required: true,
        deprecated: false,
        schema: MetaSchemaRef::Inline(Box::new(MetaSchema::new("integer"))),
    };
    MetaResponse {
        description,
        status: Some(status),
        status_range: None,
        content: vec![MetaMediaType { content_type: PROBLEM_JSON, schema }],
        headers: if status == 429 || status == 503 { vec![retry_after] } else { vec![] },
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
        let detail = detail.unwrap_or(match parameter.name {
            "limit" => "must be a number from 1 to 100",
            _ => "must have one of the allowed values",
        });
        ApiError::Domain(Error::invalid(format!("/{}", parameter.name), "invalid", detail))
    } else if error.status() == StatusCode::NOT_FOUND {
        ApiError::Domain(Error::NOT_FOUND)
    } else if error.status().is_client_error() {
        ApiError::Malformed("The request cannot be parsed.")
    } else {
        ApiError::Domain(Error::Internal(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use portico_domain::platform::rate_limit::Scope;

    use super::*;

    #[test]
    fn declared_limits_are_counted_by_the_process() {
        assert!(limit::DOCUMENTED.iter().all(|documented| documented.limit.scope == Scope::Process));
    }

    #[test]
    fn every_documented_code_has_a_title() {
        let page = include_str!("../../../docs/api-design.md");
        let (_, table) = page.split_once("| code |").unwrap();
        let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
        let codes: Vec<&str> =
            rows.flat_map(|row| row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2)).collect();
        assert!(codes.len() > 25, "{codes:?}");
        let untitled: Vec<_> = codes.into_iter().filter(|code| title(code) == title("internal")).collect();
        assert!(untitled.is_empty() || untitled == ["internal"], "no title for {untitled:?}");
    }
}
