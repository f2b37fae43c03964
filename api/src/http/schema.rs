//! Checks a JSON value against a schema of the OpenAPI document, and finds all wrong fields in one pass.
//!
//! Covers the keywords that the document uses for requests: objects without further fields, objects with any
//! members, strings with a format,
//! enums, integers, booleans, arrays, alternatives, references and null. The framework's own parser stops at the first
//! problem and describes it in terms of Rust. `docs/decisions/0010-json-schema-check.md` says why no crate does this.

use portico_domain::platform::error::{FieldError, FieldProblem};
use serde_json::{Map, Value};

use super::fields;

/// The check stops when this number of problems is reached; one more problem may be reported.
const MAX_PROBLEMS: usize = 50;
/// The longest part of an unknown field name that a response repeats, in characters.
const MAX_NAME_CHARS: usize = 100;

/// Returns every problem of `value` as a value of the component schema `name`; at most about [`MAX_PROBLEMS`].
pub(crate) fn check(schemas: &Map<String, Value>, name: &str, value: &Value) -> Vec<FieldError> {
    let mut problems = Vec::new();
    match schemas.get(name) {
        Some(schema) => Checker { schemas }.check(schema, value, "", &mut problems),
        None => problems.push(FieldProblem::new("invalid", "has no schema").at("")),
    }
    problems
}

/// The keywords of a schema that only describes another one.
const DESCRIBING: [&str; 4] = ["default", "description", "nullable", "title"];

struct Checker<'a> {
    schemas: &'a Map<String, Value>,
}

