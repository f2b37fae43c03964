//! Fuzzing targets: properties of the token parsers that must hold for every input.

use std::sync::OnceLock;

use ed25519_dalek::SigningKey;
use portico_entity::SigningKeyId;
use serde_json::json;
use uuid::Uuid;

use super::{
    access_token::{self, Unverified},
    refresh_token,
};
use crate::platform::secret::PlainToken;

/// A refresh token that parses has exactly one text form.
pub fn refresh_token(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let Some(parsed) = refresh_token::parse(&PlainToken::new(text)) else { return };
    assert_eq!(parsed.encode(), text);
    assert!(parsed.generation >= 0);
}

/// Of all texts, the key accepts only the token that it signed.
pub fn access_token(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let Ok(unverified) = Unverified::read(text) else { return };
    assert!(text.len() <= 2_048);
    let (genuine, key) = genuine();
    let is_accepted = unverified.claims(&key.verifying_key()).is_ok();
    assert_eq!(is_accepted, text == genuine);
}

/// A token and the key that signed it. Both are the same in every run, so the token can be a seed of the corpus.
fn genuine() -> &'static (String, SigningKey) {
    static GENUINE: OnceLock<(String, SigningKey)> = OnceLock::new();
    GENUINE.get_or_init(|| {
        let key = SigningKey::from_bytes(&[7; 32]);
        let claims = serde_json::from_value(json!({
            "iss": "http://localhost:8080", "aud": "portico:portal", "sub": Uuid::nil(), "sid": Uuid::nil(),
            "auth_time": 1, "iat": 1, "exp": 2, "jti": Uuid::nil(),
        }));
        #[expect(clippy::expect_used, reason = "the claims are constant, so this fails in every run or in none")]
        let token = access_token::write(SigningKeyId(Uuid::nil()), &key, &claims.expect("claims")).expect("token");
        (token, key)
    })
}

#[test]
fn genuine_token_is_in_the_fuzzing_corpus() {
    let seed = include_str!("../../../../fuzz/corpus/access_token/genuine");
    assert_eq!(seed, genuine().0, "{}", genuine().0);
}
