//! A socket and nothing in between, for what no decent client sends.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// How long a server may be silent before it is taken for stuck.
const SILENT_FOR: Duration = Duration::from_secs(35);

/// A connection.
pub(super) struct Raw(pub(super) TcpStream);

impl Raw {
    pub(super) async fn connect(api: &str) -> Self {
        Self(TcpStream::connect(api.strip_prefix("http://").unwrap()).await.unwrap())
    }

    /// Sends what it can; a server that has closed is no failure here.
    pub(super) async fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.0.write_all(bytes.as_ref()).await.is_ok()
    }

    /// Everything that comes until the server closes. A server that does not is one too patient.
    pub(super) async fn rest(&mut self) -> String {
        let mut all = Vec::new();
        let mut part = [0; 16_384];
        loop {
            match timeout(SILENT_FOR, self.0.read(&mut part)).await.expect("the server closes") {
                Ok(0) | Err(_) => return String::from_utf8_lossy(&all).into_owned(),
                Ok(length) => all.extend_from_slice(&part[..length]),
            }
        }
    }
}

/// Sends these bytes on a new connection and returns all that comes until the server closes it.
pub(super) async fn exchange(api: &str, bytes: impl AsRef<[u8]>) -> String {
    let mut raw = Raw::connect(api).await;
    raw.send(bytes).await;
    raw.rest().await
}

/// The status of an answer, and how many answers there are.
#[track_caller]
pub(super) fn status(answer: &str) -> (u16, usize) {
    let status = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).and_then(|code| code.parse().ok());
    let code = status.unwrap_or_else(|| panic!("no answer: {answer:?}"));
    (code, answer.matches("HTTP/1.1 ").count())
}
