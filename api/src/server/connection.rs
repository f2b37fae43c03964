//! One connection, from its first byte to its last.

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
use tokio::{net::TcpStream, time::sleep};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::{
    connection_limit::ConnectionPermit,
    timeout_stream::{PhaseCell, TimeoutStream},
};

/// The most that is read ahead of what is understood, in bytes: a head that is longer is answered 431 without further
/// ado, and this is what a slow connection costs in memory.
const MAX_READ_AHEAD: usize = 32 * 1024;
/// The most headers of a request.
const MAX_HEADERS: usize = 100;

/// Told to leave before its first byte, a connection would end unanswered: so long it has to bring it when the process stops.
const FIRST_REQUEST_TIMEOUT: Duration = Duration::from_millis(500);

/// Set when a request's body was read to its end.
#[derive(Clone, Default)]
pub(crate) struct BodyRead(Arc<AtomicBool>);

impl BodyRead {
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A connection and what serves it.
pub(super) struct Connection<E> {
    pub(super) socket: TcpStream,
    pub(super) local: SocketAddr,
    pub(super) peer: SocketAddr,
    pub(super) endpoint: Arc<E>,
    pub(super) permit: Arc<ConnectionPermit>,
    /// The process is to stop: after what runs now, no more.
    pub(super) stop: CancellationToken,
    /// It has waited long enough.
    pub(super) end: CancellationToken,
}

impl<E: Endpoint + 'static> Connection<E> {
    /// Serves requests until the other side leaves, is too slow, or the process stops.
    pub(super) async fn run(self) {
        let Self { socket, local, peer, endpoint, permit, stop, end } = self;
        // Answers are written whole; there is nothing to wait for.
        let _ = socket.set_nodelay(true);
        let phase = PhaseCell::new();
        let io = TokioIo::new(TimeoutStream::new(socket, phase.clone()));
        let service = service_fn(move |request| {
            let (endpoint, phase) = (endpoint.clone(), phase.clone());
            async move {
                phase.request_started();
                let response = answer(&*endpoint, request, local, peer).await;
                phase.request_finished();
                Ok::<hyper::Response<_>, Infallible>(response.into())
            }
        });
        let mut http = Builder::new();
        let serving = http.max_buf_size(MAX_READ_AHEAD).max_headers(MAX_HEADERS).serve_connection(io, service);
        let (mut serving, mut leave) = (
            pin!(serving),
            pin!(async {
                tokio::select! {
                    () = async { stop.cancelled().await; sleep(FIRST_REQUEST_TIMEOUT).await } => {}
                    () = permit.eviction_requested() => {}
                }
            }),
        );
        let mut is_leaving = false;
        loop {
            tokio::select! {
                served = &mut serving => {
                    if let Err(error) = served {
                        debug!(%peer, %error, "a connection was cut off");
                    }
                    return;
                }
                () = &mut leave, if !is_leaving => {
                    is_leaving = true;
                    // Idle, it ends now; else after the answer that is being made.
                    serving.as_mut().graceful_shutdown();
                }
                () = end.cancelled() => return,
            }
        }
    }
}

/// The endpoint's answer. Where the body was not read, it is the last on this connection: what follows cannot be told from
/// the rest of that body.
async fn answer(
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
    response
}
