//! Every way in which a use case can fail. `api/src/error.rs` gives each its status.

use sea_orm::{DbErr, SqlErr};

use crate::{database, metrics, rate_limit::Policy};

/// Why a use case did not happen. Nothing was changed, except that an attempt may have been counted.
#[derive(Clone, Debug)]
pub enum Error {
    /// Fields are wrong; each is named.
    Invalid(Vec<FieldError>),
    /// No credential, or a bad or expired one.
    Unauthenticated(&'static str),
    /// The caller is known and may not.
    Forbidden(&'static str),
    /// There is no such thing, or not for this caller.
    NotFound(&'static str),
    /// It clashes with what is already there.
    Conflict(&'static str),
    /// It was there, and is over.
    Gone(&'static str),
    /// Too often.
    RateLimited {
        /// Which limit was reached.
        policy: Policy,
        /// Seconds until one more attempt is allowed; at least 1.
        retry_after: u64,
    },
    /// The server is too busy to try; nothing was looked at.
    Overloaded,
    /// The database cannot be reached just now.
    Unavailable(String),
    /// It broke off, and no transaction of it was committed: it gave way to another, or its connection was cut. It may succeed
    /// at once if run again. A single statement whose answer was lost may have happened: an attempt may count twice.
    Aborted(String),
    /// A fault of ours. The text is for the log alone.
    Internal(String),
}

/// A field that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// Where it stands, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// What is wrong with it.
    pub problem: FieldProblem,
}

/// What is wrong with a value. Never contains the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldProblem {
    /// Stable, for programs.
    pub code: &'static str,
    /// A clause for people that follows the field's name: "must …".
    pub detail: String,
}

impl FieldProblem {
    /// A problem of this code, told in these words.
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }

    /// The problem, found at `pointer`.
    pub fn at(self, pointer: impl Into<String>) -> FieldError {
        FieldError { pointer: pointer.into(), problem: self }
    }
}

/// What every use case returns.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// No, bad or expired credential.
    pub const UNAUTHENTICATED: Self = Self::Unauthenticated("unauthenticated");
    /// Wrong address or password, or one that does not count here.
    pub const INVALID_CREDENTIALS: Self = Self::Unauthenticated("invalid_credentials");
    /// Wrong, used or dead code.
    pub const INVALID_CODE: Self = Self::Unauthenticated("invalid_code");
    /// The session has reached its own end.
    pub const SESSION_EXPIRED: Self = Self::Unauthenticated("session_expired");
    /// Somebody ended the session.
    pub const SESSION_REVOKED: Self = Self::Unauthenticated("session_revoked");
    /// Nothing here, or nothing for this caller.
    pub const NOT_FOUND: Self = Self::NotFound("not_found");
    /// No link has this secret.
    pub const TOKEN_UNKNOWN: Self = Self::NotFound("token_unknown");
    /// The link is too old.
    pub const TOKEN_EXPIRED: Self = Self::Gone("token_expired");
    /// The link has done its work.
    pub const TOKEN_USED: Self = Self::Gone("token_used");
    /// The link was replaced or withdrawn.
    pub const TOKEN_REVOKED: Self = Self::Gone("token_revoked");
    /// Somebody else was faster.
    pub const CONFLICT: Self = Self::Conflict("conflict");

    /// One field is wrong.
    pub fn invalid(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldProblem::new(code, detail).at(pointer)])
    }

    /// The stable code that clients decide by.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "validation_failed",
            Self::Unauthenticated(code)
            | Self::Forbidden(code)
            | Self::NotFound(code)
            | Self::Conflict(code)
            | Self::Gone(code) => code,
            Self::RateLimited { .. } => "too_many_requests",
            Self::Overloaded => "overloaded",
            Self::Unavailable(_) | Self::Aborted(_) => "unavailable",
            Self::Internal(_) => "internal",
        }
    }

    /// Whether it could not even be tried: the same request may succeed in a moment.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Overloaded | Self::Unavailable(_) | Self::Aborted(_))
    }

    /// Whether an insert failed because a unique value was taken.
    pub(crate) fn is_unique_violation(error: &DbErr) -> bool {
        matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
    }
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        if Self::is_unique_violation(&error) {
            return Self::CONFLICT;
        }
        if matches!(error, DbErr::ConnectionAcquire(_)) {
            metrics::acquire_failed();
        }
        match error {
            // The database's own words may quote values, so they stop at the log.
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => Self::Unavailable(error.to_string()),
            _ => match transient_db_error(&error) {
                Some(TransientDbError::Contention) => Self::Aborted(error.to_string()),
                Some(TransientDbError::ConnectionLost) => {
                    database::mark_connection_lost();
                    Self::Aborted(error.to_string())
                }
                Some(TransientDbError::Outage) => Self::Unavailable(error.to_string()),
                None => Self::Internal(error.to_string()),
            },
        }
    }
}

/// What may pass by itself.
enum TransientDbError {
    /// Others wanted the same rows, and this transaction was the one to give way.
    Contention,
    /// The connection is gone; another may work.
    ConnectionLost,
    /// The database does not work just now.
    Outage,
}

fn transient_db_error(error: &DbErr) -> Option<TransientDbError> {
    let (DbErr::Exec(error) | DbErr::Query(error)) = error else { return None };
    let sea_orm::RuntimeErr::SqlxError(error) = error else { return None };
    match &**error {
        sea_orm::SqlxError::Database(error) => match &*error.code()? {
            // Serialization failure and deadlock; SQLite BUSY, LOCKED, BUSY_RECOVERY and BUSY_SNAPSHOT.
            "40001" | "40P01" | "5" | "6" | "261" | "517" => Some(TransientDbError::Contention),
            // Admin and crash shutdown, idle session timeout: the last words on a connection; and what a pooler says of its own.
            "57P01" | "57P02" | "57P05" | "08003" | "08006" => Some(TransientDbError::ConnectionLost),
            // Read-only; SQLite READONLY and FULL.
            "25006" | "8" | "13" => Some(TransientDbError::Outage),
            // SQLSTATE classes: connection, rollback, resources, not in the right state, operator intervention.
            code if code.len() == 5 && ["08", "40", "53", "55", "57"].contains(&&code[..2]) => {
                Some(TransientDbError::Outage)
            }
            _ => None,
        },
        sea_orm::SqlxError::Io(_) => Some(TransientDbError::ConnectionLost),
        sea_orm::SqlxError::PoolTimedOut | sea_orm::SqlxError::PoolClosed => Some(TransientDbError::Outage),
        _ => None,
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unavailable(why) | Self::Aborted(why) | Self::Internal(why) => {
                write!(f, "{}: {why}", self.code())
            }
            _ => f.write_str(self.code()),
        }
    }
}

impl std::error::Error for Error {}
