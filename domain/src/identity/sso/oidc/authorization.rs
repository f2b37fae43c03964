//! The authorization request and the exchange of the code (OpenID Connect Core 1.0 §3.1.2 and §3.1.3).

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use url::{Url, form_urlencoded};

use super::{discovery::Metadata, failure::OidcError};
use crate::{
    identity::sso::provider::Provider,
    platform::{
        outbound::{BasicCredentials, OutboundClient},
        secret::PlainToken,
    },
};

/// The longest authorization code that is sent to a provider, in bytes.
const MAX_CODE_BYTES: usize = 4_096;

/// What is asked of a provider.
#[derive(Clone, Copy, Debug)]
pub struct AuthorizationRequest<'a> {
    /// Where the browser returns to. Each provider has its own (RFC 9700 §4.4.2).
    pub redirect_uri: &'a str,
    /// The text that binds the response to the browser.
    pub state: &'a PlainToken,
    /// The text that binds the ID token to this request.
    pub nonce: &'a PlainToken,
    /// The secret of PKCE (RFC 7636), 43 to 128 characters. The provider gets its hash.
    pub verifier: &'a PlainToken,
    /// What the provider must show, for a step-up.
    pub prompt: Option<Prompt>,
    /// How long ago the person may have signed in at the provider, for a step-up.
    pub max_age: Option<TimeDelta>,
}

/// What a provider must show (OpenID Connect Core §3.1.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// The person signs in again.
    Login,
    /// The person chooses an account.
    SelectAccount,
}

/// What came back from the provider, with what the request has said.
#[derive(Clone, Copy, Debug)]
pub struct Callback<'a> {
    /// The authorization code.
    pub code: &'a PlainToken,
    /// The parameter `iss` of the response (RFC 9207), if there is one.
    pub issuer: Option<&'a str>,
    /// The redirect URI of the request.
    pub redirect_uri: &'a str,
    /// The nonce of the request.
    pub nonce: &'a PlainToken,
    /// The secret of PKCE of the request.
    pub verifier: &'a PlainToken,
    /// The maximum age of the request.
    pub max_age: Option<TimeDelta>,
}

/// The answer of the token endpoint. The access token is not used.
#[derive(Deserialize)]
struct TokenResponse {
    id_token: Option<String>,
}

/// Returns the URL that the browser is sent to. It names no address of the person.
pub(super) fn url(metadata: &Metadata, provider: &Provider, request: &AuthorizationRequest<'_>) -> Url {
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(request.verifier.reveal()));
    let mut url = metadata.authorization_endpoint.clone();
    let mut query = url.query_pairs_mut();
    query
        .append_pair("response_type", "code")
        .append_pair("client_id", &provider.client_id)
        .append_pair("redirect_uri", request.redirect_uri)
        .append_pair("scope", "openid email profile")
        .append_pair("state", request.state.reveal())
        .append_pair("nonce", request.nonce.reveal())
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256");
    match request.prompt {
        Some(Prompt::Login) => drop(query.append_pair("prompt", "login")),
        Some(Prompt::SelectAccount) => drop(query.append_pair("prompt", "select_account")),
        None => {}
    }
    if let Some(max_age) = request.max_age {
        query.append_pair("max_age", &max_age.num_seconds().max(0).to_string());
    }
    drop(query);
    url
}

/// Checks the parameter `iss` of a response (RFC 9207 §2.4).
///
/// # Errors
/// [`OidcError::Refused`] if the response is of another issuer, or does not say it although the provider always does.
pub(super) fn check_issuer(metadata: &Metadata, provider: &Provider, issuer: Option<&str>) -> Result<(), OidcError> {
    match issuer {
        Some(issuer) if !provider.issuer.is_in_response(issuer) => {
            Err(OidcError::Refused("the response is of another issuer"))
        }
        None if metadata.is_issuer_in_response => Err(OidcError::Refused("the response does not name its issuer")),
        _ => Ok(()),
    }
}

/// Exchanges the code for an ID token, which is not verified yet.
///
/// # Errors
/// - [`OidcError::Request`] if the request fails or the provider refuses it.
/// - [`OidcError::Refused`] if there is no ID token, or no way to authenticate that both sides know.
pub(super) async fn exchange(
    client: &OutboundClient,
    metadata: &Metadata,
    provider: &Provider,
    callback: &Callback<'_>,
) -> Result<String, OidcError> {
    if !(1..=MAX_CODE_BYTES).contains(&callback.code.reveal().len()) {
        return Err(OidcError::Refused("the authorization code is empty or too long"));
    }
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", callback.code.reveal()),
        ("redirect_uri", callback.redirect_uri),
        ("code_verifier", callback.verifier.reveal()),
    ];
    let credentials = match token_auth(metadata, provider)? {
        TokenAuth::Basic => Some(BasicCredentials { id: &provider.client_id, secret: &provider.client_secret }),
        TokenAuth::Post => {
            form.extend([("client_id", &*provider.client_id), ("client_secret", provider.client_secret.reveal())]);
            None
        }
    };
    let response: TokenResponse =
        client.post_form_json(&provider.key, &metadata.token_endpoint, &form, credentials).await?;
    response.id_token.ok_or(OidcError::Refused("the provider sent no ID token"))
}

