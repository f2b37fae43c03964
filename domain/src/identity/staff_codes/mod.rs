//! Staff codes: six-digit codes with which staff users sign in. Portico mails the code.
//!
//! A staff user has no password. One sign-in with a code is a code flow.
//! [`send_code()`] starts the flow and [`verify_code()`] completes it.

mod code;
pub(crate) mod code_email;
mod send_code;
mod settings;
mod verify_code;

pub use send_code::send_code;
pub use settings::StaffCodeSettings;
pub use verify_code::verify_code;
