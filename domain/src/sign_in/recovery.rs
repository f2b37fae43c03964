//! How often recovery mail may be asked for.

use super::device::known_device;
use crate::{
    actor::Visitor,
    app::App,
    email_address::EmailAddress,
    error::Result,
    throttle::{self, Limit},
};

/// Counts one request for recovery mail to `email`. A known device of that address has its own count.
///
/// # Errors
/// `too_many_requests`, alike for strangers.
pub(crate) async fn limit_recovery(app: &App, by: &Visitor, email: &EmailAddress) -> Result<()> {
    let network = throttle::take(app, Limit::RecoveryNetwork, &[&by.context.network()]).await?;
    let device = known_device(app, &by.context, email).unwrap_or_default();
    match throttle::take(app, Limit::RecoveryAccount, &[&email.mailbox(), &device]).await {
        Ok(_) => Ok(()),
        Err(error) => {
            // A request that goes nowhere must not use up the network's share for other addresses.
            network.give_back(app).await?;
            Err(error)
        }
    }
}
