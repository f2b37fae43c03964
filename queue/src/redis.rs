//! The wire through Redis: a sorted set a lane, scored by the id's own time. `ZADD NX` makes a double push one entry.

use std::time::Duration;

use redis::{
    AsyncCommands, AsyncConnectionConfig, Client, RedisError, RedisResult,
    aio::{ConnectionManager, ConnectionManagerConfig, MultiplexedConnection},
};
use tracing::warn;
use uuid::Uuid;

use crate::QueueError;

const CONNECT_WITHIN: Duration = Duration::from_secs(1);
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
/// How long one blocking pop waits, in seconds.
const POP_WAITS: f64 = 1.0;
/// The server may be busy when the pop's own time is up.
const POP_ANSWERS_WITHIN: Duration = Duration::from_secs(4);

/// Lanes in Redis.
#[derive(Clone)]
pub struct RedisQueue {
    client: Client,
    connection: ConnectionManager,
}

impl From<RedisError> for QueueError {
    /// The error's kind and text; the URL, which may hold a password, is in neither.
    fn from(error: RedisError) -> Self {
        Self(error.to_string())
    }
}

impl RedisQueue {
    pub(crate) fn new(url: &str) -> RedisResult<Self> {
        let client = Client::open(url)?;
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_max_delay(Duration::from_millis(500))
            .set_connection_timeout(Some(CONNECT_WITHIN))
            .set_response_timeout(Some(ANSWER_WITHIN));
        let connection = ConnectionManager::new_lazy_with_config(client.clone(), config)?;
        Ok(Self { client, connection })
    }

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

    pub(crate) async fn depth(&self, lane: &str) -> RedisResult<u64> {
        self.connection.clone().zcard(key(lane)).await
    }

    pub(crate) async fn config_warning(&self) -> RedisResult<Option<String>> {
        let found: RedisResult<Vec<String>> =
            redis::cmd("CONFIG").arg("GET").arg("maxmemory-policy").query_async(&mut self.connection.clone()).await;
        Ok(match found {
            // Hosted Redis often forbids CONFIG; then there is nothing to say.
            Err(error) if error.code().is_some() => None,
            Err(error) => return Err(error),
            Ok(answer) => answer.get(1).filter(|policy| *policy != "noeviction").map(|policy| {
                format!(
                    "Redis evicts queued ids under memory pressure (maxmemory-policy {policy}); set it to noeviction"
                )
            }),
        })
    }

    pub(crate) fn consumer(&self, lane: &'static str) -> RedisConsumer {
        RedisConsumer { client: self.client.clone(), lane, connection: None }
    }
}

/// Reads one lane over a connection that nobody else waits for.
pub struct RedisConsumer {
    client: Client,
    lane: &'static str,
    connection: Option<MultiplexedConnection>,
}

impl RedisConsumer {
    pub(crate) async fn pop(&mut self, limit: usize) -> RedisResult<Vec<Uuid>> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let members = pop(&mut connection, &key(self.lane), limit).await?;
        // Put back only now: after an error the connection's state is unknown and the next pop makes a new one.
        self.connection = Some(connection);
        Ok(members.iter().filter_map(|member| readable(member, self.lane)).collect())
    }

    async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_WITHIN))
            .set_response_timeout(Some(POP_ANSWERS_WITHIN));
        self.client.get_multiplexed_async_connection_with_config(&config).await
    }
}

/// Waits for the oldest member, then takes what else is there.
async fn pop(connection: &mut MultiplexedConnection, key: &str, limit: usize) -> RedisResult<Vec<String>> {
    let first: Option<(String, String, f64)> = connection.bzpopmin(key, POP_WAITS).await?;
    let Some((_, first, _)) = first else { return Ok(Vec::new()) };
    let mut members = vec![first];
    if limit > 1 {
        let more: RedisResult<Vec<(String, f64)>> = connection.zpopmin(key, limit as isize - 1).await;
        // What the first command took must not be dropped because the second failed.
        members.extend(more.into_iter().flatten().map(|(member, _)| member));
    }
    Ok(members)
}

fn readable(member: &str, lane: &str) -> Option<Uuid> {
    let id = Uuid::parse_str(member).ok();
    if id.is_none() {
        warn!(lane, bytes = member.len(), "skipped an unreadable id in the queue");
    }
    id
}

fn key(lane: &str) -> String {
    format!("portico:lane:{lane}")
}

fn milliseconds(id: &Uuid) -> u64 {
    id.get_timestamp().map_or(0, |time| {
        let (seconds, nanoseconds) = time.to_unix();
        seconds * 1000 + u64::from(nanoseconds) / 1_000_000
    })
}

#[cfg(test)]
impl RedisQueue {
    /// Puts something into the lane that no Portico would.
    pub(crate) async fn push_raw(&self, lane: &str, member: &str) -> RedisResult<()> {
        self.connection.clone().zadd(key(lane), member, 0).await
    }
}
