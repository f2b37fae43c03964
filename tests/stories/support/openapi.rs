//! Checks every response that a [`Browser`](super::Browser) receives against the OpenAPI document.

use std::{cell::RefCell, collections::BTreeSet, sync::LazyLock};

use reqwest::{Method, header::HeaderMap};
use serde_json::{Map, Value};

/// The committed document. A story asserts that it is the one that is served.
static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../openapi/openapi.json")).unwrap());

/// The codes of problems in the table of `docs/api-design.md`.
static CODES: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let page = include_str!("../../../docs/api-design.md");
    let (_, table) = page.split_once("| code |").unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.flat_map(|row| row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2)).map(str::to_owned).collect()
});

/// Words of the implementation, which no problem may contain.
const INTERNALS: [&str; 9] = ["poem", "sqlx", "sea_orm", "tokio", "SELECT ", "panicked", ".rs:", "/src/", "serde"];

/// The document.
pub(crate) fn document() -> &'static Value {
    &DOCUMENT
}

/// Every operation id of the document.
pub(crate) fn operations() -> BTreeSet<String> {
    let methods = DOCUMENT["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
    methods.map(|operation| operation["operationId"].as_str().unwrap().to_owned()).collect()
}

/// Every operation that can change something, as `METHOD path`. A part in braces of the path is `{}`.
pub(crate) fn unsafe_operations() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (path, item) in DOCUMENT["paths"].as_object().unwrap() {
        let parts: Vec<_> = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect();
        let methods = item.as_object().unwrap().keys().filter(|method| *method != "get");
        found.extend(methods.map(|method| format!("{} {}", method.to_uppercase(), parts.join("/"))));
    }
    found
}

/// An operation of the document, with an id that no row has in place of each id in its path.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) method: Method,
    pub(crate) path: String,
    /// The permission that it needs.
    pub(crate) permission: Option<String>,
    /// Whether it needs a fresh session.
    pub(crate) is_fresh: bool,
    /// The names of its security schemes.
    pub(crate) schemes: BTreeSet<String>,
}

/// Every operation of the document that takes a credential.
pub(crate) fn secured_operations() -> Vec<Operation> {
    let all = operations_of_document().map(|(path, method, operation)| Operation::new(path, method, operation));
    all.filter(|operation| !operation.schemes.is_empty()).collect()
}

impl Operation {
    fn new(path: &str, method: &str, operation: &Value) -> Self {
        let id = |part| if str::starts_with(part, '{') { "01a1fdba-f86f-76f5-b296-4e548b3691ab" } else { part };
        let schemes = operation["security"].as_array().into_iter().flatten();
        Self {
            method: method.to_uppercase().parse().unwrap(),
            path: path.split('/').map(id).collect::<Vec<_>>().join("/"),
            permission: operation["x-permission"].as_str().map(str::to_owned),
            is_fresh: operation["x-fresh-session"] == true,
            schemes: schemes.flat_map(|scheme| scheme.as_object().unwrap().keys().cloned()).collect(),
        }
    }
}

/// The example of each request body, with the operation that it belongs to.
pub(crate) fn request_examples() -> Vec<(Operation, Value)> {
    let examples = operations_of_document().filter_map(|(path, method, operation)| {
        let example = operation["requestBody"]["content"]["application/json"].get("example")?;
        Some((Operation::new(path, method, operation), example.clone()))
    });
    examples.collect()
}

/// Checks every example of a response against its schema, and returns what is wrong with them, and how many there are.
pub(crate) fn check_response_examples() -> (Vec<String>, usize) {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for (path, method, operation) in operations_of_document() {
        for (status, response) in operation["responses"].as_object().unwrap() {
            for media in resolve(response)["content"].as_object().into_iter().flat_map(Map::values) {
                let named = media["examples"].as_object().into_iter().flat_map(Map::values);
                for example in media.get("example").into_iter().chain(named.map(|example| &example["value"])) {
                    check_value(&media["schema"], example, &format!("{method} {path} {status}"), &mut wrong);
                    count += 1;
                }
            }
        }
    }
    (wrong, count)
}

/// Path, method and operation of each operation of the document.
fn operations_of_document() -> impl Iterator<Item = (&'static String, &'static String, &'static Value)> {
    let items = DOCUMENT["paths"].as_object().unwrap().iter();
    items.flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(method, operation)| (path, method, operation))
    })
}

