//! A TCP connection without an HTTP client, for requests that no HTTP client sends.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// How long a server may send nothing before the test fails.
const READ_TIMEOUT: Duration = Duration::from_secs(35);

/// A TCP connection to an API.
pub(super) struct Raw(pub(super) TcpStream);

impl Raw {
    /// Connects to an API, which is named by its URL.
    pub(super) async fn connect(api: &str) -> Self {
        Self(TcpStream::connect(api.strip_prefix("http://").unwrap()).await.unwrap())
    }

    /// Sends bytes. Returns false if the server has closed the connection.
    pub(super) async fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.0.write_all(bytes.as_ref()).await.is_ok()
    }

    /// Reads until the server closes the connection, and returns what it has sent. Panics if the server sends nothing
    /// for [`READ_TIMEOUT`] and does not close either.
    pub(super) async fn read_to_close(&mut self) -> String {
        let mut all = Vec::new();
        let mut part = [0; 16_384];
        loop {
            match timeout(READ_TIMEOUT, self.0.read(&mut part)).await.expect("the server closes the connection") {
                Ok(0) | Err(_) => return String::from_utf8_lossy(&all).into_owned(),
                Ok(length) => all.extend_from_slice(&part[..length]),
            }
        }
    }
}

/// Sends bytes on a new connection and returns what the server sends until it closes the connection.
pub(super) async fn exchange(api: &str, bytes: impl AsRef<[u8]>) -> String {
    let mut raw = Raw::connect(api).await;
    raw.send(bytes).await;
    raw.read_to_close().await
}

/// Returns the status of the first response in a text, and the number of responses.
#[track_caller]
pub(super) fn status(text: &str) -> (u16, usize) {
    let status = text.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).and_then(|code| code.parse().ok());
    let code = status.unwrap_or_else(|| panic!("not a response: {text:?}"));
    (code, text.matches("HTTP/1.1 ").count())
}

/// Returns the head of a POST with these further header lines.
pub(super) fn post(path: &str, headers: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{headers}\r\n")
}

/// Returns a GET with these further header lines.
pub(super) fn get(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\n{headers}\r\n")
}
