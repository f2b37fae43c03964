//! The HTTP client: sends a request to the server and returns its answer or its problem.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    sync::Arc,
    time::Duration,
};

use reqwest::{
    Method, StatusCode,
    header::{self, HeaderMap, HeaderValue},
    redirect::Policy,
};
use rustls::{ClientConfig, RootCertStore};
use serde::de::IgnoredAny;
use tokio::time::sleep;

use super::{
    answer::Answer,
    api_request::ApiRequest,
    failure::{Failure, FailureKind, Result},
    problem::{self, content_type_name, not_portico},
    server_url::{LOCALHOST, ServerUrl},
    terminal,
};

/// How long a connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest time for which a request waits that the server asks for.
const MAX_RETRY_AFTER: u64 = 30;
/// How often a request is sent again.
const MAX_RETRIES: u32 = 3;
/// How long to wait after a connection that could not be opened, and after a 503 without a time.
const RETRY_DELAY: Duration = Duration::from_millis(500);
/// The largest answer that is kept in memory, in bytes.
const MAX_BODY_BYTES: usize = 32 << 20;

/// An HTTP client of one server.
#[derive(Clone)]
pub(super) struct ApiClient {
    http: reqwest::Client,
    /// The URL of the server.
    pub(super) url: ServerUrl,
    /// How long a request may take.
    timeout: Duration,
}

/// What identifies the caller.
#[derive(Clone, Copy, Default)]
pub(super) struct Credentials<'a> {
    /// An API token or the access token of a session.
    pub(super) bearer: Option<&'a str>,
    /// The cookie of a known device.
    pub(super) device: Option<&'a str>,
}

impl<'a> Credentials<'a> {
    /// Returns the credentials of a bearer token.
    pub(super) fn bearer(token: &'a str) -> Self {
        Self { bearer: Some(token), device: None }
    }
}

