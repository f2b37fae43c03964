//! Fuzzing targets: properties of the parsers of tokens and keys that must hold for every input.

use std::sync::OnceLock;

use super::{
    claims::Claims,
    id_token::{self, Expected},
    jwks::{KeySet, RawKeySet},
    jwt::Algorithm,
    strict_json::parse_object,
};
use crate::{
    identity::sso::provider::{IssuerRule, IssuerUrl, Provider, ProviderKind},
    platform::{clock::Time, secret::PlainToken},
};

/// A token of the provider, signed with RS256, and the keys that the provider publishes. Both are seeds of the corpus.
const GENUINE: &str = include_str!("../../../../../fuzz/corpus/id_token/genuine");
const KEYS: &str = include_str!("../../../../../fuzz/corpus/jwks/genuine");

/// Of all texts, the key accepts only the token that it signed. Claims that are accepted without a signature have an
/// issuer, a subject and a bounded size.
pub(crate) fn id_token(data: &[u8]) {
    let Some(key) = keys().find(Algorithm::Rs256, None) else { return };
    let nonce = PlainToken::new("the-nonce");
    let expected = Expected { nonce: &nonce, max_age: None };
    let provider = provider();
    if let Ok(unverified) = str::from_utf8(data).map_err(drop).and_then(|text| id_token::read(text).map_err(drop)) {
        let is_accepted = id_token::verify(&unverified, key, &provider, expected, now()).is_ok();
        assert_eq!(is_accepted, data == GENUINE.as_bytes());
    }
    let Some(claims) = parse_object(data) else { return };
    if let Ok(identity) = id_token::identify(&Claims(claims), key, &provider, expected, now()) {
        assert_eq!(identity.issuer, "https://idp.test");
        assert!((1..=255).contains(&identity.subject.len()));
        assert!(identity.amr.len() <= 20 && identity.name.is_none_or(|name| name.len() <= 800));
    }
}

/// A set of keys that is accepted has few keys of sufficient sizes, and verifies the genuine token only with its key.
pub(crate) fn jwks(data: &[u8]) {
    let Ok(raw) = serde_json::from_slice::<RawKeySet>(data) else { return };
    let Ok(set) = KeySet::of(raw) else { return };
    assert!(set.keys().len() <= 100);
    let (Ok(token), Some(genuine)) = (id_token::read(GENUINE), keys().find(Algorithm::Rs256, None)) else { return };
    for key in set.keys() {
        assert!([256].contains(&key.bits()) || (2_048..=8_192).contains(&key.bits()));
        assert!(key.verify(&token).is_err() || key.bits() == genuine.bits());
    }
}

fn keys() -> &'static KeySet {
    static KEY_SET: OnceLock<KeySet> = OnceLock::new();
    KEY_SET.get_or_init(|| serde_json::from_str(KEYS).ok().and_then(|raw| KeySet::of(raw).ok()).unwrap_or_default())
}

fn now() -> Time {
    Time::from_timestamp(1_800_000_000, 0).unwrap_or_default()
}

fn provider() -> Provider {
    #[expect(clippy::expect_used, reason = "the text is constant, so this fails in every run or in none")]
    let issuer = IssuerUrl::parse("https://idp.test", false).expect("an issuer");
    Provider {
        key: "test".into(),
        kind: ProviderKind::Oidc,
        issuer: IssuerRule::Exact(issuer),
        client_id: "portico".into(),
        client_secret: PlainToken::new("secret"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_tokens::{TestKey, jwks};

    #[test]
    fn genuine_token_and_keys_are_in_the_fuzzing_corpus() {
        let key = TestKey::Rs256(0);
        // Texts, because the order of the members of a JSON value depends on the features of a library.
        let header = r#"{"alg":"RS256","kid":"rsa-0","typ":"JWT"}"#;
        let claims = r#"{"iss":"https://idp.test","aud":"portico","sub":"1","nonce":"the-nonce","iat":1800000000,"exp":1800000300}"#;
        let token = key.token_of(header, claims);
        assert_eq!(super::GENUINE, token, "{token}");
        let keys: serde_json::Value = serde_json::from_str(super::KEYS).unwrap();
        assert_eq!(keys, jwks(&[key]), "{}", jwks(&[key]));
    }
}
