//! `portico healthcheck`: asks the running Portico process on this machine, on its internal listener, whether it is
//! ready.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::output::print;
use crate::config::Config;

/// How long connecting and the response may take together. The server itself waits at most 2 seconds for its database.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(3);
/// The request, with `connection: close` because no second one follows.
const REQUEST: &[u8] = b"GET /health/ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

/// Prints `ready` if `GET /health/ready` on the internal listener answers 200.
///
/// # Errors
/// Returns an error if the response has another status or does not arrive within [`RESPONSE_TIMEOUT`], if the
/// connection fails, or if `PORTICO_INTERNAL_LISTEN` has port 0.
pub(super) async fn run(config: Config) -> Result<()> {
    let address = reachable(config.api.internal_listen);
    if address.port() == 0 {
        bail!("PORTICO_INTERNAL_LISTEN: port 0 cannot be probed; set a fixed port, e.g. 127.0.0.1:9080");
    }
    let status = timeout(RESPONSE_TIMEOUT, ask(address))
        .await
        .with_context(|| format!("{address} did not answer within {} s", RESPONSE_TIMEOUT.as_secs()))?
        .with_context(|| format!("{address} did not answer"))?;
    if status != "200" {
        bail!("{address} is not ready: it answered with status {status}");
    }
    print("ready")?;
    Ok(())
}

/// Sends [`REQUEST`] to `address` and returns the status of the response, three digits.
///
/// # Errors
/// Returns an error if the connection fails or the response is not HTTP/1.1.
async fn ask(address: SocketAddr) -> Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(REQUEST).await?;
    // The length of "HTTP/1.1 200". The rest of the response is not needed.
    let mut head = [0; 12];
    stream.read_exact(&mut head).await?;
    match head.strip_prefix(b"HTTP/1.1 ") {
        Some(status) => Ok(String::from_utf8_lossy(status).into_owned()),
        None => bail!("the response is not HTTP/1.1"),
    }
}

/// Returns the address to connect to for a process that listens on `listen`.
///
/// The unspecified addresses `0.0.0.0` and `::` become loopback, because a process that listens on all addresses also
/// listens there.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}
