//! Signed tokens and a provider for unit tests. The private keys in `test_data` are used for nothing else.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding,
        RsaKeyPair, RsaPublicKeyComponents,
    },
};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use serde_json::{Value, json};

use super::{id_token::Expected, jwks::KeySet};
use crate::{
    identity::sso::provider::{IssuerRule, IssuerUrl, Provider, ProviderKind},
    platform::{clock::Time, secret::PlainToken},
};

const RSA: [&str; 2] = [include_str!("test_data/test_rsa_1.pem"), include_str!("test_data/test_rsa_2.pem")];
const P256: &str = include_str!("test_data/test_p256.pem");

/// The current time of the tests.
pub(super) fn now() -> Time {
    Time::from_timestamp(1_800_000_000, 0).unwrap()
}

/// The provider `https://idp.test`, at which we are the client `portico`.
pub(super) fn provider() -> Provider {
    Provider {
        key: "test".into(),
        kind: ProviderKind::Oidc,
        issuer: IssuerRule::Exact(IssuerUrl::parse("https://idp.test", false).unwrap()),
        client_id: "portico".into(),
        client_secret: PlainToken::new("secret"),
    }
}

/// The nonce that [`claims`] has.
pub(super) fn nonce() -> PlainToken {
    PlainToken::new("the-nonce")
}

/// What a token of [`claims`] answers.
pub(super) fn expected(nonce: &PlainToken) -> Expected<'_> {
    Expected { nonce, max_age: None }
}

/// The claims of an ID token that is valid now.
pub(super) fn claims() -> Value {
    let now = now().timestamp();
    json!({
        "iss": "https://idp.test", "aud": "portico", "sub": "1", "nonce": "the-nonce", "iat": now, "exp": now + 300,
    })
}

/// A key with which tests sign.
#[derive(Clone, Copy, Debug)]
pub(super) enum TestKey {
    /// One of two RSA keys, which signs RS256.
    Rs256(usize),
    /// One of two RSA keys, which signs PS256.
    Ps256(usize),
    /// A key of P-256.
    Es256,
}

impl TestKey {
    /// The id of the key.
    pub(super) fn kid(self) -> String {
        match self {
            Self::Rs256(n) | Self::Ps256(n) => format!("rsa-{n}"),
            Self::Es256 => "p256".into(),
        }
    }

    /// The header of tokens that the key signs.
    pub(super) fn header(self) -> Value {
        let alg = match self {
            Self::Rs256(_) => "RS256",
            Self::Ps256(_) => "PS256",
            Self::Es256 => "ES256",
        };
        json!({"alg": alg, "kid": self.kid(), "typ": "JWT"})
    }

    /// The public key as a JWK.
    pub(super) fn jwk(self) -> Value {
        let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Rs256(n) | Self::Ps256(n) => {
                let public = RsaPublicKeyComponents::<Vec<u8>>::from(rsa(n).public());
                let (n, e) = (encode(&public.n), encode(&public.e));
                json!({"kty": "RSA", "kid": self.kid(), "use": "sig", "n": n, "e": e})
            }
            Self::Es256 => {
                let pair = p256();
                let point = pair.public_key().as_ref();
                let (x, y) = (encode(&point[1..33]), encode(&point[33..]));
                json!({"kty": "EC", "crv": "P-256", "kid": self.kid(), "use": "sig", "x": x, "y": y})
            }
        }
    }

    /// The signature of `message`.
    pub(super) fn sign(self, message: &[u8]) -> Vec<u8> {
        let rsa_sign = |n: usize, encoding: &'static dyn RsaEncoding| {
            let pair = rsa(n);
            let mut signature = vec![0; pair.public().modulus_len()];
            pair.sign(encoding, &SystemRandom::new(), message, &mut signature).unwrap();
            signature
        };
        match self {
            Self::Rs256(n) => rsa_sign(n, &RSA_PKCS1_SHA256),
            Self::Ps256(n) => rsa_sign(n, &RSA_PSS_SHA256),
            Self::Es256 => p256().sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
        }
    }

    /// A token with this header and these claims, as texts.
    pub(super) fn token_of(self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", BASE64_URL_SAFE_NO_PAD.encode(header), BASE64_URL_SAFE_NO_PAD.encode(claims));
        let signature = BASE64_URL_SAFE_NO_PAD.encode(self.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    /// A token with these claims.
    pub(super) fn token(self, claims: &Value) -> String {
        self.token_of(&self.header().to_string(), &claims.to_string())
    }
}

/// A set with the public keys of `keys`.
pub(super) fn key_set(keys: &[TestKey]) -> KeySet {
    KeySet::of(serde_json::from_value(jwks(keys)).unwrap()).unwrap()
}

/// What a provider with these keys publishes.
pub(super) fn jwks(keys: &[TestKey]) -> Value {
    json!({"keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>()})
}

fn der(pem: &str) -> PrivatePkcs8KeyDer<'static> {
    PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).unwrap()
}

fn rsa(n: usize) -> RsaKeyPair {
    RsaKeyPair::from_pkcs8(der(RSA[n]).secret_pkcs8_der()).unwrap()
}

fn p256() -> EcdsaKeyPair {
    let key = der(P256);
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.secret_pkcs8_der(), &SystemRandom::new()).unwrap()
}
