//! Signed JSON Web Tokens of a provider (RFC 7515, RFC 7519), as far as they are accepted.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::{failure::OidcError, strict_json::parse_object};

/// The largest header, in encoded bytes.
const MAX_HEADER_BYTES: usize = 4_096;
/// Members of a header that change what is signed, bring a key, or name a place that has one. A token with any of them
/// is refused.
const REFUSED_MEMBERS: [&str; 9] = ["crit", "b64", "jwk", "jku", "x5u", "x5c", "zip", "enc", "cty"];

/// A signature algorithm (RFC 7518 §3.1). There is no `none` and no algorithm with a shared key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// ECDSA with P-256 and SHA-256.
    Es256,
}

impl Algorithm {
    /// Returns the algorithm with this name. Names are case-sensitive.
    pub(super) fn of(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "PS256" => Some(Self::Ps256),
            "ES256" => Some(Self::Es256),
            _ => None,
        }
    }
}

/// A text that has the form of a signed token. Its signature is not verified.
#[derive(Debug)]
pub(super) struct Unverified<'a> {
    /// The algorithm that the header names.
    pub(super) algorithm: Algorithm,
    /// The id of the key that the header names.
    pub(super) kid: Option<String>,
    /// The bytes that are signed.
    pub(super) signed: &'a [u8],
    /// The signature.
    pub(super) signature: Vec<u8>,
    payload: &'a str,
}

impl<'a> Unverified<'a> {
    /// Parses a token in the compact serialization: three parts in base64url without padding, of which the decoder
    /// accepts one encoding only.
    ///
    /// `types` are the values that the member `typ` of the header may have, in lower case. It may also be absent.
    ///
    /// # Errors
    /// [`OidcError::Refused`] if the token is longer than `max_bytes`, malformed, encrypted, or has a header that is
    /// not allowed.
    pub(super) fn read(token: &'a str, max_bytes: usize, types: &[&str]) -> Result<Self, OidcError> {
        if token.len() > max_bytes {
            return Err(OidcError::Refused("the token is too long"));
        }
        let parts: Vec<_> = token.splitn(4, '.').collect();
        let [head, payload, signature] = parts[..] else {
            return Err(OidcError::Refused("the token does not have three parts"));
        };
        let header = decode(head).filter(|_| head.len() <= MAX_HEADER_BYTES).and_then(|json| parse_object(&json));
        let header = header.ok_or(OidcError::Refused("the header of the token is malformed"))?;
        if REFUSED_MEMBERS.iter().any(|member| header.contains_key(*member)) {
            return Err(OidcError::Refused("the header of the token has a member that is not allowed"));
        }
        let typ = text(&header, "typ")?.map(|typ| typ.to_ascii_lowercase());
        if typ.is_some_and(|typ| !types.contains(&&*typ)) {
            return Err(OidcError::Refused("the token is of another type"));
        }
        let algorithm = text(&header, "alg")?.as_deref().and_then(Algorithm::of);
        let algorithm = algorithm.ok_or(OidcError::Refused("the algorithm of the token is not allowed"))?;
        let kid = text(&header, "kid")?;
        let signature = decode(signature).filter(|signature| !signature.is_empty());
        let signature = signature.ok_or(OidcError::Refused("the signature of the token is malformed"))?;
        let signed = &token.as_bytes()[..head.len() + 1 + payload.len()];
        Ok(Self { algorithm, kid, signed, signature, payload })
    }

    /// Returns the claims. The caller has verified the signature.
    ///
    /// # Errors
    /// [`OidcError::Refused`] if they are not a JSON object with unique names.
    pub(super) fn claims(&self) -> Result<Map<String, Value>, OidcError> {
        let claims = decode(self.payload).and_then(|json| parse_object(&json));
        claims.ok_or(OidcError::Refused("the claims of the token are malformed"))
    }
}

fn decode(part: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(part).ok()
}

/// Returns a member of the header that must be a text if it is present.
fn text(header: &Map<String, Value>, name: &str) -> Result<Option<String>, OidcError> {
    match header.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(OidcError::Refused("the header of the token is malformed")),
    }
}