impl Checker<'_> {
    /// Adds the problems of `value`, which is at `pointer` (RFC 6901) in the body.
    fn check(&self, schema: &Value, value: &Value, pointer: &str, problems: &mut Vec<FieldError>) {
        let mut parts = [schema].into_iter().chain(schema["allOf"].as_array().into_iter().flatten());
        if value.is_null() && parts.any(|part| part["nullable"] == true) {
            return;
        }
        let schema = self.resolve(schema);
        let alternatives = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array);
        if let Some(alternatives) = alternatives {
            return self.check_alternatives(schema, alternatives, value, pointer, problems);
        }
        match (schema["type"].as_str().unwrap_or("object"), value) {
            ("object", Value::Object(object)) => self.check_object(schema, object, pointer, problems),
            ("array", Value::Array(items)) => self.check_array(schema, items, pointer, problems),
            (kind, value) => problems.extend(check_scalar(schema, kind, value).map(|problem| problem.at(pointer))),
        }
    }

    /// Follows a reference. Also follows the only reference of an `allOf` whose other parts only describe, which is how
    /// the framework describes a field whose type has a name.
    fn resolve<'s>(&'s self, schema: &'s Value) -> &'s Value {
        let describes = |part: &&Value| {
            part.as_object().is_some_and(|part| part.keys().all(|key| DESCRIBING.contains(&key.as_str())))
        };
        let mut parts = schema["allOf"].as_array().into_iter().flatten().filter(|part| !describes(part));
        let only = parts.next().filter(|_| parts.next().is_none()).and_then(|part| part.get("$ref"));
        schema.get("$ref").or(only).and_then(|target| self.component(target)).unwrap_or(schema)
    }

    /// Returns the component schema that a reference names.
    fn component(&self, target: &Value) -> Option<&Value> {
        self.schemas.get(target.as_str()?.rsplit('/').next()?)
    }

    fn check_object(&self, schema: &Value, object: &Map<String, Value>, pointer: &str, problems: &mut Vec<FieldError>) {
        let mut parts = Vec::new();
        self.parts(schema, &mut parts);
        let at = |name: &str| format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
        let required = parts.iter().filter_map(|part| part["required"].as_array()).flatten().filter_map(Value::as_str);
        for name in required.filter(|name| !object.contains_key(*name)) {
            problems.push(FieldProblem::new("required", "is missing").at(at(name)));
        }
        for (name, value) in object {
            // A small request must not get a large response.
            if problems.len() >= MAX_PROBLEMS {
                return;
            }
            match parts.iter().find_map(|part| part["properties"].get(name)) {
                Some(schema) => self.check(schema, value, &at(name), problems),
                // An object with any members, such as the response of a passkey.
                None if parts.iter().any(|part| part["additionalProperties"].is_object()) => {}
                None => {
                    let name: String = name.chars().take(MAX_NAME_CHARS).collect();
                    problems.push(FieldProblem::new("unknown_field", "is not a field of this request").at(at(&name)));
                }
            }
        }
    }

    /// Collects the schema and the schemas that it is composed of.
    fn parts<'s>(&'s self, schema: &'s Value, parts: &mut Vec<&'s Value>) {
        let schema = self.resolve(schema);
        parts.push(schema);
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.parts(part, parts);
        }
    }

    fn check_array(&self, schema: &Value, items: &[Value], pointer: &str, problems: &mut Vec<FieldError>) {
        let count = items.len() as u64;
        let problem = if let Some(min) = schema["minItems"].as_u64().filter(|min| count < *min) {
            Some(format!("must have at least {min} items"))
        } else {
            schema["maxItems"].as_u64().filter(|max| count > *max).map(|max| format!("must have at most {max} items"))
        };
        if let Some(detail) = problem {
            problems.push(FieldProblem::new("invalid", detail).at(pointer));
            return;
        }
        for (index, item) in items.iter().enumerate() {
            if problems.len() >= MAX_PROBLEMS {
                return;
            }
            self.check(&schema["items"], item, &format!("{pointer}/{index}"), problems);
        }
    }

    /// Checks the alternative that the discriminator names. Without a discriminator, checks all, and adds the problems
    /// of the one that has the fewest.
    fn check_alternatives(
        &self,
        schema: &Value,
        alternatives: &[Value],
        value: &Value,
        pointer: &str,
        problems: &mut Vec<FieldError>,
    ) {
        let Some(tag) = schema["discriminator"]["propertyName"].as_str() else {
            let checked = alternatives.iter().map(|alternative| {
                let mut found = Vec::new();
                self.check(alternative, value, pointer, &mut found);
                found
            });
            problems.extend(checked.min_by_key(Vec::len).unwrap_or_default());
            return;
        };
        let empty = Map::new();
        let mapping = schema["discriminator"]["mapping"].as_object().unwrap_or(&empty);
        let named = value.get(tag).and_then(Value::as_str).and_then(|kind| self.component(mapping.get(kind)?));
        if let Some(alternative) = named {
            return self.check(alternative, value, pointer, problems);
        }
        if !value.is_object() {
            problems.push(FieldProblem::new("invalid", "must be of type object").at(pointer));
            return;
        }
        let problem = match value.get(tag) {
            None => FieldProblem::new("required", "is missing"),
            Some(_) => {
                let names: Vec<_> = mapping.keys().map(String::as_str).collect();
                FieldProblem::new("invalid", format!("must be one of {}", names.join(", ")))
            }
        };
        problems.push(problem.at(format!("{pointer}/{tag}")));
    }
}

