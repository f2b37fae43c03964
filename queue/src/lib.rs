//! The wire that carries job ids from whoever committed a job to whoever runs it, and the apalis backend that feeds
//! them to a worker.
//!
//! The wire is fast and forgetful. What a job is, whether it is due and whether it is done stands in its database row;
//! a lost id is pushed again, and an id that arrives twice finds its row already claimed. This is the only crate that
//! knows Redis.

#![warn(missing_docs)]

mod backend;
#[cfg(test)]
mod contract;
mod memory;
mod redis;

use uuid::Uuid;

pub use backend::ChannelBackend;

/// Something that carries job ids in named lanes, oldest id first; an id waits at most once in a lane.
#[derive(Clone)]
pub enum JobQueue {
    /// Inside this process: for one process, and gone with it.
    Memory(memory::MemoryQueue),
    /// A sorted set a lane in Redis, for any number of processes.
    Redis(Box<redis::RedisQueue>),
}

/// The wire could not be reached, or refused. The ids are safe in the database all the same.
#[derive(Debug)]
pub struct QueueError(String);

impl std::fmt::Display for QueueError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "queue: {}", self.0)
    }
}

impl std::error::Error for QueueError {}

impl JobQueue {
    /// A wire within this process.
    pub fn memory() -> Self {
        Self::Memory(memory::MemoryQueue::default())
    }

    /// A wire through the Redis at `url` (`redis://` or `rediss://`). Connects when first used and again after every
    /// failure, so Redis may come later.
    ///
    /// # Errors
    /// When `url` is not a Redis URL.
    pub fn redis(url: &str) -> Result<Self, QueueError> {
        Ok(Self::Redis(Box::new(redis::RedisQueue::new(url)?)))
    }

    /// Puts `ids` into `lane`; those that wait there already stay where they are.
    ///
    /// # Errors
    /// When Redis cannot be reached within about a second, or refuses.
    pub async fn push(&self, lane: &'static str, ids: &[Uuid]) -> Result<(), QueueError> {
        match self {
            Self::Memory(queue) => queue.push(lane, ids),
            Self::Redis(queue) => queue.push(lane, ids).await?,
        }
        Ok(())
    }

    /// How many ids wait in `lane`.
    ///
    /// # Errors
    /// As for [`push`](Self::push).
    pub async fn depth(&self, lane: &'static str) -> Result<u64, QueueError> {
        match self {
            Self::Memory(queue) => Ok(queue.depth(lane)),
            Self::Redis(queue) => Ok(queue.depth(lane).await?),
        }
    }

    /// What is wrong with how the wire is set up, for the log at start; `None` when nothing is.
    ///
    /// # Errors
    /// As for [`push`](Self::push).
    pub async fn config_warning(&self) -> Result<Option<String>, QueueError> {
        match self {
            Self::Memory(_) => Ok(None),
            Self::Redis(queue) => Ok(queue.config_warning().await?),
        }
    }

    /// A reader of `lane`, with a connection of its own since it waits on it.
    pub fn consumer(&self, lane: &'static str) -> Consumer {
        match self {
            Self::Memory(queue) => Consumer::Memory(queue.clone(), lane),
            Self::Redis(queue) => Consumer::Redis(Box::new(queue.consumer(lane))),
        }
    }
}

/// Takes ids out of one lane.
pub enum Consumer {
    /// Of a [`JobQueue::Memory`].
    Memory(memory::MemoryQueue, &'static str),
    /// Of a [`JobQueue::Redis`].
    Redis(Box<redis::RedisConsumer>),
}

impl Consumer {
    /// Waits up to a second for ids and takes out the oldest, at most `limit` of them; none when none came.
    ///
    /// Let it finish: a future dropped while it waits may still take ids out, and they are lost until the sweeper
    /// finds them.
    ///
    /// # Errors
    /// When Redis cannot be reached; the next call connects anew.
    pub async fn pop(&mut self, limit: usize) -> Result<Vec<Uuid>, QueueError> {
        match self {
            Self::Memory(queue, lane) => Ok(queue.pop(lane, limit).await),
            Self::Redis(consumer) => Ok(consumer.pop(limit).await?),
        }
    }
}
