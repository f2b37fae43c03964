//! The failures of each operation: a response for each status, with the codes that the operation can answer as an
//! `enum`.

use portico_domain::limits;
use serde_json::{Map, Value, json};

use crate::http::error::{
    Declaration,
    codes::{self, Code},
    problem_type,
};

/// The codes that every operation can answer. Nearly all can also answer `too_many_requests`.
const COMMON: u64 = codes::MALFORMED_REQUEST
    | codes::REQUEST_TIMEOUT
    | codes::BODY_TOO_LARGE
    | codes::URI_TOO_LONG
    | codes::HEADERS_TOO_LARGE
    | codes::OVERLOADED
    | codes::UNAVAILABLE;
/// The codes of every operation that takes a credential.
const CREDENTIAL: u64 = codes::UNAUTHENTICATED | codes::SESSION_EXPIRED | codes::SESSION_REVOKED;
/// The codes of a link that is no longer valid.
const DEAD_LINK: u64 = codes::TOKEN_EXPIRED | codes::TOKEN_USED | codes::TOKEN_REVOKED;

/// The responses and schemas of problems that operations refer to, by name.
#[derive(Default)]
pub(super) struct Components {
    pub(super) responses: Map<String, Value>,
    pub(super) schemas: Map<String, Value>,
}

/// Replaces the declaration of an operation with responses, and adds their schemas to `components`. Adds the rate
/// limits of the operation as `x-rate-limits`, `x-large-body: true` if its body may have 2 MiB,
/// `x-uncounted: true` if the limit of all requests leaves it out, and `x-ignores-query: true` if it ignores its query.
pub(super) fn describe(method: &str, operation: &mut Value, components: &mut Components) {
    let declaration = Declaration::take(&mut operation["responses"]);
    let answered = codes_of(method, operation, declaration);
    let mut rest = codes::ALL.iter().filter(|code| code.bit & answered != 0).peekable();
    while let Some(first) = rest.next() {
        let mut group = vec![first];
        group.extend(std::iter::from_fn(|| rest.next_if(|code| code.status == first.status)));
        let name = component_name(&group);
        let reference = json!({ "$ref": format!("#/components/responses/{name}") });
        operation["responses"][first.status.to_string()] = reference;
        components.responses.insert(name.clone(), response(&name, &group));
        components.schemas.insert(name, schema(&group));
    }
    add_limits(operation, declaration);
}

/// Returns the bits of all codes that an operation can answer.
fn codes_of(method: &str, operation: &Value, declaration: Declaration) -> u64 {
    let has = |name: &str| !operation[name].is_null();
    [
        (true, COMMON | declaration.codes()),
        (!declaration.is_uncounted(), codes::TOO_MANY_REQUESTS),
        (!declaration.ignores_query(), codes::VALIDATION_FAILED),
        (method != "get", codes::CSRF_REJECTED),
        (has("requestBody"), codes::UNSUPPORTED_MEDIA_TYPE),
        (has("security") && !declaration.ignores_wrong_credential(), CREDENTIAL),
        (has("x-permission"), codes::FORBIDDEN),
        (has("x-fresh-session"), codes::STEP_UP_REQUIRED),
        (has("security") && !declaration.ignores_wrong_credential() && !has("x-unenrolled"), codes::MFA_REQUIRED),
    ]
    .into_iter()
    .filter(|(is_answered, _)| *is_answered)
    .fold(0, |all, (_, bits)| all | bits)
}

fn add_limits(operation: &mut Value, declaration: Declaration) {
    // A refresh token is only in a cookie.
    let is_bearer =
        |scheme: &Value| scheme.as_object().is_some_and(|name| name.keys().all(|name| !name.contains("Refresh")));
    let takes_bearer = operation["security"].as_array().is_some_and(|schemes| schemes.iter().any(is_bearer));
    let bearer = (takes_bearer && !declaration.ignores_wrong_credential()).then_some(&limits::BEARER);
    let requests = (!declaration.is_uncounted()).then_some(&limits::REQUESTS);
    let names: Vec<_> =
        requests.into_iter().chain(bearer).chain(declaration.limits()).map(|limit| limit.name).collect();
    let list: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    let list = if list.is_empty() { "none".into() } else { list.join(", ") };
    super::add_to_description(operation, &format!("Rate limits: {list}."));
    operation["x-rate-limits"] = names.into();
    if declaration.has_large_body() {
        operation["x-large-body"] = true.into();
    }
    if declaration.is_uncounted() {
        operation["x-uncounted"] = true.into();
    }
    if declaration.ignores_query() {
        operation["x-ignores-query"] = true.into();
    }
}

