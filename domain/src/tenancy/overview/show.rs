//! The figures of a tenant.

use super::{Days, FunnelDay, OverviewQueue, funnel};
use crate::platform::{
    actor::{Authorized, access::ClientsRead},
    app::App,
    error::Result,
    mail::{self, FailedMails},
};

/// The figures of a tenant.
#[derive(Clone, Debug)]
pub struct Overview {
    /// What became of the invitations of each day.
    pub funnel: Vec<FunnelDay>,
    /// The mails that were requested on these days and have failed.
    pub failed_mail: Vec<FailedMails>,
    /// How many seconds ago the mail was requested that has waited longest to be sent; `None` if no mail waits.
    pub oldest_queued_seconds: Option<u64>,
}

/// Returns the figures of the caller's tenant for `days`. Personal mail, such as a reset link, belongs to no tenant and
/// is not counted.
///
/// # Errors
/// - `overloaded`: too many overviews of the tenant are asked for, or the others take too long.
/// - `unavailable` or `internal`: a database query failed.
pub async fn show(app: &App, caller: &Authorized<ClientsRead>, days: Days) -> Result<Overview> {
    let tenant = caller.tenant.id;
    let _turn = app.get::<OverviewQueue>().wait(tenant).await?;
    let funnel = funnel::read(app, tenant, days).await?;
    let failed_mail = mail::failed_by_reason(app, tenant, days.start(), days.end()).await?;
    let oldest = mail::oldest_queued(app, tenant).await?;
    let waited = oldest.map(|requested| (app.now() - requested).num_seconds().max(0).unsigned_abs());
    Ok(Overview { funnel, failed_mail, oldest_queued_seconds: waited })
}
