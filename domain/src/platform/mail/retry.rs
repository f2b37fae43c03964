//! Sends mails again that have failed. Each is sent as a new mail with a new link or code and a new `Message-ID`.

use std::collections::HashMap;

use portico_entity::{
    EmailId, TenantId, code_flow,
    email::{self, Column, Entity, Status},
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{CaseStatement, Expr},
};
use serde_json::json;
use tracing::info;
use uuid::Uuid;

use super::{
    MailFilter, MailRoute,
    delivery::Reason,
    log,
    outbox::{self, NOTICE_TTL},
};
use crate::platform::{
    actor::{Actor, Authorized, access::EmailsEdit},
    app::App,
    audit,
    clock::Time,
    error::{Error, Result},
    tx::Tx,
};

/// The maximum number of mails that one call of [`retry_all`] looks at.
const MAX_RETRIES: u64 = 10_000;
/// The number of mails that one transaction sends again.
const BATCH: usize = 200;
/// Why a mail is not sent again.
const NOT_RETRIABLE: &str = "Only a failed mail that was not sent again before can be sent again, and only while what it \
                             carries makes sense.";

/// Who sends mails again, and which mails exist for this caller.
#[derive(Clone, Debug)]
pub struct RetryCaller {
    actor: Actor,
    /// The tenant whose mails exist for the caller. `None` for an operator: all mails exist.
    tenant: Option<TenantId>,
    request: Option<Uuid>,
}

/// How many mails were sent again, and how many were not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retried {
    /// The mails that are queued again.
    pub retried: u64,
    /// The mails that were left as they are: what they carry has expired or was withdrawn, or another call sent them.
    pub skipped: u64,
}

impl RetryCaller {
    /// An operator on the command line.
    pub const OPERATOR: Self = Self { actor: Actor::SYSTEM, tenant: None, request: None };

    fn condition(&self) -> Condition {
        self.tenant.map_or_else(Condition::all, log::of)
    }

    async fn begin(&self, app: &App) -> Result<Tx> {
        let tx = app.begin().await?;
        Ok(match self.request {
            Some(request) => tx.caused_by(request),
            None => tx,
        })
    }
}

impl From<&Authorized<EmailsEdit>> for RetryCaller {
    fn from(caller: &Authorized<EmailsEdit>) -> Self {
        Self { actor: Actor::from(caller), tenant: Some(caller.tenant.id), request: Some(caller.context.request_id) }
    }
}

/// Sends the failed mail `id` again, and returns the new mail.
///
/// The new mail has a new link or code. An invitation is sent with the expiry time that it has now. What a person has
/// asked for, such as a password reset, is sent again only until what the failed mail carried would have expired. A
/// notice is sent again at any time.
///
/// # Errors
/// - `not_found`: there is no such mail, or not for this caller.
/// - `conflict`: the mail has not failed, was sent again before, or makes no sense any more: what it carried has
///   expired, or its invitation was accepted, cancelled or sent again.
/// - `unavailable` or `internal`: the database failed.
pub async fn retry(app: &App, caller: impl Into<RetryCaller>, id: EmailId) -> Result<email::Model> {
    let caller = caller.into();
    let mut tx = caller.begin(app).await?;
    let row = Entity::find_by_id(id).filter(caller.condition()).one(tx.db()).await?.ok_or(Error::NOT_FOUND)?;
    let new = send_again(&mut tx, &caller, vec![row]).await?.pop().ok_or(Error::ConflictBecause(NOT_RETRIABLE))?;
    tx.commit().await?;
    info!(mail = %id, new_mail = %new.id, "a failed mail was sent again");
    Ok(new)
}

