//! What an operator does with mails that have failed: list them and send them again.

use portico_entity::{
    EmailId, code_flow,
    email::{self, Column, Kind, Status},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use tracing::info;

use super::{
    delivery::Reason,
    outbox::{self, NOTICE_TTL},
};
use crate::platform::{
    app::App,
    clock::Time,
    error::{Error, Result},
    tx::Tx,
};

/// The maximum number of mails that one call of [`retry_all`] sends again.
const MAX_RETRIES: u64 = 10_000;
/// The number of mails that one transaction sends again.
const BATCH: usize = 200;

/// A filter on mails. A mail matches if it matches every field; the default filter matches every mail.
#[derive(Clone, Debug, Default)]
pub struct MailFilter {
    /// Only mails with this status.
    pub status: Option<Status>,
    /// Only mails of this kind.
    pub kind: Option<Kind>,
    /// Only mails to this address.
    pub recipient: Option<String>,
    /// Only mails that were requested at this time or later.
    pub from: Option<Time>,
    /// Only mails that were requested before this time.
    pub to: Option<Time>,
}

/// How many mails were sent again, and how many were not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retried {
    /// The mails that are queued again.
    pub retried: u64,
    /// The mails that were left as they are, because what they carry has expired, or because another call sent them.
    pub skipped: u64,
}

impl MailFilter {
    fn condition(&self) -> Condition {
        Condition::all()
            .add_option(self.status.map(|status| Column::Status.eq(status)))
            .add_option(self.kind.map(|kind| Column::Kind.eq(kind)))
            .add_option(self.recipient.as_ref().map(|recipient| Column::Recipient.eq(recipient)))
            .add_option(self.from.map(|from| Column::CreatedAt.gte(from)))
            .add_option(self.to.map(|to| Column::CreatedAt.lt(to)))
    }
}

/// Returns the newest mails that match `filter`, newest first, at most `limit` of them.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub async fn list(app: &App, filter: &MailFilter, limit: u64) -> Result<Vec<email::Model>> {
    let newest = email::Entity::find().filter(filter.condition()).order_by_desc(Column::CreatedAt);
    Ok(newest.order_by_desc(Column::Id).limit(limit).all(app.db()).await?)
}

/// Sends the failed mail `id` again, as a new mail with a new link or code and a new `Message-ID`, and returns the id
/// of the new mail.
///
/// # Errors
/// - `not_found`: there is no such mail.
/// - `conflict`: the mail has not failed, was sent again before, or carried something that has expired.
/// - `unavailable` or `internal`: the database failed.
pub async fn retry(app: &App, id: EmailId) -> Result<EmailId> {
    let mut tx = app.begin().await?;
    let row = email::Entity::find_by_id(id).one(tx.db()).await?.ok_or(Error::NotFound("not_found"))?;
    let new = send_again(&mut tx, row).await?.ok_or(Error::Conflict("conflict"))?;
    tx.commit().await?;
    info!(mail = %id, new_mail = %new, "an operator sent a failed mail again");
    Ok(new)
}

/// Sends the failed mails that match `filter` again, as [`retry`] does, the oldest first, at most 10,000. Mails whose
/// outcome is unknown are left out, because they may have arrived.
///
/// # Errors
/// `unavailable` or `internal` if the database fails. The mails of complete batches are queued.
pub async fn retry_all(app: &App, filter: &MailFilter) -> Result<Retried> {
    let failed = email::Entity::find()
        .filter(filter.condition())
        .filter(Column::Status.eq(Status::Failed))
        .filter(Column::RetriedBy.is_null())
        .filter(Column::Reason.is_null().or(Column::Reason.ne(Reason::OutcomeUnknown.name())))
        .order_by_asc(Column::CreatedAt)
        .limit(MAX_RETRIES)
        .all(app.db())
        .await?;
    let mut result = Retried::default();
    for batch in failed.chunks(BATCH) {
        let mut tx = app.begin().await?;
        for row in batch {
            match send_again(&mut tx, row.clone()).await? {
                Some(_) => result.retried += 1,
                None => result.skipped += 1,
            }
        }
        tx.commit().await?;
    }
    info!(retried = result.retried, skipped = result.skipped, "an operator sent failed mails again");
    Ok(result)
}

/// Enqueues a copy of `row` and records it in the row. Returns `None` if the row has not failed, was sent again before,
/// or carried something that has expired.
async fn send_again(tx: &mut Tx, row: email::Model) -> Result<Option<EmailId>> {
    let now = tx.app().now();
    // A notice carries nothing that expires.
    let is_notice = row.expires_at.is_none_or(|expires_at| expires_at == row.created_at + NOTICE_TTL);
    let expires_at = if is_notice { Some(now + NOTICE_TTL) } else { row.expires_at };
    if expires_at.is_some_and(|expires_at| expires_at <= now) {
        return Ok(None);
    }
    let id = EmailId(tx.app().new_id());
    let replaced = email::Entity::update_many()
        .col_expr(Column::RetriedBy, Expr::value(id))
        .filter(Column::Id.eq(row.id))
        .filter(Column::Status.eq(Status::Failed))
        .filter(Column::RetriedBy.is_null())
        .exec(tx.db())
        .await?;
    if replaced.rows_affected == 0 {
        return Ok(None);
    }
    let old = row.id;
    outbox::enqueue_copy(tx, email::Model { id, expires_at, created_at: now, ..row }).await?;
    // The code of a flow is in the mail that the flow names.
    code_flow::Entity::update_many()
        .col_expr(code_flow::Column::EmailId, Expr::value(id))
        .filter(code_flow::Column::EmailId.eq(old))
        .exec(tx.db())
        .await?;
    Ok(Some(id))
}
