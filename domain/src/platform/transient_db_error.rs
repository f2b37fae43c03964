//! Which database errors are transient.

use sea_orm::{DbErr, RuntimeErr, SqlxError};

/// A database error after which the same statement may succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TransientDbError {
    /// The transaction was aborted in favor of another one.
    Contention,
    /// The connection is lost. Another connection may work.
    ConnectionLost,
    /// The database does not work now.
    Outage,
}

impl TransientDbError {
    /// Classifies `error`. Returns `None` if the same statement would fail again.
    ///
    /// Source: PostgreSQL Appendix A (SQLSTATE) and SQLite's result codes.
    pub(super) fn of(error: &DbErr) -> Option<Self> {
        if let DbErr::ConnectionAcquire(_) | DbErr::Conn(_) = error {
            return Some(Self::Outage);
        }
        let (DbErr::Exec(error) | DbErr::Query(error)) = error else { return None };
        let RuntimeErr::SqlxError(error) = error else { return None };
        match &**error {
            SqlxError::Database(error) => Self::of_code(&error.code()?),
            SqlxError::Io(_) => Some(Self::ConnectionLost),
            SqlxError::PoolTimedOut | SqlxError::PoolClosed => Some(Self::Outage),
            _ => None,
        }
    }

    /// Returns whether a failure to open a database may end without a change of the configuration. Wrong credentials, a
    /// missing database and a certificate that is not trusted do not end.
    pub(super) fn is_outage(error: &DbErr) -> bool {
        let DbErr::Conn(RuntimeErr::SqlxError(error)) = error else { return Self::of(error).is_some() };
        match &**error {
            SqlxError::Database(error) if is_refused_by_pooler(error.message()) => false,
            SqlxError::Database(error) => error.code().is_some_and(|code| Self::of_code(&code).is_some()),
            SqlxError::Io(_) | SqlxError::PoolTimedOut => true,
            _ => false,
        }
    }

    fn of_code(code: &str) -> Option<Self> {
        match code {
            // Serialization failure and deadlock; SQLite BUSY, LOCKED, BUSY_RECOVERY and BUSY_SNAPSHOT.
            "40001" | "40P01" | "5" | "6" | "261" | "517" => Some(Self::Contention),
            // The server shuts down, starts, or dropped the database, or the session was idle for too long.
            "57P01" | "57P02" | "57P03" | "57P04" | "57P05" => Some(Self::ConnectionLost),
            // Read-only: the server was the primary and is now a standby. Another server is or becomes the primary.
            "25006" => Some(Self::ConnectionLost),
            // Class: connection exception. Poolers send these codes when they have lost the server.
            code if code.len() == 5 && code.starts_with("08") => Some(Self::ConnectionLost),
            // SQLite READONLY and FULL.
            "8" | "13" => Some(Self::Outage),
            // Classes: transaction rollback, insufficient resources, object not in prerequisite state, operator
            // intervention.
            code if code.len() == 5 && ["40", "53", "55", "57"].contains(&&code[..2]) => Some(Self::Outage),
            _ => None,
        }
    }
}

/// What the message of a pooler contains if the credentials are wrong.
pub(super) const AUTHENTICATION_FAILED: &str = "authentication failed";

/// Returns whether a pooler says with this message that the user, the password or the database is wrong. PgBouncer
/// gives all its messages the code 08P01, which also means that the connection is lost.
fn is_refused_by_pooler(message: &str) -> bool {
    [AUTHENTICATION_FAILED, "no such database", "no such user", "does not exist"]
        .iter()
        .any(|text| message.contains(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pooler_refuses_for_good_is_told_by_its_message() {
        for message in [
            "password authentication failed",
            "SASL authentication failed",
            "no such database: zzz",
            "no such user: zzz",
            "server login failed: FATAL database \"zzz\" does not exist",
        ] {
            assert!(is_refused_by_pooler(message), "{message}");
        }
        for message in ["server login failed: FATAL the database system is starting up", "query_wait_timeout", ""] {
            assert!(!is_refused_by_pooler(message), "{message}");
        }
    }

    #[test]
    fn a_connection_to_a_server_that_stops_or_became_read_only_is_lost() {
        for code in ["25006", "57P01", "57P02", "57P03", "57P04", "08006", "08P01"] {
            assert_eq!(TransientDbError::of_code(code), Some(TransientDbError::ConnectionLost), "{code}");
        }
        // No room, and no permission.
        assert_eq!(TransientDbError::of_code("53100"), Some(TransientDbError::Outage));
        assert_eq!(TransientDbError::of_code("42501"), None);
    }
}
