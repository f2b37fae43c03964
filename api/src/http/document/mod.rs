//! The OpenAPI document as this process uses it: to serve it, to check requests against it, and to find an operation.

mod access;
mod examples;
mod problems;
mod schemas;

use std::collections::HashMap;

use poem::Request;
use portico_domain::{
    limits,
    platform::{error::Error, rate_limit::Scope},
};
use serde_json::{Map, Value};

use super::error::ApiError;
pub(crate) use access::{FRESH_SESSION_MARKER, UNENROLLED_MARKER};

/// The largest request body of most operations, in bytes.
pub(crate) const MAX_BODY_BYTES: usize = 64 * 1024;
/// The largest request body of the operations that declare a large one, in bytes.
pub(crate) const MAX_LARGE_BODY_BYTES: usize = 2 * 1024 * 1024;

/// The names of all tags, in the order in which the document lists them: first what staff users and programs call.
pub(crate) const TAG_ORDER: [&str; 20] = [
    "staff sessions",
    "clients",
    "invitations",
    "portal users",
    "overview",
    "branding",
    "sign-in policy",
    "emails",
    "audit events",
    "staff",
    "api tokens",
    "service accounts",
    "portal sessions",
    "link tokens",
    "passwords",
    "second factors",
    "passkeys",
    "profile",
    "colleagues",
    "operations",
];

/// The OpenAPI document of the API, read once per process.
pub(crate) struct Document {
    json: String,
    generate_docs_page: fn() -> String,
    schemas: Map<String, Value>,
    /// The operations at each path without parameters.
    fixed: HashMap<String, Vec<Operation>>,
    /// The operations at paths with parameters.
    templated: Vec<Operation>,
}

/// An operation of the document.
#[derive(Debug)]
pub(crate) struct Operation {
    /// The id, in snake_case.
    pub(crate) id: String,
    /// The HTTP method, in upper case.
    method: String,
    /// The path; a part in braces matches any text.
    path: String,
    /// The query parameters.
    pub(crate) query_parameters: Vec<QueryParameter>,
    /// Whether the operation ignores its query.
    pub(crate) ignores_query: bool,
    /// Whether the rate limit of all requests leaves the operation out.
    pub(crate) is_uncounted: bool,
    /// Whether the operation takes the credential of a session.
    pub(crate) takes_session: bool,
    /// The names of the rate limits of this process that the operation declares.
    pub(crate) rate_limits: Vec<&'static str>,
    /// The largest request body, in bytes.
    pub(crate) max_body_bytes: usize,
}

/// A query parameter of an operation.
#[derive(Debug)]
pub(crate) struct QueryParameter {
    /// The name.
    pub(crate) name: String,
    /// The values that it can have; empty if it is neither an enum nor a boolean.
    pub(crate) values: Vec<String>,
}

impl Document {
    /// Reads a document that the framework has generated, and adds what the framework does not know: who may call an
    /// operation, the codes of its failures and its rate limits, that the API refuses unknown fields, that optional
    /// fields take `null`, and examples.
    ///
    /// `generate_docs_page` returns the HTML page that shows a document. It is called when the page is needed, because
    /// the page takes several MiB of memory.
    pub(crate) fn new(spec: &str, generate_docs_page: fn() -> String) -> Self {
        let mut document: Value = serde_json::from_str(spec).unwrap_or_default();
        let mut components = problems::Components::default();
        for (method, operation) in operations_mut(&mut document) {
            access::describe(operation);
            problems::describe(method, operation, &mut components);
        }
        document["components"]["responses"] = components.responses.into();
        if let Value::Object(schemas) = &mut document["components"]["schemas"] {
            schemas.extend(components.schemas);
        }
        schemas::make_references_plain(&mut document);
        schemas::close_request_schemas(&mut document);
        schemas::shorten_media_types(&mut document);
        examples::add(&mut document);
        sort_tags(&mut document);
        let schemas = match &document["components"]["schemas"] {
            Value::Object(schemas) => schemas.clone(),
            _ => Map::new(),
        };
        let paths = document["paths"].as_object().into_iter().flatten();
        let operations = paths
            .flat_map(|(path, item)| {
                item.as_object().into_iter().flatten().map(move |(method, value)| (path, method, value))
            })
            .map(|(path, method, value)| Operation::new(path, method, value, &schemas));
        // Nearly all requests are to a path without parameters, and each request looks its operation up.
        let (templated, fixed) = operations.partition::<Vec<_>, _>(|operation| operation.path.contains('{'));
        let mut at_path: HashMap<_, Vec<_>> = HashMap::new();
        for operation in fixed {
            at_path.entry(operation.path.clone()).or_default().push(operation);
        }
        Self { json: format!("{document:#}\n"), generate_docs_page, schemas, fixed: at_path, templated }
    }

    /// Returns the document as indented JSON with a newline at the end.
    pub(crate) fn json(&self) -> &str {
        &self.json
    }

    /// Generates the HTML page that shows the document.
    pub(crate) fn docs_page(&self) -> String {
        (self.generate_docs_page)()
    }

    /// Returns the component schemas by name.
    pub(crate) fn schemas(&self) -> &Map<String, Value> {
        &self.schemas
    }

