//! Request bodies: JSON, read strictly, and checked against the very schema that the document shows.

use std::fmt;

use poem::{Request, RequestBody, error::ReadBodyError};
use poem_openapi::{
    impl_apirequest_for_payload,
    payload::{ParsePayload, Payload},
    registry::{MetaSchemaRef, Registry},
    types::{ParseFromJSON, Type},
};
use portico_domain::error::Error;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::{error::ApiError, openapi, schema};

/// The largest body, in bytes.
pub(crate) const MAX_BYTES: usize = 64 * 1024;

/// A JSON body of schema `T`.
///
/// What cannot be parsed without doubt (a repeated key, NUL, not UTF-8) is `malformed_request`; what can be parsed and is
/// wrong is `validation_failed`, with every bad field.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: Type> Payload for Body<T> {
    const CONTENT_TYPE: &'static str = "application/json; charset=utf-8";

    /// `application/json`, in UTF-8 if it says so at all.
    fn check_content_type(content_type: &str) -> bool {
        let mut parts = content_type.split(';').map(str::trim);
        let is_json = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
        let is_utf8 = |part: &str| {
            part.split_once('=').is_some_and(|(name, value)| {
                name.trim().eq_ignore_ascii_case("charset")
                    && value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
            })
        };
        is_json && parts.all(is_utf8)
    }

    fn schema_ref() -> MetaSchemaRef {
        T::schema_ref()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<T: ParseFromJSON> ParsePayload for Body<T> {
    const IS_REQUIRED: bool = true;

    async fn from_request(_: &Request, body: &mut RequestBody) -> poem::Result<Self> {
        let bytes = body.take()?.into_bytes_limit(MAX_BYTES).await.map_err(|error| match error {
            ReadBodyError::PayloadTooLarge => ApiError::BodyTooLarge,
            _ => ApiError::Malformed("The body did not arrive whole."),
        })?;
        let value = parse(&bytes)?;
        let problems = schema::check(openapi::schemas(), &T::name(), &value);
        if !problems.is_empty() {
            return Err(ApiError::Domain(Error::Invalid(problems)).into());
        }
        let parsed = T::parse_from_json(Some(value)).map_err(|_| {
            // The schema has said yes already, so this is a gap between it and the type.
            ApiError::Domain(Error::invalid("", "invalid", "is not what the document asks for"))
        })?;
        Ok(Self(parsed))
    }
}

impl_apirequest_for_payload!(Body<T>, T: ParseFromJSON);

fn parse(bytes: &[u8]) -> Result<Value, ApiError> {
    serde_json::from_slice::<Strict>(bytes)
        .map(|strict| strict.0)
        .map_err(|_| ApiError::Malformed("The body is not JSON, repeats a key, or holds a NUL character."))
}

/// JSON in which no object repeats a key and no text holds NUL, which databases and programs read differently.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Value, E> {
        if text.contains('\0') { Err(E::custom("NUL")) } else { Ok(text.into()) }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            array.push(item);
        }
        Ok(array.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((key, Strict(value))) = entries.next_entry::<String, Strict>()? {
            if key.contains('\0') || object.insert(key, value).is_some() {
                return Err(serde::de::Error::custom("repeated key"));
            }
        }
        Ok(object.into())
    }
}

/// What holds for any body: what is read is JSON to everybody else too, in one reading, and the verdict on it names at most
/// a handful of short fields.
#[cfg(any(test, feature = "fuzzing"))]
pub fn fuzz(data: &[u8]) {
    let Ok(value) = parse(data) else { return };
    assert!(serde_json::from_slice::<Value>(data).is_ok_and(|theirs| theirs == value), "everybody reads the same");
    let written = value.to_string();
    assert!(!written.contains("\\u0000"), "no NUL");
    // Not the identity: the last digit of a fraction may differ.
    assert!(parse(written.as_bytes()).is_ok(), "what was read can be written and read again");
    for (name, schema) in openapi::schemas().iter().filter(|(_, schema)| schema["additionalProperties"] == false) {
        let problems = schema::check(openapi::schemas(), name, &value);
        assert_eq!(problems, schema::check(openapi::schemas(), name, &value), "the same verdict each time");
        assert!(problems.len() <= 64 && problems.iter().all(|field| field.pointer.len() <= 1_000), "a short answer");
        if problems.is_empty() {
            let known = &schema["properties"];
            assert!(value.as_object().is_some_and(|object| object.keys().all(|key| known.get(key).is_some())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_json_without_doubt_is_read() {
        assert_eq!(parse(br#"{"a":[1,-2,0.5,true,null,"x"]}"#).unwrap()["a"][2], 0.5);
        for bad in [
            &b""[..],
            b"{",
            b"{\"a\":1,\"a\":2}",
            b"{\"a\":{\"b\":1,\"b\":1}}",
            b"{\"a\":\"\\u0000\"}",
            b"\xff",
            b"{\"a\":\"\xff\"}",
            b"{\"a\":\"\\ud800\"}",
            b"{} {}",
            b"{\"a\":1e999}",
            b"\xef\xbb\xbf{}",
        ] {
            assert!(parse(bad).is_err(), "{:?}", String::from_utf8_lossy(bad));
        }
        assert!(parse("[".repeat(10_000).as_bytes()).is_err());
    }

    #[test]
    fn only_json_in_utf8_is_json() {
        let check = <Body<String> as Payload>::check_content_type;
        for good in ["application/json", "Application/JSON; charset=UTF-8", "application/json;charset=\"utf-8\""] {
            assert!(check(good), "{good}");
        }
        for bad in [
            "text/plain",
            "application/json;foo",
            "application/json; charset=utf-16",
            "application/jsonp",
            "",
            "application/x+json",
        ] {
            assert!(!check(bad), "{bad}");
        }
    }
}
