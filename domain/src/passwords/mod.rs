//! Passwords: what one must be, how it is hashed, and how it is recovered and changed.

mod change;
pub(crate) mod changed_email;
pub(crate) mod closed_email;
mod forgot;
mod hashing;
mod policy;
mod reset;
pub(crate) mod reset_email;
mod settings;
mod write;

pub use change::change;
pub use forgot::forgot;
pub use hashing::Hasher;
pub(crate) use hashing::Verdict;
pub(crate) use policy::check as check_policy;
pub use reset::reset;
pub use settings::PasswordSettings;
pub(crate) use write::{Condition, write};
