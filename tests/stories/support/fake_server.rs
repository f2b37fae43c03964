//! A server that is not Portico: it answers each HTTP request as a story says, or not at all.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// A running server.
pub(crate) struct FakeServer {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl FakeServer {
    /// Starts a server. `answer` gets the number of the request, from 0, and its head; it returns the bytes to send
    /// before the connection is closed, or `None` to never answer.
    pub(crate) async fn start(answer: impl Fn(usize, &str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self::listen(answer, None).await
    }

    /// Starts a server whose answer has no end: after its head, `part` is sent until the connection is closed.
    pub(crate) async fn endless(content_type: &str, part: &str) -> Self {
        let head = format!("HTTP/1.1 200 X\r\ncontent-type: {content_type}\r\nconnection: close\r\n\r\n");
        Self::listen(move |_, _| Some(head.clone()), Some(part.to_owned())).await
    }

    async fn listen(
        answer: impl Fn(usize, &str) -> Option<String> + Send + Sync + 'static,
        repeated: Option<String>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (answer, received, repeated) = (Arc::new(answer), requests.clone(), Arc::new(repeated));
        tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let (answer, received, repeated) = (answer.clone(), received.clone(), repeated.clone());
                tokio::spawn(async move {
                    let head = read_head(&mut connection).await;
                    let number = {
                        let mut received = received.lock().unwrap();
                        received.push(head.clone());
                        received.len() - 1
                    };
                    match answer(number, &head) {
                        Some(answer) => {
                            let _ = connection.write_all(answer.as_bytes()).await;
                            while let Some(part) = &*repeated
                                && connection.write_all(part.as_bytes()).await.is_ok()
                            {}
                            // Until the client closes the connection.
                            let _ = connection.read_to_end(&mut Vec::new()).await;
                        }
                        None => std::future::pending().await,
                    }
                });
            }
        });
        Self { url, requests }
    }

    /// Starts a server that answers each request with this status and this body.
    pub(crate) async fn answering(status: u16, content_type: &str, body: &str) -> Self {
        let answer = http_answer(status, content_type, body);
        Self::start(move |_, _| Some(answer.clone())).await
    }

    /// The URL of the server.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The heads of the requests that have arrived.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn read_head(connection: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match connection.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// Returns an HTTP response.
pub(crate) fn http_answer(status: u16, content_type: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} X\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}
