//! A TCP proxy between Portico and its database or Redis, which can stop forwarding without closing a connection, and
//! forward new connections to another server.

use std::{
    future::pending,
    sync::{Arc, Mutex},
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};
use url::Url;

/// A running proxy.
pub(crate) struct TcpProxy {
    url: String,
    server: Arc<Mutex<String>>,
    stop: watch::Sender<()>,
}

impl TcpProxy {
    /// Starts a proxy to the server at `url`.
    pub(crate) async fn to(url: &str) -> Self {
        let mut url: Url = url.parse().unwrap();
        let server = Arc::new(Mutex::new(host_and_port(&url)));
        let current_server = server.clone();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        let stop = watch::Sender::new(());
        let stop_sender = stop.clone();
        tokio::spawn(async move {
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                let mut stop = stop_sender.subscribe();
                let server = current_server.lock().unwrap().clone();
                tokio::spawn(async move {
                    let Ok(mut database) = TcpStream::connect(&server).await else { return };
                    tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut database) => {}
                        // Both connections stay open.
                        _ = stop.changed() => pending().await,
                    }
                });
            }
        });
        Self { url: url.into(), server, stop }
    }

    /// Forwards new connections to the server at `url`. The open connections stay at the old one.
    pub(crate) fn point_to(&self, url: &str) {
        *self.server.lock().unwrap() = host_and_port(&url.parse().unwrap());
    }

    /// The URL of the server through the proxy.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Stops forwarding on the open connections. New connections are forwarded.
    pub(crate) fn stop_forwarding(&self) {
        let _ = self.stop.send(());
    }
}

fn host_and_port(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap(), url.port().unwrap())
}
