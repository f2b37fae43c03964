//! How persons prove who they are: passwords, passkeys, mailed links and codes, and the sessions that follow.

pub mod activation;
pub mod cli_logins;
pub mod devices;
pub mod link_tokens;
pub mod mailed_codes;
pub mod mfa;
pub mod not_me;
pub(crate) mod notices;
pub mod own_passkeys;
pub mod passkeys;
pub mod passwords;
pub mod profile;
pub(crate) mod recovery;
pub(crate) mod recovery_codes;
pub mod sessions;
pub mod sign_in;
pub mod sso;
pub mod step_up;
pub mod totp;
pub mod trusted_devices;
pub(crate) mod users;
