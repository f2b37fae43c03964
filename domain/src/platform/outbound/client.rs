//! The client: one request on one connection.

use std::{convert::Infallible, net::SocketAddr, path::PathBuf, pin::pin, sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use http_body_util::Full;
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    client::conn::http1,
    header::{self, HeaderValue},
};
use hyper_util::rt::TokioIo;
use ipnet::IpNet;
use serde::de::DeserializeOwned;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;
use url::{Url, form_urlencoded};

use super::{
    failure::OutboundError,
    networks::AllowedAddresses,
    resolver::Resolver,
    response,
    slots::{Slot, Slots},
    target::{Target, TargetHost},
    tls,
};
use crate::platform::secret::PlainToken;

/// How long a request may take, from the wait for a slot to the end of the body.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the connection to one address may take if the host has another one.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How many addresses of one host are tried.
const MAX_CONNECT_ATTEMPTS: usize = 3;
/// The largest header section of a response, in bytes.
const MAX_HEADER_BYTES: usize = 32 * 1024;

/// Where an [`OutboundClient`] may connect to.
#[derive(Clone, Debug, Default)]
pub struct OutboundSettings {
    /// The private networks that are allowed, as [`parse_networks`](super::parse_networks) returns them.
    pub networks: Vec<IpNet>,
    /// A PEM file with further certificate authorities.
    pub ca: Option<PathBuf>,
    /// Whether this machine is allowed, also without TLS. Only for development.
    pub is_loopback_allowed: bool,
}

/// A client for requests to servers that an administrator names. Cheap to clone; all clones share their slots.
#[derive(Clone)]
pub struct OutboundClient(Arc<Inner>);

struct Inner {
    allowed: AllowedAddresses,
    tls: TlsConnector,
    resolver: Resolver,
    slots: Slots,
    timeout: Duration,
}

/// The name and the secret of a client, for HTTP Basic authentication (RFC 6749 §2.3.1).
#[derive(Clone, Copy, Debug)]
pub struct BasicCredentials<'a> {
    /// The client identifier.
    pub id: &'a str,
    /// The client secret.
    pub secret: &'a PlainToken,
}

impl OutboundClient {
    /// Creates a client and reads the file with the certificate authorities.
    ///
    /// # Errors
    /// A sentence that names the file, if it cannot be read or contains no certificate.
    pub fn new(settings: &OutboundSettings, resolver: Resolver) -> Result<Self, String> {
        Self::with_timeout(settings, resolver, REQUEST_TIMEOUT)
    }

    /// Creates a client as [`new`](Self::new) does, whose requests may take this long.
    pub(crate) fn with_timeout(
        settings: &OutboundSettings,
        resolver: Resolver,
        timeout: Duration,
    ) -> Result<Self, String> {
        let OutboundSettings { networks, ca, is_loopback_allowed } = settings;
        let allowed = AllowedAddresses { networks: networks.clone(), is_loopback_allowed: *is_loopback_allowed };
        let tls = tls::connector(ca.as_deref())?;
        Ok(Self(Arc::new(Inner { allowed, tls, resolver, slots: Slots::default(), timeout })))
    }

    /// Returns whether this machine may be connected to, also without TLS.
    pub fn is_loopback_allowed(&self) -> bool {
        self.0.allowed.is_loopback_allowed
    }

    /// Requests `url` with GET and parses the body as JSON.
    ///
    /// `provider` names the provider that the request counts for: at most 16 requests of one provider run at the same
    /// time. A request takes at most 5 seconds, and a body has at most 1 MiB.
    ///
    /// # Errors
    /// An [`OutboundError`] that says why there is no such value.
    pub async fn get_json<T: DeserializeOwned>(&self, provider: &str, url: &Url) -> Result<T, OutboundError> {
        self.json(provider, url, Request::get("/").body(Full::default())).await
    }

