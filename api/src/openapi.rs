//! The OpenAPI document: generated from the code, committed as `openapi/openapi.json`, served at `/api/openapi.json`,
//! and used to check requests.

use std::sync::OnceLock;

use poem_openapi::{LicenseObject, OpenApi, OpenApiService};
use serde_json::{Map, Value};

use crate::{
    activation::Activation, clients::Clients, health::Health, invitations::Invitations, jwks::Jwks,
    passwords::Passwords, portal_sessions::PortalSessions, portal_users::PortalUsers, staff_sessions::StaffSessions,
};

/// Returns the service with every operation. A new file of operations is added here.
pub(crate) fn service() -> OpenApiService<impl OpenApi, ()> {
    let operations =
        ((PortalSessions, Activation, Passwords, Invitations), (StaffSessions, Clients, PortalUsers), (Jwks, Health));
    OpenApiService::new(operations, "Portico", env!("CARGO_PKG_VERSION"))
        .description("The accounts service of a client portal: invitations, activation, sign-in and password recovery.")
        .license(LicenseObject::new("MIT OR Apache-2.0").url("https://spdx.org/licenses/MIT.html"))
}

/// Returns the OpenAPI document as indented JSON with a newline at the end.
pub fn json() -> &'static str {
    static JSON: OnceLock<String> = OnceLock::new();
    JSON.get_or_init(|| format!("{:#}\n", document()))
}

/// Returns the component schemas of the document by name.
pub(crate) fn schemas() -> &'static Map<String, Value> {
    static SCHEMAS: OnceLock<Map<String, Value>> = OnceLock::new();
    SCHEMAS.get_or_init(|| match &document()["components"]["schemas"] {
        Value::Object(schemas) => schemas.clone(),
        _ => Map::new(),
    })
}

/// Returns the methods of a path in the form of an `Allow` header (RFC 9110 §10.2.1).
///
/// A path that is not in the document is a page, which allows GET and HEAD.
pub(crate) fn allowed_methods(path: &str) -> String {
    let Some(item) = item(path) else { return "GET, HEAD".into() };
    let methods = item.keys().flat_map(|method| match method.as_str() {
        "get" => vec!["GET".into(), "HEAD".into()],
        other => vec![other.to_uppercase()],
    });
    methods.collect::<Vec<_>>().join(", ")
}

/// Returns the names of the query parameters of an operation; `None` if the document does not have the operation.
pub(crate) fn query_parameters(method: &str, path: &str) -> Option<Vec<&'static str>> {
    let operation = item(path)?.get(&method.to_lowercase())?;
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let in_query = parameters.filter(|parameter| parameter["in"] == "query");
    Some(in_query.filter_map(|parameter| parameter["name"].as_str()).collect())
}

/// Returns the id of an operation; `unmatched` if the document does not have the operation.
pub(crate) fn operation_id(method: &str, path: &str) -> &'static str {
    let id = item(path).and_then(|item| item.get(&method.to_lowercase())?["operationId"].as_str());
    id.unwrap_or("unmatched")
}

/// Returns the path item of the document whose path template matches `path`.
fn item(path: &str) -> Option<&'static Map<String, Value>> {
    let matches = |template: &str| {
        let (mut segments, mut template) = (path.split('/'), template.split('/'));
        loop {
            match (segments.next(), template.next()) {
                (None, None) => return true,
                (Some(segment), Some(part)) if part.starts_with('{') || part == segment => {}
                _ => return false,
            }
        }
    };
    let (_, item) = document()["paths"].as_object()?.iter().find(|(template, _)| matches(template))?;
    item.as_object()
}

/// Returns the document, which is generated once per process.
fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| {
        let mut document: Value = serde_json::from_str(&service().spec()).unwrap_or_default();
        close_request_schemas(&mut document);
        document
    })
}

/// Sets `additionalProperties: false` on the schemas of request bodies. The API refuses unknown fields, but the
/// framework does not document that.
fn close_request_schemas(document: &mut Value) {
    let operations = document["paths"].as_object().into_iter().flatten();
    let bodies = operations
        .flat_map(|(_, path)| path.as_object().into_iter().flatten())
        .flat_map(|(_, operation)| operation["requestBody"]["content"].as_object().into_iter().flatten())
        .filter_map(|(_, media)| media["schema"]["$ref"].as_str()?.rsplit('/').next().map(str::to_owned));
    for name in bodies.collect::<Vec<_>>() {
        document["components"]["schemas"][name]["additionalProperties"] = false.into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_document_is_current() {
        let committed = include_str!("../../openapi/openapi.json");
        assert!(
            committed == json(),
            "openapi/openapi.json is not current; run: cargo run -- openapi > openapi/openapi.json"
        );
    }

    #[test]
    fn methods_and_operation_ids_are_found_by_path() {
        assert_eq!(allowed_methods("/api/portal/auth/sign-in"), "POST");
        assert_eq!(allowed_methods("/api/v1/clients/00000000-0000-0000-0000-000000000000"), "GET, HEAD, PATCH");
        assert_eq!(allowed_methods("/api/docs"), "GET, HEAD");
        assert_eq!(operation_id("POST", "/api/portal/auth/sign-in"), "sign_in");
        assert_eq!(operation_id("BREW", "/api/portal/auth/sign-in"), "unmatched");
    }
}