    /// Returns the operation that a request calls; `None` if the document does not have it.
    pub(crate) fn operation(&self, method: &str, path: &str) -> Option<&Operation> {
        let method = if method == "HEAD" { "GET" } else { method };
        self.at(path).find(|operation| operation.method == method)
    }

    /// Returns the methods of a path in the form of an `Allow` header (RFC 9110 §10.2.1).
    ///
    /// A path that is not in the document is a page, which allows GET and HEAD. `None` if the path ends with a slash:
    /// the framework takes the end for an empty id, but no path has such an end.
    pub(crate) fn allowed_methods(&self, path: &str) -> Option<String> {
        if path.ends_with('/') {
            return None;
        }
        let mut methods: Vec<&str> = self.at(path).map(|operation| operation.method.as_str()).collect();
        if methods.is_empty() {
            methods.push("GET");
        }
        methods.sort_unstable();
        Some(methods.join(", ").replace("GET", "GET, HEAD"))
    }

    /// Returns the operations whose path matches `path`. A path with fewer parameters takes precedence, as in the
    /// router, and one without any over all others.
    fn at(&self, path: &str) -> impl Iterator<Item = &Operation> {
        let fixed = self.fixed.get(path);
        let matching = move || self.templated.iter().filter(move |operation| operation.matches(path));
        let fewest = if fixed.is_none() { matching().map(Operation::parameters).min() } else { None };
        let templated = matching().filter(move |operation| Some(operation.parameters()) == fewest);
        fixed.into_iter().flatten().chain(templated)
    }
}

impl Operation {
    fn new(path: &str, method: &str, value: &Value, schemas: &Map<String, Value>) -> Self {
        let parameters = value["parameters"].as_array().into_iter().flatten();
        let in_query = parameters.filter(|parameter| parameter["in"] == "query");
        Self {
            id: value["operationId"].as_str().unwrap_or("unmatched").into(),
            method: method.to_uppercase(),
            path: path.into(),
            query_parameters: in_query.filter_map(|parameter| QueryParameter::new(parameter, schemas)).collect(),
            ignores_query: value["x-ignores-query"] == true,
            is_uncounted: value["x-uncounted"] == true,
            takes_session: value["security"].is_array(),
            rate_limits: declared_limits(value),
            max_body_bytes: if value["x-large-body"] == true { MAX_LARGE_BODY_BYTES } else { MAX_BODY_BYTES },
        }
    }

    /// Returns the number of parameters in the path.
    fn parameters(&self) -> usize {
        self.path.matches('{').count()
    }

    fn matches(&self, path: &str) -> bool {
        let (mut segments, mut template) = (path.split('/'), self.path.split('/'));
        loop {
            match (segments.next(), template.next()) {
                (None, None) => return true,
                (Some(segment), Some(part)) if part.starts_with('{') || part == segment => {}
                _ => return false,
            }
        }
    }
}

impl QueryParameter {
    fn new(parameter: &Value, schemas: &Map<String, Value>) -> Option<Self> {
        let schema = schemas::resolve(schemas, &parameter["schema"]);
        let words = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let words = if schema["type"] == "boolean" { vec!["false", "true"] } else { words.collect() };
        let values = words.into_iter().map(str::to_owned).collect();
        Some(Self { name: parameter["name"].as_str()?.into(), values })
    }
}

/// Returns the document that the outermost middleware has added to the request.
///
/// # Errors
/// `internal` if it has not.
pub(crate) fn of(request: &Request) -> Result<&'static Document, ApiError> {
    let document = request.data::<&'static Document>().copied();
    document.ok_or_else(|| ApiError::Domain(Error::Internal("the request has no document".into())))
}

/// Returns the names of the rate limits of this process that the operation declares.
fn declared_limits(operation: &Value) -> Vec<&'static str> {
    // The others of this process do not depend on the operation.
    let of_operation = |name: &str| ![limits::REQUESTS.name, limits::BEARER.name].contains(&name);
    let names = operation["x-rate-limits"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let declared = names.filter_map(|name| limits::ALL.iter().find(|limit| limit.name == name));
    let of_process = declared.filter(|limit| limit.scope == Scope::Process && of_operation(limit.name));
    of_process.map(|limit| limit.name).collect()
}

/// Returns every operation of the document with its method in lower case.
fn operations_mut(document: &mut Value) -> impl Iterator<Item = (&str, &mut Value)> {
    let items = document["paths"].as_object_mut().into_iter().flatten();
    let operations = items.flat_map(|(_, item)| item.as_object_mut().into_iter().flatten());
    operations.map(|(method, operation)| (method.as_str(), operation))
}

/// Sorts the tags in the order of [`TAG_ORDER`]; the framework sorts them by name.
fn sort_tags(document: &mut Value) {
    let position = |tag: &Value| TAG_ORDER.iter().position(|name| tag["name"] == *name);
    if let Some(tags) = document["tags"].as_array_mut() {
        tags.sort_by_key(position);
    }
}

/// Adds a paragraph to the description of an operation or a schema.
fn add_to_description(described: &mut Value, text: &str) {
    let description = described["description"].as_str().unwrap_or_default();
    described["description"] = format!("{description}\n\n{text}").trim().into();
}
