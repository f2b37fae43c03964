//! What a process answers while its start waits for the database: it lives, but it cannot serve yet.

use std::{convert::Infallible, sync::Arc, time::Duration};

use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use portico_domain::platform::random::Random;
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};
use uuid::Builder;

/// A start that takes no longer answers nothing: its requests wait in the queue of the socket until they are served.
const SHORT_START: Duration = Duration::from_secs(1);
/// How many connections of one listener are answered at the same time. Others wait.
const MAX_CONNECTIONS: usize = 64;
/// The time in which the head of a request must arrive, and then its body.
const READ_TIMEOUT: Duration = Duration::from_secs(2);
/// The size of the buffer into which the head of a request must fit.
const MAX_HEAD_BYTES: usize = 8 * 1_024;
/// How much of a body is read, so that the client reads the answer before it sees that the connection is closed.
const MAX_BODY_BYTES: usize = 64 * 1_024;
/// After how many seconds a client may try again.
const RETRY_AFTER_SECONDS: u64 = 1;

/// Runs `start`, and accepts connections on the listeners until it ends: `GET /health/live` is answered with 200, every
/// other request with 503. Connections that wait then are left to the listeners' next user.
pub(crate) async fn answer_during<T>(
    public: Option<&TcpListener>,
    internal: &TcpListener,
    start: impl Future<Output = T>,
) -> T {
    let answer = async {
        sleep(SHORT_START).await;
        // Each listener has connections of its own, so that the public one cannot use up those of the probes.
        match public {
            Some(public) => tokio::join!(accept(public), accept(internal)).0,
            None => accept(internal).await,
        }
    };
    tokio::select! {
        result = start => result,
        never = answer => match never {},
    }
}

/// Accepts connections without end.
async fn accept(listener: &TcpListener) -> Infallible {
    let free = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let permit = free.clone().acquire_owned().await;
        match listener.accept().await {
            // A task of its own, so that the answer is complete also if the start ends now.
            Ok((stream, _)) => drop(tokio::spawn(async move {
                serve(stream).await;
                drop(permit);
            })),
            // For example because the process has too many open files.
            Err(_) => sleep(Duration::from_millis(100)).await,
        }
    }
}

/// Answers one request and closes the connection.
async fn serve(stream: TcpStream) {
    let mut http = http1::Builder::new();
    http.keep_alive(false).timer(TokioTimer::new()).header_read_timeout(READ_TIMEOUT).max_buf_size(MAX_HEAD_BYTES);
    // An error is the client's: it has sent no request, or does not read the answer.
    let _ = http.serve_connection(TokioIo::new(stream), service_fn(answer)).await;
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::http::Error> {
    let is_live = request.method() == Method::GET && request.uri().path() == "/health/live";
    let _ = timeout(READ_TIMEOUT, Limited::new(request.into_body(), MAX_BODY_BYTES).collect()).await;
    let request_id = Builder::from_random_bytes(Random.bytes()).into_uuid();
    let (status, media_type, body) = if is_live {
        (StatusCode::OK, "application/json; charset=utf-8", json!({ "status": "ok" }))
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "application/problem+json; charset=utf-8", unavailable(&request_id))
    };
    let mut response = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, media_type)
        .header(header::CACHE_CONTROL, "no-store")
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header("x-request-id", request_id.to_string());
    if !is_live {
        response = response.header(header::RETRY_AFTER, RETRY_AFTER_SECONDS);
    }
    response.body(Full::from(body.to_string()))
}

/// The problem document (RFC 9457) of `unavailable`, in the form that the API writes.
fn unavailable(request_id: &impl ToString) -> Value {
    json!({
        "type": "urn:portico:unavailable",
        "title": "Temporarily unavailable",
        "status": 503,
        "detail": "Temporarily unavailable.",
        "code": "unavailable",
        "request_id": request_id.to_string(),
        "retry_after": RETRY_AFTER_SECONDS,
    })
}