/// Returns the problem of a value that must be neither an object nor an array.
fn check_scalar(schema: &Value, kind: &str, value: &Value) -> Option<FieldProblem> {
    let wrong = |detail: String| Some(FieldProblem::new("invalid", detail));
    if let Some(allowed) = schema["enum"].as_array()
        && !allowed.contains(value)
    {
        let names: Vec<_> = allowed.iter().filter_map(Value::as_str).collect();
        return wrong(format!("must be one of {}", names.join(", ")));
    }
    match (kind, value) {
        ("string", Value::String(text)) => fields::check_format(schema["format"].as_str().unwrap_or(""), text),
        ("integer", Value::Number(number)) if number.is_i64() || number.is_u64() => {
            let bound = |keyword: &str| schema[keyword].as_f64();
            let given = number.as_f64()?;
            if let Some(min) = bound("minimum").filter(|min| given < *min) {
                return wrong(format!("must be at least {min}"));
            }
            bound("maximum").filter(|max| given > *max).and_then(|max| wrong(format!("must be at most {max}")))
        }
        ("number", Value::Number(_)) | ("boolean", Value::Bool(_)) => None,
        ("string", _) => wrong("must be text".into()),
        (kind, _) => wrong(format!("must be of type {kind}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::openapi;

    /// Returns pointer and code of each problem, sorted.
    fn problems(schemas: &Map<String, Value>, name: &str, value: &Value) -> Vec<(String, &'static str)> {
        let mut found: Vec<_> =
            check(schemas, name, value).into_iter().map(|field| (field.pointer, field.problem.code)).collect();
        found.sort();
        found
    }

    #[test]
    fn every_wrong_field_is_named() {
        let schemas = openapi::document().schemas();
        let body = json!({ "email": 5, "passwort": "x", "client_id": "not-a-uuid" });
        let expected = [
            ("/client_id", "uuid_invalid"),
            ("/email", "invalid"),
            ("/password", "required"),
            ("/passwort", "unknown_field"),
        ];
        assert_eq!(problems(schemas, "SignIn", &body), expected.map(|(pointer, code)| (pointer.into(), code)));
        assert_eq!(check(schemas, "SignIn", &json!([])).len(), 1);
        assert_eq!(check(schemas, "SignIn", &json!({ "email": "a@b.test", "password": "x" })), []);
    }

    /// Returns schemas with arrays, nested objects and alternatives.
    fn nested_schemas() -> Map<String, Value> {
        let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
        let string = json!({ "type": "string" });
        let schemas = json!({
            "Import": { "type": "object", "required": ["rows"], "properties": {
                "rows": { "type": "array", "minItems": 1, "maxItems": 2, "items": reference("Row") } } },
            "Row": { "type": "object", "required": ["email"], "properties": {
                "email": { "type": "string", "format": "email" },
                "address": { "allOf": [reference("Address"), { "description": "The address.", "nullable": true }] },
                "role": { "allOf": [reference("Role"), { "description": "The role." }] } } },
            "Role": { "type": "string", "enum": ["admin", "member"] },
            "Address": { "type": "object", "required": ["city"], "properties": { "city": string } },
            "Factor": { "type": "object", "oneOf": [reference("Factor_Totp"), reference("Factor_Key")],
                "discriminator": { "propertyName": "kind", "mapping": {
                    "totp": "#/components/schemas/Factor_Totp", "key": "#/components/schemas/Factor_Key" } } },
            "Factor_Totp": { "allOf": [
                { "type": "object", "required": ["kind"], "properties": { "kind": { "type": "string", "enum": ["totp"] } } },
                reference("Totp")] },
            "Factor_Key": { "allOf": [
                { "type": "object", "required": ["kind"], "properties": { "kind": { "type": "string", "enum": ["key"] } } },
                reference("Address")] },
            "Totp": { "type": "object", "required": ["code"], "properties": {
                "code": { "type": "string", "format": "six-digits" } } },
            "Value": { "anyOf": [{ "type": "integer" }, reference("Address")] },
        });
        let Value::Object(schemas) = schemas else { unreachable!() };
        schemas
    }

    #[test]
    fn arrays_and_nested_objects_are_checked_item_by_item() {
        let found = |value| problems(&nested_schemas(), "Import", &value);
        let row = json!({ "email": "a@b.test", "address": { "city": "Bern" }, "role": "admin" });
        assert_eq!(found(json!({ "rows": [row, { "email": "a@b.test", "address": null }] })), []);
        assert_eq!(found(json!({ "rows": [] })), [("/rows".into(), "invalid")]);
        assert_eq!(found(json!({ "rows": [row, row, row] })), [("/rows".into(), "invalid")]);
        assert_eq!(found(json!({ "rows": "x" })), [("/rows".into(), "invalid")]);
        let wrong = json!({ "rows": [row, { "email": "x", "address": { "town": "Bern" }, "role": "owner" }] });
        let expected = [
            ("/rows/1/address/city", "required"),
            ("/rows/1/address/town", "unknown_field"),
            ("/rows/1/email", "email_invalid"),
            ("/rows/1/role", "invalid"),
        ];
        assert_eq!(found(wrong), expected.map(|(pointer, code)| (pointer.into(), code)));
    }

    #[test]
    fn discriminator_selects_the_alternative() {
        let found = |value| problems(&nested_schemas(), "Factor", &value);
        assert_eq!(found(json!({ "kind": "totp", "code": "123456" })), []);
        assert_eq!(found(json!({ "kind": "key", "city": "Bern" })), []);
        let expected = [("/city", "unknown_field"), ("/code", "required")];
        assert_eq!(
            found(json!({ "kind": "totp", "city": "x" })),
            expected.map(|(pointer, code)| (pointer.into(), code))
        );
        assert_eq!(found(json!({ "code": "123456" })), [("/kind".into(), "required")]);
        assert_eq!(found(json!({ "kind": "sms" })), [("/kind".into(), "invalid")]);
        assert_eq!(found(json!({ "kind": 5 })), [("/kind".into(), "invalid")]);
    }

    #[test]
    fn without_a_discriminator_the_closest_alternative_is_reported() {
        let found = |value| problems(&nested_schemas(), "Value", &value);
        assert_eq!(found(json!(5)), []);
        assert_eq!(found(json!({ "city": "Bern" })), []);
        assert_eq!(found(json!({})).len(), 1);
        assert_eq!(found(json!("x")), [(String::new(), "invalid")]);
    }

    #[test]
    fn integer_is_checked_against_its_bounds() {
        let days = json!({ "type": "integer", "minimum": 1, "maximum": 365 });
        for (value, is_good) in [
            (json!(1), true),
            (json!(365), true),
            (json!(0), false),
            (json!(366), false),
            (json!(-1), false),
            (json!(1e12), false),
            (json!(u64::MAX), false),
            (json!("90"), false),
            (json!(1.5), false),
        ] {
            assert_eq!(check_scalar(&days, "integer", &value).is_none(), is_good, "{value}");
        }
    }

    #[test]
    fn number_of_problems_is_bounded() {
        let rows: Vec<_> = (0..1_000).map(|_| json!({ "x": 1 })).collect();
        let schemas = json!({ "Rows": { "type": "array", "items": { "type": "object", "required": ["a"] } } });
        let found = check(schemas.as_object().unwrap(), "Rows", &json!(rows));
        assert!((MAX_PROBLEMS..MAX_PROBLEMS + 2).contains(&found.len()), "{}", found.len());
    }

    /// The keywords that [`Checker`] checks, and those that only describe.
    const KEYWORDS: [&str; 21] = [
        "$ref",
        "additionalProperties",
        "allOf",
        "anyOf",
        "default",
        "description",
        "discriminator",
        "enum",
        "example",
        "format",
        "items",
        "maxItems",
        "maximum",
        "minItems",
        "minimum",
        "nullable",
        "oneOf",
        "properties",
        "required",
        "title",
        "type",
    ];

    /// Fails if the schema uses a keyword or a format that [`Checker`] does not check.
    fn assert_is_checked(schema: &Value, at: &str) {
        for (keyword, value) in schema.as_object().unwrap() {
            assert!(KEYWORDS.contains(&keyword.as_str()), "{at}: schema.rs does not check the keyword {keyword}");
            let at = format!("{at}/{keyword}");
            match keyword.as_str() {
                "properties" => value.as_object().unwrap().values().for_each(|schema| assert_is_checked(schema, &at)),
                "allOf" | "anyOf" | "oneOf" => {
                    value.as_array().unwrap().iter().for_each(|schema| assert_is_checked(schema, &at));
                }
                "items" => assert_is_checked(value, &at),
                "format" if schema["type"] == "string" => {
                    assert!(fields::is_known_format(value.as_str().unwrap()), "{at}: fields.rs does not check {value}");
                }
                "type" => {
                    let known = ["object", "array", "string", "integer", "number", "boolean"];
                    assert!(known.contains(&value.as_str().unwrap()), "{at}: {value}");
                }
                _ => {}
            }
        }
    }

    #[test]
    fn requests_use_only_keywords_that_are_checked() {
        let schemas = openapi::document().schemas();
        let closed = schemas.iter().filter(|(_, schema)| schema["additionalProperties"] == false);
        let checked = closed.map(|(name, schema)| assert_is_checked(schema, name)).count();
        assert!(checked >= 10, "the schemas of requests are closed: {checked}");
        for name in ["MemberRole", "ClientStatus"] {
            assert_is_checked(&schemas[name], name);
        }
    }
}
