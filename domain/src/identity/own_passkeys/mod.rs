//! The passkeys of a signed-in user: listing, registering, renaming and removing them.

mod list;
mod register;
mod remove;
mod rename;

pub use list::list;
pub use register::{register, start_registration};
pub use remove::remove;
pub use rename::rename;
