//! Sign-in: everything that opens a session of a user whose first factor was right.
//!
//! ```text
//! first factor ─▶ place ─▶ is a second factor needed? ── no ──────────────▶ session
//!                                    │ the user has one: challenge ─▶ verify ─▶ session
//!                                    │ none, but required: challenge ─▶ set one up ─▶ session
//! ```
//!
//! `with_password` and `with_code` check the first factor, and account activation sets it. `with_passkey`
//! checks both factors at once. `portal` and `staff` choose the place and open the session or issue the challenge.
//! [`verify_factor`], [`verify_passkey`] and [`enrol`] complete a challenge.

pub mod enrol;
mod invitation;
mod portal;
mod staff;
mod verify_factor;
mod verify_passkey;
mod with_code;
mod with_passkey;
mod with_password;

use crate::identity::{
    mfa::Challenge,
    sessions::{IssuedSession, IssuedStaffSession},
    trusted_devices::NewTrustedDevice,
};
use crate::platform::error::Result;

pub(crate) use portal::{PortalEntry, enter as enter_portal};
pub use verify_factor::{FactorInput, SubmittedFactor, cancel, verify_factor};
pub use verify_passkey::{PasskeyFactorInput, start_verification, verify_passkey};
pub use with_code::{CodeInput, verify_code, verify_staff_code};
pub use with_passkey::{PasskeyInput, sign_in_staff_with_passkey, sign_in_with_passkey, start_passkey_sign_in};
pub use with_password::{SignInInput, sign_in};

/// What a right first factor leads to.
#[derive(Clone, Debug)]
pub enum SignInOutcome<S> {
    /// The session was opened.
    SignedIn(S),
    /// The user must prove or set up a second factor first.
    Challenged(Challenge),
}

impl<S> SignInOutcome<S> {
    /// Returns the outcome with the tokens that `issue` makes for the session.
    ///
    /// # Errors
    /// The error of `issue`.
    pub(crate) fn issue<T>(self, issue: impl FnOnce(S) -> Result<T>) -> Result<SignInOutcome<T>> {
        Ok(match self {
            Self::SignedIn(session) => SignInOutcome::SignedIn(issue(session)?),
            Self::Challenged(challenge) => SignInOutcome::Challenged(challenge),
        })
    }
}

/// A session of either realm that completes a challenge.
#[derive(Clone, Debug)]
pub enum CompletedSession {
    /// A session of a portal user.
    Portal(Box<IssuedSession>),
    /// A session of a staff user.
    Staff(Box<IssuedStaffSession>),
}

/// A completed challenge.
#[derive(Clone, Debug)]
pub struct Completed {
    /// The session.
    pub session: CompletedSession,
    /// The trusted device that was added.
    pub trusted_device: Option<NewTrustedDevice>,
}
