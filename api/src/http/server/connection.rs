//! One HTTP/1.1 connection.

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use hyper::{
    body::{Body, Incoming},
    server::conn::http1::Builder,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use poem::{
    Addr, Endpoint, Request, Response,
    http::{HeaderValue, header, uri::Scheme},
    web::{LocalAddr, RemoteAddr},
};
use portico_domain::platform::clock::Clock;
use tokio::{net::TcpStream, time::sleep};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::{
    connection_limit::ConnectionPermit,
    response_body::ResponseBody,
    timeout_stream::{PhaseCell, TimeoutStream},
};

/// The size of hyper's read buffer, in bytes. It bounds the memory of a connection; hyper itself answers a longer
/// request head with 431.
const MAX_READ_AHEAD: usize = 32 * 1024;
/// The largest number of headers of a request. hyper itself answers more with 431.
const MAX_HEADER_COUNT: usize = 100;

/// How long a connection may still deliver its first byte after the process receives SIGTERM or SIGINT. hyper closes a
/// connection without a response if it is shut down before its first byte.
const FIRST_REQUEST_TIMEOUT: Duration = Duration::from_millis(500);

/// A flag in the extensions of a request: the body was read to its end.
#[derive(Clone, Default)]
pub(crate) struct BodyRead(Arc<AtomicBool>);

impl BodyRead {
    /// Records that the body was read to its end.
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A connection, its slot, and the endpoint that serves it.
pub(super) struct Connection<E> {
    /// The accepted socket.
    pub(super) socket: TcpStream,
    /// The address that the client connected to.
    pub(super) local: SocketAddr,
    /// The address of the client, or of the proxy in front.
    pub(super) peer: SocketAddr,
    /// The endpoint that responds to the requests.
    pub(super) endpoint: Arc<E>,
    /// The slot of the connection, which becomes free when the connection ends.
    pub(super) permit: Arc<ConnectionPermit>,
    /// Cancelled when the process receives SIGTERM or SIGINT: the connection ends after the current request.
    pub(super) stop: CancellationToken,
    /// Cancelled at the end of the drain: the connection ends immediately.
    pub(super) abort: CancellationToken,
}

impl<E: Endpoint + 'static> Connection<E> {
    /// Serves requests until the client closes the connection, a timeout passes, another connection needs the slot,
    /// or the process stops.
    pub(super) async fn run(self) {
        let Self { socket, local, peer, endpoint, permit, stop, abort } = self;
        // Responses are written in large parts, so the delay of Nagle's algorithm has no use.
        let _ = socket.set_nodelay(true);
        let phase = PhaseCell::new();
        let io = TokioIo::new(TimeoutStream::new(socket, phase.clone()));
        let service = service_fn(move |request| {
            let (endpoint, phase) = (endpoint.clone(), phase.clone());
            async move {
                phase.request_started();
                let response = hyper::Response::from(respond(&*endpoint, request, local, peer).await);
                Ok::<_, Infallible>(response.map(|body| ResponseBody::new(body, phase)))
            }
        });
        let mut http = Builder::new();
        // hyper keeps the date of a wrong clock until that date has passed, so `respond` sets it.
        http.max_buf_size(MAX_READ_AHEAD).max_headers(MAX_HEADER_COUNT).auto_date_header(false);
        let serving = http.serve_connection(io, service);
        let (mut serving, mut shutdown_requested) = (
            pin!(serving),
            pin!(async {
                tokio::select! {
                    () = async { stop.cancelled().await; sleep(FIRST_REQUEST_TIMEOUT).await } => {}
                    () = permit.eviction_requested() => {}
                }
            }),
        );
        let mut is_shutting_down = false;
        loop {
            tokio::select! {
                served = &mut serving => {
                    if let Err(error) = served {
                        debug!(%peer, %error, "connection ended with an error");
                    }
                    return;
                }
                () = &mut shutdown_requested, if !is_shutting_down => {
                    is_shutting_down = true;
                    // An idle connection ends now, a busy one after the response to its current request.
                    serving.as_mut().graceful_shutdown();
                }
                () = abort.cancelled() => return,
            }
        }
    }
}

/// Returns the response of the endpoint.
///
/// If the request body was not read to its end, the response closes the connection, because the rest of the body
/// could be taken for the next request.
async fn respond(
    endpoint: &impl Endpoint,
    mut request: hyper::Request<Incoming>,
    local: SocketAddr,
    peer: SocketAddr,
) -> Response {
    let (has_body, body_read) = (!request.body().is_end_stream(), BodyRead::default());
    request.extensions_mut().insert(body_read.clone());
    let addresses = (LocalAddr(Addr::SocketAddr(local)), RemoteAddr(Addr::SocketAddr(peer)));
    let request = Request::from((request, addresses.0, addresses.1, Scheme::HTTP));
    let mut response = endpoint.get_response(request).await;
    if has_body && !body_read.is_set() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response.headers_mut().insert(header::DATE, date());
    response
}

/// Returns the current time as a `Date` header (RFC 9110 §5.6.7).
fn date() -> HeaderValue {
    let text = Clock::System.now().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}
