//! The keys of a provider (RFC 7517).

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::Value;

use super::{
    failure::OidcError,
    jwt::{Algorithm, Unverified},
};

/// The largest number of keys in a set.
const MAX_KEYS: usize = 100;
/// The sizes of an RSA modulus, in bits.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=8_192;
/// The size of a coordinate of P-256, in bytes.
const P256_BYTES: usize = 32;

/// The keys of a provider that can verify a signature.
#[derive(Clone, Debug, Default)]
pub(super) struct KeySet(Vec<Key>);

/// A public key.
#[derive(Clone)]
pub(super) struct Key {
    kid: Option<String>,
    /// The only algorithm for which the key may be used; `None` if the provider does not say.
    algorithm: Option<Algorithm>,
    /// The issuer to which the key belongs. Only Microsoft says it.
    pub(super) issuer: Option<String>,
    public: PublicKey,
}

#[derive(Clone)]
enum PublicKey {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// An uncompressed point.
    P256([u8; 1 + 2 * P256_BYTES]),
}

/// What a provider publishes.
#[derive(Deserialize)]
pub(super) struct RawKeySet {
    keys: Vec<Value>,
}

/// The members of a key (RFC 7517 §4, RFC 7518 §6) that are used.
#[derive(Deserialize)]
struct RawKey {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    issuer: Option<String>,
    n: Option<String>,
    e: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// Reads the keys. A key of another type, for another use or of an insufficient size is left out.
    ///
    /// # Errors
    /// [`OidcError::Refused`] if there are more than 100 keys.
    pub(super) fn of(raw: RawKeySet) -> Result<Self, OidcError> {
        if raw.keys.len() > MAX_KEYS {
            return Err(OidcError::Refused("the provider has too many keys"));
        }
        let read = |key| serde_json::from_value(key).ok().and_then(Key::of);
        Ok(Self(raw.keys.into_iter().filter_map(read).collect()))
    }

    /// Returns the key for a token of `algorithm`: the one with the id `kid`, or the only one that fits if the token
    /// names none.
    pub(super) fn find(&self, algorithm: Algorithm, kid: Option<&str>) -> Option<&Key> {
        let mut fitting = self.0.iter().filter(|key| key.fits(algorithm));
        match kid {
            Some(kid) => fitting.find(|key| key.kid.as_deref() == Some(kid)),
            None => fitting.next().filter(|_| fitting.next().is_none()),
        }
    }

    /// Returns whether there is no key.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the keys.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn keys(&self) -> &[Key] {
        &self.0
    }
}

impl Key {
    fn of(raw: RawKey) -> Option<Self> {
        let is_for_signatures = raw.usage.is_none_or(|usage| usage == "sig");
        let may_verify = raw.key_ops.is_none_or(|operations| operations.iter().any(|operation| operation == "verify"));
        if !is_for_signatures || !may_verify {
            return None;
        }
        let algorithm = match raw.alg {
            None => None,
            Some(name) => Some(Algorithm::of(&name)?),
        };
        let public = match &*raw.kty {
            "RSA" => rsa(&raw.n?, &raw.e?)?,
            "EC" if raw.crv.as_deref() == Some("P-256") => p256(&raw.x?, &raw.y?)?,
            _ => return None,
        };
        Some(Self { kid: raw.kid, algorithm, issuer: raw.issuer, public })
    }

