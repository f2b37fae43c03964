//! The sockets: how many connections there may be, how long each may take over what, and how they end.
//!
//! HTTP/1.1 only. Proxies speak it to what stands behind them, and what HTTP/2 adds to defend (streams that are reset,
//! headers without end) is then not there. What a connection carries is the business of the endpoint.

mod connection;
mod connection_limit;
mod fd_limit;
mod log_throttle;
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
use log_throttle::LogThrottle;

/// How long answers may still take once the process is told to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(25);
/// How long to wait when the system gives us no more sockets: whatever was missing, asking at once would not find it.
const ACCEPT_RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// Serves `endpoint` on `listener` until `stop`, then lets what runs finish for up to [`DRAIN_TIMEOUT`].
///
/// While all places are taken nobody is taken in: who comes waits in the system's backlog, where waiting costs no file,
/// idle connections are told to go, and slow ones are cut off within half a minute. A network that has its share is
/// turned away at once, since waiting would make all others wait behind it.
///
/// # Errors
/// When the socket is none.
pub(crate) async fn serve(
    listener: TcpListener,
    endpoint: impl Endpoint + 'static,
    limiter: Arc<ConnectionLimiter>,
    stop: CancellationToken,
) -> io::Result<()> {
    let (local, endpoint) = (listener.local_addr()?, Arc::new(endpoint));
    let (running, end) = (TaskTracker::new(), CancellationToken::new());
    let connection = |socket, peer, permit| {
        let (endpoint, permit, stop, end) = (endpoint.clone(), Arc::new(permit), stop.clone(), end.clone());
        Connection { socket, local, peer, endpoint, permit, stop, end }
    };
    loop {
        let next = async {
            let permit = limiter.next().await;
            (permit, accept(&listener, &limiter).await)
        };
        let (permit, (socket, peer)) = tokio::select! {
            () = stop.cancelled() => break,
            next = next => next,
        };
        let Some(permit) = permit.of(peer.ip()) else { continue };
        running.spawn(connection(socket, peer, permit).run());
    }
    // Whom the system has let in already may have sent a request, which a proxy must not send to another of us by itself.
    let door = listener.into_std()?;
    while let (Ok((socket, peer)), Some(permit)) = (door.accept(), limiter.next().now_or_never()) {
        let socket = socket.set_nonblocking(true).and_then(|()| TcpStream::from_std(socket));
        if let (Ok(socket), Some(permit)) = (socket, permit.of(peer.ip())) {
            running.spawn(connection(socket, peer, permit).run());
        }
    }
    drop(door);
    running.close();
    let _ = timeout(DRAIN_TIMEOUT, running.wait()).await;
    end.cancel();
    Ok(())
}

/// The next connection. Never fails and never spins: without files or memory for one more it waits and asks again.
async fn accept(listener: &TcpListener, limiter: &ConnectionLimiter) -> (TcpStream, SocketAddr) {
    static ACCEPT_FAILURE_LOG: LogThrottle = LogThrottle::new();
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            // They left before we came.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                if ACCEPT_FAILURE_LOG.should_log() {
                    warn!(%error, "cannot take in connections; trying again every {ACCEPT_RETRY_INTERVAL:?}");
                }
                limiter.evict_idle();
                sleep(ACCEPT_RETRY_INTERVAL).await;
            }
        }
    }
}
