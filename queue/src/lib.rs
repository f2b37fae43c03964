//! The job queue, which carries job ids from the process that commits a job to the worker that runs it, and an apalis
//! backend that feeds jobs to a worker.
//!
//! The queue is fast but not durable. The database row of a job says what the job is, whether it is due, and whether it
//! is done. If the queue loses an id, the sweeper of the worker pushes it again. If an id arrives twice, the second
//! worker finds the row already claimed. Of the crates of the service, only this one uses Redis.

#![warn(missing_docs)]

mod backend;
#[cfg(test)]
mod contract;
mod memory;
mod redis;
mod redis_connection;
mod redis_url;

use uuid::Uuid;

pub use backend::ChannelBackend;

/// A queue of job ids, divided into named lanes. The oldest id of a lane comes first. An id is in a lane at most once.
///
/// Clones refer to the same queue.
#[derive(Clone)]
pub enum JobQueue {
    /// A queue in the memory of this process. Other processes do not see it, and it is lost when the process ends.
    Memory(memory::MemoryQueue),
    /// A queue in Redis, with one sorted set for each lane. Any number of processes share it.
    Redis(Box<redis::RedisQueue>),
}

/// An error of the queue: it cannot be reached, or it refused a command. The jobs themselves are safe in the database.
///
/// The text contains no password.
#[derive(Debug)]
pub struct QueueError(String);

impl std::fmt::Display for QueueError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "queue: {}", self.0)
    }
}

impl std::error::Error for QueueError {}

impl JobQueue {
    /// Creates an empty queue in the memory of this process.
    pub fn memory() -> Self {
        Self::Memory(memory::MemoryQueue::default())
    }

    /// Creates a queue in the Redis server at `url`: `redis://…` or, with TLS, `rediss://…`. `rediss://…?ca=PATH`
    /// trusts the certificate authorities in this PEM file instead of the public ones.
    ///
    /// The connection is opened at the first use and after a failure, so the server does not have to be available yet.
    ///
    /// # Errors
    /// A clause that follows the name of the setting, such as "must be redis://… or rediss://…", if `url` is not such a
    /// URL, has an unknown parameter, or names a file that is not a certificate. It contains no part of the URL except
    /// the path of the file.
    pub fn redis(url: &str) -> Result<Self, String> {
        Ok(Self::Redis(Box::new(redis::RedisQueue::new(redis_url::client(url)?))))
    }

    /// Adds `ids` to `lane`. An id that is in the lane already keeps its position.
    ///
    /// # Errors
    /// If Redis cannot be reached or does not answer within about one second, or if it refuses the command.
    pub async fn push(&self, lane: &'static str, ids: &[Uuid]) -> Result<(), QueueError> {
        match self {
            Self::Memory(queue) => queue.push(lane, ids),
            Self::Redis(queue) => queue.push(lane, ids).await?,
        }
        Ok(())
    }

    /// Returns the number of ids in `lane`.
    ///
    /// # Errors
    /// The errors of [`push`](Self::push).
    pub async fn depth(&self, lane: &'static str) -> Result<u64, QueueError> {
        match self {
            Self::Memory(queue) => Ok(queue.depth(lane)),
            Self::Redis(queue) => Ok(queue.depth(lane).await?),
        }
    }

    /// Checks that the queue can be written. Adds and removes no id.
    ///
    /// # Errors
    /// The errors of [`push`](Self::push).
    pub async fn check_write(&self) -> Result<(), QueueError> {
        match self {
            Self::Memory(_) => Ok(()),
            Self::Redis(queue) => Ok(queue.check_write().await?),
        }
    }

    /// Returns a sentence about a problem with the configuration of the queue, for the log; `None` if no problem is
    /// known.
    ///
    /// # Errors
    /// If Redis cannot be reached or does not answer within about one second.
    pub async fn config_warning(&self) -> Result<Option<String>, QueueError> {
        match self {
            Self::Memory(_) => Ok(None),
            Self::Redis(queue) => Ok(queue.config_warning().await?),
        }
    }

    /// Creates a consumer of `lane`. In Redis it has its own connection, because it blocks the connection while it
    /// waits.
    pub fn consumer(&self, lane: &'static str) -> Consumer {
        match self {
            Self::Memory(queue) => Consumer::Memory(queue.clone(), lane),
            Self::Redis(queue) => Consumer::Redis(Box::new(queue.consumer(lane))),
        }
    }
}

/// A consumer of one lane, which removes ids from the lane. Any number of consumers share a lane.
pub enum Consumer {
    /// A consumer of a [`JobQueue::Memory`], and the name of its lane.
    Memory(memory::MemoryQueue, &'static str),
    /// A consumer of a [`JobQueue::Redis`].
    Redis(Box<redis::RedisConsumer>),
}

impl Consumer {
    /// Removes and returns the oldest ids of the lane, at most `limit` of them. Waits up to one second for the first
    /// id, and returns no ids if none arrives.
    ///
    /// This method is not cancel safe: if the future is dropped while it waits, it may still remove ids. These ids
    /// are lost until the sweeper pushes them again.
    ///
    /// # Errors
    /// If Redis cannot be reached or refuses the command. The next call opens a new connection.
    pub async fn pop(&mut self, limit: usize) -> Result<Vec<Uuid>, QueueError> {
        match self {
            Self::Memory(queue, lane) => Ok(queue.pop(lane, limit).await),
            Self::Redis(consumer) => Ok(consumer.pop(limit).await?),
        }
    }
}