    /// Posts the fields of `form` to `url`, as `application/x-www-form-urlencoded`, and parses the body as JSON.
    ///
    /// `credentials` become the header `Authorization`. The limits are those of [`get_json`](Self::get_json).
    ///
    /// # Errors
    /// An [`OutboundError`] that says why there is no such value. A token endpoint that refuses the request is
    /// [`OutboundError::OAuth`].
    pub async fn post_form_json<T: DeserializeOwned>(
        &self,
        provider: &str,
        url: &Url,
        form: &[(&str, &str)],
        credentials: Option<BasicCredentials<'_>>,
    ) -> Result<T, OutboundError> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let mut request = Request::post("/").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(credentials) = credentials {
            request = request.header(header::AUTHORIZATION, credentials.header()?);
        }
        self.json(provider, url, request.body(Full::from(body))).await
    }

    async fn json<T: DeserializeOwned>(
        &self,
        provider: &str,
        url: &Url,
        request: Result<Request<Full<Bytes>>, hyper::http::Error>,
    ) -> Result<T, OutboundError> {
        let mut request = request.map_err(|_| OutboundError::RefusedUrl("cannot be requested"))?;
        let target = Target::of(url, &self.0.allowed)?;
        let invalid = |_| OutboundError::RefusedUrl("cannot be requested");
        *request.uri_mut() = target.path.parse().map_err(|_| OutboundError::RefusedUrl("cannot be requested"))?;
        let headers = request.headers_mut();
        headers.insert(header::HOST, HeaderValue::from_str(&target.authority).map_err(invalid)?);
        headers.insert(header::USER_AGENT, HeaderValue::from_static("portico"));
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        let work = async {
            let slot = self.0.slots.acquire(provider).await?;
            self.exchange(&target, request, &slot).await
        };
        timeout(self.0.timeout, work).await.unwrap_or(Err(OutboundError::Timeout))
    }

    /// Opens a connection to a checked address and sends the request on it.
    async fn exchange<T: DeserializeOwned>(
        &self,
        target: &Target,
        request: Request<Full<Bytes>>,
        slot: &Slot,
    ) -> Result<T, OutboundError> {
        let addresses = match &target.host {
            TargetHost::Name(name) => self.0.resolver.resolve(name, target.port, slot.clone()).await?,
            TargetHost::Address(address) => vec![SocketAddr::new(*address, target.port)],
        };
        target.check(&addresses, &self.0.allowed)?;
        let stream = connect(&addresses).await?;
        if !target.is_encrypted {
            return send(stream, request).await;
        }
        let name = target.server_name()?;
        let stream = self.0.tls.connect(name, stream).await.map_err(|error| match error.get_ref() {
            Some(reason) if reason.is::<rustls::Error>() => OutboundError::Tls(reason.to_string()),
            _ => OutboundError::Connection(error.to_string()),
        })?;
        send(stream, request).await
    }
}

impl BasicCredentials<'_> {
    /// Returns the value of the header `Authorization`. Both parts are encoded as a form before they are joined.
    fn header(&self) -> Result<HeaderValue, OutboundError> {
        let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let joined = format!("{}:{}", encode(self.id), encode(self.secret.reveal()));
        let mut value = HeaderValue::from_str(&format!("Basic {}", BASE64_STANDARD.encode(joined)))
            .map_err(|_| OutboundError::RefusedUrl("cannot be requested"))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

/// Connects to the first of `addresses` that accepts the connection.
async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, OutboundError> {
    let mut failure = OutboundError::UnknownHost;
    for address in addresses.iter().take(MAX_CONNECT_ATTEMPTS) {
        failure = match timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => OutboundError::Connection(error.to_string()),
            Err(_) => OutboundError::Timeout,
        };
    }
    Err(failure)
}

