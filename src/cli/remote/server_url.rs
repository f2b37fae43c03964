//! The URL of a server.

use url::{Host, Url};

/// The only name that means this machine. Other names below it are resolved by the system, which may send them
/// elsewhere.
pub(super) const LOCALHOST: &str = "localhost";

/// The base URL of a Portico server: scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServerUrl(Url);

impl ServerUrl {
    /// Parses a URL, such as `https://portal.example.com`.
    ///
    /// # Errors
    /// A clause that follows the text, if it is no URL of an origin, or not `https` and not of this machine: a token
    /// would be readable on its way.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let example = "e.g. https://portal.example.com";
        let url = Url::parse(text.trim()).map_err(|_| format!("must be a URL, {example}"))?;
        let is_loopback = match url.host() {
            Some(Host::Domain(name)) => name == LOCALHOST,
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        let is_origin = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
        match url.scheme() {
            _ if !url.username().is_empty() || url.password().is_some() => {
                Err(format!("must have no user name and no password, {example}"))
            }
            "https" | "http" if !is_origin => Err(format!("must have no path, {example}")),
            "https" if url.has_host() => Ok(Self(url)),
            "http" if is_loopback => Ok(Self(url)),
            "http" => Err(format!("must be https, because the token would be readable on its way, {example}")),
            _ => Err(format!("must be https, {example}")),
        }
    }

    /// Returns the URL of a path, with these query parameters.
    pub(super) fn join(&self, path: &str, query: &[(&str, String)]) -> Url {
        let mut url = self.0.clone();
        url.set_path(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// Returns whether the server is on this machine and speaks plain HTTP.
    pub(super) fn is_plain(&self) -> bool {
        self.0.scheme() == "http"
    }
}

impl std::fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_this_machine_are_accepted() {
        for good in ["https://portal.example.com", "https://x.test:8443/", "http://localhost:8080", "http://[::1]:1"] {
            assert_eq!(ServerUrl::parse(good).unwrap().to_string(), good.trim_end_matches('/'));
        }
        for wrong in [
            "portal.example.com",
            "http://portal.example.com",
            "http://localhost.example.com",
            "http://10.0.0.1",
            "http://portal.localhost",
            "http://localhost.",
            "http://0.0.0.0",
            "http://[::ffff:127.0.0.1]",
            "https://user:secret@x.test",
            "https://x.test/api",
            "https://x.test/?a=1",
            "ftp://x.test",
            "",
        ] {
            assert!(ServerUrl::parse(wrong).unwrap_err().starts_with("must"), "{wrong}");
        }
    }

    #[test]
    fn values_in_a_query_are_escaped() {
        let url = ServerUrl::parse("https://x.test").unwrap().join("/a", &[("q", "a&b=ü".into())]);
        assert_eq!(url.as_str(), "https://x.test/a?q=a%26b%3D%C3%BC");
    }
}
