//! A small HTTP server for unit tests. Its answers are bytes, so that it can misbehave.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;
use url::Url;

use super::{OutboundClient, OutboundSettings, Resolver};

/// What the server sends, piece by piece, with a pause after each one. Then it closes the connection.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) pieces: Vec<Vec<u8>>,
    pub(crate) pause: Duration,
}

impl Answer {
    /// Returns an answer with this status and body.
    pub(crate) fn new(status: u16, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let head = format!("HTTP/1.1 {status} Status\r\nContent-Length: {}\r\n\r\n", body.len());
        Self::raw([head.as_bytes(), body].concat())
    }

    /// Returns an answer of these bytes.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { pieces: vec![bytes.into()], pause: Duration::ZERO }
    }
}

/// A server on a free port of 127.0.0.1. It ends with the runtime of the test.
pub(crate) struct TestServer {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl TestServer {
    /// Starts a server without TLS, which answers each request as `answer` says.
    pub(crate) async fn start(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        Self::listen(None, answer).await
    }

    /// Starts a server with a certificate of the test authority for `idp.test`.
    pub(crate) async fn start_tls(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let certificate = CertificateDer::from_pem_slice(include_bytes!("test_data/test_server.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_slice(include_bytes!("test_data/test_server_key.pem")).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        Self::listen(Some(TlsAcceptor::from(Arc::new(config))), answer).await
    }

    async fn listen(tls: Option<TlsAcceptor>, answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let (log, answer) = (requests.clone(), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (log, answer, tls) = (log.clone(), answer.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, &log, &*answer).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, &log, &*answer).await;
                            }
                        }
                    }
                });
            }
        });
        Self { address, requests }
    }

    /// Returns the URL of `path` on this server, without TLS.
    pub(crate) fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.address)).unwrap()
    }

    /// Returns the URL of `path` on this server, as the host `name`, with TLS.
    pub(crate) fn tls_url(&self, name: &str, path: &str) -> Url {
        Url::parse(&format!("https://{name}:{}{path}", self.address.port())).unwrap()
    }

    /// Returns the requests so far: the first line, the headers and the body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// Returns how many requests began with `start`.
    pub(crate) fn count(&self, start: &str) -> usize {
        self.requests().iter().filter(|request| request.starts_with(start)).count()
    }
}

async fn serve<S>(mut stream: S, log: &Mutex<Vec<String>>, answer: &(impl Fn(&str) -> Answer + Send + Sync))
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let mut request = Vec::new();
    while !is_complete(&request) {
        let mut buffer = [0; 4_096];
        match stream.read(&mut buffer).await {
            Ok(length) if length > 0 => request.extend(&buffer[..length]),
            _ => return,
        }
    }
    let request = String::from_utf8(request).unwrap();
    let Answer { pieces, pause } = answer(&request);
    log.lock().unwrap().push(request);
    for piece in pieces {
        if stream.write_all(&piece).await.is_err() {
            return;
        }
        tokio::time::sleep(pause).await;
    }
    let _ = stream.shutdown().await;
}

/// Returns whether the headers and the body that they announce have arrived.
fn is_complete(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}

/// Returns a client that may use this machine without TLS.
pub(crate) fn local_client() -> OutboundClient {
    let settings = OutboundSettings { is_loopback_allowed: true, ..OutboundSettings::default() };
    OutboundClient::new(&settings, Resolver::default()).unwrap()
}

/// Returns a client that trusts the test authority and knows these names only. `networks` are allowed.
pub(crate) fn tls_client(networks: &str, names: &[(&str, &[&str])]) -> OutboundClient {
    let settings = OutboundSettings {
        networks: super::parse_networks(networks).unwrap(),
        ca: Some(PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/platform/outbound/test_data/test_ca.pem"))),
        is_loopback_allowed: false,
    };
    let parse = |ip: &&str| ip.parse::<IpAddr>().unwrap();
    let table: HashMap<_, _> =
        names.iter().map(|(name, ips)| ((*name).to_owned(), ips.iter().map(parse).collect())).collect();
    OutboundClient::new(&settings, Resolver::Fixed(Arc::new(table))).unwrap()
}
