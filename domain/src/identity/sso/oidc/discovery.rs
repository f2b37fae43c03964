//! The metadata of a provider (OpenID Connect Discovery 1.0 §3 and §4).

use serde::Deserialize;
use url::Url;

use super::failure::OidcError;
use crate::{
    identity::sso::provider::Provider,
    platform::{outbound::OutboundClient, settings::is_loopback},
};

/// What is used of the metadata of a provider.
#[derive(Clone, Debug)]
pub(super) struct Metadata {
    /// Where the browser is sent.
    pub(super) authorization_endpoint: Url,
    /// Where the code is exchanged.
    pub(super) token_endpoint: Url,
    /// Where the keys are.
    pub(super) jwks_uri: Url,
    /// How a client may authenticate at the token endpoint.
    pub(super) token_auth_methods: Vec<String>,
    /// Whether each response has the parameter `iss` (RFC 9207 §3).
    pub(super) is_issuer_in_response: bool,
}

/// The metadata as the provider writes it.
#[derive(Deserialize)]
struct RawMetadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// Requests the metadata of `provider`.
///
/// # Errors
/// - [`OidcError::Request`] if the request fails.
/// - [`OidcError::Refused`] if the metadata names another issuer, or an endpoint that is not https.
pub(super) async fn fetch(client: &OutboundClient, provider: &Provider) -> Result<Metadata, OidcError> {
    let url = provider.issuer.discovery_url().ok_or(OidcError::Refused("the issuer is not a URL"))?;
    let raw = client.get_json(&provider.key, &url).await?;
    read(raw, provider, client.is_loopback_allowed())
}

fn read(raw: RawMetadata, provider: &Provider, is_loopback_allowed: bool) -> Result<Metadata, OidcError> {
    if !provider.issuer.is_in_metadata(&raw.issuer) {
        return Err(OidcError::Refused("the metadata is of another issuer"));
    }
    let endpoint = |text: &str| {
        let url = Url::parse(text).ok().filter(|url| is_endpoint(url, is_loopback_allowed));
        url.ok_or(OidcError::Refused("the metadata has an endpoint that is not an https URL"))
    };
    // The default of the standard.
    let default_methods = || vec!["client_secret_basic".to_owned()];
    Ok(Metadata {
        authorization_endpoint: endpoint(&raw.authorization_endpoint)?,
        token_endpoint: endpoint(&raw.token_endpoint)?,
        jwks_uri: endpoint(&raw.jwks_uri)?,
        token_auth_methods: raw.token_endpoint_auth_methods_supported.unwrap_or_else(default_methods),
        is_issuer_in_response: raw.authorization_response_iss_parameter_supported,
    })
}

/// Returns whether `url` is https on any host, or http on this machine in development. The endpoints of a provider may
/// be on other hosts than its issuer, as those of Google are.
fn is_endpoint(url: &Url, is_loopback_allowed: bool) -> bool {
    let is_encrypted = url.scheme() == "https";
    let is_local = is_loopback_allowed && url.scheme() == "http" && is_loopback(url);
    let is_bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    (is_encrypted || is_local) && is_bare
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{super::test_tokens::provider, *};

    fn metadata() -> Value {
        json!({
            "issuer": "https://idp.test",
            "authorization_endpoint": "https://login.idp.test/authorize?a=b",
            "token_endpoint": "https://api.other.test/token",
            "jwks_uri": "https://idp.test/keys",
        })
    }

    fn read_with(name: &str, value: Value, is_loopback_allowed: bool) -> Result<Metadata, OidcError> {
        let mut metadata = metadata();
        metadata[name] = value;
        let raw = serde_json::from_value(metadata).map_err(|_| OidcError::Refused("not the form of metadata"))?;
        read(raw, &provider(), is_loopback_allowed)
    }

    #[test]
    fn sso_08_the_metadata_names_the_configured_issuer_as_the_same_text() {
        let good = read_with("other", json!(1), false).unwrap();
        assert_eq!(good.token_auth_methods, ["client_secret_basic"]);
        assert!(!good.is_issuer_in_response);
        for issuer in ["https://idp.test/", "https://IDP.test", "http://idp.test", "https://evil.test", ""] {
            let error = read_with("issuer", json!(issuer), true).unwrap_err();
            assert_eq!(error, OidcError::Refused("the metadata is of another issuer"), "{issuer}");
        }
        assert!(read_with("issuer", Value::Null, true).is_err());
        assert!(
            read_with("authorization_response_iss_parameter_supported", json!(true), false)
                .unwrap()
                .is_issuer_in_response
        );
    }

    #[test]
    fn sso_08_endpoints_are_https() {
        for name in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
            for wrong in [
                "http://idp.test/",
                "javascript:alert(1)",
                "/relative",
                "",
                "file:///etc/passwd",
                "https://u:p@idp.test/",
                "https://idp.test/#a",
                "http://127.0.0.1/",
            ] {
                assert!(read_with(name, json!(wrong), false).is_err(), "{name} {wrong}");
            }
            assert!(read_with(name, json!("http://127.0.0.1:4000/a"), true).is_ok(), "in development");
            assert!(read_with(name, json!("http://idp.test/"), true).is_err());
        }
    }
}
