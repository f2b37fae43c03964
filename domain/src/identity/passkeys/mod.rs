//! Passkeys: credentials of Web Authentication, with which a person signs in without a password.
//!
//! A passkey is a pair of keys that an authenticator keeps. The database has the public key. Registering a passkey and
//! signing in with it are *ceremonies*: [`RelyingParty`] creates the options for the browser and a state for the
//! server, and later verifies the response of the browser with that state. The caller uses the state up before it
//! verifies the response, so that each state verifies one response.
//!
//! <https://www.w3.org/TR/webauthn-3/>

mod cbor;
mod ceremony;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod response;
mod settings;
mod stored_text;
mod user_handle;

pub use ceremony::{Assertion, Ceremony, NewCredential, PasskeyUser, RelyingParty};
pub use response::{CeremonyError, credential_id};
pub use settings::{PasskeySettings, Passkeys};
pub use stored_text::{CeremonyState, StoredCredential};
pub use user_handle::UserHandle;

/// How long a person has for a ceremony. Browsers are asked to stop after this time, and the state of the ceremony is
/// valid for as long.
pub const CEREMONY_TTL: std::time::Duration = std::time::Duration::from_secs(300);

#[cfg(test)]
mod tests;
