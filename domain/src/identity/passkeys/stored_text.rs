//! What the database stores of a ceremony and of a passkey: texts of JSON that only `ceremony.rs` reads.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The state of a ceremony, as a text of JSON. It must stay on the server, and must verify one response only.
///
/// Its form belongs to the version of the library, so a state that a release cannot read is refused.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CeremonyState(String);

/// A passkey in the database, as a text of JSON: the public key, the signature counter, the backup flags and the
/// transports.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StoredCredential(String);

/// Defines how a text is read from the database, and shown.
macro_rules! text_of {
    ($text:ident) => {
        impl $text {
            /// Takes a text that [`as_str`](Self::as_str) returned. The text is read when it is used.
            pub fn from_text(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// Returns the text to store.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        /// Shows no part of the text.
        impl fmt::Debug for $text {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($text), "({} bytes)"), self.0.len())
            }
        }
    };
}

text_of!(CeremonyState);
text_of!(StoredCredential);
