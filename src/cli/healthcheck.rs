//! `portico healthcheck`: ask the process beside this one, on its internal listener, whether it can serve.

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

use crate::config::Config;

/// A whole answer may take this long; the server itself gives up on its database after 2 seconds.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(3);
const REQUEST: &[u8] = b"GET /health/ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

/// Succeeds when `/health/ready` answers 200.
pub(super) async fn run(config: Config) -> Result<()> {
    let address = reachable(config.api.internal_listen);
    if address.port() == 0 {
        bail!("PORTICO_INTERNAL_LISTEN: nobody knows which port was picked; name one, e.g. 127.0.0.1:9080");
    }
    let status = timeout(RESPONSE_TIMEOUT, ask(address))
        .await
        .with_context(|| format!("nothing answers on {address} within {} s", RESPONSE_TIMEOUT.as_secs()))?
        .with_context(|| format!("nothing answers on {address}"))?;
    if status != "200" {
        bail!("{address} is not ready: it answers {status}");
    }
    super::print("ready");
    Ok(())
}

/// The status of the answer.
async fn ask(address: SocketAddr) -> Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(REQUEST).await?;
    // "HTTP/1.1 200": the rest does not matter.
    let mut head = [0; 12];
    stream.read_exact(&mut head).await?;
    match head.strip_prefix(b"HTTP/1.1 ") {
        Some(status) => Ok(String::from_utf8_lossy(status).into_owned()),
        None => bail!("not HTTP"),
    }
}

/// Where to connect to what listens on `listen`: on every address means on loopback too.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}
