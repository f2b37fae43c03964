//! Somebody at a browser: one network, one cookie jar. In a fleet each request goes to the next API.

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

use super::{openapi, secrets};

/// A browser.
pub(crate) struct Browser {
    apis: Vec<String>,
    next: AtomicUsize,
    http: reqwest::Client,
    network: String,
    cookies: Mutex<BTreeMap<String, String>>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Browser {
    pub(crate) fn new(apis: Vec<String>) -> Self {
        static NETWORKS: AtomicUsize = AtomicUsize::new(1);
        let n = NETWORKS.fetch_add(1, Ordering::Relaxed);
        Self {
            // Where to begin differs too, so that both replicas see every kind of step.
            next: AtomicUsize::new(n),
            apis,
            http: reqwest::Client::new(),
            network: format!("198.{}.{}.{}", 18 + n / 65_536, n / 256 % 256, n % 256),
            cookies: Mutex::default(),
        }
    }

    /// The same cookies from another network.
    pub(crate) fn on_new_network(&self) -> Self {
        let moved = Self::new(self.apis.clone());
        *moved.cookies.lock().unwrap() = self.cookies.lock().unwrap().clone();
        moved
    }

    /// At this address of the machine, which is what a proxy sees of it.
    pub(crate) fn from(self, address: IpAddr) -> Self {
        Self { http: reqwest::Client::builder().local_address(address).build().unwrap(), ..self }
    }

    /// The same network, talking to these servers alone.
    pub(crate) fn at(self, apis: &[String]) -> Self {
        Self { apis: apis.to_vec(), ..self }
    }

    /// The same cookies after the servers have moved.
    pub(crate) fn moved_to(&self, apis: &[String]) -> Self {
        Self { apis: apis.to_vec(), ..self.on_new_network() }
    }

    /// Another browser in the same network.
    pub(crate) fn on_same_network(&self) -> Self {
        Self { network: self.network.clone(), ..Self::new(self.apis.clone()) }
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().get(name).cloned()
    }

    pub(crate) fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.lock().unwrap().insert(name.into(), value.into());
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, &[]).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body.to_string()), &[]).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(body.to_string()), &[]).await
    }

    /// A POST without a body.
    pub(crate) async fn call(&self, path: &str) -> Answer {
        self.send(Method::POST, path, None, &[]).await
    }

    /// Any request. A body is JSON unless a header says otherwise; a header of ours replaces the browser's own.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let api = &self.apis[self.next.fetch_add(1, Ordering::Relaxed) % self.apis.len()];
        let url = format!("{api}{path}");
        let mut request = self.http.request(method.clone(), url).header("x-forwarded-for", &self.network);
        let given = |name: &str| headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
        let cookies: Vec<_> =
            self.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() && !given("cookie") {
            request = request.header("cookie", cookies.join("; "));
        }
        remember(path, body.as_deref(), headers);
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
        let Ok(text) = response.text().await else { return Answer { status, headers, text: String::new() } };
        openapi::check(&method, path, status, &headers, &text);
        if status >= 400 {
            secrets::saw_refusal(format!("{headers:?} {text}"));
        } else if let Ok(body) = serde_json::from_str(&text) {
            secrets::saw_body(&body);
        }
        Answer { status, headers, text }
    }

    fn keep_cookies(&self, headers: &HeaderMap) {
        let mut cookies = self.cookies.lock().unwrap();
        for header in headers.get_all("set-cookie") {
            let header = header.to_str().unwrap();
            let (name, value) = header.split(';').next().unwrap().split_once('=').unwrap();
            if header.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                secrets::saw_cookie(name, value);
                cookies.insert(name.into(), value.into());
            }
        }
    }
}

/// Remembers the secrets that are about to be sent, whether they are right or wrong.
fn remember(path: &str, body: Option<&str>, headers: &[(&str, &str)]) {
    if let Some((_, query)) = path.split_once("token=") {
        secrets::saw(secrets::Class::LinkToken, query);
    }
    if let Some(body) = body.and_then(|body| serde_json::from_str(body).ok()) {
        secrets::saw_body(&body);
    }
    for (name, value) in headers {
        match name.to_ascii_lowercase().as_str() {
            "authorization" => secrets::saw(secrets::Class::Authorization, value.rsplit(' ').next().unwrap_or(value)),
            "cookie" => value
                .split(';')
                .filter_map(|pair| pair.trim().split_once('='))
                .for_each(|(name, value)| secrets::saw_cookie(name, value)),
            _ => {}
        }
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// The body, if the status is this one.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        if self.text.is_empty() { Value::Null } else { self.json() }
    }

    /// The problem, if it is this one in its full shape.
    #[track_caller]
    pub(crate) fn problem(self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.headers["content-type"], "application/problem+json; charset=utf-8");
        let problem = self.json();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["type"], format!("urn:portico:{code}"));
        assert_eq!(problem["status"], status);
        assert_eq!(problem["request_id"].as_str(), self.headers["x-request-id"].to_str().ok());
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
        if status == 429 {
            // "name";q=burst;w=seconds and "name";r=0;t=seconds
            let policy = self.headers["ratelimit-policy"].to_str().unwrap();
            let name = policy.split(';').next().unwrap();
            assert_eq!(self.headers["ratelimit"], format!("{name};r=0;t={}", problem["retry_after"]));
        }
        if [429, 503].contains(&status) {
            assert_eq!(problem["retry_after"].to_string(), self.headers["retry-after"].to_str().unwrap());
        }
        problem
    }

    /// The pointers of the fields that a `validation_failed` names, sorted.
    #[track_caller]
    pub(crate) fn bad_fields(self) -> Vec<String> {
        let problem = self.problem(422, "validation_failed");
        let errors = problem["errors"].as_array().unwrap();
        let mut pointers: Vec<_> = errors.iter().map(|error| error["pointer"].as_str().unwrap().to_owned()).collect();
        pointers.sort();
        pointers
    }
}
