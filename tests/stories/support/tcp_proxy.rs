//! A network between Portico and its database, to be lost without a word.

use std::future::pending;

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};
use url::Url;

/// Hands on what comes, until it falls silent.
pub(crate) struct TcpProxy {
    url: String,
    lost: watch::Sender<()>,
}

impl TcpProxy {
    /// In front of the database at `url`.
    pub(crate) async fn to(url: &str) -> Self {
        let mut url: Url = url.parse().unwrap();
        let server = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        let lost = watch::Sender::new(());
        let told = lost.clone();
        tokio::spawn(async move {
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                let mut lost = told.subscribe();
                let server = server.clone();
                tokio::spawn(async move {
                    let Ok(mut far) = TcpStream::connect(&server).await else { return };
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        // Nobody is told: both sides stay open.
                        _ = lost.changed() => pending().await,
                    }
                });
            }
        });
        Self { url: url.into(), lost }
    }

    /// Where the database is found behind it.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// From now on nothing comes through on the connections that there are. New ones are served.
    pub(crate) fn stop_forwarding(&self) {
        let _ = self.lost.send(());
    }
}