/// Returns the name of the problem with these codes. It depends on nothing else, so that the names in generated clients
/// stay the same when other operations change.
fn component_name(group: &[&Code]) -> String {
    let bits: u64 = group.iter().map(|code| code.bit).sum();
    let together = [(CREDENTIAL, "Credential"), (DEAD_LINK, "DeadLink")].into_iter();
    let together: Vec<_> = together.filter(|(codes, _)| bits & codes == *codes).collect();
    let is_alone = |code: &&&Code| together.iter().all(|(codes, _)| codes & code.bit == 0);
    let alone = group.iter().filter(is_alone).map(|code| pascal_case(code.name));
    let names: Vec<String> = together.iter().map(|(_, name)| (*name).into()).chain(alone).collect();
    format!("{}Problem", names.join("Or"))
}

fn pascal_case(snake_case: &str) -> String {
    let capitalized = snake_case.split('_').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_uppercase() + rest
    });
    capitalized.collect()
}

/// Returns the response with the codes of `group`, which have one status.
fn response(name: &str, group: &[&Code]) -> Value {
    let meanings: Vec<_> = group.iter().map(|code| format!("`{}`: {}.", code.name, code.meaning)).collect();
    let examples: Map<_, _> =
        group.iter().map(|code| (code.name.to_owned(), json!({ "value": example(code) }))).collect();
    let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
    let mut response = json!({
        "description": meanings.join(" "),
        "content": { "application/problem+json": { "schema": schema, "examples": examples } },
    });
    if has_retry_after(group) {
        let description = "The time to wait before a retry, in seconds.";
        response["headers"]["Retry-After"] =
            json!({ "description": description, "required": true, "schema": { "type": "integer" } });
    }
    response
}

/// Returns the schema of a problem (RFC 9457) with the codes of `group`.
fn schema(group: &[&Code]) -> Value {
    let codes: Vec<_> = group.iter().map(|code| code.name).collect();
    let status = group.first().map_or(0, |code| code.status);
    let text = |description: &str| json!({ "type": "string", "description": description });
    let mut schema = json!({
        "type": "object",
        "description": format!("Why a request failed with the status {status} (RFC 9457)."),
        "required": ["type", "title", "status", "detail", "code", "request_id"],
        "properties": {
            "type": text("`urn:portico:` and the code."),
            "title": text("What the code means. It is the same for every occurrence."),
            "status": { "type": "integer", "format": "uint16", "description": "The HTTP status." },
            "detail": text("What went wrong this time."),
            "code": { "type": "string", "description": "The code for programs. It never changes.", "enum": codes },
            "request_id": {
                "type": "string", "format": "uuid", "description": "The id of the request in the server's logs.",
            },
        },
    });
    let mut require = |name: &str, property: Value| {
        schema["properties"][name] = property;
        if let Value::Array(required) = &mut schema["required"] {
            required.push(name.into());
        }
    };
    if has_retry_after(group) {
        let description = "The time to wait before a retry, in seconds.";
        require("retry_after", json!({ "type": "integer", "format": "uint64", "description": description }));
    }
    if has_errors(group) {
        let items = json!({ "$ref": "#/components/schemas/InvalidField" });
        require("errors", json!({ "type": "array", "description": "Every field that is not valid.", "items": items }));
    }
    schema
}

fn example(code: &Code) -> Value {
    let mut problem = json!({
        "type": problem_type(code),
        "title": code.title,
        "status": code.status,
        "detail": format!("{}.", code.title),
        "code": code.name,
        "request_id": super::examples::ID,
    });
    if has_retry_after(&[code]) {
        problem["retry_after"] = 2.into();
    }
    if has_errors(&[code]) {
        let detail = "must be an email address";
        problem["detail"] = format!("/email {detail}.").into();
        problem["errors"] = json!([{ "pointer": "/email", "code": "email_invalid", "detail": detail }]);
    }
    problem
}

fn has_retry_after(group: &[&Code]) -> bool {
    let with_retry_after = codes::TOO_MANY_REQUESTS | codes::OVERLOADED | codes::UNAVAILABLE;
    group.iter().any(|code| code.bit & with_retry_after != 0)
}

fn has_errors(group: &[&Code]) -> bool {
    group.iter().any(|code| code.bit == codes::VALIDATION_FAILED)
}
