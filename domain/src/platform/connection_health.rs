//! Which pooled connections can be trusted after one of them was lost.

use std::{
    io,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use sea_orm::{
    SqlxError,
    sqlx::{Connection, PgConnection},
};
use tokio::time::{Instant, timeout};

/// A connection that was used within this time is reused without a liveness check, which costs one round trip. The time is
/// so short that only busy connections skip the check.
const LIVENESS_CHECK_AFTER: Duration = Duration::from_millis(100);
/// How long a liveness check may take.
const PING_TIMEOUT: Duration = Duration::from_secs(1);
/// For how long after a loss every connection that returns to the pool is checked.
const SUSPECT_PERIOD: Duration = Duration::from_secs(300);

/// When a connection of one pool was last lost. Each pool has its own.
#[derive(Default)]
pub(super) struct ConnectionHealth(Mutex<Option<Instant>>);

/// What to do with a pooled connection before it is used.
#[derive(Debug, PartialEq, Eq)]
enum Trust {
    /// Use it: it was used a moment ago.
    Use,
    /// Check it: it has been idle for a while.
    Check,
    /// Discard it: it was idle when another connection was lost, so it is probably lost too.
    Discard,
}

impl ConnectionHealth {
    /// Records that a connection was lost or did not answer. Connections that are idle now are not used again.
    pub(super) fn mark_connection_lost(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Returns whether an idle connection may be used. Checks it if necessary.
    ///
    /// # Errors
    /// If the check fails; the pool then closes the connection.
    pub(super) async fn before_acquire(
        &self,
        connection: &mut PgConnection,
        idle_for: Duration,
    ) -> Result<bool, SqlxError> {
        match trust(idle_for, self.since_loss()) {
            Trust::Use => Ok(true),
            Trust::Discard => Ok(false),
            Trust::Check => ping(connection).await.map(|()| true).inspect_err(|_| self.mark_connection_lost()),
        }
    }

    /// Returns whether a connection may return to the pool. After a loss it is checked: a statement that was cancelled on a
    /// dead connection would otherwise block the next user for as long as the system waits for a lost peer.
    ///
    /// # Errors
    /// If the check fails; the pool then closes the connection.
    pub(super) async fn after_release(&self, connection: &mut PgConnection) -> Result<bool, SqlxError> {
        if self.since_loss().is_some_and(|since| since < SUSPECT_PERIOD) {
            ping(connection).await?;
        }
        Ok(true)
    }

    fn since_loss(&self) -> Option<Duration> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).map(|lost_at| lost_at.elapsed())
    }
}

fn trust(idle_for: Duration, since_loss: Option<Duration>) -> Trust {
    match since_loss {
        Some(since) if idle_for >= since => Trust::Discard,
        _ if idle_for < LIVENESS_CHECK_AFTER => Trust::Use,
        _ => Trust::Check,
    }
}

async fn ping(connection: &mut PgConnection) -> Result<(), SqlxError> {
    let timed_out = |_| Err(SqlxError::Io(io::ErrorKind::TimedOut.into()));
    timeout(PING_TIMEOUT, connection.ping()).await.unwrap_or_else(timed_out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_connections_are_checked_and_discarded_after_a_loss() {
        let (long, short) = (LIVENESS_CHECK_AFTER, LIVENESS_CHECK_AFTER / 2);
        assert_eq!(trust(short, None), Trust::Use);
        assert_eq!(trust(long, None), Trust::Check);
        assert_eq!(trust(short, Some(long)), Trust::Use);
        assert_eq!(trust(long, Some(2 * long)), Trust::Check);
        for idle_for in [short, long, 60 * long] {
            assert_eq!(trust(idle_for, Some(short)), Trust::Discard);
        }
    }

    #[test]
    fn a_loss_in_one_pool_says_nothing_about_another() {
        let (lost, other) = (ConnectionHealth::default(), ConnectionHealth::default());
        lost.mark_connection_lost();
        assert!(lost.since_loss().is_some());
        assert_eq!(other.since_loss(), None);
    }
}
