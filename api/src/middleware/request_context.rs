//! The outermost layer: every request gets a context and a log line, every answer its headers, every failure its shape.

use std::{sync::Arc, time::Instant};

use ipnet::IpNet;
use poem::{
    Endpoint, Middleware, Request, Response, Result,
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
};
use portico_domain::{actor::RequestContext, app::App, metrics, sessions::Realm};
use tracing::{Instrument, Span, field, info, info_span};
use uuid::Uuid;

use super::client_address::client_address;
use crate::{cookies::Cookie, openapi};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// On every answer: a page of ours is never framed, sniffed or kept, and loads nothing.
const SECURITY: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=63072000; includeSubDomains"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

/// The longest path or method in the log, in characters.
const MAX_LOGGED_CHARS: usize = 200;

/// Where keys may be kept, for as long as a new one is published before it signs, and much less.
const KEYS_PATH: &str = "/.well-known/jwks.json";

/// The outermost middleware.
pub(crate) struct RequestContextMiddleware {
    pub(crate) app: App,
    pub(crate) trusted_proxies: Arc<[IpNet]>,
}

pub(crate) struct RequestContextEndpoint<E> {
    inner: E,
    app: App,
    trusted_proxies: Arc<[IpNet]>,
}

impl<E: Endpoint> Middleware<E> for RequestContextMiddleware {
    type Output = RequestContextEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        RequestContextEndpoint { inner, app: self.app.clone(), trusted_proxies: self.trusted_proxies.clone() }
    }
}

impl<E: Endpoint> Endpoint for RequestContextEndpoint<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let started = Instant::now();
        let context = self.context(&request);
        let request_id = context.request_id;
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        // HEAD is GET whose answer's body is not sent (RFC 9110 §9.3.2); the connection knows not to.
        if method == Method::HEAD {
            request.set_method(Method::GET);
        }
        let operation = openapi::operation_id(request.method().as_str(), &path);
        let counted = metrics::Request::begin(operation);
        // What the client chose is cut short; the request's id, without its hyphens, is the trace's.
        let span = info_span!(
            "request",
            %request_id,
            trace_id = %request_id.simple(),
            operation,
            method = known(&method),
            path = shown(&path),
            status = field::Empty,
        );
        request.set_data(self.app.clone());
        request.set_data(context);
        async {
            let mut response = super::answer(&self.inner, request).await;
            finish(response.headers_mut(), &method, &path, request_id);
            let status = response.status().as_u16();
            Span::current().record("status", status);
            counted.answered(status);
            // The query is never logged: some clients put secrets there.
            info!(status, ms = started.elapsed().as_millis() as u64, "answered");
            Ok(response)
        }
        .instrument(span)
        .await
    }
}

impl<E> RequestContextEndpoint<E> {
    fn context(&self, request: &Request) -> RequestContext {
        let given = request.header(REQUEST_ID).and_then(|id| Uuid::try_parse(id).ok());
        let request_id = given.unwrap_or_else(|| self.app.new_id());
        let shown = [Realm::Portal, Realm::Staff].map(|realm| Cookie::Device(realm).read(request, self.app.settings()));
        let devices = shown.into_iter().flatten().flatten().map(|value| value.reveal().to_owned()).collect();
        let address = client_address(request, &self.trusted_proxies);
        RequestContext::new(request_id, address, request.header(header::USER_AGENT), devices)
    }
}

/// The method's word if it is one of HTTP's own (RFC 9110 §9, RFC 5789): anything else is a client's text.
fn known(method: &Method) -> &str {
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

/// The beginning of what a client wrote, for the log.
fn shown(text: &str) -> &str {
    let end = text.char_indices().nth(MAX_LOGGED_CHARS).map_or(text.len(), |(end, _)| end);
    &text[..end]
}

fn finish(headers: &mut HeaderMap, method: &Method, path: &str, request_id: Uuid) {
    for (name, value) in SECURITY {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if path == KEYS_PATH && [Method::GET, Method::HEAD].contains(method) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    }
    if let Ok(id) = HeaderValue::from_str(&request_id.to_string()) {
        headers.insert(REQUEST_ID, id);
    }
}
