//! The setting of passkeys, and the relying party that follows from it.

use url::{Host, Url};

use super::RelyingParty;
use crate::platform::{env_reader::EnvReader, settings::Section};

const VARIABLE: &str = "PORTICO_PASSKEY_RP_ID";

/// Which domain passkeys belong to.
#[derive(Clone, Debug)]
pub struct PasskeySettings {
    /// `PORTICO_PASSKEY_RP_ID`: the domain that passkeys belong to; by default the host of the public URL.
    pub rp_id: Option<String>,
}

impl Section for PasskeySettings {
    fn read(env: &mut EnvReader) -> Option<Self> {
        let description = "The domain that passkeys belong to (the RP ID of Web Authentication): the host of the \
            public URL, or a domain that this host is below, such as `example.com`. The default is the host of the \
            public URL. With another value, all passkeys that exist become unusable. An IP address cannot have \
            passkeys.";
        let domain = |value: &str| match Host::parse(value) {
            Ok(Host::Domain(domain)) => Ok(Some(domain)),
            _ => Err(format!("must be a domain, e.g. {VARIABLE}=example.com")),
        };
        let rp_id =
            env.read(VARIABLE, "", description, |value| if value.is_empty() { Ok(None) } else { domain(value) });
        Some(Self { rp_id: rp_id? })
    }
}

/// The relying party of this process, if there is one: the public URL may not allow passkeys.
#[derive(Debug)]
pub struct Passkeys(Option<RelyingParty>);

impl Passkeys {
    /// Creates the relying party for the origin of `public_url`. It has none if the host of `public_url` is an IP
    /// address and the setting is not set: an IP address cannot be an RP ID.
    ///
    /// # Errors
    /// If the setting is set to a domain that browsers refuse at `public_url`. The text names the variable.
    pub fn new(settings: &PasskeySettings, public_url: &Url) -> Result<Self, String> {
        let rp_id = match (&settings.rp_id, public_url.domain()) {
            (Some(rp_id), _) => rp_id,
            (None, Some(host)) => host,
            (None, None) => return Ok(Self(None)),
        };
        RelyingParty::new(rp_id, public_url, rp_id).map(|party| Self(Some(party))).ok_or_else(|| {
            let host = public_url.host_str().unwrap_or_default();
            format!(
                "{VARIABLE} must be the host of PORTICO_PUBLIC_URL or a domain above it, and not a top-level domain, \
                 e.g. {VARIABLE}={host}"
            )
        })
    }

    /// Returns the relying party, or `None` if passkeys are not available at the public URL.
    pub fn relying_party(&self) -> Option<&RelyingParty> {
        self.0.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::env_reader::Environment;

    fn read(rp_id: Option<&str>) -> Result<PasskeySettings, String> {
        let values = rp_id.map(|rp_id| (VARIABLE, rp_id));
        let mut env = EnvReader::new(values, Some(Environment::Development));
        let settings = PasskeySettings::read(&mut env);
        env.finish(settings).map_err(|error| error.to_string())
    }

    /// Returns the RP ID at this public URL.
    fn rp_id(setting: Option<&str>, public_url: &str) -> Result<Option<String>, String> {
        let passkeys = Passkeys::new(&read(setting)?, &Url::parse(public_url).unwrap())?;
        Ok(passkeys.relying_party().map(|party| party.id().to_owned()))
    }

    #[test]
    fn rp_id_is_the_public_host_or_a_domain_above_it() {
        for (setting, public_url, expected) in [
            (None, "https://portal.example.com", "portal.example.com"),
            (None, "https://Portal.Example.com:8443", "portal.example.com"),
            (None, "http://localhost:8080", "localhost"),
            (None, "https://bücher.example", "xn--bcher-kva.example"),
            (Some("portal.example.com"), "https://portal.example.com", "portal.example.com"),
            (Some("EXAMPLE.com"), "https://portal.example.com", "example.com"),
            (Some(" "), "https://portal.example.com", "portal.example.com"),
            (Some("bücher.example"), "https://portal.bücher.example", "xn--bcher-kva.example"),
        ] {
            assert_eq!(rp_id(setting, public_url), Ok(Some(expected.to_owned())), "{setting:?} {public_url}");
        }
    }

    #[test]
    fn rp_id_that_browsers_refuse_is_an_error() {
        for (setting, public_url) in [
            ("com", "https://portal.example.com"),
            ("example.org", "https://portal.example.com"),
            ("a.portal.example.com", "https://portal.example.com"),
            ("ortal.example.com", "https://portal.example.com"),
            (".example.com", "https://portal.example.com"),
            ("https://example.com", "https://portal.example.com"),
            ("portal.example.com:8443", "https://portal.example.com:8443"),
            ("127.0.0.1", "http://127.0.0.1:8080"),
            ("[::1]", "http://[::1]:8080"),
            ("localhost", "http://127.0.0.1:8080"),
        ] {
            let error = rp_id(Some(setting), public_url).unwrap_err();
            assert!(error.starts_with(&format!("{VARIABLE} must be ")) && error.contains("e.g."), "{setting}: {error}");
        }
    }

    #[test]
    fn public_url_with_an_ip_address_has_no_passkeys() {
        assert_eq!(rp_id(None, "http://127.0.0.1:8080"), Ok(None));
        assert_eq!(rp_id(None, "http://[::1]:8080"), Ok(None));
    }
}
