//! The HTTP server: it accepts connections, limits their number and duration, and closes them at the end.
//!
//! The server speaks HTTP/1.1 only, which is what proxies use towards their backends. So it has no exposure to
//! attacks on HTTP/2, such as floods of stream resets or endless header frames. Requests are handed to a poem
//! [`Endpoint`]. Decision 7 (`docs/decisions`) gives the reasons for Portico's own server.

mod connection;
mod connection_limit;
mod fd_limit;
mod log_limiter;
mod response_body;
mod timeout_stream;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use futures_util::FutureExt;
use poem::Endpoint;
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::warn;

pub(crate) use connection::BodyRead;
use connection::Connection;
pub(crate) use connection_limit::ConnectionLimiter;
pub(crate) use fd_limit::max_connections;
pub(crate) use log_limiter::LogLimiter;

/// How long running requests may continue after the process receives SIGTERM or SIGINT.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(25);
/// How long to wait after a failed `accept`, for example when no file descriptor is free. An immediate retry would
/// fail again and keep the processor busy.
const ACCEPT_RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// Serves `endpoint` on `listener` until `stop` is cancelled, then lets running requests finish for up to
/// [`DRAIN_TIMEOUT`].
///
/// When all connection slots are used, new connections wait in the kernel's backlog, where they use no file
/// descriptor. Slots become free soon, because idle connections are asked to close and slow ones time out within
/// about 30 seconds, except those that receive a stream. A connection of a network that has used its share is closed
/// immediately; if it waited, all connections behind it would wait too.
///
/// # Errors
/// An I/O error if the listener's address cannot be read, or the listener cannot be converted to a non-async one.
pub(crate) async fn serve(
    listener: TcpListener,
    endpoint: impl Endpoint + 'static,
    limiter: Arc<ConnectionLimiter>,
    stop: CancellationToken,
) -> io::Result<()> {
    let (local, endpoint) = (listener.local_addr()?, Arc::new(endpoint));
    let (connections, abort) = (TaskTracker::new(), CancellationToken::new());
    let connection = |socket, peer, permit| {
        let (endpoint, permit, stop, abort) = (endpoint.clone(), Arc::new(permit), stop.clone(), abort.clone());
        Connection { socket, local, peer, endpoint, permit, stop, abort }
    };
    loop {
        let next = async {
            let permit = limiter.acquire().await;
            (permit, accept(&listener, &limiter).await)
        };
        let (permit, (socket, peer)) = tokio::select! {
            () = stop.cancelled() => break,
            next = next => next,
        };
        let Some(permit) = permit.assign(peer.ip()) else { continue };
        connections.spawn(connection(socket, peer, permit).run());
    }
    // Connections in the kernel's backlog may already carry a request. If they were reset, a proxy could not know
    // whether the request was processed, and could not safely send it to another process. So they are served too.
    let backlog = listener.into_std()?;
    while let (Ok((socket, peer)), Some(permit)) = (backlog.accept(), limiter.acquire().now_or_never()) {
        let socket = socket.set_nonblocking(true).and_then(|()| TcpStream::from_std(socket));
        if let (Ok(socket), Some(permit)) = (socket, permit.assign(peer.ip())) {
            connections.spawn(connection(socket, peer, permit).run());
        }
    }
    drop(backlog);
    connections.close();
    let _ = timeout(DRAIN_TIMEOUT, connections.wait()).await;
    abort.cancel();
    Ok(())
}

/// Accepts the next connection.
///
/// It never fails: when the system is out of file descriptors or memory, it asks idle connections to close and
/// retries every [`ACCEPT_RETRY_INTERVAL`].
async fn accept(listener: &TcpListener, limiter: &ConnectionLimiter) -> (TcpStream, SocketAddr) {
    static ACCEPT_FAILURE_LOG: LogLimiter = LogLimiter::new();
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            // The client closed the connection before it was accepted.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                if ACCEPT_FAILURE_LOG.should_log() {
                    warn!(%error, "cannot accept connections; retrying every {ACCEPT_RETRY_INTERVAL:?}");
                }
                limiter.evict_idle();
                sleep(ACCEPT_RETRY_INTERVAL).await;
            }
        }
    }
}
