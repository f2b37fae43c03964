//! A connection to Redis that is opened when it is needed, and closed after an error.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use redis::{AsyncConnectionConfig, Client, Cmd, FromRedisValue, RedisError, RedisResult, aio::MultiplexedConnection};

/// The time limit for opening a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Opens a connection on which a command may take `response_timeout`.
///
/// # Errors
/// If Redis cannot be reached in time or refuses the credentials.
pub(crate) async fn connect(client: &Client, response_timeout: Duration) -> RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_response_timeout(Some(response_timeout));
    client.get_multiplexed_async_connection_with_config(&config).await
}

/// A connection that all clones share.
///
/// Every error closes the connection, also an error that the server returns. After a fail-over, a connection to the old
/// primary stays open and answers `READONLY` to every write; a new connection leads to the new primary. redis-rs's
/// `ConnectionManager` reconnects only after an error of the connection itself.
#[derive(Clone)]
pub(crate) struct SharedConnection {
    client: Client,
    response_timeout: Duration,
    open: Arc<Mutex<Option<Open>>>,
}

/// An open connection and the number that tells it from later ones.
#[derive(Clone)]
struct Open(u64, MultiplexedConnection);

impl SharedConnection {
    /// Returns a connection that is not open yet.
    pub(crate) fn new(client: Client, response_timeout: Duration) -> Self {
        Self { client, response_timeout, open: Arc::default() }
    }

    /// Runs `command`, which must be safe to run twice. If it fails on a connection that was open before, runs it again
    /// on a new one, unless the server did not answer in time.
    ///
    /// # Errors
    /// If Redis cannot be reached, does not answer in time, or refuses the command.
    pub(crate) async fn run<T: FromRedisValue>(&self, command: &Cmd) -> RedisResult<T> {
        if let Some(open) = self.current() {
            match self.run_on(open, command).await {
                Err(error) if !error.is_timeout() => {}
                result => return result,
            }
        }
        let connection = connect(&self.client, self.response_timeout).await?;
        self.run_on(self.keep(connection), command).await
    }

    async fn run_on<T: FromRedisValue>(&self, Open(number, mut connection): Open, command: &Cmd) -> RedisResult<T> {
        let result: Result<T, RedisError> = command.query_async(&mut connection).await;
        if result.is_err() {
            self.slot().take_if(|Open(current, _)| *current == number);
        }
        result
    }

    fn current(&self) -> Option<Open> {
        self.slot().clone()
    }

    /// Keeps a new connection for the next commands, and returns it.
    fn keep(&self, connection: MultiplexedConnection) -> Open {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        self.slot().insert(Open(NEXT.fetch_add(1, Ordering::Relaxed), connection)).clone()
    }

    fn slot(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
