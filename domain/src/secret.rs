//! Types for what must never be seen: none of them prints, and none reaches a log, a row or an error by accident.

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// A password as typed, in NFC so that every keyboard means the same one. Wiped from memory when dropped.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes the password as it came.
    pub fn new(typed: &str) -> Self {
        Self(Zeroizing::new(typed.nfc().collect()))
    }

    /// The password itself, for hashing and for the policy.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// A secret that is mailed or handed to a client: a link's, a code, a refresh token. It has no `==`, which would take longer
/// the more of it is right: what comes in is found by its hash, or its MAC is compared in constant time.
#[derive(Clone)]
pub struct PlainToken(Zeroizing<String>);

impl PlainToken {
    /// A secret as it came from a client; any text may be one.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// 256 bits as 43 characters of base64url without padding (RFC 4648 §5).
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self::new(BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The secret itself: for the one mail or answer that carries it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What the database holds of a link secret: SHA-256 in hex. Enough, since the secret has 256 bits of its own.
    pub fn hashed(&self) -> HashedToken {
        HashedToken(hex(&Sha256::digest(self.0.as_bytes())))
    }
}

/// The hash of a [`PlainToken`].
#[derive(Clone)]
pub struct HashedToken(pub(crate) String);

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

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_print() {
        assert_eq!(format!("{:?} {:?}", Password::new("hunter2"), PlainToken::new("abc")), "Password(…) PlainToken(…)");
        assert_eq!(format!("{:?}", PlainToken::new("abc").hashed()), "HashedToken(…)");
    }

    #[test]
    fn a_password_is_the_same_however_it_is_composed() {
        assert_eq!(Password::new("e\u{301}").reveal(), Password::new("\u{e9}").reveal());
    }
}
