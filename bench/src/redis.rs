//! Just enough of the Redis protocol (RESP) to put ids where the workers look.

use anyhow::{Result, bail};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

/// A connection to one of Redis' databases.
pub(crate) struct Redis(BufReader<TcpStream>);

impl Redis {
    /// Connects to `redis://host:port/database`.
    pub(crate) async fn connect(url: &str) -> Result<Self> {
        let rest = url.trim_start_matches("redis://");
        let (address, database) = rest.split_once('/').unwrap_or((rest, "0"));
        let mut redis = Self(BufReader::new(TcpStream::connect(address).await?));
        redis.run(&["SELECT", database]).await?;
        Ok(redis)
    }

    /// Runs a command whose answer is one line, and returns that.
    pub(crate) async fn run(&mut self, words: &[&str]) -> Result<String> {
        let mut command = format!("*{}\r\n", words.len());
        for word in words {
            command += &format!("${}\r\n{word}\r\n", word.len());
        }
        self.0.write_all(command.as_bytes()).await?;
        let mut answer = String::new();
        self.0.read_line(&mut answer).await?;
        if answer.starts_with('-') || answer.is_empty() {
            bail!("redis: {answer}");
        }
        Ok(answer.trim_end()[1..].to_owned())
    }
}
