//! The mail log: which mails were requested, and what became of them.

use std::collections::HashMap;

use portico_entity::{
    EmailId, JobId, TenantId, background_job,
    email::{self, Column, Entity, Kind, Status},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::SendMail;
use crate::platform::{
    actor::{Authorized, access::EmailsRead},
    app::App,
    clock::{MAX_CLOCK_ERROR, Time, first_id_at},
    email_address::EmailAddress,
    error::Result,
    job::Job,
    page::{Page, PageRequest},
};

/// A filter on mails. A mail matches if it matches every field; the default filter matches every mail.
#[derive(Clone, Debug, Default)]
pub struct MailFilter {
    /// Only mails with this status.
    pub status: Option<Status>,
    /// Only mails of this kind.
    pub kind: Option<Kind>,
    /// Only mails to this address.
    pub recipient: Option<EmailAddress>,
    /// Only mails that were requested at this time or later.
    pub from: Option<Time>,
    /// Only mails that were requested before this time.
    pub to: Option<Time>,
}

impl MailFilter {
    pub(super) fn condition(&self) -> Condition {
        // The times in the ids let the database read a range of an index that is ordered by id. The bounds are wider
        // than the times of the filter by the difference that clocks may have. A mail that a process with a wrong clock
        // has enqueued has the time of that clock in its id.
        let first = self.from.map(|from| Column::Id.gte(EmailId(first_id_at(from - MAX_CLOCK_ERROR))));
        let last = self.to.map(|to| Column::Id.lt(EmailId(first_id_at(to + MAX_CLOCK_ERROR))));
        Condition::all()
            .add_option(self.status.map(|status| Column::Status.eq(status)))
            .add_option(self.kind.map(|kind| Column::Kind.eq(kind)))
            .add_option(self.recipient.as_ref().map(|recipient| Column::Recipient.eq(recipient.as_str())))
            .add_option(self.from.map(|from| Column::CreatedAt.gte(from)))
            .add_option(self.to.map(|to| Column::CreatedAt.lt(to)))
            .add_option(first)
            .add_option(last)
    }
}

/// Returns the mails of `tenant`: those that its mail log shows. Personal mail belongs to no tenant.
pub(super) fn of(tenant: TenantId) -> Condition {
    Condition::all().add(Column::TenantId.eq(tenant))
}

/// Returns a page of the mail log of the caller's tenant: the mails that match `filter`, newest first.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub async fn list(
    app: &App,
    caller: &Authorized<EmailsRead>,
    filter: &MailFilter,
    page: &PageRequest,
) -> Result<Page<email::Model>> {
    let query = Entity::find().filter(of(caller.tenant.id)).filter(filter.condition());
    let rows = page.select(query, Column::Id, Order::Desc).all(app.db()).await?;
    Ok(page.page(rows, |row| row.id.0))
}

/// Returns the newest mails of all tenants and of no tenant that match `filter`, newest first, at most `limit` of them.
/// For operators.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub async fn list_all(app: &App, filter: &MailFilter, limit: u64) -> Result<Vec<email::Model>> {
    let newest = Entity::find().filter(filter.condition()).order_by_desc(Column::Id);
    Ok(newest.limit(limit).all(app.db()).await?)
}

/// Returns the mails of all tenants that have one of these ids, in any order. `ids` may have at most about 30,000
/// elements.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub async fn by_ids(app: &App, ids: &[Uuid]) -> Result<Vec<email::Model>> {
    Ok(Entity::find().filter(Column::Id.is_in(ids.iter().copied().map(EmailId))).all(app.db()).await?)
}

/// Returns the mails that the jobs in `jobs` send, by the id of the job. Other jobs, and jobs whose mail has left the
/// mail log, are not in the result. `jobs` may have at most about 30,000 elements.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub async fn of_jobs(app: &App, jobs: &[background_job::Model]) -> Result<HashMap<JobId, email::Model>> {
    let sent_by: HashMap<EmailId, JobId> = jobs
        .iter()
        .filter(|job| job.name == SendMail::NAME)
        .filter_map(|job| Some((serde_json::from_value::<SendMail>(job.payload.clone()).ok()?.email, job.id)))
        .collect();
    if sent_by.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = Entity::find().filter(Column::Id.is_in(sent_by.keys().copied())).all(app.db()).await?;
    Ok(rows.into_iter().filter_map(|row| Some((*sent_by.get(&row.id)?, row))).collect())
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::{
        platform::mail::{self, NewEmail},
        testing,
    };

    #[tokio::test]
    async fn filter_by_time_includes_the_first_and_excludes_the_last_microsecond() {
        let app = testing::app().await;
        app.leave_jobs();
        let began = app.now();
        for _ in 0..5 {
            let mut tx = app.begin().await.unwrap();
            mail::enqueue(&mut tx, NewEmail::new(Kind::Invitation, &"ann@x.test".parse().unwrap())).await.unwrap();
            tx.commit().await.unwrap();
            app.clock().advance(TimeDelta::minutes(30));
        }
        let found = async |from: Option<TimeDelta>, to: Option<TimeDelta>| {
            let time = |offset: Option<TimeDelta>| offset.map(|offset| began + offset);
            let filter = MailFilter { from: time(from), to: time(to), ..MailFilter::default() };
            let rows = list_all(&app, &filter, 100).await.unwrap();
            rows.iter().map(|row| (row.created_at - began).num_minutes()).collect::<Vec<_>>()
        };
        let (minutes, microsecond) = (TimeDelta::minutes, TimeDelta::microseconds(1));
        assert_eq!(found(None, None).await, [120, 90, 60, 30, 0]);
        assert_eq!(found(Some(minutes(60)), None).await, [120, 90, 60]);
        assert_eq!(found(Some(minutes(60) + microsecond), None).await, [120, 90]);
        assert_eq!(found(None, Some(minutes(60))).await, [30, 0]);
        assert_eq!(found(None, Some(minutes(60) + microsecond)).await, [60, 30, 0]);
        assert_eq!(found(Some(minutes(30)), Some(minutes(90))).await, [60, 30]);
        assert_eq!(found(Some(minutes(90)), Some(minutes(30))).await, [0; 0]);
        let of_all_years = MailFilter {
            from: "0000-01-01T00:00:00Z".parse().ok(),
            to: "9999-12-31T23:59:59Z".parse().ok(),
            ..MailFilter::default()
        };
        assert_eq!(list_all(&app, &of_all_years, 100).await.unwrap().len(), 5);
    }
}
