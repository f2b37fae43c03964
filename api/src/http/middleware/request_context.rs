//! The outermost middleware: each request gets a context and a log line, each response its headers, and each failure
//! becomes a problem document.

use std::{sync::Arc, time::Instant};

use ipnet::IpNet;
use poem::{
    Endpoint, Middleware, Request, Response, Result,
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
};
use portico_domain::{
    identity::sessions::JWKS_MAX_AGE_SECONDS,
    platform::{
        actor::{Realm, RequestContext},
        app::App,
        metrics,
    },
};
use tracing::{Instrument, Span, field, info, info_span};
use uuid::Uuid;

use super::{client_address::client_address, logged_path::logged_path};
use crate::http::{cookies::Cookie, document::Document};

/// The header that carries the request id, in requests and responses.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The security headers that a response gets unless the handler has set them: no framing, no content sniffing, no
/// caching, no referrer, and no further resources.
const SECURITY: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=63072000; includeSubDomains"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

/// The path of the signing keys. Its responses may be cached for an hour, which is much less than the about 30 days
/// for which a key is published before it signs.
const KEYS_PATH: &str = "/.well-known/jwks.json";

/// The middleware that gives each request its [`RequestContext`] and its log line, and each response its headers.
pub(crate) struct RequestContextMiddleware {
    /// The handle that handlers and other middleware take from the request.
    pub(crate) app: App,
    /// The OpenAPI document, which handlers and other middleware take from the request.
    pub(crate) document: &'static Document,
    /// Returns the name that logs and metrics use for a path that is not in the document but is served.
    pub(crate) operation_at: fn(&str) -> Option<&'static str>,
    /// The networks whose `X-Forwarded-For` header is trusted.
    pub(crate) trusted_proxies: Arc<[IpNet]>,
}

/// The endpoint that [`RequestContextMiddleware`] makes.
pub(crate) struct RequestContextEndpoint<E> {
    inner: E,
    app: App,
    document: &'static Document,
    operation_at: fn(&str) -> Option<&'static str>,
    trusted_proxies: Arc<[IpNet]>,
}

impl<E: Endpoint> Middleware<E> for RequestContextMiddleware {
    type Output = RequestContextEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        let (app, trusted_proxies) = (self.app.clone(), self.trusted_proxies.clone());
        let Self { document, operation_at, .. } = *self;
        RequestContextEndpoint { inner, app, document, operation_at, trusted_proxies }
    }
}

impl<E: Endpoint> Endpoint for RequestContextEndpoint<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let started = Instant::now();
        let context = self.context(&request);
        let request_id = context.request_id;
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        // HEAD is handled as GET; hyper does not send the body (RFC 9110 §9.3.2).
        if method == Method::HEAD {
            request.set_method(Method::GET);
        }
        let operation = self.document.operation(request.method().as_str(), &path);
        let operation = operation.map(|operation| operation.id.as_str()).or_else(|| (self.operation_at)(&path));
        let operation = operation.unwrap_or("unmatched");
        let counted = metrics::Request::begin(operation);
        // The trace id is the request id without hyphens.
        let span = info_span!(
            "request",
            %request_id,
            trace_id = %request_id.simple(),
            operation,
            method = method_label(&method),
            path = logged_path(&path),
            status = field::Empty,
        );
        request.set_data(self.app.clone());
        request.set_data(self.document);
        request.set_data(context);
        async {
            let mut response = super::respond(&self.inner, request).await;
            add_response_headers(response.headers_mut(), &method, &path, request_id);
            let status = response.status().as_u16();
            Span::current().record("status", status);
            counted.responded(status);
            // The query is not logged, because clients may put secrets there.
            info!(status, ms = started.elapsed().as_millis() as u64, "request answered");
            Ok(response)
        }
        .instrument(span)
        .await
    }
}

impl<E> RequestContextEndpoint<E> {
    /// Returns the context of a request: its id, the client's address, the user agent and the device cookies.
    ///
    /// The id is that of `X-Request-Id` if that is a UUID, otherwise a new one.
    fn context(&self, request: &Request) -> RequestContext {
        let given = request.header(REQUEST_ID).and_then(|id| Uuid::try_parse(id).ok());
        let request_id = given.unwrap_or_else(|| self.app.new_id());
        let cookies = Realm::ALL.map(|realm| Cookie::Device(realm).read(request, self.app.settings()));
        let devices = cookies.into_iter().flatten().flatten().map(|value| value.reveal().to_owned()).collect();
        let address = client_address(request, &self.trusted_proxies);
        let trusted_devices = Cookie::TrustedDevice.read_all(request, self.app.settings());
        let user_agent = request.header(header::USER_AGENT);
        RequestContext { trusted_devices, ..RequestContext::new(request_id, address, user_agent, devices) }
    }
}

/// Returns the name of a standard method (RFC 9110 §9, RFC 5789), and `other` for any other text of a client.
fn method_label(method: &Method) -> &str {
    let all = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
        Method::CONNECT,
        Method::TRACE,
    ];
    if all.contains(method) { method.as_str() } else { "other" }
}

/// Adds the headers that every response carries.
fn add_response_headers(headers: &mut HeaderMap, method: &Method, path: &str, request_id: Uuid) {
    for (name, value) in SECURITY {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if path == KEYS_PATH
        && [Method::GET, Method::HEAD].contains(method)
        && let Ok(value) = HeaderValue::from_str(&format!("public, max-age={JWKS_MAX_AGE_SECONDS}"))
    {
        headers.insert(header::CACHE_CONTROL, value);
    }
    if let Ok(id) = HeaderValue::from_str(&request_id.to_string()) {
        headers.insert(REQUEST_ID, id);
    }
}