impl ApiClient {
    /// Returns a client of the server at `url`, whose requests take at most `timeout`.
    ///
    /// # Errors
    /// A failure with the exit code 1 if TLS cannot be set up.
    pub(super) fn new(url: ServerUrl, timeout: Duration) -> Result<Self> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("portico-remote/", env!("CARGO_PKG_VERSION")))
            // A redirect could lead to another server, which must not get the token.
            .redirect(Policy::none())
            .connect_timeout(connect_timeout(timeout))
            .tls_backend_preconfigured(tls());
        if url.is_plain() {
            // A proxy would get the token in plain text.
            builder = builder.no_proxy();
            // The system could send the name to another machine. The port 0 stands for that of the URL.
            builder = builder
                .resolve_to_addrs(LOCALHOST, &[(Ipv4Addr::LOCALHOST, 0).into(), (Ipv6Addr::LOCALHOST, 0).into()]);
        }
        let http = builder.build().map_err(|error| Failure::failed(format!("cannot set up TLS: {error}")))?;
        Ok(Self { http, url, timeout })
    }

    /// Sends a request and returns the answer. A GET and a request with an `Idempotency-Key` are sent again after a
    /// connection that could not be opened, after 503, and after 429 if the server asks for 30 seconds or less.
    ///
    /// # Errors
    /// The problem that the server answered with, or a failure with the exit code 5 if there is no answer of Portico.
    pub(super) async fn send(&self, request: &ApiRequest, credentials: Credentials<'_>) -> Result<Answer> {
        repeat(request.is_idempotent(), async || self.send_once(request, credentials).await).await
    }

    /// Sends a GET and returns its answer as a stream, for an answer that may take long: only the wait for the next
    /// bytes is limited. Is sent again as by [`send`](Self::send).
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    pub(super) async fn stream(&self, request: &ApiRequest, credentials: Credentials<'_>) -> Result<Stream> {
        repeat(request.is_idempotent(), async || self.stream_once(request, credentials).await).await
    }

    async fn stream_once(&self, request: &ApiRequest, credentials: Credentials<'_>) -> Result<Stream, FailedAttempt> {
        let sent = self.request(request, credentials).send();
        let response = tokio::time::timeout(self.timeout, sent).await.map_err(|_| self.timed_out(request))?;
        let response = response.map_err(|error| self.connection_failure(request, &error))?;
        let content_type = content_type_name(&content_type(response.headers()));
        match (response.status(), content_type.as_str()) {
            (StatusCode::OK, "application/x-ndjson") => Ok(Stream { response, idle: self.timeout }),
            (StatusCode::OK, other) => Err(not_portico(&format!("content type {other}")).into()),
            (status, _) => {
                let reading = tokio::time::timeout(self.timeout, self.read(request, response)).await;
                reading.map_err(|_| self.timed_out(request))??;
                Err(not_portico(&format!("status {}", status.as_u16())).into())
            }
        }
    }

    fn request(&self, request: &ApiRequest, credentials: Credentials<'_>) -> reqwest::RequestBuilder {
        let url = self.url.join(&request.path, &request.query);
        let mut builder = self.http.request(request.method.clone(), url);
        if let Some(token) = credentials.bearer {
            builder = builder.bearer_auth(token);
        }
        if let Some(Ok(mut device)) = credentials.device.map(HeaderValue::from_str) {
            device.set_sensitive(true);
            builder = builder.header(header::COOKIE, device);
        }
        if let Some(key) = &request.idempotency_key {
            builder = builder.header("idempotency-key", key);
        }
        match &request.body {
            Some((content_type, body)) => builder.header(header::CONTENT_TYPE, *content_type).body(body.clone()),
            None => builder,
        }
    }

    async fn send_once(&self, request: &ApiRequest, credentials: Credentials<'_>) -> Result<Answer, FailedAttempt> {
        let exchange = async {
            let response = self.request(request, credentials).send().await;
            let response = response.map_err(|error| self.connection_failure(request, &error))?;
            let cookies = cookies(response.headers());
            let text = self.read(request, response).await?;
            Ok(Answer { text, cookies })
        };
        match tokio::time::timeout(self.timeout, exchange).await {
            Ok(result) => result,
            Err(_) => Err(self.timed_out(request).into()),
        }
    }

    /// Returns the body of a response whose status is 2xx.
    async fn read(&self, request: &ApiRequest, mut response: reqwest::Response) -> Result<String, FailedAttempt> {
        let (status, content_type) = (response.status(), content_type(response.headers()));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.connection_failure(request, &error))? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_BODY_BYTES {
                return Err(not_portico("it has more than 32 MiB").into());
            }
        }
        if status.is_redirection() {
            return Err(not_portico(&format!("status {}, a redirect, which is not followed", status.as_u16())).into());
        }
        if !status.is_success() {
            let failure = problem::failure(status.as_u16(), &body, &content_type);
            let is_transient = matches!(status.as_u16(), 429 | 503);
            return Err(FailedAttempt { failure, is_transient });
        }
        let media_type = content_type_name(&content_type);
        // Portico answers each DELETE with 204.
        let has_body = request.method != Method::DELETE && media_type == "application/json";
        match String::from_utf8(body) {
            Ok(text) if text.is_empty() && status == StatusCode::NO_CONTENT => Ok(text),
            Ok(text) if has_body && is_json(&text) => Ok(text),
            _ => Err(not_portico(&format!("status {}, content type {media_type}", status.as_u16())).into()),
        }
    }

    fn timed_out(&self, request: &ApiRequest) -> Failure {
        let seconds = self.timeout.as_secs();
        let failure = Failure::unreachable(format!("{} did not answer within {seconds} s; see --timeout", self.url));
        with_doubt(failure, request)
    }

    fn connection_failure(&self, request: &ApiRequest, error: &reqwest::Error) -> FailedAttempt {
        if error.is_builder() {
            return Failure::failed("the request cannot be sent, because the credential or the URL is damaged").into();
        }
        if error.is_timeout() {
            let seconds = connect_timeout(self.timeout).as_secs();
            return Failure::unreachable(format!("no connection to {} within {seconds} s", self.url)).into();
        }
        // The last cause is the shortest one, such as "Connection refused". The others repeat the URL.
        let mut cause: &dyn std::error::Error = error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        let (what, is_transient) =
            if error.is_connect() { ("cannot connect to", true) } else { ("lost the connection to", false) };
        let failure = Failure::unreachable(format!("{what} {}: {cause}", self.url));
        FailedAttempt { failure: if is_transient { failure } else { with_doubt(failure, request) }, is_transient }
    }
}

