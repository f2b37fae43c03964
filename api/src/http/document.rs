//! The OpenAPI document as this process uses it: to serve it, to check requests against it, and to find an operation.

use std::collections::HashMap;

use poem::Request;
use portico_domain::platform::{
    actor::{ClientAdmin, Permission},
    error::Error,
};
use serde_json::{Map, Value, json};

use super::{
    body::{MAX_BYTES, MAX_LARGE_BYTES},
    error::{ApiError, LARGE_BODY_DESCRIPTION, limit},
};

/// A name among the security schemes of an operation that needs a fresh session. It is the name of no scheme, as are
/// the names of permissions: the framework has no other way to say more about an operation. [`Document::new`] removes
/// them from the schemes.
pub(super) const FRESH_SESSION_MARKER: &str = "fresh session";

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
    /// The names of the query parameters.
    pub(crate) query_parameters: Vec<String>,
    /// Whether the operation ignores its query: the document says so by the absence of 422.
    pub(crate) ignores_query: bool,
    /// Whether the operation takes the credential of a session.
    pub(crate) takes_session: bool,
    /// The name of the rate limit against guessing that the operation declares, if it declares one.
    pub(crate) rate_limit: Option<&'static str>,
    /// The largest request body, in bytes.
    pub(crate) max_body_bytes: usize,
}

