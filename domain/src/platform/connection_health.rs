//! Which pooled connections can be trusted after one of them was lost.

use std::{
    io,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use sea_orm::{
    SqlxError,
    sqlx::{Executor, PgConnection, Row},
};
use tokio::time::{Instant, sleep, timeout};
use tracing::warn;

/// How long a connection must be idle before it is checked. The check takes one round trip. Connections that were used
/// less than 100 ms ago are not checked; these are the busy ones.
const LIVENESS_CHECK_AFTER: Duration = Duration::from_millis(100);
/// How long busy connections are used after the last check of any connection. Without this limit, a busy pool would go
/// on reading from a server that has become read-only, until it writes.
const RECHECK_INTERVAL: Duration = Duration::from_secs(1);
/// How long a check of a connection may take.
const CHECK_TIMEOUT: Duration = Duration::from_secs(1);
/// How long to wait after a new connection has led to a read-only server, before the pool opens another one.
const READ_ONLY_PAUSE: Duration = Duration::from_millis(500);
/// For how long after a loss every connection that returns to the pool is checked.
const SUSPECT_PERIOD: Duration = Duration::from_secs(300);

/// When a connection of one pool was last lost, and when one was last checked. Each pool has its own.
#[derive(Default)]
pub(super) struct ConnectionHealth {
    lost_at: Mutex<Option<Instant>>,
    checked_at: Mutex<Option<Instant>>,
}

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
        set_to_now(&self.lost_at);
    }

    /// Checks that a new connection leads to a server that can be written. During a fail-over it may still lead to the
    /// old primary, or to a standby, whose data is not current.
    ///
    /// # Errors
    /// If the server is read-only or the check fails; the pool then closes the connection and opens another one.
    pub(super) async fn after_connect(&self, connection: &mut PgConnection) -> Result<(), SqlxError> {
        if is_writable(connection).await? {
            return Ok(());
        }
        sleep(READ_ONLY_PAUSE).await;
        Err(SqlxError::Io(io::Error::other("the database server is read-only; waiting for one that can be written")))
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
        match decide(idle_for, self.since_loss(), elapsed(&self.checked_at)) {
            PoolDecision::Use => Ok(true),
            PoolDecision::Discard => Ok(false),
            PoolDecision::Check => self.check(connection).await,
        }
    }

    /// Returns whether a connection may return to the pool. After a loss it is checked: it may lead to a server that
    /// has become read-only, and a statement that was cancelled on a lost connection would otherwise block the next
    /// user until the operating system reports the loss.
    ///
    /// # Errors
    /// If the check fails; the pool then closes the connection.
    pub(super) async fn after_release(&self, connection: &mut PgConnection) -> Result<bool, SqlxError> {
        match self.since_loss() {
            Some(since) if since < SUSPECT_PERIOD => is_writable(connection).await,
            _ => Ok(true),
        }
    }

    async fn check(&self, connection: &mut PgConnection) -> Result<bool, SqlxError> {
        set_to_now(&self.checked_at);
        let checked = is_writable(connection).await;
        if let Ok(false) = checked {
            warn!("the database server has become read-only; its connections are closed");
        }
        if !matches!(checked, Ok(true)) {
            self.mark_connection_lost();
        }
        checked
    }

    fn since_loss(&self) -> Option<Duration> {
        elapsed(&self.lost_at)
    }
}

fn set_to_now(time: &Mutex<Option<Instant>>) {
    *time.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
}

fn elapsed(time: &Mutex<Option<Instant>>) -> Option<Duration> {
    time.lock().unwrap_or_else(PoisonError::into_inner).map(|time| time.elapsed())
}

/// Decides what to do with a connection that was idle for `idle_for`, if the last loss was `since_loss` ago and the
/// last check of any connection `since_check` ago.
fn decide(idle_for: Duration, since_loss: Option<Duration>, since_check: Option<Duration>) -> PoolDecision {
    match since_loss {
        Some(since) if idle_for >= since => return PoolDecision::Discard,
        _ => {}
    }
    let is_recent = since_check.is_some_and(|since| since < RECHECK_INTERVAL);
    if is_recent && idle_for < LIVENESS_CHECK_AFTER { PoolDecision::Use } else { PoolDecision::Check }
}

/// Asks the server whether transactions may write. Writes nothing, and takes one round trip as a ping does.
async fn is_writable(connection: &mut PgConnection) -> Result<bool, SqlxError> {
    let timed_out = |_| Err(SqlxError::Io(io::ErrorKind::TimedOut.into()));
    let row = connection.fetch_one("SHOW transaction_read_only");
    let read_only: String = timeout(CHECK_TIMEOUT, row).await.unwrap_or_else(timed_out)?.try_get(0)?;
    Ok(read_only == "off")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_connections_are_checked_and_discarded_after_a_loss() {
        let (long, short) = (LIVENESS_CHECK_AFTER, LIVENESS_CHECK_AFTER / 2);
        let checked = Some(short);
        assert_eq!(decide(short, None, checked), PoolDecision::Use);
        assert_eq!(decide(long, None, checked), PoolDecision::Check);
        assert_eq!(decide(short, Some(long), checked), PoolDecision::Use);
        assert_eq!(decide(long, Some(2 * long), checked), PoolDecision::Check);
        for idle_for in [short, long, 60 * long] {
            assert_eq!(decide(idle_for, Some(short), checked), PoolDecision::Discard);
        }
    }

    #[test]
    fn a_busy_connection_is_checked_once_a_second() {
        let busy = LIVENESS_CHECK_AFTER / 2;
        for since_check in [None, Some(RECHECK_INTERVAL), Some(60 * RECHECK_INTERVAL)] {
            assert_eq!(decide(busy, None, since_check), PoolDecision::Check);
        }
        assert_eq!(decide(busy, None, Some(RECHECK_INTERVAL / 2)), PoolDecision::Use);
    }

    #[test]
    fn a_loss_in_one_pool_says_nothing_about_another() {
        let (lost, other) = (ConnectionHealth::default(), ConnectionHealth::default());
        lost.mark_connection_lost();
        assert!(lost.since_loss().is_some());
        assert_eq!(other.since_loss(), None);
    }
}
