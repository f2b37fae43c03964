//! The HTTP clients of the stories.

use std::sync::{Arc, LazyLock};

use reqwest::{Client, ClientBuilder, IntoUrl, Response};
use rustls::{ClientConfig, RootCertStore, crypto::ring};

/// A configuration that trusts no certificate authority. Without one, each client reads those of the system, which
/// takes longer than hundreds of requests.
static TLS: LazyLock<ClientConfig> = LazyLock::new(|| {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth()
});

/// A builder of clients for servers without TLS.
pub(crate) fn client_builder() -> ClientBuilder {
    Client::builder().tls_backend_preconfigured(TLS.clone())
}

/// A client for servers without TLS.
pub(crate) fn client() -> Client {
    client_builder().build().unwrap()
}

/// Sends a GET over a connection of its own.
pub(crate) async fn get(url: impl IntoUrl) -> reqwest::Result<Response> {
    client().get(url).send().await
}
