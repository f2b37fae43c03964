//! A client that costs next to nothing: HTTP/1.1 over one kept connection, bodies by their length. The load must not take the
//! CPU from what is measured.

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// One connection of one client, which a proxy seems to have sent from a network of its own.
pub(crate) struct Client {
    address: String,
    network: String,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The body, if the request succeeded.
    pub(crate) fn json(&self) -> Result<Value> {
        if !(200..300).contains(&self.status) {
            bail!("{}: {}", self.status, String::from_utf8_lossy(&self.body));
        }
        if self.body.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_slice(&self.body)?) }
    }
}

impl Client {
    /// A client of the server at `address`, from the `n`th network.
    pub(crate) fn new(address: &str, n: usize) -> Self {
        let network = format!("198.18.{}.{}", n / 250 % 250, n % 250 + 1);
        Self { address: address.into(), network, stream: None, buffer: Vec::with_capacity(8_192) }
    }

    /// The bytes of a request, to be sent any number of times.
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

    /// Sends a request and waits for the answer.
    pub(crate) async fn send(&mut self, request: &[u8]) -> Result<Answer> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect(&self.address).await.context("connecting")?;
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
        // Kept only now: after a failure the next request connects anew.
        self.stream = Some(stream);
        Ok(Answer { status, body: self.buffer[head..head + length].to_vec() })
    }

    /// POSTs JSON and returns the JSON that came back.
    pub(crate) async fn post(&mut self, path: &str, bearer: Option<&str>, body: Value) -> Result<Value> {
        let request = self.request("POST", path, bearer, Some(&body));
        self.send(&request).await?.json().with_context(|| path.to_owned())
    }

    async fn fill(&mut self, stream: &mut TcpStream) -> Result<()> {
        match stream.read_buf(&mut self.buffer).await? {
            0 => bail!("the server closed the connection"),
            _ => Ok(()),
        }
    }
}

/// The status and the length of the body.
fn read_head(head: &[u8]) -> Result<(u16, usize)> {
    let head = std::str::from_utf8(head)?;
    let status = head.split(' ').nth(1).ok_or_else(|| anyhow!("no status"))?.parse()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse())
    });
    match length {
        Some(length) => Ok((status, length?)),
        None if status == 204 => Ok((status, 0)),
        None => bail!("an answer without a length: {head}"),
    }
}
