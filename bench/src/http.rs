//! A minimal HTTP/1.1 client: one kept connection, and bodies with a `content-length`.
//!
//! It uses very little CPU, because the load must not take CPU time from the server that is measured.

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// An HTTP client with one connection. It sends an `x-forwarded-for` header with an address of its own network, so
/// that the server sees each client in a different network.
pub(crate) struct Client {
    /// Host and port of the server.
    address: String,
    /// The client's address as a proxy would report it.
    network: String,
    /// The kept connection, if there is one.
    stream: Option<TcpStream>,
    /// The bytes of the response that is being read.
    buffer: Vec<u8>,
}

/// An HTTP response.
pub(crate) struct Response {
    /// The status code.
    pub(crate) status: u16,
    /// The status line and the headers.
    head: Vec<u8>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// Returns the value of a cookie that the response sets.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        let head = std::str::from_utf8(&self.head).ok()?;
        head.lines().find_map(|line| {
            let (header, value) = line.split_once(':')?;
            let value = value.trim().strip_prefix(name)?.strip_prefix('=')?;
            header.eq_ignore_ascii_case("set-cookie").then(|| value.split(';').next().unwrap_or_default().to_owned())
        })
    }

    /// Returns the body as JSON, or `null` if it is empty.
    ///
    /// # Errors
    /// Returns an error with status and body if the status is not 2xx, or if the body is not JSON.
    pub(crate) fn json(&self) -> Result<Value> {
        if !(200..300).contains(&self.status) {
            bail!("{}: {}", self.status, String::from_utf8_lossy(&self.body));
        }
        if self.body.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_slice(&self.body)?) }
    }
}

impl Client {
    /// Returns a client of the server at `address`. Its network address is the `n`th of 198.18.0.0/15 (RFC 2544).
    pub(crate) fn new(address: &str, n: usize) -> Self {
        let network = format!("198.18.{}.{}", n / 250 % 250, n % 250 + 1);
        Self { address: address.into(), network, stream: None, buffer: Vec::with_capacity(8_192) }
    }

    /// Returns the bytes of a request. They can be sent any number of times.
    pub(crate) fn request(&self, method: &str, path: &str, bearer: Option<&str>, body: Option<&Value>) -> Vec<u8> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut text = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nx-forwarded-for: {}\r\n", self.network);
        if let Some(token) = bearer {
            text += &format!("authorization: Bearer {token}\r\n");
        }
        if !body.is_empty() {
            text += &format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
        }
        format!("{text}\r\n{body}").into_bytes()
    }

    /// Returns the bytes of a request with a cookie and without a body.
    pub(crate) fn request_with_cookie(&self, method: &str, path: &str, cookie: &str) -> Vec<u8> {
        let network = &self.network;
        let head = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nx-forwarded-for: {network}\r\n");
        format!("{head}cookie: {cookie}\r\n\r\n").into_bytes()
    }

    /// Sends a request and returns the response with any status. Connects first if there is no connection.
    ///
    /// # Errors
    /// Returns an error if the connection fails, or if the response has no `content-length` and is not a 204.
    pub(crate) async fn send(&mut self, request: &[u8]) -> Result<Response> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect(&self.address).await.context("cannot connect to the server")?;
                stream.set_nodelay(true)?;
                stream
            }
        };
        stream.write_all(request).await?;
        self.buffer.clear();
        let (head, status, length) = loop {
            self.fill(&mut stream).await?;
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                let (status, length) = read_head(&self.buffer[..end])?;
                break (end + 4, status, length);
            }
        };
        while self.buffer.len() < head + length {
            self.fill(&mut stream).await?;
        }
        // The connection is kept only after a complete response. After an error the next request opens a new one.
        self.stream = Some(stream);
        Ok(Response { status, head: self.buffer[..head].to_vec(), body: self.buffer[head..head + length].to_vec() })
    }

    /// Sends `body` as JSON by POST and returns the JSON of the response.
    ///
    /// # Errors
    /// Returns an error if the connection fails or the status is not 2xx.
    pub(crate) async fn post(&mut self, path: &str, bearer: Option<&str>, body: Value) -> Result<Value> {
        let request = self.request("POST", path, bearer, Some(&body));
        self.send(&request).await?.json().with_context(|| path.to_owned())
    }

    /// Reads more bytes of the response into the buffer.
    async fn fill(&mut self, stream: &mut TcpStream) -> Result<()> {
        match stream.read_buf(&mut self.buffer).await? {
            0 => bail!("the server closed the connection"),
            _ => Ok(()),
        }
    }
}

/// Returns the status, and the length of the body in bytes.
fn read_head(head: &[u8]) -> Result<(u16, usize)> {
    let head = std::str::from_utf8(head)?;
    let status = head.split(' ').nth(1).ok_or_else(|| anyhow!("the response has no status"))?.parse()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse())
    });
    match length {
        Some(length) => Ok((status, length?)),
        None if status == 204 => Ok((status, 0)),
        None => bail!("the response has no content-length: {head}"),
    }
}
