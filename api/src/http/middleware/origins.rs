//! The origins whose web pages may call the API from a browser, and what Portico says about all other origins.

use poem::http::{HeaderMap, HeaderValue, header};
use portico_domain::platform::env_reader::Environment;
use tracing::warn;
use url::Url;

use crate::http::{host::is_loopback, server::LogLimiter};

/// The longest origin that a problem or the log repeats, in bytes. A host name has at most 253.
const MAX_SHOWN_BYTES: usize = 200;

/// The origins whose web pages may call the API.
pub(crate) struct AllowedOrigins {
    /// The origin of `PORTICO_PUBLIC_URL`, serialized as in an `Origin` header (RFC 6454 §6.2).
    own: String,
    /// The origins of `PORTICO_ALLOWED_ORIGINS`, serialized in the same way.
    listed: Vec<String>,
    /// Development allows the pages of every origin on loopback, because a front end runs on a port of its own there.
    environment: Environment,
}

/// Why a request of a page is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The detail of the problem. It repeats the origin only if that is a valid and short one.
    pub(super) detail: String,
    /// The setting that would allow the origin, or `none`.
    setting: String,
}

impl AllowedOrigins {
    /// Creates the list of the origin of `public_url` and the `listed` ones.
    pub(crate) fn new(public_url: &Url, listed: &[String], environment: Environment) -> Self {
        Self { own: public_url.origin().ascii_serialization(), listed: listed.to_vec(), environment }
    }

    /// Returns whether the pages of the origin that this `Origin` header names may call the API.
    pub(super) fn allows(&self, origin: &HeaderValue) -> bool {
        let Ok(origin) = origin.to_str() else { return false };
        let is_listed = self.own == origin || self.listed.iter().any(|listed| listed == origin);
        is_listed || (self.environment == Environment::Development && is_loopback_origin(origin))
    }

    /// Logs that a request of a page with these headers is refused, and returns why. Logs one such line a minute.
    pub(super) fn refuse(&self, headers: &HeaderMap) -> Refusal {
        static LOG: LogLimiter = LogLimiter::new();
        let refusal = self.refusal(headers);
        if LOG.should_log() {
            let origin = headers.get(header::ORIGIN).map(HeaderValue::as_bytes).unwrap_or_default();
            let origin = String::from_utf8_lossy(&origin[..origin.len().min(MAX_SHOWN_BYTES)]);
            // The quotes and escapes of `?`: the client has chosen the text.
            warn!(origin = ?origin, setting = refusal.setting, "refused a request of a page of a foreign origin");
        }
        refusal
    }

    fn refusal(&self, headers: &HeaderMap) -> Refusal {
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let without_setting =
            |detail: &str| Refusal { detail: format!("{detail} No setting allows this."), setting: "none".into() };
        let origin = match (origins.next(), origins.next()) {
            (None, _) => return without_setting("A page of another site sent the request, without an Origin header."),
            (Some(_), Some(_)) => return without_setting("The request has more than one Origin header."),
            (Some(origin), None) if origin == "null" => {
                return without_setting("The origin is null, as that of a file or of a sandboxed page.");
            }
            (Some(origin), None) => origin.to_str().ok().filter(|origin| is_shown(origin)),
        };
        let Some(origin) = origin else {
            return without_setting("The Origin header is not the origin of a web page.");
        };
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        let is_own_host = headers.get(header::HOST).and_then(|host| host.to_str().ok()) == authority;
        if is_own_host && self.environment == Environment::Production {
            let own = &self.own;
            return Refusal {
                detail: format!(
                    "The page was opened at {origin}, but PORTICO_PUBLIC_URL is {own}. Open the page there, or set \
                     PORTICO_PUBLIC_URL to the address that people use."
                ),
                setting: format!("PORTICO_PUBLIC_URL={origin}"),
            };
        }
        let setting = format!("PORTICO_ALLOWED_ORIGINS={origin}");
        let detail = format!(
            "Pages of the origin {origin} may not call this API. {setting} allows it; the setting takes several origins, \
             separated by commas."
        );
        Refusal { detail, setting }
    }
}

/// Returns whether `origin` is the serialized origin of a page on this machine: `localhost`, a name below it, or a
/// loopback address, with any port.
fn is_loopback_origin(origin: &str) -> bool {
    parse_origin(origin).is_some_and(|url| url.host().as_ref().is_some_and(is_loopback))
}

/// Returns whether `origin` is a serialized origin of a page that a problem or the log may repeat. Operators copy it
/// into a shell, so it has no character with a meaning there.
fn is_shown(origin: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-_:/[]".contains(c);
    origin.len() <= MAX_SHOWN_BYTES && origin.chars().all(is_plain) && parse_origin(origin).is_some()
}