/// Adds to the failure of a request without an answer that the server may have done it, if it changes something.
fn with_doubt(failure: Failure, request: &ApiRequest) -> Failure {
    match request.is_idempotent() || request.query.iter().any(|(name, _)| *name == "dry_run") {
        true => failure,
        false => {
            failure.with_advice("The server may have done it all the same. Check it with a list before you try again.")
        }
    }
}

/// Returns whether a text is JSON.
fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Returns how long a connection may take to open if a request may take `timeout`.
fn connect_timeout(timeout: Duration) -> Duration {
    CONNECT_TIMEOUT.min(timeout)
}

/// A request that failed.
struct FailedAttempt {
    failure: Failure,
    /// Whether the same request may succeed in a moment.
    is_transient: bool,
}

impl From<Failure> for FailedAttempt {
    fn from(failure: Failure) -> Self {
        Self { failure, is_transient: false }
    }
}

/// Makes attempts until one succeeds or fails for good. What must not be repeated is attempted once.
async fn repeat<T>(may_repeat: bool, attempt: impl AsyncFn() -> Result<T, FailedAttempt>) -> Result<T> {
    let mut retries = 0;
    loop {
        let failure = match attempt().await {
            Ok(answer) => return Ok(answer),
            Err(FailedAttempt { failure, is_transient }) if is_transient && may_repeat => failure,
            Err(FailedAttempt { failure, .. }) => return Err(failure),
        };
        if retries == MAX_RETRIES {
            return Err(failure);
        }
        let Some(delay) = delay(&failure) else { return Err(failure) };
        retries += 1;
        sleep(delay).await;
    }
}

/// Returns how long to wait before a request is sent again; `None` if that is too long. Says so on stderr.
fn delay(failure: &Failure) -> Option<Duration> {
    let is_rate_limited = failure.kind() == FailureKind::Failed;
    match failure.retry_after() {
        Some(seconds) if seconds > MAX_RETRY_AFTER => None,
        Some(seconds) => {
            let why = if is_rate_limited { "The rate limit is used up" } else { "The server is busy" };
            terminal::note(format!("{why}; waiting for {seconds} s."));
            Some(Duration::from_secs(seconds))
        }
        None => Some(RETRY_DELAY),
    }
}

/// An answer that is read line by line.
pub(super) struct Stream {
    response: reqwest::Response,
    idle: Duration,
}

impl Stream {
    /// Returns the next bytes, or `None` at the end. An answer that is cut off is an end too.
    ///
    /// # Errors
    /// A failure with the exit code 1 if no bytes arrive in time, because a part of the answer is missing.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        match tokio::time::timeout(self.idle, self.response.chunk()).await {
            Ok(Ok(chunk)) => Ok(chunk.map(|bytes| bytes.to_vec())),
            Ok(Err(_)) => Ok(None),
            Err(_) => Err(Failure::failed(format!(
                "the export is incomplete: the server sent nothing for {} s",
                self.idle.as_secs()
            ))),
        }
    }
}

fn content_type(headers: &HeaderMap) -> String {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

/// Returns the cookies that these headers set, as `name=value`.
fn cookies(headers: &HeaderMap) -> Vec<String> {
    let cookies = headers.get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies.filter_map(|cookie| cookie.split(';').next()).map(|cookie| cookie.trim().to_owned()).collect()
}

/// Returns the TLS configuration. It trusts the public certificate authorities, which are compiled in because a slim
/// container has none, and those of the system; on Linux, `SSL_CERT_FILE` and `SSL_CERT_DIR` name others.
fn tls() -> ClientConfig {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    ClientConfig::builder().with_root_certificates(Arc::new(roots)).with_no_client_auth()
}
