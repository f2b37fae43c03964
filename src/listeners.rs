//! The listeners of a process: the API's (`PORTICO_LISTEN`) and the one for health and metrics
//! (`PORTICO_INTERNAL_LISTEN`).

use std::{
    io::ErrorKind,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use anyhow::{Result, anyhow};
use tokio::net::TcpListener;
use url::Url;

use crate::config::Config;

/// The bound listeners of a process.
pub(crate) struct Listeners {
    /// The listener of the API (`PORTICO_LISTEN`). `None` in a process that serves no API.
    pub(crate) public: Option<TcpListener>,
    /// The listener for health and metrics (`PORTICO_INTERNAL_LISTEN`).
    pub(crate) internal: TcpListener,
}

impl Listeners {
    /// Returns the URL at which a program on this machine reaches the API. `None` in a process that serves no API.
    pub(crate) fn local_url(&self) -> Option<String> {
        self.public.as_ref()?.local_addr().ok().map(local_url)
    }
}

/// Returns the URL at which a program on this machine reaches a server that listens on `address`.
fn local_url(address: SocketAddr) -> String {
    let ip = address.ip().to_canonical();
    match address.port() {
        port if ip.is_unspecified() || ip == IpAddr::from(Ipv4Addr::LOCALHOST) => format!("http://localhost:{port}"),
        port => format!("http://{}", SocketAddr::new(ip, port)),
    }
}

/// Binds the API's listener and the internal listener.
///
/// If `PORTICO_PUBLIC_URL` is not set, this sets the public URL to `http://localhost:<port>` with the port that was
/// bound.
///
/// # Errors
/// Returns an error if one of the two addresses cannot be bound, for example because its port is in use.
pub(crate) async fn bind(config: &mut Config) -> Result<Listeners> {
    let listen = config.api.listen;
    let public = listen_on("PORTICO_LISTEN", listen).await?;
    let internal = bind_internal(config).await?.internal;
    if !config.has_public_url {
        config.domain.public_url = Url::parse(&format!("http://localhost:{}", public.local_addr()?.port()))?;
    }
    Ok(Listeners { public: Some(public), internal })
}

/// Binds the internal listener only, for a process that serves no API.
///
/// # Errors
/// Returns an error if the address cannot be bound, for example because its port is in use.
pub(crate) async fn bind_internal(config: &Config) -> Result<Listeners> {
    let internal = listen_on("PORTICO_INTERNAL_LISTEN", config.api.internal_listen).await?;
    Ok(Listeners { public: None, internal })
}

/// Binds `address`, which the setting `name` holds.
///
/// # Errors
/// Returns an error that names the setting. If the port is in use, it also names an example of another one.
async fn listen_on(name: &str, address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let port = address.port();
        let mut example = address;
        example.set_port(port.checked_add(1).unwrap_or(0));
        let hint = match error.kind() {
            ErrorKind::AddrInUse => format!(
                "; another process uses the port {port}. Stop it, or choose another port, e.g. {name}={example} (port \
                 0 picks a free one)"
            ),
            ErrorKind::PermissionDenied => {
                example.set_port(8080);
                format!("; ports below 1024 are for root, e.g. {name}={example}")
            }
            _ => String::new(),
        };
        anyhow!("{name}: cannot listen on {address}: {error}{hint}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_url_leads_to_the_listener() {
        for (address, url) in [
            ("127.0.0.1:8080", "http://localhost:8080"),
            ("0.0.0.0:80", "http://localhost:80"),
            ("[::]:81", "http://localhost:81"),
            ("[::1]:8080", "http://[::1]:8080"),
            ("127.0.0.2:9", "http://127.0.0.2:9"),
            ("10.1.2.3:443", "http://10.1.2.3:443"),
        ] {
            assert_eq!(local_url(address.parse().unwrap()), url);
        }
    }
}