/// Sends the request and reads the response. The connection ends with this call.
async fn send<S, T>(stream: S, request: Request<Full<Bytes>>) -> Result<T, OutboundError>
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: DeserializeOwned,
{
    let failed = |error: hyper::Error| OutboundError::Connection(error.to_string());
    let (mut sender, connection) =
        http1::Builder::new().max_buf_size(MAX_HEADER_BYTES).handshake(TokioIo::new(stream)).await.map_err(failed)?;
    let answer = async {
        let response: Response<Incoming> = sender.send_request(request).await.map_err(failed)?;
        response::read_json(response).await
    };
    // The connection may end before the last bytes of the body are read here.
    let drive = async {
        let _ = connection.await;
        std::future::pending::<Infallible>().await
    };
    let (mut answer, mut drive) = (pin!(answer), pin!(drive));
    tokio::select! {
        answer = &mut answer => answer,
        never = &mut drive => match never {},
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tokio::time::Instant;

    use super::{
        super::{
            slots::MAX_REQUESTS,
            test_server::{Answer, TestServer, local_client, tls_client},
        },
        *,
    };

    const LOOPBACK: &str = "127.0.0.0/8";

    async fn get(client: &OutboundClient, url: &Url) -> Result<Value, OutboundError> {
        client.get_json("test", url).await
    }

    #[tokio::test]
    async fn sso_08_a_named_network_is_reached_over_tls_with_a_valid_certificate() {
        let server = TestServer::start_tls(|_| Answer::new(200, r#"{"a":1}"#)).await;
        let names = [("idp.test", &["127.0.0.1"][..]), ("other.test", &["127.0.0.1"])];
        let client = tls_client(LOOPBACK, &names);
        assert_eq!(get(&client, &server.tls_url("idp.test", "/a?b=c")).await, Ok(json!({"a": 1})));
        let request = &server.requests()[0];
        assert!(request.starts_with("GET /a?b=c HTTP/1.1\r\nhost: idp.test:"), "{request}");
        assert!(request.contains("user-agent: portico\r\n") && !request.contains("cookie"), "{request}");

        let error = get(&client, &server.tls_url("other.test", "/")).await.unwrap_err();
        assert!(matches!(error, OutboundError::Tls(_)), "the certificate is for another name: {error}");
        assert_eq!(get(&client, &server.tls_url("unknown.test", "/")).await, Err(OutboundError::UnknownHost));
        assert_eq!(server.requests().len(), 1);
    }

    #[tokio::test]
    async fn sso_08_the_server_of_an_address_that_is_not_allowed_gets_no_connection() {
        let server = TestServer::start_tls(|_| Answer::new(200, "{}")).await;
        let names = [
            ("idp.test", &["127.0.0.1"][..]),
            ("mixed.test", &["8.8.8.8", "::1"]),
            ("mapped.test", &["::ffff:7f00:1"]),
        ];
        let client = tls_client("10.0.0.0/8", &names);
        for host in ["idp.test", "mixed.test", "mapped.test", "127.0.0.1", "2130706433", "[::ffff:127.0.0.1]"] {
            let error = get(&client, &server.tls_url(host, "/")).await.unwrap_err();
            assert!(matches!(error, OutboundError::RefusedAddress(_)), "{host}: {error}");
        }
        let error = get(&client, &server.url("/")).await.unwrap_err();
        assert!(matches!(error, OutboundError::RefusedUrl(_)), "http outside of development: {error}");
        assert!(server.requests().is_empty());
        let system = OutboundClient::new(&OutboundSettings::default(), Resolver::System).unwrap();
        let error = get(&system, &server.tls_url("localhost", "/")).await.unwrap_err();
        assert!(matches!(error, OutboundError::RefusedAddress(_)), "{error}");
    }

    #[tokio::test]
    async fn sso_08_redirects_are_not_followed_and_other_statuses_are_errors() {
        let server = TestServer::start(|request| match request.split(' ').nth(1).unwrap() {
            "/300" => Answer::raw("HTTP/1.1 302 Found\r\nLocation: /inside\r\nContent-Length: 0\r\n\r\n"),
            "/301" => Answer::raw("HTTP/1.1 301 Moved\r\nLocation: https://169.254.169.254/\r\n\r\n"),
            "/html" => Answer::new(200, "<html>"),
            "/trailing" => Answer::new(200, "{} {}"),
            "/deep" => Answer::new(200, "[".repeat(100_000)),
            "/closed" => Answer::raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}"),
            "/garbage" => Answer::raw("SSH-2.0-OpenSSH\r\n"),
            "/nothing" => Answer::raw(""),
            "/headers" => Answer::raw(format!("HTTP/1.1 200 OK\r\nA: {}\r\n\r\n{{}}", "a".repeat(100_000))),
            "/inside" => Answer::new(200, "{}"),
            path => Answer::new(path[1..].parse().unwrap(), r#"{"error":"canary"}"#),
        })
        .await;
        let client = local_client();
        let error = async |path: &str| get(&client, &server.url(path)).await.unwrap_err();
        assert_eq!(error("/300").await, OutboundError::Redirect(302));
        assert_eq!(error("/301").await, OutboundError::Redirect(301));
        for status in [201, 204, 400, 401, 403, 404, 429, 500, 503] {
            let error = error(&format!("/{status}")).await;
            assert_eq!(error, OutboundError::Status(status));
            assert!(!error.to_string().contains("canary"));
            assert_eq!(error.is_transient(), status == 429 || status >= 500);
        }
        for path in ["/html", "/trailing", "/deep"] {
            assert_eq!(error(path).await, OutboundError::NotJson, "{path}");
        }
        for path in ["/closed", "/garbage", "/nothing", "/headers"] {
            let error = error(path).await;
            assert!(matches!(error, OutboundError::Connection(_)), "{path}: {error}");
        }
        assert_eq!(server.count("GET /inside"), 0);
    }

    #[tokio::test]
    async fn sso_08_large_bodies_are_refused_early_and_slow_ones_in_time() {
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let server = TestServer::start(move |request| match request.split(' ').nth(1).unwrap() {
            "/announced" => Answer {
                pieces: vec![b"HTTP/1.1 200 OK\r\nContent-Length: 10485760\r\n\r\n".to_vec()],
                pause: Duration::from_secs(60),
            },
            "/chunked" => {
                let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x1_0000));
                Answer::raw(format!("{chunked}{}0\r\n\r\n", chunk.repeat(160)))
            }
            "/largest" => Answer::new(200, format!("{}{{}}", " ".repeat(response::MAX_BODY_BYTES - 2))),
            "/larger" => Answer::new(200, format!("{}{{}}", " ".repeat(response::MAX_BODY_BYTES - 1))),
            _ => Answer {
                pieces: vec![chunked.as_bytes().to_vec()]
                    .into_iter()
                    .chain(vec![b"1\r\n \r\n".to_vec(); 100])
                    .collect(),
                pause: Duration::from_millis(50),
            },
        })
        .await;
        let client = local_client();
        for path in ["/announced", "/chunked", "/larger"] {
            assert_eq!(get(&client, &server.url(path)).await, Err(OutboundError::TooLarge), "{path}");
        }
        assert_eq!(get(&client, &server.url("/largest")).await, Ok(json!({})));

        let settings = OutboundSettings { is_loopback_allowed: true, ..OutboundSettings::default() };
        let short = Duration::from_millis(300);
        let client = OutboundClient::with_timeout(&settings, Resolver::default(), short).unwrap();
        let began_at = Instant::now();
        assert_eq!(get(&client, &server.url("/slow")).await, Err(OutboundError::Timeout));
        assert!(began_at.elapsed() < Duration::from_secs(2));
    }

    #[tokio::test]
    async fn a_provider_that_does_not_answer_has_sixteen_requests_and_slows_no_other() {
        let server = TestServer::start(|request| match request.starts_with("GET /slow") {
            true => Answer { pieces: vec![Vec::new()], pause: Duration::from_secs(60) },
            false => Answer::new(200, "{}"),
        })
        .await;
        let settings = OutboundSettings { is_loopback_allowed: true, ..OutboundSettings::default() };
        let long = Duration::from_secs(60);
        let client = OutboundClient::with_timeout(&settings, Resolver::default(), long).unwrap();
        let (slow, fast) = (server.url("/slow"), server.url("/fast"));
        let hanging: Vec<_> = (0..MAX_REQUESTS)
            .map(|_| {
                let (client, slow) = (client.clone(), slow.clone());
                tokio::spawn(async move { client.get_json::<Value>("a", &slow).await })
            })
            .collect();
        let all_arrived = async {
            while server.count("GET /slow") < MAX_REQUESTS {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(30), all_arrived).await.unwrap();
        assert_eq!(client.get_json::<Value>("b", &fast).await, Ok(json!({})));
        assert_eq!(client.get_json::<Value>("a", &fast).await, Err(OutboundError::Busy));
        for request in hanging {
            request.abort();
        }
        assert_eq!(client.get_json::<Value>("a", &fast).await, Ok(json!({})), "a dropped request frees its slot");
    }

    #[tokio::test]
    async fn a_form_is_posted_with_encoded_credentials() {
        let server = TestServer::start(|request| match request.contains("code=right") {
            true => Answer::new(200, "{}"),
            false => Answer::new(400, r#"{"error":"invalid_grant","error_description":"canary"}"#),
        })
        .await;
        let client = local_client();
        let secret = PlainToken::new("p:w d%~é");
        let credentials = BasicCredentials { id: "client:1", secret: &secret };
        assert!(!format!("{credentials:?}").contains("p:w"));
        let post = async |code: &str| {
            let form = [("code", code), ("redirect_uri", "https://a.test/b?c&d")];
            client.post_form_json::<Value>("test", &server.url("/token"), &form, Some(credentials)).await
        };
        assert_eq!(post("right").await, Ok(json!({})));
        let request = &server.requests()[0];
        let expected = BASE64_STANDARD.encode("client%3A1:p%3Aw+d%25%7E%C3%A9");
        assert!(request.contains(&format!("authorization: Basic {expected}\r\n")), "{request}");
        assert!(request.contains("content-type: application/x-www-form-urlencoded\r\n"), "{request}");
        assert!(request.ends_with("code=right&redirect_uri=https%3A%2F%2Fa.test%2Fb%3Fc%26d"), "{request}");
        assert_eq!(post("wrong").await, Err(OutboundError::OAuth("invalid_grant")));
    }
}
