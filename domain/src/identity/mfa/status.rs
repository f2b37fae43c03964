//! The second factors of the caller.

use crate::{
    identity::{passkeys, recovery_codes, totp, trusted_devices},
    platform::{
        actor::{MayOweMfa, SessionUser, User},
        app::App,
        clock::Time,
        error::Result,
    },
};

/// The second factors of a user.
#[derive(Clone, Debug)]
pub struct MfaStatus {
    /// Whether second factors are on: a sign-in asks for one.
    pub is_enabled: bool,
    /// Whether the tenant of the session requires a second factor.
    pub is_required: bool,
    /// When the user must have a second factor; `None` if the user has one, or if none is required.
    pub due_at: Option<Time>,
    /// Whether the user has an authenticator app.
    pub has_totp: bool,
    /// The number of passkeys that can be used at the public URL.
    pub passkeys: u64,
    /// The number of recovery codes that are unused.
    pub recovery_codes_left: u64,
    /// The number of trusted devices.
    pub trusted_devices: u64,
}

/// Returns the second factors of the caller.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub async fn status(app: &App, caller: &SessionUser) -> Result<MfaStatus> {
    let id = caller.id();
    Ok(MfaStatus {
        is_enabled: caller.user.mfa_enabled_at().is_some(),
        is_required: caller.mfa_due_at.is_some(),
        due_at: caller.mfa_owed_at()?,
        has_totp: totp::find(app.db(), id).await?.is_some(),
        passkeys: passkeys::count_usable(app, app.db(), id).await?,
        recovery_codes_left: recovery_codes::count_left(app.db(), id).await?,
        trusted_devices: match &caller.user {
            User::Portal(user) => trusted_devices::count(app, user).await?,
            User::Staff(_) => 0,
        },
    })
}
