//! The tenants' staff: they sign in by a mailed code and have no password.

mod add;
mod code;
pub(crate) mod code_email;
mod send_code;
mod verify_code;

pub use add::{NewStaff, add};
pub use send_code::send_code;
pub use verify_code::verify_code;
