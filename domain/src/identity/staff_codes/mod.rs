//! Staff users: the people who administer the clients of a tenant.
//!
//! A staff user has no password. They sign in with a six-digit code that Portico mails to them: a code flow.
//! [`send_code()`] starts the flow and [`verify_code()`] completes it.

mod code;
pub(crate) mod code_email;
mod send_code;
mod settings;
mod verify_code;

pub use send_code::send_code;
pub use settings::StaffCodeSettings;
pub use verify_code::verify_code;
