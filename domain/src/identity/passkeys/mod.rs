//! Passkeys: credentials of Web Authentication, with which a person signs in without a password.
//!
//! A passkey is a pair of keys that an authenticator keeps. The database has the public key. Registering a passkey and
//! signing in with it are *ceremonies*: [`RelyingParty`] creates the options for the browser and a state for the
//! server, and later verifies the response of the browser with that state. The caller uses the state up before it
//! verifies the response, so that each state verifies one response.
//!
//! This capability stores passkeys and ceremonies. Its callers decide what a ceremony is for: `sign_in`, `step_up`,
//! `activation` and `own_passkeys`.
//!
//! <https://www.w3.org/TR/webauthn-3/>

mod cbor;
mod ceremonies;
mod ceremony;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod prove;
mod register;
mod response;
mod settings;
mod store;
mod stored_text;
mod user_handle;

pub(crate) use ceremonies::{Bound, Occasion, relying_party};
pub use ceremonies::{PresentedCeremony, StartedCeremony};
pub use ceremony::{Assertion, Ceremony, NewCredential, PasskeyUser, RelyingParty};
pub(crate) use prove::{ProvedPasskey, prove, start_proof, start_sign_in};
pub(crate) use register::{finish_registration, start_registration};
pub use response::{CeremonyError, credential_id};
pub use settings::{PasskeySettings, Passkeys};
pub use store::is_usable;
pub(crate) use store::{count_usable, insert, owned_by};
pub use stored_text::{CeremonyState, StoredCredential};
pub use user_handle::UserHandle;

/// How long a person has for a ceremony. Browsers are asked to stop after this time, and the state of the ceremony is
/// valid for as long.
pub const CEREMONY_TTL: std::time::Duration = std::time::Duration::from_secs(300);

#[cfg(test)]
mod tests;
