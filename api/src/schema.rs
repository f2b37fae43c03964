//! Checking a JSON value against a schema of our own document, and finding every bad field at once.
//!
//! Covers what the document uses for requests: objects without further fields, text with a format, enums, numbers,
//! references and null. The framework's own parser stops at the first problem and tells it in words of Rust.

use portico_domain::error::{FieldError, FieldProblem};
use serde_json::{Map, Value};

use crate::fields;

/// The most problems that one answer names.
const MAX_PROBLEMS: usize = 50;

/// Everything that is wrong with `value` as the component schema of that name.
pub(crate) fn check(schemas: &Map<String, Value>, name: &str, value: &Value) -> Vec<FieldError> {
    let mut problems = Vec::new();
    let checker = Checker { schemas };
    match schemas.get(name) {
        Some(schema) => checker.check(schema, value, "", &mut problems),
        None => problems.push(FieldProblem::new("invalid", "has no schema").at("")),
    }
    problems
}

struct Checker<'a> {
    schemas: &'a Map<String, Value>,
}

impl Checker<'_> {
    fn check(&self, schema: &Value, value: &Value, pointer: &str, problems: &mut Vec<FieldError>) {
        let is_nullable = schema["nullable"] == true;
        if value.is_null() && is_nullable {
            return;
        }
        let schema = self.resolve(schema);
        if let Some(problem) = self.check_one(schema, value, pointer, problems) {
            problems.push(problem.at(pointer));
        }
    }

    /// Follows a reference, also one wrapped in `allOf` to carry a description.
    fn resolve<'s>(&'s self, schema: &'s Value) -> &'s Value {
        let target = schema.get("$ref").or_else(|| schema["allOf"].get(0)?.get("$ref"));
        let name = target.and_then(Value::as_str).and_then(|target| target.rsplit('/').next());
        name.and_then(|name| self.schemas.get(name)).unwrap_or(schema)
    }

    fn check_one(
        &self,
        schema: &Value,
        value: &Value,
        pointer: &str,
        problems: &mut Vec<FieldError>,
    ) -> Option<FieldProblem> {
        let wrong = |detail: String| Some(FieldProblem::new("invalid", detail));
        if let Some(allowed) = schema["enum"].as_array()
            && !allowed.contains(value)
        {
            let names: Vec<_> = allowed.iter().filter_map(Value::as_str).collect();
            return wrong(format!("must be one of {}", names.join(", ")));
        }
        match (schema["type"].as_str().unwrap_or_default(), value) {
            ("object", Value::Object(object)) => {
                self.check_object(schema, object, pointer, problems);
                None
            }
            ("string", Value::String(text)) => fields::check_format(schema["format"].as_str().unwrap_or(""), text),
            ("integer", Value::Number(number)) if number.is_i64() || number.is_u64() => None,
            ("boolean", Value::Bool(_)) => None,
            ("string", _) => wrong("must be text".into()),
            (expected, _) => wrong(format!("must be of type {expected}")),
        }
    }

    fn check_object(&self, schema: &Value, object: &Map<String, Value>, pointer: &str, problems: &mut Vec<FieldError>) {
        let none = Map::new();
        let properties = schema["properties"].as_object().unwrap_or(&none);
        let at = |name: &str| format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
        for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !object.contains_key(required) {
                problems.push(FieldProblem::new("required", "is missing").at(at(required)));
            }
        }
        for (name, value) in object {
            // So that a small request does not get a large answer.
            if problems.len() >= MAX_PROBLEMS {
                return;
            }
            match properties.get(name) {
                Some(schema) => self.check(schema, value, &at(name), problems),
                // The name came from outside, so only its beginning goes back.
                None => {
                    let name: String = name.chars().take(100).collect();
                    problems.push(FieldProblem::new("unknown_field", "is not a field of this request").at(at(&name)));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::openapi;

    #[test]
    fn every_bad_field_is_named() {
        let body = json!({ "email": 5, "passwort": "x", "client_id": "not-a-uuid" });
        let mut found: Vec<_> = check(openapi::schemas(), "SignIn", &body)
            .into_iter()
            .map(|field| (field.pointer, field.problem.code))
            .collect();
        found.sort();
        assert_eq!(
            found,
            [
                ("/client_id".into(), "uuid_invalid"),
                ("/email".into(), "invalid"),
                ("/password".into(), "required"),
                ("/passwort".into(), "unknown_field"),
            ]
        );
        assert_eq!(check(openapi::schemas(), "SignIn", &json!([])).len(), 1);
        let good = json!({ "email": "a@b.test", "password": "x" });
        assert_eq!(check(openapi::schemas(), "SignIn", &good), []);
    }

    #[test]
    fn every_schema_of_a_request_is_one_we_can_check() {
        let document: Value = serde_json::from_str(openapi::json()).unwrap();
        for operation in
            document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values())
        {
            let Some(content) = operation["requestBody"]["content"].as_object() else { continue };
            let schema = &content.values().next().unwrap()["schema"];
            let name = schema["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
            let schema = &openapi::schemas()[name];
            assert_eq!(schema["additionalProperties"], false, "{name}");
            for (field, property) in schema["properties"].as_object().unwrap() {
                let checker = Checker { schemas: openapi::schemas() };
                let property = checker.resolve(property);
                let format = property["format"].as_str().unwrap_or("");
                assert!(fields::is_known_format(format), "{name}.{field}: {format}");
                assert!(
                    ["string", "integer", "boolean"].contains(&property["type"].as_str().unwrap()),
                    "{name}.{field}"
                );
            }
        }
    }
}
