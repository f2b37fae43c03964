//! The schemas of the document, in the form that generators of clients understand.

use serde_json::{Map, Value, json};

/// Sets `additionalProperties: false` on the schemas of request bodies, and on the schemas that they refer to. Their
/// optional fields take `null`.
pub(super) fn close_request_schemas(document: &mut Value) {
    let operations = document["paths"].as_object().into_iter().flatten();
    let bodies = operations
        .flat_map(|(_, item)| item.as_object().into_iter().flatten())
        .map(|(_, operation)| &operation["requestBody"]);
    let mut open: Vec<String> = bodies.flat_map(referenced_schemas).collect();
    while let Some(name) = open.pop() {
        let schema = &mut document["components"]["schemas"][&name];
        // An alternative of a discriminator is a part of `allOf`, and is checked together with its tag.
        if schema["type"] == "object" && schema["additionalProperties"] != false {
            schema["additionalProperties"] = false.into();
            open.extend(referenced_schemas(schema));
            allow_null_in_optional_fields(schema);
        } else if schema["type"] != "object" {
            open.extend(referenced_schemas(schema));
        }
    }
}

/// Sets `nullable: true` on the fields of a request schema that are not required: `null` means that the field is
/// absent.
fn allow_null_in_optional_fields(schema: &mut Value) {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    for (name, field) in properties_mut(schema) {
        if required.iter().any(|required| required == name) {
            continue;
        }
        // `nullable` has no effect next to a reference.
        if let Some(reference) = field.get("$ref").cloned() {
            *field = json!({ "allOf": [{ "$ref": reference }] });
        }
        field["nullable"] = true.into();
        // An `enum` must list `null` too (OpenAPI 3.0.3, proposal 2019-10-31).
        if let Some(Value::Array(values)) = field.get_mut("enum") {
            values.push(Value::Null);
        }
    }
}

/// Replaces each reference that has a description beside it, which the framework writes as an `allOf`, with a plain
/// reference, which every generator understands. A reference that may be `null` stays an `allOf` with this reference
/// alone. The description becomes part of the description of the object.
pub(super) fn make_references_plain(document: &mut Value) {
    let schemas = document["components"]["schemas"].as_object_mut().into_iter().flatten();
    for (_, schema) in schemas {
        let mut described = Vec::new();
        for (name, field) in properties_mut(schema) {
            let Some((reference, is_nullable, description)) = parts(field) else { continue };
            *field = if is_nullable { json!({ "allOf": [reference], "nullable": true }) } else { reference };
            described.extend(description.map(|description| format!("- `{name}`: {description}")));
        }
        if !described.is_empty() {
            super::add_to_description(schema, &described.join("\n"));
        }
    }
}

/// Returns the only reference of an `allOf`, whether it may be `null`, and the description beside it.
fn parts(field: &Value) -> Option<(Value, bool, Option<String>)> {
    let parts = field["allOf"].as_array()?;
    let mut references = parts.iter().filter(|part| part.get("$ref").is_some());
    let reference = references.next().filter(|_| references.next().is_none())?;
    let all = || parts.iter().chain([field]);
    let description = all().find_map(|part| part["description"].as_str()).map(|text| text.replace('\n', " "));
    Some((reference.clone(), all().any(|part| part["nullable"] == true), description))
}

/// Removes the parameters of JSON media types, because many generators know only `application/json`. The server accepts
/// and sends `charset=utf-8` all the same.
pub(super) fn shorten_media_types(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if let Some(Value::Object(content)) = object.get_mut("content") {
                let old = std::mem::take(content);
                content.extend(old.into_iter().map(|(name, value)| (name.replace("; charset=utf-8", ""), value)));
            }
            object.values_mut().for_each(shorten_media_types);
        }
        Value::Array(items) => items.iter_mut().for_each(shorten_media_types),
        _ => {}
    }
}

/// Returns the fields of an object schema; nothing for another schema.
fn properties_mut(schema: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten()
}

/// Returns the component schema that `schema` refers to, or `schema` itself.
pub(super) fn resolve<'a>(schemas: &'a Map<String, Value>, schema: &'a Value) -> &'a Value {
    let reference = schema.get("$ref").or_else(|| schema["allOf"].get(0)?.get("$ref")).and_then(Value::as_str);
    reference.and_then(|target| schemas.get(target.rsplit('/').next()?)).unwrap_or(schema)
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