/// Sends the failed mails that match `filter` again, as [`retry`] does, the newest first. Looks at the newest 10,000.
/// Mails whose outcome is unknown are left out, because they may have arrived, and so are mails that were sent again
/// before. `filter.status` is ignored.
///
/// # Errors
/// `unavailable` or `internal` if the database fails. The mails of complete batches of 200 are queued.
pub async fn retry_all(app: &App, caller: impl Into<RetryCaller>, filter: &MailFilter) -> Result<Retried> {
    let caller = caller.into();
    let mut result = Retried::default();
    let mut before = None;
    while result.retried + result.skipped < MAX_RETRIES {
        let batch = Entity::find()
            .filter(caller.condition())
            .filter(MailFilter { status: Some(Status::Failed), ..filter.clone() }.condition())
            .filter(Column::RetriedBy.is_null())
            .filter(Column::Reason.is_null().or(Column::Reason.ne(Reason::OutcomeUnknown.name())))
            .filter(Condition::all().add_option(before.map(|before: EmailId| Column::Id.lt(before))))
            .order_by_desc(Column::Id)
            .limit(BATCH as u64)
            .all(app.db())
            .await?;
        let (Some(last), count) = (batch.last(), batch.len() as u64) else { break };
        before = Some(last.id);
        let mut tx = caller.begin(app).await?;
        let retried = send_again(&mut tx, &caller, batch).await?.len() as u64;
        tx.commit().await?;
        result.retried += retried;
        result.skipped += count - retried;
    }
    info!(retried = result.retried, skipped = result.skipped, "failed mails were sent again");
    Ok(result)
}

/// Enqueues a copy of each of `rows`, at most [`BATCH`], and records it in the row and in the audit log. Returns the
/// copies. Leaves out the rows that have not failed, were sent again before, or make no sense any more.
async fn send_again(tx: &mut Tx, caller: &RetryCaller, rows: Vec<email::Model>) -> Result<Vec<email::Model>> {
    let now = tx.app().now();
    let mut copies = HashMap::new();
    for row in rows.into_iter().filter(|row| row.status == Status::Failed && row.retried_by.is_none()) {
        let Some(expires_at) = retry_until(tx, &row).await?.filter(|expires_at| *expires_at > now) else { continue };
        let id = EmailId(tx.app().new_id());
        copies.insert(row.id, email::Model { id, expires_at: Some(expires_at), created_at: now, attempts: 0, ..row });
    }
    if copies.is_empty() {
        return Ok(Vec::new());
    }
    let new_ids = copies
        .iter()
        .fold(CaseStatement::new(), |case, (old, copy)| case.case(Column::Id.eq(*old), Expr::value(copy.id)));
    // Of two calls that send the same mail again, one changes the row.
    let claimed = Entity::update_many()
        .col_expr(Column::RetriedBy, new_ids.into())
        .filter(Column::Id.is_in(copies.keys().copied()))
        .filter(Column::Status.eq(Status::Failed))
        .filter(Column::RetriedBy.is_null())
        .exec_with_returning(tx.db())
        .await?;
    let copies: Vec<_> = claimed.into_iter().filter_map(|old| Some((old.id, copies.remove(&old.id)?))).collect();
    outbox::enqueue_copies(tx, copies.iter().map(|(_, copy)| copy.clone())).await?;
    for (old, copy) in copies.iter().filter(|(_, copy)| copy.code_flow_id.is_some()) {
        // The code of a flow is in the mail that the flow names.
        code_flow::Entity::update_many()
            .col_expr(code_flow::Column::EmailId, Expr::value(copy.id))
            .filter(code_flow::Column::EmailId.eq(*old))
            .exec(tx.db())
            .await?;
    }
    let events = copies.iter().map(|(old, copy)| (caller.actor.clone(), event(*old, copy)));
    audit::record_all(tx, events.collect::<Vec<_>>()).await?;
    Ok(copies.into_iter().map(|(_, copy)| outbox::queued_copy(tx.app(), copy)).collect())
}

/// Returns when what a new mail in place of the failed mail `row` would carry expires; `None` if it makes no sense any
/// more.
async fn retry_until(tx: &Tx, row: &email::Model) -> Result<Option<Time>> {
    if let Some(retry_until) = MailRoute::of(tx.app(), row.kind).retry_until {
        return retry_until(tx, row).await;
    }
    // A notice carries nothing that expires.
    let is_notice = row.expires_at.is_none_or(|expires_at| expires_at == row.created_at + NOTICE_TTL);
    Ok(if is_notice { Some(tx.app().now() + NOTICE_TTL) } else { row.expires_at })
}

