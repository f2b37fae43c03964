//! The job queue in Redis: one sorted set for each lane.
//!
//! The score of an id is the time in milliseconds that the id (a UUIDv7) contains. `ZADD NX` adds an id only once.

use std::time::Duration;

use redis::{AsyncCommands, Client, Cmd, RedisError, RedisResult, aio::MultiplexedConnection};
use tracing::warn;
use uuid::Uuid;

use crate::{
    QueueError,
    redis_connection::{SharedConnection, connect},
};

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
    connection: SharedConnection,
}

impl From<RedisError> for QueueError {
    /// Keeps the kind and the text of the error. Neither contains the URL, which may contain a password.
    fn from(error: RedisError) -> Self {
        Self(error.to_string())
    }
}

impl RedisQueue {
    /// Creates a queue in the Redis server of `client`. Does not connect yet.
    pub(crate) fn new(client: Client) -> Self {
        Self { connection: SharedConnection::new(client.clone(), RESPONSE_TIMEOUT), client }
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
        self.connection.run(&command).await
    }

    /// Checks that Redis accepts what the queue needs: a replica, a full server and a server without enough replicas
    /// accept no write, and a user may lack the permission for a command. Uses the commands of [`push`](Self::push) and
    /// [`RedisConsumer::pop`] on a key beside the lanes.
    ///
    /// # Errors
    /// The errors of both.
    pub(crate) async fn check_write(&self) -> RedisResult<()> {
        let check = key("health");
        let mut push = redis::cmd("ZADD");
        push.arg(&check).arg("NX").arg(0).arg("check");
        let () = self.connection.run(&push).await?;
        // Several processes check at the same time, so another one may take the member. The first command then waits.
        let _: Vec<(String, f64)> = self.connection.run(redis::cmd("ZPOPMIN").arg(&check).arg(1)).await?;
        Ok(())
    }

    /// Returns the number of ids in `lane`.
    ///
    /// # Errors
    /// The errors of [`push`](Self::push).
    pub(crate) async fn depth(&self, lane: &str) -> RedisResult<u64> {
        self.connection.run(&Cmd::zcard(key(lane))).await
    }

    /// Returns a sentence if Redis may evict ids when its memory is full; `None` if it does not, or if Redis refuses
    /// to show its configuration.
    ///
    /// # Errors
    /// If Redis cannot be reached or does not answer in time.
    pub(crate) async fn config_warning(&self) -> RedisResult<Option<String>> {
        let policy: RedisResult<Vec<String>> =
            self.connection.run(redis::cmd("CONFIG").arg("GET").arg("maxmemory-policy")).await;
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
            None => connect(&self.client, POP_RESPONSE_TIMEOUT).await?,
        };
        let members = pop(&mut connection, &key(self.lane), limit).await?;
        // The connection is kept only after a success: after an error its state is unknown, or it leads to a server
        // that has become a replica, so the next pop opens a new one.
        self.connection = Some(connection);
        Ok(members.iter().filter_map(|member| parse_id(member, self.lane)).collect())
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
        self.connection.run(&Cmd::zadd(key(lane), member, 0)).await
    }
}
