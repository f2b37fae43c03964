//! Service accounts: accounts of programs. They have no address and no sign-in, and act by API tokens.

mod create;
mod list;
mod remove;
mod scope;
mod tokens;

pub use create::{NewServiceAccount, ServiceRole, create};
pub use list::list;
pub use remove::remove;
pub use tokens::{create_token, list_tokens, revoke_token};
