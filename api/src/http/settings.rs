//! The settings of the HTTP API.

use std::{net::SocketAddr, time::Duration};

use ipnet::IpNet;
use portico_domain::platform::env_reader::{EnvReader, duration};
use url::Url;

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
        })
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
    let example = "e.g. PORTICO_ALLOWED_ORIGINS=https://app.example.com";
    let invalid = || format!("must be a comma-separated list of origins, {example}");
    let origins = value.split(',').map(str::trim).filter(|origin| !origin.is_empty());
    origins
        .map(|origin| {
            let url = Url::parse(origin).map_err(|_| invalid())?;
            let serialized = url.origin().ascii_serialization();
            // The URL parser accepts `*` as an ordinary character. It would match no origin.
            let is_origin = serialized == origin && url.origin().is_tuple() && !origin.contains('*');
            if is_origin { Ok(serialized) } else { Err(invalid()) }
        })
        .collect()
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
}
