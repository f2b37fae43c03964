//! How use cases fail. `api/src/http/error/codes.rs` gives each code its HTTP status.

use std::time::Duration;

use sea_orm::{DbErr, SqlErr};

use super::transient_db_error::TransientDbError;

/// Why a use case failed. Its transaction was rolled back; an attempt may have been counted.
///
/// After [`Unavailable`](Self::Unavailable) from [`Tx::commit`](super::tx::Tx::commit), the transaction may have been
/// committed.
///
/// ```
/// use portico_domain::platform::error::Error;
///
/// assert_eq!(Error::TOKEN_EXPIRED.code(), "token_expired");
/// assert!(!Error::TOKEN_EXPIRED.is_transient());
/// ```
#[derive(Clone, Debug)]
pub enum Error {
    /// Fields of the input are not valid. Every such field is listed.
    Invalid(Vec<FieldError>),
    /// The credential is missing, wrong or expired. Holds the code.
    Unauthenticated(&'static str),
    /// The caller is known but must not do this. Holds the code.
    Forbidden(&'static str),
    /// The object does not exist, or not for this caller. Holds the code.
    NotFound(&'static str),
    /// The input conflicts with existing data. Holds the code.
    Conflict(&'static str),
    /// The input conflicts with existing data, and the code is `conflict`. Holds a sentence that says why.
    ConflictBecause(&'static str),
    /// The object existed but is used, revoked or expired. Holds the code.
    Gone(&'static str),
    /// A rate limit is exhausted.
    RateLimited(RateLimited),
    /// The server is too busy to start the work.
    Overloaded,
    /// The database or another service is not available. The text is for the log only.
    Unavailable(String),
    /// The database aborted the work because of a conflict with other work or a lost connection, before anything was
    /// committed. The same request may succeed if it runs again immediately. The text is for the log only.
    ///
    /// This value is the decision to retry: the HTTP layer runs a request again exactly if its use case returns it.
    /// `ResultExt::not_retryable` turns it into [`Unavailable`](Self::Unavailable).
    ///
    /// If the connection is lost before the result of a single statement arrives, the statement may have been executed:
    /// an attempt may then be counted twice.
    Aborted(String),
    /// An error in Portico. The text is for the log only.
    Internal(String),
}

/// The rate limit that refused a request, as the response describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimited {
    /// The name of the limit, in snake_case.
    pub limit: &'static str,
    /// How many requests the limit allows in a burst.
    pub burst: u32,
    /// The time in which a full burst becomes available again.
    pub window: Duration,
    /// Seconds until one more request is allowed, at least 1.
    pub retry_after: u64,
}

/// A field that is not valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The field, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// What is wrong with it.
    pub problem: FieldProblem,
}

/// What is wrong with a value. Never contains the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldProblem {
    /// A stable code for programs, in snake_case.
    pub code: &'static str,
    /// A clause that follows the name of the field: "must …".
    pub detail: String,
    /// A value that is valid and near to the wrong one, if there is one.
    pub suggestion: Option<String>,
}

impl FieldProblem {
    /// Creates a problem.
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), suggestion: None }
    }

    /// Returns the problem with a valid value that is near to the wrong one.
    pub fn suggest(self, suggestion: String) -> Self {
        Self { suggestion: Some(suggestion), ..self }
    }

    /// Returns the problem as an error of the field at `pointer`.
    pub fn at(self, pointer: impl Into<String>) -> FieldError {
        FieldError { pointer: pointer.into(), problem: self }
    }
}

/// The result of every use case.
pub type Result<T> = std::result::Result<T, Error>;

/// Converts a result whose request must not run again.
pub(crate) trait ResultExt {
    /// Turns [`Error::Aborted`] into [`Error::Unavailable`]: this part of the request must not run again, because an
    /// attempt stays counted.
    #[must_use]
    fn not_retryable(self) -> Self;
}

