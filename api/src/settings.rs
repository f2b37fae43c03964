//! What the HTTP side can be told.

use std::{net::SocketAddr, time::Duration};

use ipnet::IpNet;
use portico_domain::settings::{EnvReader, duration};
use url::Url;

/// What the HTTP side can be told.
#[derive(Clone, Debug)]
pub struct ApiSettings {
    /// `PORTICO_LISTEN`
    pub listen: SocketAddr,
    /// `PORTICO_INTERNAL_LISTEN`
    pub internal_listen: SocketAddr,
    /// `PORTICO_DRAIN_DELAY`
    pub drain_delay: Duration,
    /// `PORTICO_TRUSTED_PROXIES`
    pub trusted_proxies: Vec<IpNet>,
    /// `PORTICO_CONNECTIONS`
    pub connections: usize,
    /// `PORTICO_ALLOWED_ORIGINS`
    pub allowed_origins: Vec<String>,
}

impl ApiSettings {
    /// Reads the section.
    pub fn read(env: &mut EnvReader) -> Option<Self> {
        let production = env.is_production();
        let address = |default: &'static str| {
            move |value: &str| match value.parse::<SocketAddr>() {
                Ok(address) if !production && !address.ip().is_loopback() => {
                    Err(format!("must be on loopback in development, e.g. {default}"))
                }
                Ok(address) => Ok(address),
                Err(_) => Err(format!("must be an address and a port, e.g. {default}")),
            }
        };
        let description = "Where the API listens; port 0 picks a free one. Development listens on loopback only.";
        let listen = env.read("PORTICO_LISTEN", "127.0.0.1:8080", description, address("127.0.0.1:8080"));
        let description = "Where every process serves health and metrics without limits, for probes and scrapes; keep it away from the \
                       internet. Unless it is set, `portico worker` takes port 9081.";
        let internal = env.read("PORTICO_INTERNAL_LISTEN", "127.0.0.1:9080", description, address("127.0.0.1:9080"));
        let description = "Networks whose `X-Forwarded-For` is believed: a comma list of CIDRs, or `none`. Production must \
                       set it.";
        let proxies = env.read("PORTICO_TRUSTED_PROXIES", "", description, |value| parse_proxies(value, production));
        let description = "The most connections from clients at once, 4 to 100000; a network that is not a trusted proxy may \
                       have a quarter of them. Further ones wait until one is free. The limit of open files must be \
                       larger (`ulimit -n`), else it is fewer.";
        let connections = env.read("PORTICO_CONNECTIONS", "800", description, |value| {
            let number = value.parse().ok().filter(|number| (4..=100_000).contains(number));
            number.ok_or_else(|| "must be 4 to 100000, e.g. PORTICO_CONNECTIONS=800".to_owned())
        });
        let description = "Further origins whose pages may call the API from a browser: a comma list.";
        let origins = env.read("PORTICO_ALLOWED_ORIGINS", "", description, parse_origins);
        let description = "How long a process that is told to stop still takes requests while it says that it is not ready, so \
                       that proxies turn away first; `0s` to `60s`. Unless it is set: `3s` in production, else `0s`.";
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

fn parse_proxies(value: &str, production: bool) -> Result<Vec<IpNet>, String> {
    let example = "e.g. PORTICO_TRUSTED_PROXIES=10.0.0.0/8,fd00::/8 or PORTICO_TRUSTED_PROXIES=none";
    match value {
        "none" => Ok(Vec::new()),
        "" if production => Err(format!("must be set in production, {example}")),
        "" => Ok(Vec::new()),
        _ => value
            .split(',')
            .map(|network| match network.trim().parse::<IpNet>() {
                Ok(network) if network.prefix_len() == 0 => Err(format!("must not trust everybody, {example}")),
                Ok(network) => Ok(network),
                Err(_) => Err(format!("must be a comma list of networks, {example}")),
            })
            .collect(),
    }
}

fn parse_origins(value: &str) -> Result<Vec<String>, String> {
    let wrong = || "must be a comma list of origins, e.g. PORTICO_ALLOWED_ORIGINS=https://app.example.com".to_owned();
    let origins = value.split(',').map(str::trim).filter(|origin| !origin.is_empty());
    origins
        .map(|origin| {
            let url = Url::parse(origin).map_err(|_| wrong())?;
            let serialized = url.origin().ascii_serialization();
            // A star is an ordinary character to the URL parser, and would match nothing here.
            let is_one = serialized == origin && url.origin().is_tuple() && !origin.contains('*');
            if is_one { Ok(serialized) } else { Err(wrong()) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_named_and_never_everybody() {
        assert_eq!(parse_proxies("10.0.0.0/8, fd00::/8", true).unwrap().len(), 2);
        assert!(parse_proxies("none", true).unwrap().is_empty());
        for (wrong, production) in [("", true), ("0.0.0.0/0", false), ("::/0", true), ("*", false), ("10.0.0.1", true)]
        {
            assert!(parse_proxies(wrong, production).unwrap_err().contains("e.g."), "{wrong}");
        }
    }

    #[test]
    fn origins_are_origins() {
        assert_eq!(parse_origins("https://a.test, http://localhost:3000").unwrap().len(), 2);
        for wrong in ["*", "https://*.a.test", "https://a.test/", "https://a.test/x", "a.test", "null", "file:///x"] {
            assert!(parse_origins(wrong).is_err(), "{wrong}");
        }
    }
}
