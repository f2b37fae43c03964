//! How persons prove who they are: passwords, mailed links, staff codes, and the sessions that follow.

pub mod activation;
pub mod cli_logins;
pub mod devices;
pub mod link_tokens;
pub mod not_me;
pub(crate) mod notices;
pub mod passwords;
pub mod profile;
pub(crate) mod recovery;
pub mod sessions;
pub mod sign_in;
pub mod staff_codes;