    /// Returns whether the key can verify signatures of `algorithm`.
    fn fits(&self, algorithm: Algorithm) -> bool {
        let is_of_type = match algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 => matches!(self.public, PublicKey::Rsa { .. }),
            Algorithm::Es256 => matches!(self.public, PublicKey::P256(_)),
        };
        is_of_type && self.algorithm.is_none_or(|only| only == algorithm)
    }

    /// Verifies the signature of `token`.
    ///
    /// # Errors
    /// [`OidcError::Refused`] if the signature is wrong, or the key is not for the algorithm of the token.
    pub(super) fn verify(&self, token: &Unverified<'_>) -> Result<(), OidcError> {
        let (message, signature) = (token.signed, &token.signature);
        let verified = match (&self.public, token.algorithm) {
            _ if !self.fits(token.algorithm) => Err(ring::error::Unspecified),
            (PublicKey::Rsa { n, e }, Algorithm::Rs256) => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
            (PublicKey::Rsa { n, e }, Algorithm::Ps256) => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PSS_2048_8192_SHA256, message, signature)
            }
            (PublicKey::P256(point), Algorithm::Es256) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            _ => Err(ring::error::Unspecified),
        };
        verified.map_err(|_| OidcError::Refused("the signature of the token is wrong"))
    }

    /// Returns the size of the key, in bits.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn bits(&self) -> usize {
        match &self.public {
            PublicKey::Rsa { n, .. } => bits(n),
            PublicKey::P256(_) => P256_BYTES * 8,
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("kid", &self.kid).field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

fn rsa(n: &str, e: &str) -> Option<PublicKey> {
    let (n, e) = (number(n)?, number(e)?);
    RSA_BITS.contains(&bits(&n)).then_some(PublicKey::Rsa { n, e })
}

fn p256(x: &str, y: &str) -> Option<PublicKey> {
    let coordinate = |text: &str| decode(text).filter(|bytes| bytes.len() == P256_BYTES);
    let mut point = [0; 1 + 2 * P256_BYTES];
    point[0] = 4;
    point[1..=P256_BYTES].copy_from_slice(&coordinate(x)?);
    point[1 + P256_BYTES..].copy_from_slice(&coordinate(y)?);
    Some(PublicKey::P256(point))
}

/// Decodes a positive number. Some providers write a zero byte in front of it, which the standard forbids.
fn number(text: &str) -> Option<Vec<u8>> {
    let bytes = decode(text)?;
    let bytes = bytes.strip_prefix(&[0]).unwrap_or(&bytes);
    bytes.first().filter(|first| **first != 0).map(|_| bytes.to_vec())
}

fn bits(number: &[u8]) -> usize {
    number.first().map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}

fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::test_tokens::{TestKey, claims, key_set},
        *,
    };

    fn set(keys: Value) -> Result<KeySet, OidcError> {
        KeySet::of(serde_json::from_value(json!({"keys": keys})).unwrap())
    }

    fn is_verified(keys: &KeySet, token: &str) -> bool {
        let token = Unverified::read(token, 10_000, &["jwt"]).unwrap();
        keys.find(token.algorithm, token.kid.as_deref()).is_some_and(|key| key.verify(&token).is_ok())
    }

    /// RFC 7515, appendix A.2 (RS256) and A.3 (ES256). Both sign the same payload.
    #[test]
    fn examples_of_the_standard_are_verified() {
        let payload = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let rsa = json!({"kty": "RSA", "e": "AQAB", "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHm\
            fHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf6\
            3kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxX\
            FvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"});
        let signature = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5j\
            ujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_\
            eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhW\
            kWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
        assert!(is_verified(&set(json!([rsa])).unwrap(), &format!("eyJhbGciOiJSUzI1NiJ9.{payload}.{signature}")));

        let p256 = json!({"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"});
        let signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
        let token = format!("eyJhbGciOiJFUzI1NiJ9.{payload}.{signature}");
        assert!(is_verified(&set(json!([p256.clone()])).unwrap(), &token));
        assert!(!is_verified(&set(json!([rsa])).unwrap(), &token));
        assert!(!is_verified(&set(json!([p256])).unwrap(), &token.replace("Dt", "Du")));
    }

    #[test]
    fn a_key_verifies_its_own_algorithm_only() {
        let (rs, ps, es) = (TestKey::Rs256(0), TestKey::Ps256(0), TestKey::Es256);
        let keys = key_set(&[rs, es]);
        for key in [rs, ps, es] {
            assert!(is_verified(&keys, &key.token(&claims())), "{key:?}");
        }
        let mut only_rs = rs.jwk();
        only_rs["alg"] = json!("RS256");
        let keys = set(json!([only_rs])).unwrap();
        assert!(is_verified(&keys, &rs.token(&claims())) && !is_verified(&keys, &ps.token(&claims())));
        let token = ps.token(&claims());
        let unverified = Unverified::read(&token, 10_000, &["jwt"]).unwrap();
        assert!(keys.keys()[0].verify(&unverified).is_err(), "a right signature of an algorithm that is not allowed");
        for (header, signer) in [(rs.header(), ps), (ps.header(), rs)] {
            let token = signer.token_of(&header.to_string(), &claims().to_string());
            assert!(!is_verified(&key_set(&[rs]), &token), "the signature of another algorithm: {header}");
        }
        // The same key with a header of the other type.
        let token = rs.token_of(&json!({"alg": "ES256", "kid": "rsa-0"}).to_string(), &claims().to_string());
        assert!(!is_verified(&key_set(&[rs, es]), &token));
        // ECDSA with r = s = 0 (CVE-2022-21449), and in the encoding of certificates.
        let token = es.token(&claims());
        let (signed, _) = token.rsplit_once('.').unwrap();
        for signature in [vec![0; 64], vec![0x30, 6, 2, 1, 1, 2, 1, 1], vec![1; 63], vec![0xff; 64]] {
            let token = format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature));
            assert!(!is_verified(&key_set(&[es]), &token));
        }
    }

    #[test]
    fn keys_that_are_of_no_use_are_left_out() {
        let (rsa, es) = (TestKey::Rs256(0).jwk(), TestKey::Es256.jwk());
        let with = |base: &Value, name: &str, value: Value| {
            let mut key = base.clone();
            key[name] = value;
            key
        };
        let large_n = BASE64_URL_SAFE_NO_PAD.encode([0x80; 1_025]);
        for wrong in [
            with(&rsa, "use", json!("enc")),
            with(&rsa, "key_ops", json!(["encrypt"])),
            with(&rsa, "alg", json!("RSA-OAEP")),
            with(&rsa, "alg", json!("HS256")),
            with(&rsa, "alg", json!("none")),
            with(&rsa, "kty", json!("rsa")),
            with(&rsa, "kid", json!(5)),
            with(&rsa, "n", Value::Null),
            with(&rsa, "n", json!(BASE64_URL_SAFE_NO_PAD.encode([0xff; 128]))),
            with(&rsa, "n", json!(BASE64_URL_SAFE_NO_PAD.encode([&[0x7f][..], &[0xff; 255]].concat()))),
            with(&rsa, "n", json!(large_n)),
            with(&rsa, "n", json!("A==")),
            with(&rsa, "e", json!("")),
            with(&rsa, "e", json!("AA")),
            with(&es, "crv", json!("P-384")),
            with(&es, "crv", json!("secp256k1")),
            with(&es, "x", json!("AAAA")),
            with(&es, "y", Value::Null),
            json!({"kty": "oct", "k": "AAAA"}),
            json!({"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}),
            json!("text"),
            Value::Null,
        ] {
            assert!(set(json!([wrong.clone()])).unwrap().is_empty(), "{wrong}");
        }
        let good = set(json!([rsa, es, "text", {"kty": "oct", "k": "AAAA"}])).unwrap();
        assert_eq!(good.keys().iter().map(Key::bits).collect::<Vec<_>>(), [2_048, 256]);
        // A sign byte in front, as some providers write it.
        let n = BASE64_URL_SAFE_NO_PAD.decode(rsa["n"].as_str().unwrap()).unwrap();
        let signed = with(&rsa, "n", json!(BASE64_URL_SAFE_NO_PAD.encode([&[0][..], &n].concat())));
        assert!(is_verified(&set(json!([signed])).unwrap(), &TestKey::Rs256(0).token(&claims())));
        assert!(set(json!(vec![rsa.clone(); 100])).is_ok() && set(json!(vec![rsa; 101])).is_err());
        for wrong in ["{}", "[]", r#"{"keys":{}}"#, r#"{"keys":[],"keys":[]}"#] {
            assert!(serde_json::from_str::<RawKeySet>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_token_without_a_key_id_needs_a_single_key() {
        let token = TestKey::Rs256(0).token_of(r#"{"alg":"RS256"}"#, &claims().to_string());
        assert!(is_verified(&key_set(&[TestKey::Rs256(0), TestKey::Es256]), &token));
        assert!(!is_verified(&key_set(&[TestKey::Rs256(0), TestKey::Rs256(1)]), &token));
    }
}
