//! The sign-in policy of a tenant: how its portal users may sign in, and who must have a second factor.
//!
//! The policy itself is in [`platform::sign_in_policy`](crate::platform::sign_in_policy), because each request checks
//! it.

mod change;
mod get;

pub use change::{MAX_GRACE_DAYS, MAX_TRUSTED_DEVICE_DAYS, PolicyChange, change};
pub use get::get;
