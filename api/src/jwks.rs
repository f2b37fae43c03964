//! `/.well-known/jwks.json`: the public keys that verify access tokens.

use poem::web::Data;
use poem_openapi::{Enum, Object, OpenApi, payload::Json};
use portico_domain::{app::App, sessions};

use crate::{error::ApiResult, tags::Tag};

pub(crate) struct Jwks;

/// A JSON Web Key Set (RFC 7517 §5).
#[derive(Object)]
struct SigningKeySet {
    /// The next, the current and the previous key.
    keys: Vec<SigningKey>,
}

/// An Ed25519 public key (RFC 8037 §2).
#[derive(Object)]
struct SigningKey {
    /// Its id, as in the header of the tokens it signs.
    kid: String,
    /// `OKP`.
    kty: SigningKeyType,
    /// `Ed25519`.
    crv: SigningKeyCurve,
    /// `EdDSA`.
    alg: SigningKeyAlgorithm,
    /// `sig`.
    r#use: SigningKeyUse,
    /// The key, base64url.
    x: String,
}

#[derive(Enum)]
enum SigningKeyType {
    #[oai(rename = "OKP")]
    Okp,
}

#[derive(Enum)]
enum SigningKeyCurve {
    Ed25519,
}

#[derive(Enum)]
enum SigningKeyAlgorithm {
    EdDSA,
}

#[derive(Enum)]
#[oai(rename_all = "snake_case")]
enum SigningKeyUse {
    Sig,
}

#[OpenApi(tag = "Tag::Operations")]
impl Jwks {
    /// See the signing keys
    ///
    /// To verify access tokens elsewhere: `EdDSA`, `iss` the public URL, `aud` `portico:portal` or `portico:staff`. Cache
    /// it for as long as `Cache-Control` says. An ended session shows at the session endpoint only.
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