/// Every code of the documented table.
pub(crate) fn codes() -> BTreeSet<String> {
    CODES.clone()
}

thread_local! {
    /// The operations that have succeeded in this story. Each story has a thread of its own.
    static SUCCEEDED: RefCell<BTreeSet<String>> = RefCell::default();
}

/// The ids of the operations that have succeeded in this story.
pub(crate) fn succeeded() -> BTreeSet<String> {
    SUCCEEDED.with_borrow(BTreeSet::clone)
}

/// Asserts that a response is as the document says.
pub(crate) fn check(method: &Method, path: &str, status: u16, headers: &HeaderMap, body: &str) {
    let wrong = violations(method, path, status, headers, body);
    assert!(wrong.is_empty(), "the response {status} to {method} {path} is not as documented: {wrong:#?}\n{body}");
}

fn violations(method: &Method, path: &str, status: u16, headers: &HeaderMap, body: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    // A path without a page is answered with a page that says so.
    let is_page = ["/portal", "/console"].iter().any(|area| path.starts_with(area)) && status == 404;
    if status >= 400 && !is_page && *method != Method::HEAD {
        check_problem(status, headers, body, &mut wrong);
    }
    let Some(operations) = operations_at(path.split('?').next().unwrap_or(path)) else { return wrong };
    let Some(operation) = operations.get(&method.as_str().to_ascii_lowercase()) else {
        if ![405, 204].contains(&status) && *method != Method::HEAD && *method != Method::OPTIONS {
            wrong.push("an undocumented method is not refused".into());
        }
        return wrong;
    };
    if (200..=304).contains(&status) {
        let id = operation["operationId"].as_str().unwrap().to_owned();
        SUCCEEDED.with_borrow_mut(|succeeded| succeeded.insert(id));
    }
    let Some(response) = operation["responses"].get(status.to_string()).map(resolve) else {
        wrong.push("the status is not documented".into());
        return wrong;
    };
    for (name, _) in response["headers"].as_object().into_iter().flatten() {
        if !headers.contains_key(name) {
            wrong.push(format!("the header {name} is missing"));
        }
    }
    check_limit(operation, headers, &mut wrong);
    // The document names JSON media types without their parameter.
    let content_type = headers.get("content-type").map(|value| value.to_str().unwrap_or_default());
    let media_type = content_type.map(|value| value.trim_end_matches("; charset=utf-8"));
    match (response["content"].as_object(), media_type) {
        (None, None) if body.is_empty() => {}
        (None, _) => wrong.push("there is an undocumented body".into()),
        // A stream of lines, a style sheet or an image: the story that reads it checks it.
        (Some(content), Some(given @ ("application/x-ndjson" | "text/css" | "image/png")))
            if content.contains_key(given) => {}
        (Some(content), Some(given)) if content.contains_key(given) => match serde_json::from_str(body) {
            Ok(body) => check_value(&content[given]["schema"], &body, "", &mut wrong),
            Err(error) => wrong.push(format!("the body is not JSON: {error}")),
        },
        (Some(content), given) => wrong.push(format!("the content type {given:?} is none of {:?}", content.keys())),
    }
    wrong
}

/// Checks that the operation documents the rate limit that has refused the request.
fn check_limit(operation: &Value, headers: &HeaderMap, wrong: &mut Vec<String>) {
    let policy = headers.get("ratelimit-policy").and_then(|value| value.to_str().ok());
    let Some(limit) = policy.and_then(|policy| policy.split('"').nth(1)) else { return };
    if !operation["x-rate-limits"].as_array().unwrap().iter().any(|documented| documented == limit) {
        wrong.push(format!("the rate limit {limit} is none of {}", operation["x-rate-limits"]));
    }
}

/// Checks a problem by RFC 9457 and the table of codes.
fn check_problem(status: u16, headers: &HeaderMap, body: &str, wrong: &mut Vec<String>) {
    let content_type = headers.get("content-type").and_then(|value| value.to_str().ok());
    if content_type != Some("application/problem+json; charset=utf-8") {
        wrong.push(format!("the content type {content_type:?} is not that of a problem"));
        return;
    }
    let Ok(problem) = serde_json::from_str::<Value>(body) else {
        wrong.push("the problem is not JSON".into());
        return;
    };
    let code = problem["code"].as_str().unwrap_or_default();
    if !CODES.contains(code) {
        wrong.push(format!("the code {code} is not documented"));
    }
    if problem["type"] != format!("urn:portico:{code}") || problem["status"] != status {
        wrong.push("type or status do not match".into());
    }
    wrong.extend(
        INTERNALS.iter().filter(|word| body.contains(**word)).map(|word| format!("the problem contains {word:?}")),
    );
}

