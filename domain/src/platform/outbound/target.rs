//! Which URLs may be requested, and where they lead.

use std::net::{IpAddr, SocketAddr};

use rustls::pki_types::ServerName;
use url::{Host, Url};

use super::{failure::OutboundError, networks::AllowedAddresses};

/// The longest URL that is requested, in bytes.
const MAX_URL_BYTES: usize = 2_048;

/// A URL that may be requested, before its host is resolved.
#[derive(Debug)]
pub(super) struct Target {
    /// The host name, or the IP address if the URL names one.
    pub(super) host: TargetHost,
    /// The TCP port.
    pub(super) port: u16,
    /// Whether the connection is encrypted. It is not only for providers on the machine of a developer.
    pub(super) is_encrypted: bool,
    /// The value of the header `Host`.
    pub(super) authority: String,
    /// The path and the query.
    pub(super) path: String,
}

/// The host of a URL.
#[derive(Debug)]
pub(super) enum TargetHost {
    /// A name, which must be resolved.
    Name(String),
    /// An IP address in any notation that a URL may have.
    Address(IpAddr),
}

impl Target {
    /// Checks the parts of `url`.
    ///
    /// # Errors
    /// - [`OutboundError::RefusedUrl`] if `url` is too long, has a scheme other than https, a user name, a password or
    ///   a fragment. The scheme http is allowed if loopback is; [`check`](Self::check) then refuses other addresses.
    /// - [`OutboundError::RefusedAddress`] if the host is an IP address that `allowed` does not name. A public IP
    ///   address is refused too: a provider has a name.
    pub(super) fn of(url: &Url, allowed: &AllowedAddresses) -> Result<Self, OutboundError> {
        let is_encrypted = match url.scheme() {
            "https" => true,
            "http" if allowed.is_loopback_allowed => false,
            _ => return Err(OutboundError::RefusedUrl("does not start with https://")),
        };
        if url.as_str().len() > MAX_URL_BYTES {
            return Err(OutboundError::RefusedUrl("is too long"));
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(OutboundError::RefusedUrl("has a user name, a password or a fragment"));
        }
        let no_host = OutboundError::RefusedUrl("has no host");
        // The URL parser has turned decimal, octal and hexadecimal forms into addresses.
        let host = match url.host().ok_or(no_host.clone())? {
            Host::Domain(name) => TargetHost::Name(name.to_owned()),
            Host::Ipv4(address) => TargetHost::Address(address.into()),
            Host::Ipv6(address) => TargetHost::Address(address.into()),
        };
        if let TargetHost::Address(address) = host
            && !allowed.names(address)
        {
            return Err(OutboundError::RefusedAddress(address));
        }
        let port = url.port_or_known_default().ok_or(no_host)?;
        let authority = url[url::Position::BeforeHost..url::Position::AfterPort].to_owned();
        let path = url[url::Position::BeforePath..url::Position::AfterQuery].to_owned();
        Ok(Self { host, port, is_encrypted, authority, path })
    }

    /// Checks the addresses of the host.
    ///
    /// # Errors
    /// - [`OutboundError::UnknownHost`] if there is no address.
    /// - [`OutboundError::RefusedAddress`] if one of the addresses is not allowed, or if the connection would be
    ///   unencrypted and one of them is not this machine.
    pub(super) fn check(&self, addresses: &[SocketAddr], allowed: &AllowedAddresses) -> Result<(), OutboundError> {
        if addresses.is_empty() {
            return Err(OutboundError::UnknownHost);
        }
        let is_refused = |address: &IpAddr| match self.is_encrypted {
            true => !allowed.contains(*address),
            false => !allowed.is_local(*address),
        };
        match addresses.iter().map(SocketAddr::ip).find(is_refused) {
            Some(address) => Err(OutboundError::RefusedAddress(address)),
            None => Ok(()),
        }
    }