impl Document {
    /// Reads a document that the framework has generated, and adds what the framework does not know: that the API
    /// refuses unknown fields, that optional fields take `null`, and of each operation the rate limit as
    /// `x-rate-limit`, the permission as `x-permission`, and `x-fresh-session: true` if it needs a fresh session.
    ///
    /// `generate_docs_page` returns the HTML page that shows the document. It is called when the page is needed,
    /// because the page takes several MiB of memory.
    pub(crate) fn new(spec: &str, generate_docs_page: fn() -> String) -> Self {
        let mut document: Value = serde_json::from_str(spec).unwrap_or_default();
        close_request_schemas(&mut document);
        add_rate_limits(&mut document);
        add_permissions(&mut document);
        let schemas = match &document["components"]["schemas"] {
            Value::Object(schemas) => schemas.clone(),
            _ => Map::new(),
        };
        let paths = document["paths"].as_object().into_iter().flatten();
        let operations = paths
            .flat_map(|(path, item)| {
                item.as_object().into_iter().flatten().map(move |(method, value)| (path, method, value))
            })
            .map(|(path, method, value)| Operation::new(path, method, value));
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
    fn new(path: &str, method: &str, value: &Value) -> Self {
        let parameters = value["parameters"].as_array().into_iter().flatten();
        let in_query = parameters.filter(|parameter| parameter["in"] == "query");
        Self {
            id: value["operationId"].as_str().unwrap_or("unmatched").into(),
            method: method.to_uppercase(),
            path: path.into(),
            query_parameters: in_query.filter_map(|parameter| Some(parameter["name"].as_str()?.into())).collect(),
            ignores_query: value["responses"]["422"].is_null(),
            takes_session: value["security"].is_array(),
            rate_limit: declared_limit(value),
            max_body_bytes: max_body_bytes(value),
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

/// Returns the document that the outermost middleware has added to the request.
///
/// # Errors
/// `internal` if it has not.
pub(crate) fn of(request: &Request) -> Result<&'static Document, ApiError> {
    let document = request.data::<&'static Document>().copied();
    document.ok_or_else(|| ApiError::Domain(Error::Internal("the request has no document".into())))
}

/// Returns the name of the rate limit that the operation's documented 429 response names.
fn declared_limit(operation: &Value) -> Option<&'static str> {
    let description = operation["responses"]["429"]["description"].as_str()?;
    limit::DOCUMENTED
        .iter()
        .find(|documented| documented.description == description)
        .map(|documented| documented.limit.name)
}

/// Returns the largest request body of the operation, in bytes, as its documented 413 response says.
fn max_body_bytes(operation: &Value) -> usize {
    let is_large = operation["responses"]["413"]["description"] == LARGE_BODY_DESCRIPTION;
    if is_large { MAX_LARGE_BYTES } else { MAX_BYTES }
}

/// Returns every operation of the document.
fn operations_mut(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    let items = document["paths"].as_object_mut().into_iter().flatten();
    items.flat_map(|(_, item)| item.as_object_mut().into_iter().flatten()).map(|(_, operation)| operation)
}

/// Moves the permission and the [`FRESH_SESSION_MARKER`] of each operation out of its security schemes, and adds a
/// sentence about them to its description.
fn add_permissions(document: &mut Value) {
    let permissions: Vec<_> = Permission::ALL.iter().map(|permission| permission.name()).collect();
    let permissions = [permissions, vec![ClientAdmin::PERMISSION]].concat();
    for operation in operations_mut(document) {
        let Some(Value::Array(schemes)) = operation.get_mut("security") else { continue };
        let mut added = Map::new();
        schemes.retain(|scheme| {
            let has = |name: &str| scheme.get(name).is_some();
            if has(FRESH_SESSION_MARKER) {
                added.insert("x-fresh-session".into(), true.into());
            }
            let permission = permissions.iter().find(|permission| has(permission));
            if let Some(permission) = permission {
                added.insert("x-permission".into(), (*permission).into());
            }
            !has(FRESH_SESSION_MARKER) && permission.is_none()
        });
        let permission =
            Permission::ALL.into_iter().find(|permission| added.get("x-permission") == Some(&json!(permission.name())));
        let text = access_text(permission, added.contains_key("x-fresh-session"));
        if !text.is_empty() {
            let description = operation["description"].as_str().unwrap_or_default();
            operation["description"] = format!("{description}\n\n{text}").trim_start().into();
        }
        if let Value::Object(operation) = operation {
            operation.extend(added);
        }
    }
}

/// Returns what the description of an operation says about who may call it; empty if every caller may.
fn access_text(permission: Option<Permission>, is_fresh: bool) -> String {
    let mut sentences = Vec::new();
    if let Some(permission) = permission {
        let roles: Vec<_> = permission.roles().map(|role| format!("`{}`", role.name())).collect();
        let roles = match roles.split_last() {
            Some((last, [])) => format!("the role {last} has"),
            Some((last, first)) => format!("the roles {} and {last} have", first.join(", ")),
            None => "no role has".into(),
        };
        sentences.push(format!("Needs the permission `{}`, which {roles}.", permission.name()));
    }
    if is_fresh {
        sentences.push(
            "Needs a fresh session: the user has signed in or stepped up within the last ten minutes; otherwise the \
             response is 403 `step_up_required`."
                .into(),
        );
    }
    sentences.join(" ")
}

fn add_rate_limits(document: &mut Value) {
    for operation in operations_mut(document) {
        if let (Some(name), Value::Object(operation)) = (declared_limit(operation), operation) {
            operation.insert("x-rate-limit".into(), name.into());
        }
    }
}

/// Sets `additionalProperties: false` on the schemas of request bodies, and on the schemas that they refer to.
fn close_request_schemas(document: &mut Value) {
    let operations = document["paths"].as_object().into_iter().flatten();
    let bodies = operations
        .flat_map(|(_, item)| item.as_object().into_iter().flatten())
        .map(|(_, operation)| &operation["requestBody"]);
    let mut open: Vec<String> = bodies.flat_map(referenced_schemas).collect();
    let mut closed = Vec::new();
    while let Some(name) = open.pop() {
        let schema = &mut document["components"]["schemas"][&name];
        // An alternative of a discriminator is a part of `allOf`, and is checked together with its tag.
        if schema["type"] == "object" && schema["additionalProperties"] != false {
            schema["additionalProperties"] = false.into();
            open.extend(referenced_schemas(schema));
            closed.push(name);
        } else if schema["type"] != "object" {
            open.extend(referenced_schemas(schema));
        }
    }
    for name in closed {
        allow_null_in_optional_fields(document, &name);
    }
}

/// Sets `nullable: true` on the fields of the request schema `name` that are not required: `null` means that the field
/// is absent.
fn allow_null_in_optional_fields(document: &mut Value, name: &str) {
    let schemas = document["components"]["schemas"].take();
    let mut schema = schemas[name].clone();
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    for (name, field) in schema["properties"].as_object_mut().into_iter().flatten() {
        if required.iter().any(|required| required == name) {
            continue;
        }
        // `nullable` has an effect only next to `type` (OpenAPI 3.0.3), which a reference does not have.
        if let Some(target) = referenced_schemas(field).first().filter(|_| field["type"].is_null()) {
            let reference = json!({ "$ref": format!("#/components/schemas/{target}") });
            field["type"] = schemas[target]["type"].clone();
            field["allOf"] = json!([reference]);
        }
        field["nullable"] = true.into();
        // An `enum` must list `null` too (OpenAPI 3.0.3, proposal 2019-10-31).
        if let Some(Value::Array(values)) = field.get_mut("enum") {
            values.push(Value::Null);
        }
    }
    document["components"]["schemas"] = schemas;
    document["components"]["schemas"][name] = schema;
}

/// Returns the names of the component schemas that `value` refers to.
fn referenced_schemas(value: &Value) -> Vec<String> {
    match value {
        Value::Object(object) => {
            let own = object.get("$ref").and_then(Value::as_str).and_then(|target| target.rsplit('/').next());
            own.map(str::to_owned).into_iter().chain(object.values().flat_map(referenced_schemas)).collect()
        }
        Value::Array(items) => items.iter().flat_map(referenced_schemas).collect(),
        _ => Vec::new(),
    }
}
