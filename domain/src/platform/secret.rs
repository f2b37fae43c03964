//! Types for secrets.
//!
//! Their `Debug` output hides the value and they have no `Display`, so no secret gets into a log, a row or
//! an error by accident.

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// A password in Unicode NFC, so that it does not depend on how a keyboard composes characters.
///
/// Its memory is overwritten when it is dropped.
///
/// ```
/// use portico_domain::platform::secret::Password;
///
/// let password = Password::new("correct horse battery staple");
/// assert!(!format!("{password:?}").contains("horse"));
/// ```
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Normalizes the password that a user typed to NFC. White space is kept.
    pub fn new(typed: &str) -> Self {
        Self(Zeroizing::new(typed.nfc().collect()))
    }

    /// Returns the password itself. Only hashing and the policy may use it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// A secret that is mailed or returned to a client: the secret of a link, a code, an access token or a refresh token.
///
/// Its memory is overwritten when it is dropped. It has no `==`, because the duration of a plain comparison reveals
/// how much of a guess is right. A received secret is instead looked up by its hash, or its MAC is compared in
/// constant time.
#[derive(Clone)]
pub struct PlainToken(Zeroizing<String>);

impl PlainToken {
    /// Wraps a secret. Any text is accepted; the lookup decides whether it is valid.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// Encodes 256 bits as 43 characters of base64url without padding (RFC 4648 §5).
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self::new(BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Returns the secret itself, for the mail or response that carries it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Returns the SHA-256 hash in hexadecimal, which the database stores instead of a link secret.
    ///
    /// A plain hash is sufficient, because a link secret has 256 bits of entropy.
    pub fn hashed(&self) -> HashedToken {
        HashedToken(hex::encode(Sha256::digest(self.0.as_bytes())))
    }
}

/// The SHA-256 hash of a [`PlainToken`], as 64 lower-case hexadecimal digits.
#[derive(Clone)]
pub struct HashedToken(pub(crate) String);

/// Implements `Debug` without the value.
macro_rules! never_printed {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )*};
}

never_printed!(Password, PlainToken, HashedToken);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_hides_the_secret() {
        assert_eq!(format!("{:?} {:?}", Password::new("hunter2"), PlainToken::new("abc")), "Password(…) PlainToken(…)");
        assert_eq!(format!("{:?}", PlainToken::new("abc").hashed()), "HashedToken(…)");
    }

    #[test]
    fn composed_and_decomposed_passwords_are_equal() {
        assert_eq!(Password::new("e\u{301}").reveal(), Password::new("\u{e9}").reveal());
    }
}
