//! Access tokens: JSON Web Tokens (RFC 7519) signed with Ed25519 (RFC 8037).
//!
//! The verifier accepts only what the signer writes: the header must be, byte for byte, the header that belongs to
//! its key. So a token cannot choose the algorithm, cannot bring its own key, and has only one encoding.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use portico_entity::{ClientId, SessionId, SigningKeyId, session};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::{SessionSettings, SigningKeys, signing_keys::LoadedKey};
use crate::platform::{
    actor::Realm,
    app::App,
    error::{Error, Result},
    secret::PlainToken,
};

/// The tolerance for `exp` and `iat`: the clocks of two processes may differ by this much.
const CLOCK_LEEWAY: TimeDelta = TimeDelta::seconds(30);
/// The longest text that is read as an access token, in bytes. Portico's tokens are far shorter.
const MAX_BYTES: usize = 2_048;

/// The JOSE header (RFC 7515 §4).
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    kid: Uuid,
    typ: String,
}

/// The claims of an access token (RFC 7519 §4). They hold ids and times only: no name and no email address.
///
/// Times are whole seconds since 1970-01-01 UTC.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Claims {
    /// The issuer: the public URL.
    pub(super) iss: String,
    /// The audience: `portico:portal` or `portico:staff`.
    pub(super) aud: String,
    /// The id of the portal user or staff user.
    pub(super) sub: String,
    /// The session.
    pub(super) sid: SessionId,
    /// The client that the portal user acts for. Absent for staff users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_id: Option<ClientId>,
    /// The generation of the refresh token that was issued with this token. Absent in tokens of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) r#gen: Option<i32>,
    /// When the user last proved their identity.
    auth_time: i64,
    /// When the token was issued.
    iat: i64,
    /// When the token expires.
    exp: i64,
    /// The id of this token.
    jti: Uuid,
}

/// What is remembered of a token whose signature was verified. The claims were not checked against the current time.
#[derive(Clone)]
pub(super) struct VerifiedToken {
    /// The key that signed the token.
    pub(super) key: SigningKeyId,
    /// The token's claims.
    pub(super) claims: Arc<Claims>,
}

/// Returns a new access token for `session`, signed by `key`, which lives for `PORTICO_ACCESS_TTL`. `subject` is the id
/// of the session's owner.
///
/// # Errors
/// `internal` when the claims cannot be serialized.
pub(super) fn sign(
    app: &App,
    key: &LoadedKey,
    realm: Realm,
    session: &session::Model,
    subject: String,
) -> Result<PlainToken> {
    let now = app.now();
    let claims = Claims {
        iss: app.public_url(""),
        aud: audience(realm).into(),
        sub: subject,
        sid: session.id,
        client_id: session.client_id,
        r#gen: Some(session.generation),
        auth_time: session.auth_time.timestamp(),
        iat: now.timestamp(),
        exp: (now + app.section::<SessionSettings>().access_ttl).timestamp(),
        jti: app.new_id(),
    };
    Ok(PlainToken::new(write(key.id, &key.secret, &claims)?))
}

