//! `/api/v1/emails`: the mail log of the tenant. Called by staff users.

use chrono::{DateTime, Utc};
use poem::web::Data;
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Path, Query},
    payload::Json,
};
use portico_domain::{
    entity::{
        EmailId,
        email::{self, Kind},
    },
    platform::{
        actor::access::{EmailsEdit, EmailsRead},
        app::App,
        email_address::EmailAddress,
        mail::{self, MailFilter, Reason},
        page::{Page, PageRequest},
    },
};
use uuid::Uuid;

use crate::http::{
    auth::Authorized,
    body::Body,
    error::{ApiResult, codes},
    fields::{Field, Timestamp},
    nullable::Nullable,
    one_of::OneOf,
    page,
    response::{Created, Queued},
    tags::Tag,
};

/// The operations of the tag `emails`.
pub(crate) struct Emails;

/// A mail of the tenant, as the mail log shows it. It has no texts and no link.
#[derive(Object)]
struct Email {
    /// The id of the mail (UUIDv7).
    id: Uuid,
    /// The kind, which decides the texts of the mail.
    kind: OneOf<Kind>,
    /// The address of the recipient, in normal form.
    recipient: String,
    /// The status.
    status: EmailStatus,
    /// Why the mail has failed; `null` unless the status is `failed`.
    reason: Nullable<OneOf<Reason>>,
    /// How often the mail was tried.
    attempts: i32,
    /// A sentence about what has become of the mail. It holds the words of a mail server only if that server has
    /// refused the recipient.
    detail: String,
    /// The client that the mail concerns; `null` if it concerns no client.
    client_id: Nullable<Uuid>,
    /// When the mail was requested (RFC 3339, UTC).
    created_at: DateTime<Utc>,
    /// When the last attempt to send the mail ended; `null` before that.
    last_attempt_at: Nullable<DateTime<Utc>>,
    /// When the mail server accepted the mail; `null` before that.
    sent_at: Nullable<DateTime<Utc>>,
    /// The id of the mail that `retry_email` or `retry_emails` has sent instead of this one; `null` if there is none.
    retried_by: Nullable<Uuid>,
}

/// The status of a mail.
///
/// - `queued`: the mail waits to be sent. Portico tries again until what the mail carries expires, at most 72 hours.
/// - `sent`: the mail server has accepted the mail.
/// - `failed`: the mail was given up. It can be sent again with `retry_email`.
/// - `suppressed`: the mail was not sent, because what it carries has expired, was withdrawn or was replaced.
#[derive(Enum, Clone, Copy)]
#[oai(rename_all = "snake_case")]
enum EmailStatus {
    /// Waits to be sent.
    Queued,
    /// Accepted by the mail server.
    Sent,
    /// Given up.
    Failed,
    /// Deliberately not sent.
    Suppressed,
}

/// A page of mails, newest first.
#[derive(Object)]
struct EmailList {
    /// The mails of this page.
    data: Vec<Email>,
    /// The value of `cursor` for the next page; `null` on the last page.
    next_cursor: Nullable<String>,
}

/// Which failed mails to send again: those that match every given field.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct RetryEmails {
    /// Only mails of this kind.
    kind: Option<OneOf<Kind>>,
    /// Only mails to this address, in any spelling.
    recipient: Option<Field<EmailAddress>>,
    /// Only mails that were requested at this time (RFC 3339) or later.
    from: Option<Field<Timestamp>>,
    /// Only mails that were requested before this time (RFC 3339).
    to: Option<Field<Timestamp>>,
}

/// How many mails are sent again.
#[derive(Object)]
struct RetriedEmails {
    /// The mails that are queued again.
    retried: u64,
    /// The failed mails that match but are not sent again: what they carry has expired or was withdrawn, or another
    /// request has sent them again at the same time.
    skipped: u64,
}

impl From<email::Model> for Email {
    fn from(email: email::Model) -> Self {
        Self {
            id: email.id.0,
            kind: OneOf(email.kind),
            status: email.status.into(),
            reason: Nullable(Reason::of(&email).map(OneOf)),
            attempts: email.attempts,
            detail: mail::tenant_detail(&email),
            client_id: Nullable(email.client_id.map(|id| id.0)),
            created_at: email.created_at,
            last_attempt_at: Nullable(email.last_attempt_at),
            sent_at: Nullable(email.sent_at),
            retried_by: Nullable(email.retried_by.map(|id| id.0)),
            recipient: email.recipient,
        }
    }
}

impl From<email::Status> for EmailStatus {
    fn from(status: email::Status) -> Self {
        match status {
            email::Status::Queued => Self::Queued,
            email::Status::Sent => Self::Sent,
            email::Status::Failed => Self::Failed,
            email::Status::Suppressed => Self::Suppressed,
        }
    }
}

