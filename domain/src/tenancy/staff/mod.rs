//! Staff users of a tenant: inviting, listing, changing and removing them, and the profile of each.

mod add;
mod change;
pub(crate) mod invitation_email;
mod invite;
mod list;
mod owners;
mod profile;
mod remove;
mod scope;

pub(crate) use add::insert;
pub use add::{NewStaff, add};
pub use change::{StaffChange, change, set_role};
pub use invite::invite;
pub use list::{StaffMember, list, list_of_tenant};
pub(crate) use owners::require_editor;
pub use profile::{ProfileChange, change_profile};
pub use remove::{remove, remove_by_email};
