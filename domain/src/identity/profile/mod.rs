//! The profile: what a portal user can change about their own account.

mod change;

pub use change::{ProfileChange, change};
