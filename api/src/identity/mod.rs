//! The operations by which persons prove who they are: sessions, passwords, passkeys, mailed links and staff codes.

pub(crate) mod ceremonies;
pub(crate) mod cli_logins;
pub(crate) mod codes;
pub(crate) mod jwks;
pub(crate) mod link_tokens;
pub(crate) mod mfa;
pub(crate) mod mfa_passkeys;
pub(crate) mod own_passkeys;
pub(crate) mod own_sessions;
pub(crate) mod passkey_sign_in;
pub(crate) mod passwords;
pub(crate) mod profile;
pub(crate) mod sessions;
pub(crate) mod staff_sessions;
pub(crate) mod step_up;
pub(crate) mod trusted_devices;
mod views;
