//! Access tokens: JSON Web Tokens (RFC 7519) signed with Ed25519 (RFC 8037).
//!
//! The checker reads only what the signer writes: the header must be, byte for byte, the one header that goes with its
//! key. So there is no algorithm to choose, no key to bring along and no second encoding of the same token.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use portico_entity::{ClientId, SessionId, SigningKeyId, session};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::Realm;
use crate::{
    app::App,
    error::{Error, Result},
    secret::PlainToken,
};

/// Clocks of several machines differ by no more than this.
const CLOCK_LEEWAY: TimeDelta = TimeDelta::seconds(30);
/// Far above any token of ours, in bytes.
const MAX_BYTES: usize = 2_048;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    kid: Uuid,
    typ: String,
}

/// What an access token says. Ids and times only: no name, no address.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Claims {
    pub(super) iss: String,
    pub(super) aud: String,
    pub(super) sub: String,
    pub(super) sid: SessionId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_id: Option<ClientId>,
    auth_time: i64,
    iat: i64,
    exp: i64,
    jti: Uuid,
}

/// A token whose signature was right.
#[derive(Clone)]
pub(super) struct VerifiedToken {
    pub(super) key: SigningKeyId,
    pub(super) claims: Arc<Claims>,
}

/// Signs an access token of `session`.
pub(super) async fn sign(app: &App, realm: Realm, session: &session::Model, subject: String) -> Result<PlainToken> {
    let now = app.now();
    let claims = Claims {
        iss: app.public_url(""),
        aud: realm.audience().into(),
        sub: subject,
        sid: session.id,
        client_id: session.client_id,
        auth_time: session.auth_time.timestamp(),
        iat: now.timestamp(),
        exp: (now + app.settings().sessions.access_ttl).timestamp(),
        jti: app.new_id(),
    };
    let key = app.signing_keys().current(app).await?;
    Ok(PlainToken::new(write(key.id, &key.secret, &claims)?))
}

pub(super) fn write(kid: SigningKeyId, key: &SigningKey, claims: &Claims) -> Result<String> {
    let signed = format!("{}.{}", header(kid)?, encode(claims)?);
    let signature = key.sign(signed.as_bytes()).to_bytes();
    Ok(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
}

/// Checks an access token of `realm` and returns what it says.
///
/// # Errors
/// `unauthenticated` for everything that is not a token of ours, of this realm and of now.
pub(super) async fn verify(app: &App, realm: Realm, token: &PlainToken) -> Result<Arc<Claims>> {
    let claims = match app.signing_keys().recall(token) {
        Some(seen) => {
            // Its key may have gone since.
            app.signing_keys().by_id(app, seen.key).await?.ok_or(Error::UNAUTHENTICATED)?;
            seen.claims
        }
        None => {
            let read = Unverified::read(token.reveal())?;
            let key = app.signing_keys().by_id(app, read.kid).await?.ok_or(Error::UNAUTHENTICATED)?;
            let claims = Arc::new(read.claims(&key.public)?);
            app.signing_keys().remember(token, VerifiedToken { key: key.id, claims: claims.clone() });
            claims
        }
    };
    let now = app.now();
    let is_ours = claims.iss == app.public_url("") && claims.aud == realm.audience();
    let is_now = claims.exp > (now - CLOCK_LEEWAY).timestamp() && claims.iat <= (now + CLOCK_LEEWAY).timestamp();
    if is_ours && is_now { Ok(claims) } else { Err(Error::UNAUTHENTICATED) }
}

/// A text of the shape of an access token. Nothing in it is to be believed yet.
pub(super) struct Unverified<'a> {
    pub(super) kid: SigningKeyId,
    signed: &'a str,
    body: &'a str,
    signature: Signature,
}

impl<'a> Unverified<'a> {
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

    /// What it says, if the owner of `key` signed it.
    pub(super) fn claims(&self, key: &VerifyingKey) -> Result<Claims> {
        key.verify_strict(self.signed.as_bytes(), &self.signature).map_err(|_| Error::UNAUTHENTICATED)?;
        decode(self.body)
    }
}

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

    use super::*;
    use crate::testing::{self, TestApp};

    /// Claims that are good now.
    fn good(app: &TestApp) -> Value {
        let now = app.now().timestamp();
        json!({
            "iss": app.public_url(""), "aud": "portico:portal", "sub": "x", "sid": app.new_id(), "auth_time": now, "iat": now,
            "exp": now + 900, "jti": app.new_id(),
        })
    }

    /// A token with any claims, as text, signed by our own key or by this one.
    async fn token(app: &TestApp, claims: &str, key: Option<&SigningKey>) -> PlainToken {
        let current = app.signing_keys().current(app).await.unwrap();
        let signed = format!("{}.{}", header(current.id).unwrap(), BASE64_URL_SAFE_NO_PAD.encode(claims));
        let signature = key.unwrap_or(&current.secret).sign(signed.as_bytes()).to_bytes();
        PlainToken::new(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
    }

    /// Whether good claims with this change pass.
    async fn passes(app: &TestApp, name: &str, value: Value) -> bool {
        let mut claims = good(app);
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value,
        }
        verify(app, Realm::Portal, &token(app, &claims.to_string(), None).await).await.is_ok()
    }

    #[tokio::test]
    async fn jwt_02_issuer_audience_and_key_must_be_ours() {
        let app = testing::app().await;
        assert!(passes(&app, "sub", json!("y")).await);
        for audience in [json!("portico:staff"), json!("portico"), json!(["portico:portal"]), json!(""), Value::Null] {
            assert!(!passes(&app, "aud", audience.clone()).await, "{audience}");
        }
        for issuer in [json!("http://localhost:8081"), json!("https://localhost:8080"), json!(""), Value::Null] {
            assert!(!passes(&app, "iss", issuer.clone()).await, "{issuer}");
        }
        assert!(!passes(&app, "tid", json!("another tenant")).await, "a claim that we never make");
        // The same claims by the key of another installation, under the name of ours.
        let theirs = token(&app, &good(&app).to_string(), Some(&SigningKey::from_bytes(&[7; 32]))).await;
        assert!(verify(&app, Realm::Portal, &theirs).await.is_err());
        let twice = good(&app).to_string().replacen('{', "{\"sub\":\"z\",", 1);
        assert!(verify(&app, Realm::Portal, &token(&app, &twice, None).await).await.is_err(), "a repeated claim");
    }

    #[tokio::test]
    async fn jwt_03_times_are_whole_seconds_and_clocks_may_differ_by_half_a_minute() {
        let app = testing::app().await;
        let now = app.now().timestamp();
        for (claim, value, is_good) in [
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
            assert_eq!(passes(&app, claim, json!(value)).await, is_good, "{claim} {}", value - now);
        }
        for claim in ["exp", "iat"] {
            let text = json!(now.to_string());
            for wrong in
                [text, json!(1e308), json!(now as f64 + 0.5), json!([now]), json!(true), json!(u64::MAX), Value::Null]
            {
                assert!(!passes(&app, claim, wrong.clone()).await, "{claim} {wrong}");
            }
        }
        // What makes its own expiry of `nbf` is not one of ours.
        assert!(!passes(&app, "nbf", json!(now - 60)).await);
    }
}
