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
            SqlxError::Database(error) => match &*error.code()? {
                // Serialization failure and deadlock; SQLite BUSY, LOCKED, BUSY_RECOVERY and BUSY_SNAPSHOT.
                "40001" | "40P01" | "5" | "6" | "261" | "517" => Some(Self::Contention),
                // Admin shutdown, crash shutdown and idle session timeout end the connection; 08003 and 08006 come from
                // poolers.
                "57P01" | "57P02" | "57P05" | "08003" | "08006" => Some(Self::ConnectionLost),
                // Read-only; SQLite READONLY and FULL.
                "25006" | "8" | "13" => Some(Self::Outage),
                // Classes: connection exception, transaction rollback, insufficient resources, object not in
                // prerequisite state, operator intervention.
                code if code.len() == 5 && ["08", "40", "53", "55", "57"].contains(&&code[..2]) => Some(Self::Outage),
                _ => None,
            },
            SqlxError::Io(_) => Some(Self::ConnectionLost),
            SqlxError::PoolTimedOut | SqlxError::PoolClosed => Some(Self::Outage),
            _ => None,
        }
    }
}
