//! Figures about the mails of a tenant.

use portico_entity::{
    TenantId,
    email::{Column, Entity, Status},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    Reason,
    log::{MailFilter, of},
};
use crate::platform::{
    app::App,
    clock::{MAX_CLOCK_ERROR, Time},
    error::Result,
};

/// How many mails have failed for one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailedMails {
    /// The reason; `None` for mails that failed before reasons were recorded.
    pub reason: Option<Reason>,
    /// The number of mails.
    pub count: u64,
}

/// Returns how many of the tenant's mails that were requested from `from` on and before `to` have failed, by reason,
/// the most frequent reason first. A mail that was sent again by another one counts too, as in the mail log.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn failed_by_reason(app: &App, tenant: TenantId, from: Time, to: Time) -> Result<Vec<FailedMails>> {
    let filter = MailFilter { status: Some(Status::Failed), from: Some(from), to: Some(to), ..MailFilter::default() };
    let rows: Vec<(Option<String>, i64)> = Entity::find()
        .select_only()
        .column(Column::Reason)
        .column_as(Column::Id.count(), "mails")
        .filter(of(tenant))
        .filter(filter.condition())
        .group_by(Column::Reason)
        .into_tuple()
        .all(app.db())
        .await?;
    let mut failed: Vec<FailedMails> = Vec::new();
    for (name, count) in rows {
        let (reason, count) = (name.as_deref().and_then(Reason::from_name), count.unsigned_abs());
        match failed.iter_mut().find(|other| other.reason == reason) {
            Some(other) => other.count += count,
            None => failed.push(FailedMails { reason, count }),
        }
    }
    failed.sort_by_key(|failed| (std::cmp::Reverse(failed.count), failed.reason.map(Reason::name)));
    Ok(failed)
}

/// Returns when the tenant's mail was requested that has waited longest to be sent; `None` if no mail waits.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn oldest_queued(app: &App, tenant: TenantId) -> Result<Option<Time>> {
    let oldest = Entity::find().select_only().column(Column::CreatedAt).filter(of(tenant));
    let oldest = oldest.filter(Column::Status.eq(Status::Queued)).order_by_asc(Column::Id).into_tuple();
    Ok(oldest.one(app.db()).await?)
}

/// Returns the condition for mails of the tenant that were requested at `from` or later and that a mail server has
/// accepted.
pub(crate) fn sent_since(tenant: TenantId, from: Time) -> Condition {
    let since = MailFilter { status: Some(Status::Sent), from: Some(from - MAX_CLOCK_ERROR), ..MailFilter::default() };
    Condition::all().add(of(tenant)).add(since.condition())
}