impl From<EmailStatus> for email::Status {
    fn from(status: EmailStatus) -> Self {
        match status {
            EmailStatus::Queued => Self::Queued,
            EmailStatus::Sent => Self::Sent,
            EmailStatus::Failed => Self::Failed,
            EmailStatus::Suppressed => Self::Suppressed,
        }
    }
}

#[OpenApi(prefix_path = "/api/v1/emails", tag = "Tag::Emails")]
impl Emails {
    /// List mails
    ///
    /// Returns the mail log of the caller's tenant, newest first. Mail that concerns a person and not the tenant, such
    /// as a password reset, is in no tenant's mail log. Mails leave the log 180 days after they were requested, unless
    /// `PORTICO_MAIL_LOG_RETENTION` is set. Every staff role may call this.
    #[expect(clippy::too_many_arguments, reason = "each query parameter is an argument")]
    #[oai(path = "/", method = "get", operation_id = "list_emails")]
    async fn list(
        &self,
        Data(app): Data<&App>,
        caller: Authorized<EmailsRead>,
        /// The largest number of mails on the page.
        #[oai(default = "page::default_limit", validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<u64>,
        /// The `next_cursor` of the previous page. If it is absent, the first page is returned.
        cursor: Query<Option<String>>,
        /// Only mails with this status.
        status: Query<Option<EmailStatus>>,
        /// Only mails of this kind.
        kind: Query<Option<OneOf<Kind>>>,
        /// Only mails to this address, in any spelling.
        recipient: Query<Option<Field<EmailAddress>>>,
        /// Only mails that were requested at this time (RFC 3339) or later.
        from: Query<Option<Field<Timestamp>>>,
        /// Only mails that were requested before this time (RFC 3339).
        to: Query<Option<Field<Timestamp>>>,
    ) -> ApiResult<Json<EmailList>, 0> {
        let filter = MailFilter { status: status.0.map(Into::into), ..filter(kind.0, recipient.0, from.0, to.0) };
        let page = PageRequest::new(limit.0, cursor.0.as_deref())?;
        let Page { data, next_cursor } = mail::list(app, &caller, &filter, &page).await?.map(Into::into);
        Ok(Json(EmailList { data, next_cursor: Nullable(next_cursor) }))
    }

    /// Send a failed mail again
    ///
    /// Sends a mail with the status `failed` again, as a new mail with a new link, and returns the new mail. The failed
    /// mail then names it in `retried_by`. An invitation keeps its expiry time.
    ///
    /// The response is 409 `conflict` if the mail has not failed, if it was sent again before, or if it makes no sense
    /// any more: its invitation was accepted, cancelled or sent again, or has expired, or its client is archived. Use
    /// the resend of the invitation then. The roles `owner`, `admin` and `support` may call this.
    #[oai(path = "/:email_id/retry", method = "post", operation_id = "retry_email")]
    async fn retry(
        &self,
        Data(app): Data<&App>,
        caller: Authorized<EmailsEdit>,
        /// The id of the failed mail.
        email_id: Path<Field<EmailId>>,
    ) -> ApiResult<Created<Email>, { codes::NOT_FOUND | codes::CONFLICT }> {
        Ok(Created(mail::retry(app, &*caller, email_id.0.0).await?.into()))
    }

    /// Send failed mails again
    ///
    /// Sends the failed mails that match every given field again, as `retry_email` does, and returns their number. The
    /// newest 10,000 matching mails are considered. Mails that may have arrived (`outcome_unknown`) are left out; send
    /// them again one by one. The mails are queued in batches of 200, so some of them are sent if the response is an
    /// error. The same request then continues with the others. The roles `owner`, `admin` and `support` may call this.
    #[oai(path = "/retry", method = "post", operation_id = "retry_emails")]
    async fn retry_all(
        &self,
        Data(app): Data<&App>,
        caller: Authorized<EmailsEdit>,
        Body(body): Body<RetryEmails>,
    ) -> ApiResult<Queued<RetriedEmails>, 0> {
        let filter = filter(body.kind, body.recipient, body.from, body.to);
        let result = mail::retry_all(app, &*caller, &filter).await?;
        Ok(Queued(RetriedEmails { retried: result.retried, skipped: result.skipped }))
    }
}

/// Returns the filter of these parameters.
fn filter(
    kind: Option<OneOf<Kind>>,
    recipient: Option<Field<EmailAddress>>,
    from: Option<Field<Timestamp>>,
    to: Option<Field<Timestamp>>,
) -> MailFilter {
    let time = |field: Option<Field<Timestamp>>| field.map(|Field(Timestamp(time))| time);
    MailFilter {
        status: None,
        kind: kind.map(|OneOf(kind)| kind),
        recipient: recipient.map(|Field(address)| address),
        from: time(from),
        to: time(to),
    }
}
