//! Proving who one is by a password.

mod device;
mod places;
mod prove;
mod recovery;
#[expect(clippy::module_inception, reason = "a use case is a file named by its verb, and this is the verb")]
mod sign_in;

pub use device::device_cookie;
pub(crate) use device::known_device;
pub use places::Place;
pub(crate) use places::check_open;
pub(crate) use prove::{forget_failures, prove_password};
pub use recovery::Recovery;
pub(crate) use recovery::ask_for_mail;
pub use sign_in::{SignInInput, sign_in};
