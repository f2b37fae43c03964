//! Logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.4 and §2.6).

use serde_json::Value;

use super::{
    claims::{CLOCK_LEEWAY, Claims, MAX_TOKEN_AGE},
    failure::OidcError,
    jwks::Key,
    jwt::Unverified,
};
use crate::{identity::sso::provider::Provider, platform::clock::Time};

/// The longest logout token, in bytes. Any client can send one.
const MAX_BYTES: usize = 32 * 1024;
/// The member of the claim `events` that makes a token a logout token.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// A message of a provider that sessions have ended there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutToken {
    /// The issuer, as it is stored.
    pub issuer: String,
    /// The person whose sessions end. Present if `sid` is not.
    pub subject: Option<String>,
    /// The session at the provider that ends (`sid`). Without it, all sessions of the person end.
    pub sid: Option<String>,
    /// The id of the token. The caller accepts each id of an issuer once, until `remember_until`.
    pub jti: String,
    /// After this time, `verify` refuses the token itself.
    pub remember_until: Time,
}

/// Parses a logout token without checking its signature.
///
/// # Errors
/// [`OidcError::Refused`] if it does not have the form of a logout token.
pub(super) fn read(token: &str) -> Result<Unverified<'_>, OidcError> {
    Unverified::read(token, MAX_BYTES, &["jwt", "logout+jwt"])
}

/// Verifies a logout token with `key`.
///
/// # Errors
/// [`OidcError::Refused`] if the signature or a claim is wrong. An ID token has no event, and is refused.
pub(super) fn verify(
    token: &Unverified<'_>,
    key: &Key,
    provider: &Provider,
    now: Time,
) -> Result<LogoutToken, OidcError> {
    key.verify(token)?;
    let claims = Claims(token.claims()?);
    let checked = claims.check(provider, key, now)?;
    let is_event = claims.0.get("events").and_then(|events| events.get(EVENT)).is_some_and(Value::is_object);
    if !is_event || claims.0.contains_key("nonce") {
        return Err(OidcError::Refused("the token is not a logout token"));
    }
    let no_id = "the logout token has no valid id";
    let jti = claims.id("jti", no_id)?.ok_or(OidcError::Refused(no_id))?;
    let malformed = "the subject or the session of the logout token is malformed";
    let (subject, sid) = (claims.id("sub", malformed)?, claims.id("sid", malformed)?);
    if subject.is_none() && sid.is_none() {
        return Err(OidcError::Refused("the logout token names neither a person nor a session"));
    }
    let remember_until = checked.expires_at.min(checked.issued_at + MAX_TOKEN_AGE) + CLOCK_LEEWAY;
    Ok(LogoutToken { issuer: checked.issuer, subject, sid, jti, remember_until })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::{
            id_token,
            test_tokens::{self, TestKey, expected, key_set, nonce, now, provider},
        },
        *,
    };

    const SIGNER: TestKey = TestKey::Es256;

    fn claims() -> Value {
        let now = now().timestamp();
        json!({
            "iss": "https://idp.test", "aud": "portico", "iat": now, "exp": now + 120, "jti": "id",
            "events": {(EVENT): {}}, "sub": "1", "sid": "s",
        })
    }

    fn check(token: &str) -> Result<LogoutToken, OidcError> {
        let keys = key_set(&[SIGNER]);
        let unverified = read(token)?;
        let key = keys.find(unverified.algorithm, unverified.kid.as_deref()).ok_or(OidcError::Refused("no key"))?;
        verify(&unverified, key, &provider(), now())
    }

    fn check_claim(name: &str, value: Value) -> Result<LogoutToken, OidcError> {
        let mut claims = claims();
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value,
        }
        check(&SIGNER.token(&claims))
    }

    #[test]
    fn a_valid_token_names_a_person_or_a_session() {
        let token = check(&SIGNER.token(&claims())).unwrap();
        assert_eq!((token.subject.as_deref(), token.sid.as_deref(), &*token.jti), (Some("1"), Some("s"), "id"));
        assert_eq!((token.remember_until - now()).num_seconds(), 180);
        assert_eq!(check_claim("sid", Value::Null).unwrap().sid, None);
        assert_eq!(check_claim("sub", Value::Null).unwrap().subject, None);
        let header = json!({"alg": "ES256", "kid": "p256", "typ": "logout+jwt"}).to_string();
        assert!(check(&SIGNER.token_of(&header, &claims().to_string())).is_ok());
        let long = check_claim("exp", json!(now().timestamp() + 1_000_000)).unwrap();
        assert_eq!((long.remember_until - now()).num_seconds(), 660, "the age limits it too");
    }

    #[test]
    fn other_tokens_are_refused() {
        let now = now().timestamp();
        for (name, value) in [
            ("events", Value::Null),
            ("events", json!({})),
            ("events", json!([EVENT])),
            ("events", json!({(EVENT): true})),
            ("events", json!({"http://schemas.openid.net/event/other": {}})),
            ("nonce", json!("the-nonce")),
            ("nonce", json!("")),
            ("jti", Value::Null),
            ("jti", json!("")),
            ("jti", json!("a".repeat(256))),
            ("sub", json!("")),
            ("sid", json!(1)),
            ("iss", json!("https://evil.test")),
            ("aud", json!("other")),
            ("aud", Value::Null),
            ("exp", Value::Null),
            ("exp", json!(now - 60)),
            ("iat", Value::Null),
            ("iat", json!(now - 661)),
            ("iat", json!(now + 61)),
        ] {
            assert!(check_claim(name, value.clone()).is_err(), "{name} {value}");
        }
        let mut unnamed = claims();
        for name in ["sub", "sid"] {
            unnamed.as_object_mut().unwrap().remove(name);
        }
        assert!(check(&SIGNER.token(&unnamed)).is_err());
        assert!(check(&TestKey::Rs256(0).token(&claims())).is_err());
        let header = json!({"alg": "none", "kid": "p256"}).to_string();
        assert!(check(&SIGNER.token_of(&header, &claims().to_string())).is_err());
        let padded = format!("{}{}", claims(), " ".repeat(25_000));
        assert!(check(&SIGNER.token_of(&SIGNER.header().to_string(), &padded)).is_err(), "longer than 32 KiB");
    }

    #[test]
    fn an_id_token_is_no_logout_token_and_the_reverse() {
        assert!(check(&SIGNER.token(&test_tokens::claims())).is_err());
        let token = SIGNER.token(&claims());
        let (keys, unverified) = (key_set(&[SIGNER]), id_token::read(&token).unwrap());
        let key = keys.find(unverified.algorithm, Some("p256")).unwrap();
        assert!(id_token::verify(&unverified, key, &provider(), expected(&nonce()), now()).is_err());
    }
}
