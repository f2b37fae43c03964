//! Fuzz targets: properties of the request parsers that hold for any input.
//!
//! The programs in `fuzz/` call these functions, and the tests below run them over the seeds in `fuzz/corpus/`. The
//! module is compiled only for tests and with the feature `fuzzing`.

use std::sync::OnceLock;

use poem::{Request, http::header};
use portico_domain::{
    platform::{
        env_reader::{EnvReader, Environment},
        settings::Settings,
    },
    registry,
};
use serde_json::Value;
use url::Url;

use crate::{
    http::{body, cookies::Cookie, schema, settings::ApiSettings},
    openapi,
};

pub use crate::http::middleware::fuzz_forwarded_for as forwarded_for;

/// Fuzz target: properties of body parsing that hold for any input.
///
/// A body that is accepted is JSON with the same value for `serde_json`, it can be serialized and parsed
/// again, and the schema check is deterministic and returns a bounded number of short problems.
pub fn body(data: &[u8]) {
    let Ok(value) = body::parse(data) else { return };
    assert!(
        serde_json::from_slice::<Value>(data).is_ok_and(|reference| reference == value),
        "serde_json reads the same value"
    );
    let serialized = value.to_string();
    assert!(!serialized.contains("\\u0000"), "no NUL");
    // The values are not compared: the last digit of a fraction may differ.
    assert!(body::parse(serialized.as_bytes()).is_ok(), "a parsed body can be serialized and parsed again");
    let schemas = openapi::document().schemas();
    for (name, schema) in schemas.iter().filter(|(_, schema)| schema["additionalProperties"] == false) {
        let problems = schema::check(schemas, name, &value);
        assert_eq!(problems, schema::check(schemas, name, &value), "the check is deterministic");
        assert!(
            problems.len() <= 64 && problems.iter().all(|field| field.pointer.len() <= 1_000),
            "the problems are few and short"
        );
        if problems.is_empty() {
            let known = &schema["properties"];
            assert!(value.as_object().is_some_and(|object| object.keys().all(|key| known.get(key).is_some())));
        }
    }
}

/// Fuzz target: reads `Cookie` headers, one per line of `data`.
///
/// A value that is read can be set as a cookie and read back unchanged, and a request that carries it twice is
/// refused.
pub fn cookies(data: &[u8]) {
    let settings = settings();
    let mut request = Request::builder();
    for line in data.split(|byte| *byte == b'\n').take(8) {
        request = request.header(header::COOKIE, line);
    }
    let request = request.finish();
    for cookie in Cookie::ALL {
        let Ok(Some(value)) = cookie.read(&request, settings) else { continue };
        let value = value.reveal();
        assert!(!value.contains([';', '\n']) && value == value.trim_end());
        let set =
            cookie.set_cookie_header(settings, value, 1).and_then(|header| header.to_str().map(str::to_owned).ok());
        let Some(pair) = set.as_deref().and_then(|set| set.split(';').next()) else { continue };
        let returned = Request::builder().header(header::COOKIE, pair).finish();
        assert_eq!(cookie.read(&returned, settings).ok().flatten().map(|read| read.reveal() == value), Some(true));
        let twice = Request::builder().header(header::COOKIE, format!("{pair}; {pair}")).finish();
        assert!(cookie.read(&twice, settings).is_err());
    }
}

/// Fuzz target: reads [`ApiSettings`] from lines of the form `NAME=VALUE`.
///
/// Accepted settings never trust every network, hold only valid origins, and in development listen on loopback only.
pub fn listening(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let values = text.lines().filter_map(|line| line.split_once('='));
    let mut env = EnvReader::new(values, Some(Environment::Development));
    let settings = ApiSettings::read(&mut env);
    let is_production = env.is_production();
    let Ok(settings) = env.finish(settings) else { return };
    assert!(settings.trusted_proxies.iter().all(|network| network.prefix_len() > 0));
    for origin in settings.allowed_origins.iter().chain(&settings.return_origins) {
        assert!(Url::parse(origin).is_ok_and(|url| url.origin().is_tuple()) && !origin.contains(['*', '@', '?', '#']));
        assert!(header::HeaderValue::from_str(origin).is_ok(), "{origin} is a valid header value");
    }
    assert!(is_production || settings.listen.ip().is_loopback() && settings.internal_listen.ip().is_loopback());
}

/// Returns development settings for the targets that need some.
pub(crate) fn settings() -> &'static Settings {
    static SETTINGS: OnceLock<Settings> = OnceLock::new();
    SETTINGS.get_or_init(|| {
        let secret = ("PORTICO_SECRET", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=");
        let mut env = EnvReader::new([secret], Some(Environment::Development));
        let settings = registry::read_settings(&mut env, None, Url::parse("http://localhost:8080").ok());
        #[expect(clippy::expect_used, reason = "the values are constants")]
        env.finish(settings).expect("the settings are valid")
    })
}

#[cfg(test)]
#[path = "../../fuzz/small_form.rs"]
mod small_form;

#[cfg(test)]
mod tests {
    use super::small_form::run;

    #[test]
    fn cookies() {
        run("cookies", super::cookies);
    }

    #[test]
    fn listening() {
        run("listening", super::listening);
    }

    #[test]
    fn forwarded_for() {
        run("forwarded_for", super::forwarded_for);
    }

    #[test]
    fn body() {
        run("body", super::body);
    }
}
