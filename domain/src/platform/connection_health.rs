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

/// How long a connection must be idle before it is checked. The check takes one round trip. Connections that were used
/// less than 100 ms ago are not checked; these are the busy ones.
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
enum PoolDecision {
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
        match decide(idle_for, self.since_loss()) {
            PoolDecision::Use => Ok(true),
            PoolDecision::Discard => Ok(false),
            PoolDecision::Check => ping(connection).await.map(|()| true).inspect_err(|_| self.mark_connection_lost()),
        }
    }

    /// Returns whether a connection may return to the pool. After a loss it is checked: a statement that was cancelled
    /// on a lost connection would otherwise block the next user until the operating system reports the loss.
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

/// Decides what to do with a connection that was idle for `idle_for`, if the last loss was `since_loss` ago.
fn decide(idle_for: Duration, since_loss: Option<Duration>) -> PoolDecision {
    match since_loss {
        Some(since) if idle_for >= since => PoolDecision::Discard,
        _ if idle_for < LIVENESS_CHECK_AFTER => PoolDecision::Use,
        _ => PoolDecision::Check,
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
        assert_eq!(decide(short, None), PoolDecision::Use);
        assert_eq!(decide(long, None), PoolDecision::Check);
        assert_eq!(decide(short, Some(long)), PoolDecision::Use);
        assert_eq!(decide(long, Some(2 * long)), PoolDecision::Check);
        for idle_for in [short, long, 60 * long] {
            assert_eq!(decide(idle_for, Some(short)), PoolDecision::Discard);
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
