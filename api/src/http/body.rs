//! JSON request bodies: strict parsing, then a check against the schema in the served OpenAPI document.

use std::fmt;

use poem::{Request, RequestBody, error::ReadBodyError, http::header};
use poem_openapi::{
    impl_apirequest_for_payload,
    payload::{ParsePayload, Payload},
    registry::{MetaSchemaRef, Registry},
    types::{ParseFromJSON, Type},
};
use portico_domain::platform::error::Error;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::http::{
    document::{self, MAX_BODY_BYTES},
    error::ApiError,
    schema,
};

/// A JSON request body of schema `T`.
///
/// # Errors
/// The extractor answers `unsupported_media_type` for any other content type, for two of them and for a body with a
/// content coding, such as gzip; `body_too_large` beyond [`MAX_BODY_BYTES`];
/// `malformed_request` for a body that is not unambiguous JSON (see [`Strict`]), and `validation_failed`, with every
/// bad field, for JSON that does not match the schema.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: Type> Payload for Body<T> {
    const CONTENT_TYPE: &'static str = "application/json; charset=utf-8";

    fn check_content_type(content_type: &str) -> bool {
        is_json(content_type)
    }

    fn schema_ref() -> MetaSchemaRef {
        T::schema_ref()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

/// Whether a content type is `application/json` without parameters or with a charset that is UTF-8 or empty. A
/// parameter may be empty, as in `application/json;` (RFC 9110 §5.6.6).
pub(crate) fn is_json(content_type: &str) -> bool {
    has_type(content_type, "application/json", &["", "utf-8", "utf8"])
}

/// Whether a content type is `essence` without parameters, or with one of these charsets.
pub(crate) fn has_type(content_type: &str, essence: &str, charsets: &[&str]) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let is_essence = parts.next().is_some_and(|part| part.eq_ignore_ascii_case(essence));
    let is_charset = |part: &str| {
        part.split_once('=').is_some_and(|(name, value)| {
            let value = value.trim().trim_matches('"').to_ascii_lowercase();
            name.trim().eq_ignore_ascii_case("charset") && charsets.contains(&value.as_str())
        })
    };
    is_essence && parts.all(|part| part.is_empty() || is_charset(part))
}

impl<T: ParseFromJSON> ParsePayload for Body<T> {
    const IS_REQUIRED: bool = true;

    async fn from_request(request: &Request, body: &mut RequestBody) -> poem::Result<Self> {
        let value = parse(&read(request, body, MAX_BODY_BYTES).await?)?;
        let problems = schema::check(document::of(request)?.schemas(), &T::name(), &value);
        if !problems.is_empty() {
            return Err(ApiError::Domain(Error::Invalid(problems)).into());
        }
        let parsed = T::parse_from_json(Some(value)).map_err(|_| {
            // The value matches the schema, so the schema and the type differ: a programming error.
            ApiError::Domain(Error::invalid("", "invalid", "does not match the schema of this operation"))
        })?;
        Ok(Self(parsed))
    }
}

impl_apirequest_for_payload!(Body<T>, T: ParseFromJSON);

/// Reads a body of at most `max` bytes, without looking at its content.
///
/// # Errors
/// `unsupported_media_type` for two content types and for a body with a content coding, `body_too_large`, and
/// `malformed_request` if the body is incomplete.
pub(crate) async fn read(request: &Request, body: &mut RequestBody, max: usize) -> poem::Result<Vec<u8>> {
    let content_types = request.headers().get_all(header::CONTENT_TYPE).iter().count();
    if has_content_coding(request) || content_types > 1 {
        return Err(ApiError::UnsupportedMediaType.into());
    }
    let bytes = body.take()?.into_bytes_limit(max).await.map_err(|error| match error {
        ReadBodyError::PayloadTooLarge => ApiError::BodyTooLarge(max),
        _ => ApiError::Malformed("The request body is incomplete."),
    })?;
    Ok(bytes.into())
}

/// Whether `Content-Encoding` names a coding other than `identity` (RFC 9110 §8.4).
fn has_content_coding(request: &Request) -> bool {
    let values = request.headers().get_all(header::CONTENT_ENCODING).iter();
    let mut codings = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
    codings.any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity"))
}

/// Parses a body.
///
/// # Errors
/// `malformed_request` for anything but unambiguous JSON.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, ApiError> {
    serde_json::from_slice::<Strict>(bytes).map(|strict| strict.0).map_err(|_| {
        ApiError::Malformed("The request body is not valid JSON, repeats a key, or contains a NUL character.")
    })
}

/// Unambiguous JSON: no object repeats a key, and no key or string contains NUL.
///
/// Programs disagree about the value of a repeated key, and Postgres cannot store NUL in text.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

/// Builds the [`Value`] of a [`Strict`].
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
        if text.contains('\0') { Err(E::custom("NUL character")) } else { Ok(text.into()) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ambiguous_or_invalid_json_is_refused() {
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
    fn only_json_in_utf8_has_an_accepted_content_type() {
        let check = <Body<String> as Payload>::check_content_type;
        for good in [
            "application/json",
            "Application/JSON; charset=UTF-8",
            "application/json;charset=\"utf-8\"",
            "application/json;",
            "application/json; ",
            "application/json;;charset=utf-8;",
            "application/json; charset=utf8",
            "application/json; charset=",
        ] {
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

    #[test]
    fn body_with_a_content_coding_is_found() {
        let found = |values: &[&str]| {
            let request = Request::builder();
            let add = |request: poem::RequestBuilder, value: &&str| request.header(header::CONTENT_ENCODING, *value);
            has_content_coding(&values.iter().fold(request, add).finish())
        };
        for plain in [&[][..], &["identity"], &["Identity"], &[""], &["identity, identity"], &["identity", ""]] {
            assert!(!found(plain), "{plain:?}");
        }
        for coded in [&["gzip"][..], &["br"], &["identity, gzip"], &["identity", "deflate"], &["x"], &["gzip;q=0"]] {
            assert!(found(coded), "{coded:?}");
        }
    }
}