/// Returns the token with these claims, signed by `key`, whose id is `kid`.
///
/// # Errors
/// `internal` when the claims cannot be serialized.
pub(super) fn write(kid: SigningKeyId, key: &SigningKey, claims: &Claims) -> Result<String> {
    let signed = format!("{}.{}", header(kid)?, encode(claims)?);
    let signature = key.sign(signed.as_bytes()).to_bytes();
    Ok(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
}

/// Verifies an access token of `realm` and returns its claims. Does not load the session.
///
/// # Errors
/// - `unauthenticated` when the token is not authentic, as [`verify_at_any_time`] checks, has expired, or was issued in
///   the future. The times have a tolerance of 30 seconds.
/// - `unavailable` or `internal` when the database fails.
pub(super) async fn verify(app: &App, realm: Realm, token: &PlainToken) -> Result<Arc<Claims>> {
    let claims = verify_at_any_time(app, realm, token).await?;
    let now = app.now();
    let is_current = claims.exp > (now - CLOCK_LEEWAY).timestamp() && claims.iat <= (now + CLOCK_LEEWAY).timestamp();
    if is_current { Ok(claims) } else { Err(Error::UNAUTHENTICATED) }
}

/// Returns the session of an access token of any realm, if the token is authentic and has not expired. The session may
/// have ended.
///
/// Reads nothing from the database, so that it can run before the rate limits: a key that this process has not loaded
/// yet is no key.
pub fn session_of_token(app: &App, token: &PlainToken) -> Option<SessionId> {
    let keys = app.get::<SigningKeys>();
    let claims = match keys.recall(token) {
        Some(verified) => verified.claims,
        None => {
            let unverified = Unverified::read(token.reveal()).ok()?;
            let key = keys.loaded(unverified.kid)?;
            let claims = Arc::new(unverified.claims(&key.public).ok()?);
            keys.remember(token, VerifiedToken { key: key.id, claims: claims.clone() });
            claims
        }
    };
    let is_current = claims.exp > (app.now() - CLOCK_LEEWAY).timestamp();
    (is_current && claims.iss == app.public_url("")).then_some(claims.sid)
}

/// Verifies that this installation issued an access token of `realm`, and returns its claims. The token may have
/// expired: it proves which session it belongs to, and authorizes nothing.
///
/// The signature of a token is verified once per process and then remembered. The key, issuer and audience are checked
/// on every call.
///
/// # Errors
/// - `unauthenticated` when the token is malformed, was not signed by a published key, or has another issuer or
///   audience.
/// - `unavailable` or `internal` when the database fails.
pub(super) async fn verify_at_any_time(app: &App, realm: Realm, token: &PlainToken) -> Result<Arc<Claims>> {
    let claims = match app.get::<SigningKeys>().recall(token) {
        Some(verified) => {
            // The key may have been deleted, or its server key removed, since the signature was verified.
            app.get::<SigningKeys>().by_id(app, verified.key).await?.ok_or(Error::UNAUTHENTICATED)?;
            verified.claims
        }
        None => {
            let unverified = Unverified::read(token.reveal())?;
            let key = app.get::<SigningKeys>().by_id(app, unverified.kid).await?.ok_or(Error::UNAUTHENTICATED)?;
            let claims = Arc::new(unverified.claims(&key.public)?);
            app.get::<SigningKeys>().remember(token, VerifiedToken { key: key.id, claims: claims.clone() });
            claims
        }
    };
    let is_from_this_installation = claims.iss == app.public_url("") && claims.aud == audience(realm);
    if is_from_this_installation { Ok(claims) } else { Err(Error::UNAUTHENTICATED) }
}

/// A text that has the form of an access token. Its signature is not verified.
pub(super) struct Unverified<'a> {
    /// The id of the signing key that the header names.
    pub(super) kid: SigningKeyId,
    signed: &'a str,
    body: &'a str,
    signature: Signature,
}

impl<'a> Unverified<'a> {
    /// Parses a token.
    ///
    /// # Errors
    /// `unauthenticated` when the token is longer than [`MAX_BYTES`] or malformed, or when its header is not the
    /// header that Portico writes for the key.
    pub(super) fn read(token: &'a str) -> Result<Self> {
        let (signed, signature) =
            token.rsplit_once('.').filter(|_| token.len() <= MAX_BYTES).ok_or(Error::UNAUTHENTICATED)?;
        let (head, body) = signed.split_once('.').ok_or(Error::UNAUTHENTICATED)?;
        let kid = SigningKeyId(decode::<Header>(head)?.kid);
        if header(kid)? != head {
            return Err(Error::UNAUTHENTICATED);
        }
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).map_err(|_| Error::UNAUTHENTICATED)?;
        let signature = Signature::from_slice(&signature).map_err(|_| Error::UNAUTHENTICATED)?;
        Ok(Self { kid, signed, body, signature })
    }

    /// Verifies the signature with `key` and returns the claims.
    ///
    /// # Errors
    /// `unauthenticated` when the signature is wrong or the claims are malformed.
    pub(super) fn claims(&self, key: &VerifyingKey) -> Result<Claims> {
        key.verify_strict(self.signed.as_bytes(), &self.signature).map_err(|_| Error::UNAUTHENTICATED)?;
        decode(self.body)
    }
}

/// Returns the `aud` claim of a realm's access tokens (RFC 7519 §4.1.3).
const fn audience(realm: Realm) -> &'static str {
    match realm {
        Realm::Portal => "portico:portal",
        Realm::Staff => "portico:staff",
    }
}

/// The encoded header of tokens that the key `kid` signs. The type `at+jwt` is that of RFC 9068.
fn header(kid: SigningKeyId) -> Result<String> {
    encode(&Header { alg: "EdDSA".into(), kid: kid.0, typ: "at+jwt".into() })
}

fn encode(value: &impl Serialize) -> Result<String> {
    let json = serde_json::to_vec(value).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(json))
}