/// Returns the event of the mail `old` that was sent again as `copy`.
fn event(old: EmailId, copy: &email::Model) -> audit::Event {
    let details = json!({ "kind": copy.kind, "new_email_id": copy.id });
    let event = audit::Event::new("email.retried").target("email", old.0).details(details);
    let event = copy.tenant_id.into_iter().fold(event, audit::Event::tenant);
    copy.client_id.into_iter().fold(event, audit::Event::client)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use portico_entity::{audit_event, email::Kind};
    use sea_orm::PaginatorTrait;

    use super::*;
    use crate::{
        platform::mail::{self, NewEmail},
        testing::{self, TestApp},
    };

    /// Inserts `count` failed notices to an address.
    async fn failed_notices(app: &TestApp, count: usize) -> Vec<EmailId> {
        app.leave_jobs();
        let mut tx = app.begin().await.unwrap();
        let notice = NewEmail::new(Kind::PasswordChanged, &"ann@x.test".parse().unwrap());
        let ids = mail::enqueue_all(&mut tx, (0..count).map(|_| (notice.clone(), None))).await.unwrap();
        tx.commit().await.unwrap();
        let fail = Entity::update_many()
            .col_expr(Column::Status, Expr::value(Status::Failed))
            .col_expr(Column::Reason, Expr::value(Reason::GaveUp.name()));
        fail.exec(app.db()).await.unwrap();
        ids
    }

    async fn count(app: &TestApp, condition: Condition) -> u64 {
        Entity::find().filter(condition).count(app.db()).await.unwrap()
    }

    #[tokio::test]
    async fn one_of_many_concurrent_calls_sends_a_mail_again() {
        let app = testing::app().await;
        let id = failed_notices(&app, 1).await[0];
        let calls = (0..8).map(|_| retry(&app, RetryCaller::OPERATOR, id));
        let results = futures_util::future::join_all(calls).await;
        let retried: Vec<_> = results.iter().filter_map(|result| result.as_ref().ok()).collect();
        assert_eq!(retried.len(), 1);
        let conflicts = results.iter().filter_map(|result| result.as_ref().err());
        assert!(conflicts.into_iter().all(|error| error.code() == "conflict"));
        assert_eq!(count(&app, Column::Status.eq(Status::Queued).into()).await, 1);
        let old = Entity::find_by_id(id).one(app.db()).await.unwrap().unwrap();
        let new = Entity::find_by_id(retried[0].id).one(app.db()).await.unwrap().unwrap();
        assert_eq!((old.retried_by, &new), (Some(new.id), retried[0]));
        assert_ne!(old.message_id, new.message_id);
        assert_eq!(audit_event::Entity::find().count(app.db()).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn all_failed_mails_are_sent_again_once_in_batches() {
        let app = testing::app().await;
        failed_notices(&app, 450).await;
        let filter = MailFilter::default();
        let result = retry_all(&app, RetryCaller::OPERATOR, &filter).await.unwrap();
        assert_eq!(result, Retried { retried: 450, skipped: 0 });
        assert_eq!(retry_all(&app, RetryCaller::OPERATOR, &filter).await.unwrap(), Retried::default());
        assert_eq!(count(&app, Column::RetriedBy.is_not_null().into()).await, 450);
        assert_eq!(count(&app, Column::Status.eq(Status::Queued).into()).await, 450);
        let events = audit_event::Entity::find().filter(audit_event::Column::Action.eq("email.retried"));
        assert_eq!(events.count(app.db()).await.unwrap(), 450);
    }

    #[tokio::test]
    async fn mail_whose_content_has_expired_is_skipped_and_a_notice_is_not() {
        let app = testing::app().await;
        let notice = failed_notices(&app, 1).await[0];
        let mut tx = app.begin().await.unwrap();
        let expires_at = Some(app.now() + TimeDelta::minutes(30));
        let reset = NewEmail { expires_at, ..NewEmail::new(Kind::Reset, &"ann@x.test".parse().unwrap()) };
        let reset = mail::enqueue(&mut tx, reset).await.unwrap();
        tx.commit().await.unwrap();
        let fail = Entity::update_many().col_expr(Column::Status, Expr::value(Status::Failed));
        fail.exec(app.db()).await.unwrap();
        app.clock().advance(TimeDelta::days(30));
        let result = retry_all(&app, RetryCaller::OPERATOR, &MailFilter::default()).await.unwrap();
        assert_eq!(result, Retried { retried: 1, skipped: 1 });
        assert_eq!(retry(&app, RetryCaller::OPERATOR, reset).await.unwrap_err().code(), "conflict");
        assert_eq!(retry(&app, RetryCaller::OPERATOR, notice).await.unwrap_err().code(), "conflict");
        let unknown = EmailId(app.new_id());
        assert_eq!(retry(&app, RetryCaller::OPERATOR, unknown).await.unwrap_err().code(), "not_found");
    }
}
