//! An HTTP client that behaves like a browser: one network address and one cookie jar.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use reqwest::{Method, header::HeaderMap};
use serde_json::Value;

use super::{Response, http, openapi, secrets};

/// A browser. With several APIs, each request goes to the next one.
pub(crate) struct Browser {
    apis: Vec<String>,
    next: AtomicUsize,
    http: reqwest::Client,
    network: String,
    cookies: Mutex<BTreeMap<String, String>>,
}

impl Browser {
    /// A browser in a network of its own that talks to these APIs.
    pub(crate) fn new(apis: Vec<String>) -> Self {
        static NETWORKS: AtomicUsize = AtomicUsize::new(1);
        let n = NETWORKS.fetch_add(1, Ordering::Relaxed);
        Self {
            // Browsers begin at different APIs, so that each replica receives every kind of request.
            next: AtomicUsize::new(n),
            apis,
            http: http::client(),
            network: format!("198.{}.{}.{}", 18 + n / 65_536, n / 256 % 256, n % 256),
            cookies: Mutex::default(),
        }
    }

    /// A browser with the same cookies in another network.
    pub(crate) fn on_new_network(&self) -> Self {
        let browser = Self::new(self.apis.clone());
        *browser.cookies.lock().unwrap() = self.cookies.lock().unwrap().clone();
        browser
    }

    /// `count` browsers with the same cookies, each in a network of its own.
    pub(crate) fn on_new_networks(&self, count: usize) -> Vec<Self> {
        (0..count).map(|_| self.on_new_network()).collect()
    }

    /// This browser, connecting from this local address, which a real proxy then sees as the client's.
    pub(crate) fn from(self, address: IpAddr) -> Self {
        Self { http: http::client_builder().local_address(address).build().unwrap(), ..self }
    }

    /// This browser, talking to these APIs only.
    pub(crate) fn at(self, apis: &[String]) -> Self {
        Self { apis: apis.to_vec(), ..self }
    }

    /// A browser with the same cookies that talks to these APIs, for example after a restart at other addresses.
    pub(crate) fn moved_to(&self, apis: &[String]) -> Self {
        Self { apis: apis.to_vec(), ..self.on_new_network() }
    }

    /// A browser without cookies in the same network.
    pub(crate) fn on_same_network(&self) -> Self {
        Self { network: self.network.clone(), ..Self::new(self.apis.clone()) }
    }

    /// This browser with one more cookie.
    pub(crate) fn with_cookie(self, name: &str, value: &str) -> Self {
        self.set_cookie(name, value);
        self
    }

    /// The value of a cookie in the cookie jar.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().get(name).cloned()
    }

    /// Adds a cookie to the cookie jar.
    pub(crate) fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.lock().unwrap().insert(name.into(), value.into());
    }

    /// Sends a GET.
    pub(crate) async fn get(&self, path: &str) -> Response {
        self.send(Method::GET, path, None, &[]).await
    }

    /// Sends a POST with a JSON body.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Response {
        self.send(Method::POST, path, Some(body.to_string()), &[]).await
    }

    /// Sends a PATCH with a JSON body.
    pub(crate) async fn patch(&self, path: &str, body: Value) -> Response {
        self.send(Method::PATCH, path, Some(body.to_string()), &[]).await
    }

    /// Sends a POST without a body.
    pub(crate) async fn post_empty(&self, path: &str) -> Response {
        self.send(Method::POST, path, None, &[]).await
    }

    /// Sends a DELETE.
    pub(crate) async fn delete(&self, path: &str) -> Response {
        self.send(Method::DELETE, path, None, &[]).await
    }

    /// Sends a GET with an access token in the `Authorization` header.
    pub(crate) async fn get_with_bearer(&self, path: &str, token: &str) -> Response {
        self.get_with_headers(path, &[("authorization", &format!("Bearer {token}"))]).await
    }

    /// Sends a GET with these headers.
    pub(crate) async fn get_with_headers(&self, path: &str, headers: &[(&str, &str)]) -> Response {
        self.send(Method::GET, path, None, headers).await
    }

    /// Sends a POST with a JSON body and these headers.
    pub(crate) async fn post_with_headers(&self, path: &str, body: Value, headers: &[(&str, &str)]) -> Response {
        self.send(Method::POST, path, Some(body.to_string()), headers).await
    }

    /// Sends any request. A body is JSON unless a header says otherwise; a given header replaces the browser's own.
    /// Checks the response against the OpenAPI document.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
        headers: &[(&str, &str)],
    ) -> Response {
        self.send_bytes(method, path, body.map(String::into_bytes), headers).await
    }

    /// Sends any request, as [`send`](Self::send) does, with a body that may not be UTF-8.
    pub(crate) async fn send_bytes(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
        headers: &[(&str, &str)],
    ) -> Response {
        let api = &self.apis[self.next.fetch_add(1, Ordering::Relaxed) % self.apis.len()];
        let url = format!("{api}{path}");
        let mut request = self.http.request(method.clone(), url).header("x-forwarded-for", &self.network);
        let given = |name: &str| headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
        let cookies: Vec<_> =
            self.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() && !given("cookie") {
            request = request.header("cookie", cookies.join("; "));
        }
        let text = body.as_deref().and_then(|body| std::str::from_utf8(body).ok());
        record_request_secrets(path, text, headers);
        if let Some(body) = body {
            if !given("content-type") {
                request = request.header("content-type", "application/json");
            }
            request = request.body(body);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap_or_else(|error| panic!("{path}: {error:?}"));
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        self.keep_cookies(&headers);
        let Ok(text) = response.text().await else { return Response { status, headers, text: String::new() } };
        openapi::check(&method, path, status, &headers, &text);
        if status >= 400 {
            secrets::record_problem(format!("{headers:?} {text}"));
        } else if let Ok(body) = serde_json::from_str(&text) {
            secrets::record_body(&body);
        }
        Response { status, headers, text }
    }

    /// Sends a GET with an access token and returns the response as soon as its head is here. The body is sent as far
    /// as the test reads it.
    pub(crate) async fn get_slowly(&self, path: &str, token: &str) -> reqwest::Response {
        let request = self.http.get(format!("{}{path}", self.apis[0])).header("x-forwarded-for", &self.network);
        request.bearer_auth(token).send().await.unwrap_or_else(|error| panic!("{path}: {error:?}"))
    }

    /// Stores the cookies of a response and deletes those that it expires.
    fn keep_cookies(&self, headers: &HeaderMap) {
        let mut cookies = self.cookies.lock().unwrap();
        for header in headers.get_all("set-cookie") {
            let header = header.to_str().unwrap();
            let (name, value) = header.split(';').next().unwrap().split_once('=').unwrap();
            if header.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                secrets::record_cookie(name, value);
                cookies.insert(name.into(), value.into());
            }
        }
    }
}

/// Records the secrets in a request, whether they are right or wrong.
fn record_request_secrets(path: &str, body: Option<&str>, headers: &[(&str, &str)]) {
    if let Some((_, query)) = path.split_once("token=") {
        secrets::record(secrets::SecretKind::LinkToken, query);
    }
    if let Some(body) = body.and_then(|body| serde_json::from_str(body).ok()) {
        secrets::record_body(&body);
    }
    for (name, value) in headers {
        match name.to_ascii_lowercase().as_str() {
            "authorization" => {
                secrets::record(secrets::SecretKind::Authorization, value.rsplit(' ').next().unwrap_or(value))
            }
            "cookie" => value
                .split(';')
                .filter_map(|pair| pair.trim().split_once('='))
                .for_each(|(name, value)| secrets::record_cookie(name, value)),
            _ => {}
        }
    }
}
