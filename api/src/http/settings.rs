//! The settings of the HTTP API.

use std::{net::SocketAddr, time::Duration};

use ipnet::IpNet;
use portico_domain::platform::env_reader::{EnvReader, duration};
use url::Url;

use super::host::is_loopback;

/// The settings of the HTTP API.
#[derive(Clone, Debug)]
pub struct ApiSettings {
    /// The address and port of the public listener (`PORTICO_LISTEN`).
    pub listen: SocketAddr,
    /// The address and port of the internal listener (`PORTICO_INTERNAL_LISTEN`).
    pub internal_listen: SocketAddr,
    /// How long a stopping process still accepts requests, at most 60 seconds (`PORTICO_DRAIN_DELAY`).
    pub drain_delay: Duration,
    /// The networks whose `X-Forwarded-For` header is trusted (`PORTICO_TRUSTED_PROXIES`).
    pub trusted_proxies: Vec<IpNet>,
    /// The largest number of client connections, 4 to 100,000 (`PORTICO_CONNECTIONS`).
    pub connections: usize,
    /// Further origins whose pages may call the API, such as `https://app.example.com` (`PORTICO_ALLOWED_ORIGINS`).
    pub allowed_origins: Vec<String>,
    /// Whether the process serves the web pages (`PORTICO_PAGES`).
    pub serves_pages: bool,
    /// The origins that a page may lead back to after a sign-in, such as `https://app.example.com`
    /// (`PORTICO_RETURN_ORIGINS`).
    pub return_origins: Vec<String>,
}

impl ApiSettings {
    /// Reads the settings from the environment. `None` if a value is invalid; the problem is recorded in `env`.
    pub fn read(env: &mut EnvReader) -> Option<Self> {
        let production = env.is_production();
        let address = |default: &'static str| {
            move |value: &str| match value.parse::<SocketAddr>() {
                Ok(address) if !production && !address.ip().is_loopback() => {
                    Err(format!("must be a loopback address in development, e.g. {default}"))
                }
                Ok(address) => Ok(address),
                Err(_) => Err(format!("must be an address and a port, e.g. {default}")),
            }
        };
        let description = "The address and port that the API listens on. Port 0 picks a free port. In development it \
            must be a loopback address.";
        let listen = env.read("PORTICO_LISTEN", "127.0.0.1:8080", description, address("127.0.0.1:8080"));
        let description = "The address and port on which every process serves health and metrics, without rate \
            limits. It must not be reachable from the internet. The default of `portico worker` is port 9081.";
        let internal = env.read("PORTICO_INTERNAL_LISTEN", "127.0.0.1:9080", description, address("127.0.0.1:9080"));
        let description = "The networks whose `X-Forwarded-For` header is trusted: a comma-separated list of CIDRs, \
            or `none`. It must be set in production.";
        let proxies = env.read("PORTICO_TRUSTED_PROXIES", "", description, |value| parse_proxies(value, production));
        let description = "The largest number of client connections, 4 to 100000. A network that is not a trusted \
            proxy can use a quarter of them. When all are in use, further connections wait. The number is reduced if \
            the limit of open files (`ulimit -n`) is too low.";
        let connections = env.read("PORTICO_CONNECTIONS", "800", description, |value| {
            let number = value.parse().ok().filter(|number| (4..=100_000).contains(number));
            number.ok_or_else(|| "must be 4 to 100000, e.g. PORTICO_CONNECTIONS=800".to_owned())
        });
        let description = "Further origins whose web pages may call the API from a browser: a comma-separated list, \
            such as `https://app.example.com`. Development also accepts every origin on loopback, on any port.";
        let origins = env.read("PORTICO_ALLOWED_ORIGINS", "", description, parse_origins);
        let description = "`on`: the process serves the web pages: the portal at `/portal` and the console at `/console`. \
            `off`: it serves the API only.";
        let pages = env.read("PORTICO_PAGES", "on", description, parse_switch);
        let description = "The origins that the sign-in page of the portal may lead to with `?return_to=`: a \
            comma-separated list, such as `https://app.example.com`. A path on Portico's own origin is always allowed. \
            Development also takes `http` origins on loopback.";
        let returns = env.read("PORTICO_RETURN_ORIGINS", "", description, |value| parse_returns(value, production));
        let description = "How long a process still accepts requests after SIGTERM or SIGINT. It reports that it is \
            not ready, so that proxies stop sending requests to it first: `0s` to `60s`. The default is `3s` in \
            production and `0s` in development.";
        let drain_delay =
            env.read("PORTICO_DRAIN_DELAY", "", description, |value| parse_drain_delay(value, production));
        Some(Self {
            listen: listen?,
            internal_listen: internal?,
            drain_delay: drain_delay?,
            trusted_proxies: proxies?,
            connections: connections?,
            allowed_origins: origins?,
            serves_pages: pages?,
            return_origins: returns?,
        })
    }
}

/// Parses `PORTICO_PAGES`.
fn parse_switch(value: &str) -> Result<bool, String> {
    match value {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("must be on or off, e.g. PORTICO_PAGES=on".into()),
    }
}

