//! A response of the API, and the assertions about it.

use reqwest::header::HeaderMap;
use serde_json::Value;

/// A response, read to its end.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Response {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// Asserts the status and returns the body, `Null` if there is none.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        if self.text.is_empty() { Value::Null } else { self.json() }
    }

    /// Asserts that the response is the problem `expected`, checks every member of it, and returns the body.
    ///
    /// `expected` is an inline snapshot of what clients decide by: the status and the code, and for a
    /// `validation_failed` the pointer and the code of each field, sorted by pointer:
    /// `"401 invalid_credentials"`, `"422 validation_failed: /email email_invalid, /role invalid"`. A field error
    /// of the body as a whole is `(body) invalid`.
    /// Titles are left out; `problems.rs` pins the title of each code.
    #[track_caller]
    pub(crate) fn assert_problem(self, expected: &str) -> Value {
        let problem = self.json();
        assert_eq!(self.problem_text(), expected, "{self:?}");
        assert_eq!(self.headers["content-type"], "application/problem+json; charset=utf-8");
        assert_eq!(problem["type"], format!("urn:portico:{}", problem["code"].as_str().unwrap()));
        assert_eq!(problem["status"], self.status);
        assert_eq!(problem["request_id"].as_str(), self.headers["x-request-id"].to_str().ok());
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
        if self.status == 429 {
            // `"name";q=burst;w=seconds` and `"name";r=0;t=seconds`
            let policy = self.headers["ratelimit-policy"].to_str().unwrap();
            let name = policy.split(';').next().unwrap();
            assert_eq!(self.headers["ratelimit"], format!("{name};r=0;t={}", problem["retry_after"]));
        }
        if [429, 503].contains(&self.status) {
            assert_eq!(problem["retry_after"].to_string(), self.headers["retry-after"].to_str().unwrap());
        }
        problem
    }

    /// The problem in the form that [`assert_problem`](Self::assert_problem) compares.
    pub(crate) fn problem_text(&self) -> String {
        let problem = self.json();
        let code = problem["code"].as_str().unwrap_or("without a code");
        let errors = problem["errors"].as_array().into_iter().flatten();
        let mut fields: Vec<_> = errors.map(field_text).collect();
        fields.sort();
        let status = self.status;
        if fields.is_empty() { format!("{status} {code}") } else { format!("{status} {code}: {}", fields.join(", ")) }
    }

    /// Asserts a `validation_failed` and returns the pointers of its fields, sorted.
    #[track_caller]
    pub(crate) fn invalid_fields(self) -> Vec<String> {
        assert!(self.problem_text().starts_with("422 validation_failed"), "{self:?}");
        let text = self.problem_text();
        let problem = self.assert_problem(&text);
        let errors = problem["errors"].as_array().unwrap();
        let mut pointers: Vec<_> = errors.iter().map(|error| error["pointer"].as_str().unwrap().to_owned()).collect();
        pointers.sort();
        pointers
    }
}

/// The pointer and the code of one field error.
fn field_text(error: &Value) -> String {
    let text = |name: &str| error[name].as_str().unwrap_or_default();
    let pointer = if text("pointer").is_empty() { "(body)" } else { text("pointer") };
    format!("{pointer} {}", text("code"))
}