impl<T> ResultExt for Result<T> {
    fn not_retryable(self) -> Self {
        self.map_err(|error| match error {
            Error::Aborted(reason) => Error::Unavailable(reason),
            error => error,
        })
    }
}

impl Error {
    /// The credential is missing, wrong or expired.
    pub const UNAUTHENTICATED: Self = Self::Unauthenticated("unauthenticated");
    /// The address or the password is wrong, or the account cannot sign in here.
    pub const INVALID_CREDENTIALS: Self = Self::Unauthenticated("invalid_credentials");
    /// The code is wrong, used or expired.
    pub const INVALID_CODE: Self = Self::Unauthenticated("invalid_code");
    /// The session has expired.
    pub const SESSION_EXPIRED: Self = Self::Unauthenticated("session_expired");
    /// The session was revoked.
    pub const SESSION_REVOKED: Self = Self::Unauthenticated("session_revoked");
    /// The tenant requires a second factor, and the user has none.
    pub const MFA_REQUIRED: Self = Self::Forbidden("mfa_required");
    /// The user must prove their identity again.
    pub const STEP_UP_REQUIRED: Self = Self::Forbidden("step_up_required");
    /// The caller does not have the permission.
    pub const FORBIDDEN: Self = Self::Forbidden("forbidden");
    /// The object does not exist, or not for this caller.
    pub const NOT_FOUND: Self = Self::NotFound("not_found");
    /// No link token has this secret.
    pub const TOKEN_UNKNOWN: Self = Self::NotFound("token_unknown");
    /// The link token has expired.
    pub const TOKEN_EXPIRED: Self = Self::Gone("token_expired");
    /// The link token was used.
    pub const TOKEN_USED: Self = Self::Gone("token_used");
    /// The link token was revoked.
    pub const TOKEN_REVOKED: Self = Self::Gone("token_revoked");
    /// The input conflicts with existing data, or the data was changed by another request.
    pub const CONFLICT: Self = Self::Conflict("conflict");

    /// The client would have no active administrator any more.
    pub const LAST_ADMIN: Self = Self::Conflict("last_admin");

    /// Returns the error of one field.
    pub fn invalid(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldProblem::new(code, detail).at(pointer)])
    }

    /// Returns the stable code for programs, in snake_case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "validation_failed",
            Self::Unauthenticated(code)
            | Self::Forbidden(code)
            | Self::NotFound(code)
            | Self::Conflict(code)
            | Self::Gone(code) => code,
            Self::ConflictBecause(_) => "conflict",
            Self::RateLimited(_) => "too_many_requests",
            Self::Overloaded => "overloaded",
            Self::Unavailable(_) | Self::Aborted(_) => "unavailable",
            Self::Internal(_) => "internal",
        }
    }

    /// Returns whether the failure is temporary. The same request may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Overloaded | Self::Unavailable(_) | Self::Aborted(_))
    }

    /// Returns `reason` instead of a conflict without one: the only unique value that the caller has written exists
    /// already.
    pub(crate) fn unique(error: DbErr, reason: &'static str) -> Self {
        match Self::from(error) {
            Self::Conflict("conflict") => Self::ConflictBecause(reason),
            error => error,
        }
    }

    /// Returns whether a statement failed because a unique value exists already.
    pub(crate) fn is_unique_violation(error: &DbErr) -> bool {
        matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
    }
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        if Self::is_unique_violation(&error) {
            return Self::CONFLICT;
        }
        // The text of a database error may quote values, so it goes to the log only.
        let text = error.to_string();
        match TransientDbError::of(&error) {
            Some(TransientDbError::Contention | TransientDbError::ConnectionLost) => Self::Aborted(text),
            Some(TransientDbError::Outage) => Self::Unavailable(text),
            None => Self::Internal(text),
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unavailable(reason) | Self::Aborted(reason) | Self::Internal(reason) => {
                write!(f, "{}: {reason}", self.code())
            }
            _ => f.write_str(self.code()),
        }
    }
}

impl std::error::Error for Error {}
