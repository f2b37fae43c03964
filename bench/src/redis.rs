//! A minimal client of the Redis protocol (RESP), and the Redis databases of this run.

use std::{
    process,
    sync::{Mutex, PoisonError},
};

use anyhow::{Result, bail};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use crate::postgres::provided;

/// The number of databases of a Redis server with the default configuration.
const DATABASES: usize = 16;
/// The key that marks a database as used by a run. Portico ignores it.
const OWNER_KEY: &str = "portico-bench:owner";

/// The URLs of the databases that this process has claimed.
static CLAIMED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// A connection to a Redis database.
pub(crate) struct Redis(BufReader<TcpStream>);

impl Redis {
    /// Connects to `redis://host:port/database`.
    ///
    /// # Errors
    /// Returns an error if the connection fails or the server has no such database.
    pub(crate) async fn connect(url: &str) -> Result<Self> {
        let rest = url.trim_start_matches("redis://");
        let (address, database) = rest.split_once('/').unwrap_or((rest, "0"));
        let mut redis = Self(BufReader::new(TcpStream::connect(address).await?));
        redis.run(&["SELECT", database]).await?;
        Ok(redis)
    }

    /// Runs a command whose reply is one line, and returns the reply without its type byte.
    ///
    /// # Errors
    /// Returns an error if the connection fails or the reply is an error.
    pub(crate) async fn run(&mut self, words: &[&str]) -> Result<String> {
        let mut command = format!("*{}\r\n", words.len());
        for word in words {
            command += &format!("${}\r\n{word}\r\n", word.len());
        }
        self.0.write_all(command.as_bytes()).await?;
        let mut reply = String::new();
        self.0.read_line(&mut reply).await?;
        if reply.starts_with('-') || reply.is_empty() {
            bail!("redis: {reply}");
        }
        Ok(reply.trim_end()[1..].to_owned())
    }
}

/// Claims an empty database of the server and returns its URL. [`flush_claimed`] releases it.
///
/// A key in the database marks it as claimed, so that no other run and no other world of this run takes it.
///
/// # Errors
/// Returns an error if no database of the server is empty.
pub(crate) async fn claim() -> Result<String> {
    let server = provided("PORTICO_TEST_REDIS")?;
    for database in 0..DATABASES {
        let url = format!("{server}/{database}");
        let mut redis = Redis::connect(&url).await?;
        if redis.run(&["SETNX", OWNER_KEY, &process::id().to_string()]).await? != "1" {
            continue;
        }
        if redis.run(&["DBSIZE"]).await? == "1" {
            CLAIMED.lock().unwrap_or_else(PoisonError::into_inner).push(url.clone());
            return Ok(url);
        }
        redis.run(&["DEL", OWNER_KEY]).await?;
    }
    bail!("each of the {DATABASES} databases of {server} holds keys; delete those that are no longer used with FLUSHDB")
}

/// Deletes all keys of the databases that [`claim`] has claimed in this process, so that they can be claimed again.
pub(crate) async fn flush_claimed() -> Result<()> {
    let claimed = std::mem::take(&mut *CLAIMED.lock().unwrap_or_else(PoisonError::into_inner));
    for url in claimed {
        Redis::connect(&url).await?.run(&["FLUSHDB"]).await?;
    }
    Ok(())
}