fn decode<T: DeserializeOwned>(part: &str) -> Result<T> {
    let json = BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| Error::UNAUTHENTICATED)?;
    serde_json::from_slice(&json).map_err(|_| Error::UNAUTHENTICATED)
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use serde_json::{Value, json};

    use super::{
        super::{identify_all, identify_for_sign_out},
        *,
    };
    use crate::testing::{self, TestApp};

    /// Claims that are valid now.
    fn valid_claims(app: &TestApp) -> Value {
        let now = app.now().timestamp();
        json!({
            "iss": app.public_url(""), "aud": "portico:portal", "sub": "x", "sid": app.new_id(), "auth_time": now,
            "iat": now, "exp": now + 900, "jti": app.new_id(),
        })
    }

    /// A token with these claims, signed by `key`, or by the app's current key when `key` is `None`.
    async fn token(app: &TestApp, claims: &str, key: Option<&SigningKey>) -> PlainToken {
        let current = app.get::<SigningKeys>().current(app).await.unwrap();
        let signed = format!("{}.{}", header(current.id).unwrap(), BASE64_URL_SAFE_NO_PAD.encode(claims));
        let signature = key.unwrap_or(&current.secret).sign(signed.as_bytes()).to_bytes();
        PlainToken::new(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
    }

    /// Whether a token with valid claims, in which the claim `name` is set to `value`, is accepted. `null` removes
    /// the claim.
    async fn is_accepted(app: &TestApp, name: &str, value: Value) -> bool {
        let mut claims = valid_claims(app);
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value,
        }
        verify(app, Realm::Portal, &token(app, &claims.to_string(), None).await).await.is_ok()
    }

    #[tokio::test]
    async fn jwt_02_issuer_audience_and_key_must_be_ours() {
        let app = testing::app().await;
        assert!(is_accepted(&app, "sub", json!("y")).await);
        for audience in [json!("portico:staff"), json!("portico"), json!(["portico:portal"]), json!(""), Value::Null] {
            assert!(!is_accepted(&app, "aud", audience.clone()).await, "{audience}");
        }
        for issuer in [json!("http://localhost:8081"), json!("https://localhost:8080"), json!(""), Value::Null] {
            assert!(!is_accepted(&app, "iss", issuer.clone()).await, "{issuer}");
        }
        assert!(!is_accepted(&app, "tid", json!("another tenant")).await, "a claim that Portico never writes");
        // Valid claims, signed by the key of another installation, with the id of this installation's key.
        let forged = token(&app, &valid_claims(&app).to_string(), Some(&SigningKey::from_bytes(&[7; 32]))).await;
        assert!(verify(&app, Realm::Portal, &forged).await.is_err());
        let duplicate = valid_claims(&app).to_string().replacen('{', "{\"sub\":\"z\",", 1);
        assert!(verify(&app, Realm::Portal, &token(&app, &duplicate, None).await).await.is_err(), "a repeated claim");
    }

    #[tokio::test]
    async fn ses_02_a_sign_out_finds_the_session_of_a_token_that_is_not_valid_now() {
        let app = testing::app().await;
        let now = app.now().timestamp();
        let found = async |claims: &Value| {
            let token = [token(&app, &claims.to_string(), None).await];
            let any_time = identify_for_sign_out(&app, Realm::Portal, &token, &[]).await.unwrap();
            let current = identify_all(&app, Realm::Portal, &token, &[]).await.unwrap();
            (any_time.len(), current.len())
        };
        assert_eq!(found(&valid_claims(&app)).await, (1, 1));
        for (claim, value) in [("exp", now - 31), ("exp", 0), ("exp", now - 86_400), ("iat", now + 31)] {
            let mut claims = valid_claims(&app);
            claims[claim] = json!(value);
            assert_eq!(found(&claims).await, (1, 0), "{claim} {}", value - now);
            claims["aud"] = json!("portico:staff");
            assert_eq!(found(&claims).await, (0, 0), "{claim} {}", value - now);
        }
    }

    #[tokio::test]
    async fn jwt_03_times_are_whole_seconds_and_clocks_may_differ_by_half_a_minute() {
        let app = testing::app().await;
        let now = app.now().timestamp();
        for (claim, value, is_valid) in [
            ("exp", now + 1, true),
            ("exp", now - 1, true),
            ("exp", now - 29, true),
            ("exp", now - 30, false),
            ("exp", now - 61, false),
            ("exp", -1, false),
            ("exp", 0, false),
            ("iat", now + 30, true),
            ("iat", now + 31, false),
            ("iat", now + 120, false),
        ] {
            assert_eq!(is_accepted(&app, claim, json!(value)).await, is_valid, "{claim} {}", value - now);
        }
        for claim in ["exp", "iat"] {
            let text = json!(now.to_string());
            for wrong in
                [text, json!(1e308), json!(now as f64 + 0.5), json!([now]), json!(true), json!(u64::MAX), Value::Null]
            {
                assert!(!is_accepted(&app, claim, wrong.clone()).await, "{claim} {wrong}");
            }
        }
        // Portico never writes `nbf`, so a token that has it was not issued by Portico.
        assert!(!is_accepted(&app, "nbf", json!(now - 60)).await);
    }
}