/// How we authenticate at a token endpoint (OpenID Connect Core §9).
#[derive(Debug, PartialEq, Eq)]
enum TokenAuth {
    /// `client_secret_basic`.
    Basic,
    /// `client_secret_post`.
    Post,
}

/// Chooses a method that the provider supports. HTTP Basic is preferred, as RFC 6749 §2.3.1 recommends, unless the
/// encoding changes the id or the secret: some providers do not decode them.
fn token_auth(metadata: &Metadata, provider: &Provider) -> Result<TokenAuth, OidcError> {
    let is_supported = |method: &str| metadata.token_auth_methods.iter().any(|supported| supported == method);
    let is_plain = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>() == text;
    let is_basic_safe = is_plain(&provider.client_id) && is_plain(provider.client_secret.reveal());
    match (is_supported("client_secret_basic"), is_supported("client_secret_post")) {
        (true, true) if is_basic_safe => Ok(TokenAuth::Basic),
        (_, true) => Ok(TokenAuth::Post),
        (true, false) => Ok(TokenAuth::Basic),
        (false, false) => Err(OidcError::Refused("the provider supports neither client_secret_basic nor _post")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{super::test_tokens::provider, *};

    fn metadata(methods: &[&str], is_issuer_in_response: bool) -> Metadata {
        let url = |path: &str| Url::parse("https://idp.test").unwrap().join(path).unwrap();
        Metadata {
            authorization_endpoint: url("/authorize?a=b"),
            token_endpoint: url("/token"),
            jwks_uri: url("/keys"),
            token_auth_methods: methods.iter().map(|method| (*method).to_owned()).collect(),
            is_issuer_in_response,
        }
    }

    #[test]
    fn sso_01_the_url_has_state_nonce_and_the_hash_of_the_verifier() {
        let verifier = PlainToken::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        let (state, nonce) = (PlainToken::new("the state"), PlainToken::new("the-nonce"));
        let mut request = AuthorizationRequest {
            redirect_uri: "https://portal.test/portal/sso/oidc",
            state: &state,
            nonce: &nonce,
            verifier: &verifier,
            prompt: None,
            max_age: None,
        };
        let parameters = |request: &AuthorizationRequest<'_>| {
            let url = url(&metadata(&[], false), &provider(), request);
            assert!(url.as_str().starts_with("https://idp.test/authorize?a=b&response_type=code&"), "{url}");
            assert!(!url.as_str().contains(verifier.reveal()) && !url.as_str().contains("login_hint"), "{url}");
            url.query_pairs().into_owned().collect::<BTreeMap<String, String>>()
        };
        let query = parameters(&request);
        for (name, value) in [
            ("client_id", "portico"),
            ("redirect_uri", "https://portal.test/portal/sso/oidc"),
            ("scope", "openid email profile"),
            ("state", "the state"),
            ("nonce", "the-nonce"),
            ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
            ("code_challenge_method", "S256"),
        ] {
            assert_eq!(query[name], value, "{name}");
        }
        assert_eq!(query.len(), 9);
        (request.prompt, request.max_age) = (Some(Prompt::Login), Some(TimeDelta::minutes(5)));
        let query = parameters(&request);
        assert_eq!((&*query["prompt"], &*query["max_age"]), ("login", "300"));
    }

    #[test]
    fn sso_01_a_response_of_another_issuer_is_refused() {
        let (quiet, telling) = (metadata(&[], false), metadata(&[], true));
        for (issuer, is_quiet_accepted, is_telling_accepted) in [
            (None, true, false),
            (Some("https://idp.test"), true, true),
            (Some("https://idp.test/"), false, false),
            (Some("https://evil.test"), false, false),
            (Some(""), false, false),
        ] {
            assert_eq!(check_issuer(&quiet, &provider(), issuer).is_ok(), is_quiet_accepted, "{issuer:?}");
            assert_eq!(check_issuer(&telling, &provider(), issuer).is_ok(), is_telling_accepted, "{issuer:?}");
        }
    }

    #[test]
    fn the_client_authenticates_as_the_provider_supports() {
        let (basic, post) = ("client_secret_basic", "client_secret_post");
        let plain = provider();
        let special = Provider { client_secret: PlainToken::new("a~b+c"), ..provider() };
        for (methods, for_plain, for_special) in [
            (&[basic][..], TokenAuth::Basic, TokenAuth::Basic),
            (&[post], TokenAuth::Post, TokenAuth::Post),
            (&[post, "private_key_jwt", basic], TokenAuth::Basic, TokenAuth::Post),
        ] {
            assert_eq!(token_auth(&metadata(methods, false), &plain).unwrap(), for_plain, "{methods:?}");
            assert_eq!(token_auth(&metadata(methods, false), &special).unwrap(), for_special, "{methods:?}");
        }
        assert!(token_auth(&metadata(&["private_key_jwt", "none"], false), &plain).is_err());
    }
}