/// The operations of the documented path that matches this path.
fn operations_at(path: &str) -> Option<&'static Map<String, Value>> {
    let matches = |template: &str| {
        let (given, wanted): (Vec<_>, Vec<_>) = (path.split('/').collect(), template.split('/').collect());
        given.len() == wanted.len()
            && given.iter().zip(wanted).all(|(part, name)| *part == name || name.starts_with('{') && !part.is_empty())
    };
    let (_, operations) = DOCUMENT["paths"].as_object()?.iter().find(|(template, _)| matches(template))?;
    operations.as_object()
}

/// Checks a value by the parts of JSON Schema that the document uses. Unlike JSON Schema, refuses undocumented fields.
fn check_value(schema: &'static Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
    if value.is_null() {
        if schema["nullable"] != true {
            wrong.push(format!("{at} is null"));
        }
        return;
    }
    let schema = resolve(schema);
    if let Some(alternatives) = schema["oneOf"].as_array() {
        check_one_of(alternatives, value, at, wrong);
        return;
    }
    if schema["enum"].as_array().is_some_and(|allowed| !allowed.contains(value)) {
        wrong.push(format!("{at} is none of {}", schema["enum"]));
    }
    match (schema["type"].as_str().unwrap_or_default(), value) {
        ("object", Value::Object(fields)) => check_fields(schema, fields, at, wrong),
        ("array", Value::Array(items)) => {
            for (n, item) in items.iter().enumerate() {
                check_value(&schema["items"], item, &format!("{at}/{n}"), wrong);
            }
        }
        ("string", Value::String(text)) if has_format(text, schema["format"].as_str().unwrap_or_default()) => {}
        ("integer", Value::Number(number)) if number.is_u64() => {}
        ("boolean", Value::Bool(_)) => {}
        (expected, _) => wrong.push(format!("{at} is not {expected} {}: {value}", schema["format"])),
    }
}

/// Checks that exactly one of the alternatives allows the value.
fn check_one_of(alternatives: &'static [Value], value: &Value, at: &str, wrong: &mut Vec<String>) {
    let problems = alternatives.iter().map(|alternative| {
        let mut problems = Vec::new();
        check_value(alternative, value, at, &mut problems);
        problems
    });
    let problems: Vec<_> = problems.collect();
    if problems.iter().filter(|problems| problems.is_empty()).count() != 1 {
        wrong.push(format!("{at} is not exactly one of the alternatives: {problems:?}"));
    }
}

fn check_fields(schema: &'static Value, fields: &Map<String, Value>, at: &str, wrong: &mut Vec<String>) {
    for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !fields.contains_key(required) {
            wrong.push(format!("{at}/{required} is missing"));
        }
    }
    for (name, value) in fields {
        match schema["properties"].get(name) {
            Some(schema) => check_value(schema, value, &format!("{at}/{name}"), wrong),
            None if schema["additionalProperties"].is_object() => {}
            None => wrong.push(format!("{at}/{name} is not documented")),
        }
    }
}

/// Follows a reference to a schema or a response. A reference that may be `null` is wrapped in `allOf`.
fn resolve(value: &'static Value) -> &'static Value {
    let target = value.get("$ref").or_else(|| value["allOf"].get(0)?.get("$ref")).and_then(Value::as_str);
    target.map_or(value, |target| DOCUMENT.pointer(target.trim_start_matches('#')).unwrap())
}

fn has_format(text: &str, format: &str) -> bool {
    match format {
        "uuid" => {
            let dashes: Vec<_> = text.match_indices('-').map(|(at, _)| at).collect();
            text.len() == 36 && dashes == [8, 13, 18, 23] && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
        }
        "date-time" => text.len() >= 20 && text.as_bytes()[10] == b'T' && (text.ends_with('Z') || text.contains('+')),
        "email" => text.split('@').count() == 2,
        _ => true,
    }
}
