//! The job queue in Redis: one sorted set for each lane.
//!
//! The score of an id is the time in milliseconds that the id (a UUIDv7) contains. `ZADD NX` adds an id only once.

use std::time::Duration;

use redis::{
    AsyncCommands, AsyncConnectionConfig, Client, RedisError, RedisResult,
    aio::{ConnectionManager, ConnectionManagerConfig, MultiplexedConnection},
};
use tracing::warn;
use uuid::Uuid;

use crate::QueueError;

/// The time limit for opening a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// The time limit for the response to a command, except a blocking pop.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a blocking pop waits for the first id, in seconds.
const POP_WAIT_SECONDS: f64 = 1.0;
/// The time limit for the response to a blocking pop. It is longer than `POP_WAIT_SECONDS`, because the server may be
/// busy when the wait ends.
const POP_RESPONSE_TIMEOUT: Duration = Duration::from_secs(4);

/// A job queue in Redis. Its clones share one connection.
#[derive(Clone)]
pub struct RedisQueue {
    client: Client,
    connection: ConnectionManager,
}

impl From<RedisError> for QueueError {
    /// Keeps the kind and the text of the error. Neither contains the URL, which may contain a password.
    fn from(error: RedisError) -> Self {
        Self(error.to_string())
    }
}

impl RedisQueue {
    /// Creates a queue in the Redis server at `url`. Does not connect yet.
    ///
    /// # Errors
    /// If `url` is not a Redis URL.
    pub(crate) fn new(url: &str) -> RedisResult<Self> {
        let client = Client::open(url)?;
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_max_delay(Duration::from_millis(500))
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT));
        let connection = ConnectionManager::new_lazy_with_config(client.clone(), config)?;
        Ok(Self { client, connection })
    }

    /// Adds `ids` to `lane`. An id that is in the lane already keeps its position.
    ///
    /// # Errors
    /// If Redis cannot be reached, does not answer in time, or refuses the command.
    pub(crate) async fn push(&self, lane: &str, ids: &[Uuid]) -> RedisResult<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let mut command = redis::cmd("ZADD");
        command.arg(key(lane)).arg("NX");
        for id in ids {
            command.arg(milliseconds(id)).arg(id.to_string());
        }
        command.query_async(&mut self.connection.clone()).await
    }

    /// Returns the number of ids in `lane`.
    ///
    /// # Errors
    /// The errors of [`push`](Self::push).
    pub(crate) async fn depth(&self, lane: &str) -> RedisResult<u64> {
        self.connection.clone().zcard(key(lane)).await
    }

    /// Returns a sentence if Redis may evict ids when its memory is full; `None` if it does not, or if Redis refuses
    /// to show its configuration.
    ///
    /// # Errors
    /// If Redis cannot be reached or does not answer in time.
    pub(crate) async fn config_warning(&self) -> RedisResult<Option<String>> {
        let policy: RedisResult<Vec<String>> =
            redis::cmd("CONFIG").arg("GET").arg("maxmemory-policy").query_async(&mut self.connection.clone()).await;
        Ok(match policy {
            // Many hosted Redis services forbid CONFIG. The policy is then unknown, and there is nothing to warn about.
            Err(error) if error.code().is_some() => None,
            Err(error) => return Err(error),
            Ok(reply) => reply.get(1).filter(|policy| *policy != "noeviction").map(|policy| {
                format!(
                    "Redis evicts queued ids under memory pressure (maxmemory-policy {policy}); set it to noeviction"
                )
            }),
        })
    }

    /// Creates a consumer of `lane`, which opens its own connection at the first pop.
    pub(crate) fn consumer(&self, lane: &'static str) -> RedisConsumer {
        RedisConsumer { client: self.client.clone(), lane, connection: None }
    }
}

/// A consumer of one lane. It has its own connection, because a blocking pop blocks every other command of a
/// connection.
pub struct RedisConsumer {
    client: Client,
    lane: &'static str,
    connection: Option<MultiplexedConnection>,
}

impl RedisConsumer {
    /// Removes and returns the oldest ids of the lane, at most `limit`. Waits up to one second for the first id.
    /// Entries that are not ids are removed, logged and left out.
    ///
    /// # Errors
    /// If Redis cannot be reached, does not answer in time, or refuses the command. The next call opens a new
    /// connection.
    pub(crate) async fn pop(&mut self, limit: usize) -> RedisResult<Vec<Uuid>> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let members = pop(&mut connection, &key(self.lane), limit).await?;
        // The connection is kept only after a success: after an error its state is unknown, so the next pop opens a
        // new one.
        self.connection = Some(connection);
        Ok(members.iter().filter_map(|member| parse_id(member, self.lane)).collect())
    }

    async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(POP_RESPONSE_TIMEOUT));
        self.client.get_multiplexed_async_connection_with_config(&config).await
    }
}

/// Waits for the oldest member of the sorted set and removes it, then removes further members without waiting.
/// Returns at most `limit` members.
async fn pop(connection: &mut MultiplexedConnection, key: &str, limit: usize) -> RedisResult<Vec<String>> {
    let first: Option<(String, String, f64)> = connection.bzpopmin(key, POP_WAIT_SECONDS).await?;
    let Some((_, first, _)) = first else { return Ok(Vec::new()) };
    let mut members = vec![first];
    if limit > 1 {
        let more: RedisResult<Vec<(String, f64)>> = connection.zpopmin(key, limit as isize - 1).await;
        // If the second command fails, the member that the first command removed is still returned.
        members.extend(more.into_iter().flatten().map(|(member, _)| member));
    }
    Ok(members)
}

/// Parses a member as an id. Logs a warning and returns `None` if it is not an id.
fn parse_id(member: &str, lane: &str) -> Option<Uuid> {
    let id = Uuid::parse_str(member).ok();
    if id.is_none() {
        warn!(lane, bytes = member.len(), "removed an entry from the queue that is not an id");
    }
    id
}

/// Returns the name of the sorted set of `lane`.
fn key(lane: &str) -> String {
    format!("portico:lane:{lane}")
}

/// Returns the time in `id` in milliseconds since 1970; 0 if `id` contains no time.
fn milliseconds(id: &Uuid) -> u64 {
    id.get_timestamp().map_or(0, |time| {
        let (seconds, nanoseconds) = time.to_unix();
        seconds * 1000 + u64::from(nanoseconds) / 1_000_000
    })
}

#[cfg(test)]
impl RedisQueue {
    /// Adds any text to `lane`, even if it is not an id.
    pub(crate) async fn push_raw(&self, lane: &str, member: &str) -> RedisResult<()> {
        self.connection.clone().zadd(key(lane), member, 0).await
    }
}