/// Parses `PORTICO_DRAIN_DELAY`; the empty value is the default.
fn parse_drain_delay(value: &str, production: bool) -> Result<Duration, String> {
    match value {
        "" if production => Ok(Duration::from_secs(3)),
        "" | "0s" => Ok(Duration::ZERO),
        _ => duration(value)
            .ok()
            .filter(|delay| delay.as_secs() <= 60)
            .ok_or_else(|| "must be 0s to 60s, e.g. PORTICO_DRAIN_DELAY=3s".into()),
    }
}

/// Parses `PORTICO_TRUSTED_PROXIES`. A network that contains every address is refused.
fn parse_proxies(value: &str, production: bool) -> Result<Vec<IpNet>, String> {
    let example = "e.g. PORTICO_TRUSTED_PROXIES=10.0.0.0/8,fd00::/8 or PORTICO_TRUSTED_PROXIES=none";
    match value {
        "none" => Ok(Vec::new()),
        "" if production => Err(format!("must be set in production, {example}")),
        "" => Ok(Vec::new()),
        _ => value
            .split(',')
            .map(|network| match network.trim().parse::<IpNet>() {
                Ok(network) if network.prefix_len() == 0 => Err(format!("must not trust every address, {example}")),
                Ok(network) => Ok(network),
                Err(_) => Err(format!("must be a comma-separated list of networks, {example}")),
            })
            .collect(),
    }
}

/// Parses `PORTICO_ALLOWED_ORIGINS`: serialized origins (RFC 6454 §6.2), which an `Origin` header is compared with.
fn parse_origins(value: &str) -> Result<Vec<String>, String> {
    let origins: Option<_> =
        list(value).map(|origin| Some(parse_origin(origin)?.origin().ascii_serialization())).collect();
    let invalid = "must be a comma-separated list of origins, e.g. PORTICO_ALLOWED_ORIGINS=https://app.example.com";
    origins.ok_or_else(|| invalid.into())
}

/// Parses `PORTICO_RETURN_ORIGINS`: serialized origins, each once. A person who has just signed in is sent there, so
/// they use https, except those of a developer's machine.
fn parse_returns(value: &str, production: bool) -> Result<Vec<String>, String> {
    let example = "e.g. PORTICO_RETURN_ORIGINS=https://app.example.com";
    let mut origins = Vec::new();
    for origin in list(value) {
        let url = parse_origin(origin).ok_or_else(|| {
            format!("must be a comma-separated list of origins without path, query and user name, {example}")
        })?;
        let is_local = url.scheme() == "http" && url.host().is_some_and(|host| is_loopback(&host));
        if url.scheme() != "https" && (production || !is_local) {
            return Err(format!("must have the scheme https, {example}"));
        }
        let serialized = url.origin().ascii_serialization();
        if !origins.contains(&serialized) {
            origins.push(serialized);
        }
    }
    Ok(origins)
}

/// Returns the items of a comma-separated list.
fn list(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|item| !item.is_empty())
}

/// Parses a serialized origin, which has nothing but a scheme, a host and a port that is not the default one.
fn parse_origin(origin: &str) -> Option<Url> {
    let url = Url::parse(origin).ok()?;
    // The URL parser accepts `*` as an ordinary character. It would match no origin.
    let is_origin = url.origin().is_tuple() && !origin.contains('*');
    (is_origin && url.origin().ascii_serialization() == origin).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trusted_proxies_must_be_set_in_production_and_never_contain_every_address() {
        assert_eq!(parse_proxies("10.0.0.0/8, fd00::/8", true).unwrap().len(), 2);
        assert!(parse_proxies("none", true).unwrap().is_empty());
        for (wrong, production) in [("", true), ("0.0.0.0/0", false), ("::/0", true), ("*", false), ("10.0.0.1", true)]
        {
            assert!(parse_proxies(wrong, production).unwrap_err().contains("e.g."), "{wrong}");
        }
    }

    #[test]
    fn only_exact_origins_are_allowed() {
        assert_eq!(parse_origins("https://a.test, http://localhost:3000").unwrap().len(), 2);
        for wrong in ["*", "https://*.a.test", "https://a.test/", "https://a.test/x", "a.test", "null", "file:///x"] {
            assert!(parse_origins(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn return_origins_use_https_and_are_listed_once() {
        let listed = parse_returns("https://a.test, https://b.test:8443,https://a.test", true).unwrap();
        assert_eq!(listed, ["https://a.test", "https://b.test:8443"]);
        assert!(parse_returns("", true).unwrap().is_empty());
        for local in ["http://localhost:5173", "http://127.0.0.1", "http://[::1]:3000", "http://app.localhost"] {
            assert_eq!(parse_returns(local, false).unwrap(), [local]);
            assert!(parse_returns(local, true).unwrap_err().contains("scheme https"), "{local}");
        }
        for wrong in ["http://a.test", "ftp://a.test", "http://localhost.a.test"] {
            assert!(parse_returns(wrong, false).unwrap_err().contains("scheme https"), "{wrong}");
        }
        for wrong in [
            "https://a.test/",
            "https://a.test/x",
            "https://a.test?x",
            "https://a.test#x",
            "https://ann@a.test",
            "https://a.test:443",
            "https://*.a.test",
            "https://A.test",
            "a.test",
            "//a.test",
            "null",
            "javascript:alert(1)",
            "https:a.test",
            "https://a.test https://b.test",
            "https://a.test\\@b.test",
        ] {
            assert!(parse_returns(wrong, false).unwrap_err().contains("origins without path"), "{wrong}");
        }
    }
}
