//! What holds for the readers of tokens whatever they are given.

use std::sync::OnceLock;

use ed25519_dalek::SigningKey;
use portico_entity::SigningKeyId;
use serde_json::json;
use uuid::Uuid;

use super::{
    access_token::{self, Unverified},
    refresh_token,
};
use crate::secret::PlainToken;

/// A refresh token has one spelling.
pub fn refresh_token(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let Some(parsed) = refresh_token::parse(&PlainToken::new(text)) else { return };
    assert_eq!(parsed.encode(), text);
    assert!(parsed.generation >= 0);
}

/// Of all texts, only the very token that was signed passes.
pub fn access_token(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let Ok(unverified) = Unverified::read(text) else { return };
    assert!(text.len() <= 2_048);
    let (genuine, key) = genuine();
    let is_accepted = unverified.claims(&key.verifying_key()).is_ok();
    assert_eq!(is_accepted, text == genuine);
}

/// A token that is the same in each run, so that it can be a seed, and the key that signed it.
fn genuine() -> &'static (String, SigningKey) {
    static GENUINE: OnceLock<(String, SigningKey)> = OnceLock::new();
    GENUINE.get_or_init(|| {
        let key = SigningKey::from_bytes(&[7; 32]);
        let claims = serde_json::from_value(json!({
            "iss": "http://localhost:8080", "aud": "portico:portal", "sub": Uuid::nil(), "sid": Uuid::nil(),
            "auth_time": 1, "iat": 1, "exp": 2, "jti": Uuid::nil(),
        }));
        #[expect(clippy::expect_used, reason = "the same in each run")]
        let token = access_token::write(SigningKeyId(Uuid::nil()), &key, &claims.expect("claims")).expect("token");
        (token, key)
    })
}

#[test]
fn the_genuine_token_is_a_seed() {
    let seed = include_str!("../../../fuzz/corpus/access_token/genuine");
    assert_eq!(seed, genuine().0, "{}", genuine().0);
}
