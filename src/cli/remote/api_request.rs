//! A request to the API.

use reqwest::Method;
use serde_json::Value;

/// A request to the API.
#[derive(Clone)]
pub(super) struct ApiRequest {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) body: Option<(&'static str, Vec<u8>)>,
    pub(super) idempotency_key: Option<String>,
}

impl ApiRequest {
    fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), query: vec![], body: None, idempotency_key: None }
    }

    /// Returns a GET.
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    /// Returns a POST without a body.
    pub(super) fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path)
    }

    /// Returns a PATCH with a JSON body.
    pub(super) fn patch(path: impl Into<String>, body: &Value) -> Self {
        Self::new(Method::PATCH, path).json(body)
    }

    /// Returns a PUT of a file.
    pub(super) fn put(path: impl Into<String>, content_type: &'static str, file: Vec<u8>) -> Self {
        Self { body: Some((content_type, file)), ..Self::new(Method::PUT, path) }
    }

    /// Returns a DELETE.
    pub(super) fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path)
    }

    /// Returns the request with a JSON body.
    pub(super) fn json(self, body: &Value) -> Self {
        Self { body: Some(("application/json", body.to_string().into_bytes())), ..self }
    }

    /// Returns the request with a body of CSV.
    pub(super) fn csv(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: Some(("text/csv", body.into())), ..self }
    }

    /// Returns the request with one more query parameter, if there is a value.
    pub(super) fn query(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.query.extend(value.map(|value| (name, value.to_string())));
        self
    }

    /// Returns the request with an `Idempotency-Key`.
    pub(super) fn idempotency_key(self, key: String) -> Self {
        Self { idempotency_key: Some(key), ..self }
    }

    /// Returns whether sending the request twice has the effect of sending it once.
    pub(super) fn is_idempotent(&self) -> bool {
        self.method == Method::GET || self.idempotency_key.is_some()
    }
}
