//! Whether a sign-in needs a second factor.

use portico_entity::sign_in_challenge::Purpose;

use crate::{
    identity::{passkeys, trusted_devices},
    platform::{
        actor::{RequestContext, User},
        clock::Time,
        error::Result,
        tx::Tx,
    },
};

/// Returns what a user whose first factor was right must still do, or `None` if the session can be opened.
///
/// - A user who has turned second factors on must prove one, unless the browser is a trusted device.
/// - A user who has not must prove a passkey if the tenant requires a second factor and `due_at`, the end of the
///   grace period, has passed. A user without a passkey must set a second factor up then.
///
/// `trusted_device_days` is for how many days the tenant lets its portal users trust a device. `user` must be the row
/// as it is now.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn needed(
    tx: &Tx,
    context: &RequestContext,
    user: &User,
    due_at: Option<Time>,
    trusted_device_days: u16,
) -> Result<Option<Purpose>> {
    if user.mfa_enabled_at().is_none() {
        let is_due = due_at.is_some_and(|due_at| due_at <= tx.app().now());
        if !is_due {
            return Ok(None);
        }
        let has_passkey = passkeys::count_usable(tx.app(), tx.db(), user.id()).await? > 0;
        return Ok(Some(if has_passkey { Purpose::Verify } else { Purpose::Enrol }));
    }
    let is_trusted = match user {
        User::Portal(user) => trusted_devices::is_trusted(tx, user, context, trusted_device_days).await?,
        User::Staff(_) => false,
    };
    Ok((!is_trusted).then_some(Purpose::Verify))
}
