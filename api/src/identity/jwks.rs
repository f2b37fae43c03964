//! `/.well-known/jwks.json`: the public keys with which other services verify access tokens.

use poem::web::Data;
use poem_openapi::{Enum, Object, OpenApi, payload::Json};
use portico_domain::{identity::sessions, platform::app::App};

use crate::http::{error::ApiResult, tags::Tag};

/// The operation that returns the signing keys.
pub(crate) struct Jwks;

/// A JSON Web Key Set (RFC 7517 §5).
#[derive(Object)]
struct SigningKeySet {
    /// The next key, the current key and, for at least two days after a change of keys, the previous key.
    keys: Vec<SigningKey>,
}

/// An Ed25519 public key (RFC 8037 §2).
#[derive(Object)]
struct SigningKey {
    /// The key id, as in the `kid` header of the access tokens that the key signed.
    kid: String,
    /// The key type: always `OKP`.
    kty: SigningKeyType,
    /// The curve: always `Ed25519`.
    crv: SigningKeyCurve,
    /// The algorithm: always `EdDSA`.
    alg: SigningKeyAlgorithm,
    /// The use of the key: always `sig`, signatures.
    r#use: SigningKeyUse,
    /// The public key, base64url without padding.
    x: String,
}

/// The type of a signing key (RFC 7517 §4.1).
#[derive(Enum)]
enum SigningKeyType {
    /// Octet key pair (RFC 8037 §2).
    #[oai(rename = "OKP")]
    Okp,
}

/// The curve of a signing key (RFC 8037 §2).
#[derive(Enum)]
enum SigningKeyCurve {
    /// The Edwards curve of Ed25519.
    Ed25519,
}

/// The algorithm of a signing key (RFC 7517 §4.4).
#[derive(Enum)]
enum SigningKeyAlgorithm {
    /// EdDSA signatures (RFC 8037 §3.1).
    EdDSA,
}

/// The use of a signing key (RFC 7517 §4.2).
#[derive(Enum)]
#[oai(rename_all = "snake_case")]
enum SigningKeyUse {
    /// Signatures.
    Sig,
}

#[OpenApi(tag = "Tag::Operations")]
impl Jwks {
    /// Get the signing keys
    ///
    /// Returns the public keys with which another service verifies access tokens: algorithm `EdDSA`, `iss` the public
    /// URL of Portico, `aud` `portico:portal` or `portico:staff`. Cache the keys for as long as `Cache-Control`
    /// allows.
    ///
    /// An access token stays verifiable until it expires, even if its session has ended. Only `get_session` and
    /// `get_staff_session` report that a session has ended.
    #[oai(path = "/.well-known/jwks.json", method = "get", operation_id = "get_signing_keys")]
    async fn jwks(&self, Data(app): Data<&App>) -> ApiResult<Json<SigningKeySet>, 0> {
        let keys = sessions::jwks(app).await?.into_iter().map(|key| SigningKey {
            kid: key.kid,
            kty: SigningKeyType::Okp,
            crv: SigningKeyCurve::Ed25519,
            alg: SigningKeyAlgorithm::EdDSA,
            r#use: SigningKeyUse::Sig,
            x: key.x,
        });
        Ok(Json(SigningKeySet { keys: keys.collect() }))
    }
}
