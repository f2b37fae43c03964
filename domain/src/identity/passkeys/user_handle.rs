//! The user handle, by which an authenticator names the person that a passkey belongs to.

use std::fmt;

use crate::platform::random::Random;

/// The identifier of a person at authenticators: 16 to 64 bytes.
///
/// It must say nothing about the person, because authenticators show it without user verification. So it is random, and
/// neither the id nor the email address of the person.
///
/// <https://www.w3.org/TR/webauthn-3/#user-handle>
#[derive(Clone, PartialEq, Eq)]
pub struct UserHandle(Vec<u8>);

impl UserHandle {
    /// Returns a new handle of 64 random bytes.
    pub fn new(random: Random) -> Self {
        Self(random.bytes::<64>().into())
    }

    /// Returns the handle with these bytes, or `None` if there are less than 16 or more than 64.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Option<Self> {
        let bytes = bytes.into();
        (16..=64).contains(&bytes.len()).then_some(Self(bytes))
    }

    /// Returns the bytes of the handle.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Shows the length only: the handle identifies a person.
impl fmt::Debug for UserHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserHandle({} bytes)", self.0.len())
    }
}
