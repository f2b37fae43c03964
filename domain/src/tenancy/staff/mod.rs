//! Staff users of a tenant.

mod add;

pub use add::{NewStaff, add};