/// Parses a serialized origin of the schemes `http` and `https`.
fn parse_origin(origin: &str) -> Option<Url> {
    let url = Url::parse(origin).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let has_empty_label = url.domain().is_some_and(|domain| domain.split('.').any(str::is_empty));
    (url.origin().ascii_serialization() == origin && !has_empty_label).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins(environment: Environment) -> AllowedOrigins {
        let public_url = Url::parse("https://portal.test").unwrap();
        AllowedOrigins::new(&public_url, &["https://app.test".into()], environment)
    }

    #[test]
    fn development_allows_every_loopback_origin_and_production_allows_none() {
        let allows = |environment, origin: &str| origins(environment).allows(&origin.parse().unwrap());
        for origin in [
            "http://localhost",
            "http://localhost:5173",
            "https://localhost:8443",
            "http://app.localhost:3000",
            "http://127.0.0.1:5173",
            "http://127.9.8.7",
            "http://[::1]:4321",
        ] {
            assert!(allows(Environment::Development, origin), "{origin}");
            assert!(!allows(Environment::Production, origin), "{origin}");
        }
        for origin in [
            "null",
            "",
            "*",
            "http://localhost.evil.test",
            "http://localhost:5173.evil.test",
            "http://evil-localhost",
            "http://127.0.0.1.evil.test",
            "http://128.0.0.1",
            "http://10.0.0.1:5173",
            "http://0.0.0.0:5173",
            "http://[::ffff:7f00:1]",
            "http://[::2]",
            "http://localhost:5173/",
            "http://user@localhost:5173",
            "HTTP://localhost",
            "http://localhost:80",
            "http://.localhost",
            "http://a..localhost",
            "http://LOCALHOST",
            "http://0x7f.1",
            "ftp://localhost",
            "chrome-extension://localhost",
            "localhost:5173",
        ] {
            assert!(!allows(Environment::Development, origin), "{origin}");
        }
        for environment in [Environment::Development, Environment::Production] {
            assert!(allows(environment, "https://portal.test") && allows(environment, "https://app.test"));
            assert!(!allows(environment, "http://portal.test") && !allows(environment, "https://x.app.test"));
        }
    }

    fn refusal(environment: Environment, headers: &[(&'static str, &str)]) -> Refusal {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        origins(environment).refusal(&map)
    }

    #[test]
    fn refusal_names_the_origin_and_the_setting_that_would_allow_it() {
        for origin in ["https://evil.test", "http://10.0.0.5:5173", "http://[2001:db8::1]:3000", "https://a_b.c-d.test"]
        {
            for environment in [Environment::Development, Environment::Production] {
                let refusal = refusal(environment, &[("origin", origin), ("host", "portal.test")]);
                assert_eq!(refusal.setting, format!("PORTICO_ALLOWED_ORIGINS={origin}"));
                assert!(refusal.detail.contains(&refusal.setting), "{refusal:?}");
            }
        }
        let own = refusal(Environment::Production, &[("origin", "http://10.0.0.5"), ("host", "10.0.0.5")]);
        assert_eq!(own.setting, "PORTICO_PUBLIC_URL=http://10.0.0.5");
        assert!(own.detail.contains("PORTICO_PUBLIC_URL is https://portal.test"), "{own:?}");
    }

    #[test]
    fn refusal_does_not_repeat_what_is_not_an_origin() {
        let long = format!("https://{}.test", "a.".repeat(120));
        for origin in [
            "null",
            "",
            "evil",
            "https://$(reboot).test",
            "https://a.test;b",
            "https://a'b.test",
            "https://evil.test/path",
            "https://evil.test\u{fc}",
            "https://user:canary@evil.test",
            "javascript:alert(1)",
            "chrome-extension://abcdef",
            &long,
        ] {
            let Refusal { detail, setting } = refusal(Environment::Production, &[("origin", origin)]);
            assert_eq!(setting, "none", "{origin}");
            assert!(origin.is_empty() || origin == "null" || !detail.contains(origin), "{detail}");
            assert!(detail.is_ascii() && detail.len() < 200, "{detail}");
        }
        let two = refusal(Environment::Production, &[("origin", "https://a.test"), ("origin", "https://b.test")]);
        assert!(two.detail.contains("more than one"), "{two:?}");
        let none = refusal(Environment::Production, &[("sec-fetch-site", "cross-site")]);
        assert!(none.detail.contains("without an Origin"), "{none:?}");
    }
}