    /// Returns the name that the certificate of the server must have.
    ///
    /// # Errors
    /// [`OutboundError::RefusedUrl`] if the host is not a DNS name.
    pub(super) fn server_name(&self) -> Result<ServerName<'static>, OutboundError> {
        match &self.host {
            TargetHost::Name(name) => {
                ServerName::try_from(name.clone()).map_err(|_| OutboundError::RefusedUrl("has no valid host name"))
            }
            TargetHost::Address(address) => Ok(ServerName::from(*address)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::parse_networks, *};

    fn target(url: &str, allowed: &AllowedAddresses) -> Result<Target, OutboundError> {
        Target::of(&Url::parse(url).unwrap_or_else(|error| panic!("{url}: {error}")), allowed)
    }

    fn allowed(networks: &str, is_loopback_allowed: bool) -> AllowedAddresses {
        AllowedAddresses { networks: parse_networks(networks).unwrap(), is_loopback_allowed }
    }

    #[test]
    fn sso_08_each_notation_of_an_address_is_refused() {
        for url in [
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://127.1/",
            "https://0/",
            "https://0.0.0.0/",
            "https://169.254.169.254/latest/meta-data",
            "https://2852039166/",
            "https://[::1]/",
            "https://[::]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:a9fe:a9fe]/",
            "https://[64:ff9b::7f00:1]/",
            "https://１２７.0.0.1/",
            "https://8.8.8.8/",
            "https://[2606:4700:4700::1111]/",
        ] {
            let error = target(url, &allowed("10.0.0.0/8", false)).unwrap_err();
            assert!(matches!(error, OutboundError::RefusedAddress(_)), "{url}: {error}");
        }
        assert!(target("https://10.1.2.3/", &allowed("10.0.0.0/8", false)).is_ok(), "a network that is named");
        assert!(target("https://[::1]/", &allowed("", true)).is_ok(), "a provider of a developer");
    }

    #[test]
    fn sso_08_other_parts_of_a_url_are_checked() {
        for url in [
            "http://idp.example.com/",
            "http://127.0.0.1/",
            "ftp://idp.example.com/",
            "file:///etc/passwd",
            "gopher://idp.example.com/",
            "data:application/json,{}",
            "https://user@idp.example.com/",
            "https://user:password@idp.example.com/",
            "https://:x@idp.example.com/",
            "https://idp.example.com/#keys",
            &format!("https://idp.example.com/{}", "a".repeat(2_048)),
        ] {
            let error = target(url, &allowed("127.0.0.0/8", false)).unwrap_err();
            assert!(matches!(error, OutboundError::RefusedUrl(_)), "{url}: {error}");
        }
        let good = target("https://IdP.Example.com:8443/a/b?c=d", &allowed("", false)).unwrap();
        assert_eq!((&*good.authority, good.port, &*good.path), ("idp.example.com:8443", 8443, "/a/b?c=d"));
        let good = target("https://idp.example.com", &allowed("", false)).unwrap();
        assert_eq!((&*good.authority, good.port, &*good.path), ("idp.example.com", 443, "/"));
    }

    #[test]
    fn sso_08_every_resolved_address_must_be_allowed() {
        let at = |ip: &str| SocketAddr::new(ip.parse().unwrap(), 443);
        let none = allowed("", false);
        let https = target("https://idp.example.com/", &none).unwrap();
        assert_eq!(https.check(&[], &none), Err(OutboundError::UnknownHost));
        assert_eq!(https.check(&[at("8.8.8.8"), at("2606:4700:4700::1111")], &none), Ok(()));
        let mixed = [at("8.8.8.8"), at("10.0.0.1")];
        assert_eq!(https.check(&mixed, &none), Err(OutboundError::RefusedAddress("10.0.0.1".parse().unwrap())));
        assert_eq!(https.check(&mixed, &allowed("10.0.0.0/8", false)), Ok(()));

        let development = allowed("10.0.0.0/8", true);
        let http = target("http://idp.localhost/", &development).unwrap();
        assert_eq!(http.check(&[at("127.0.0.1"), at("::1")], &development), Ok(()));
        for ip in ["10.0.0.1", "8.8.8.8"] {
            let error = http.check(&[at("127.0.0.1"), at(ip)], &development);
            assert_eq!(error, Err(OutboundError::RefusedAddress(ip.parse().unwrap())), "http is for loopback only");
        }
    }
}
