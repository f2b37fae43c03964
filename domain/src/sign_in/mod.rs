//! Proving who one is by a password.

mod device;
mod memberships;
mod request_batch;
#[expect(clippy::module_inception, reason = "a use case is a file named by its verb, and this is the verb")]
mod sign_in;
mod verify_password;

pub use device::device_cookie;
pub(crate) use device::known_device;
pub use memberships::ActiveMembership;
pub(crate) use memberships::require_open_client;
pub use request_batch::MailRequests;
pub(crate) use request_batch::request_mail;
pub use sign_in::{SignInInput, sign_in};
pub(crate) use verify_password::{reset_failures, verify_password};
