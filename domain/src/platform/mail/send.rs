//! The job that composes a mail and sends it.

use futures_util::future::BoxFuture;
use portico_entity::{
    EmailId,
    background_job::Lane,
    email::{self, Column, Kind, Status},
};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, UpdateMany, sea_query::Expr};
use serde::{Deserialize, Serialize};
use tracing::info;

use super::{Composed, MailError, MailSettings, Mailer, Message};
use crate::platform::{
    app::App,
    database,
    email_address::EmailAddress,
    error::{Error, Result},
    job::{Job, JobError},
    jobs::JobSettings,
    metrics::{self, MailOutcome},
};

/// How the mails of a kind are sent.
pub struct MailRoute {
    /// The lane of the jobs that send the mails.
    pub(super) lane: Lane,
    compose: Compose,
}

/// Composes the mail of an `emails` row.
type Compose = for<'a> fn(&'a App, &'a email::Model) -> BoxFuture<'a, std::result::Result<Composed, ComposeError>>;

/// Maps each mail kind to its lane and its function that composes the mails. [`registry`](crate::registry) provides it.
pub struct MailRouting(pub fn(Kind) -> MailRoute);

impl MailRoute {
    /// Sends mails in `lane`; `compose` renders each of them in the worker.
    pub(crate) fn new(lane: Lane, compose: Compose) -> Self {
        Self { lane, compose }
    }

    /// Returns how the mails of `kind` are sent.
    pub(super) fn of(app: &App, kind: Kind) -> Self {
        (app.get::<MailRouting>().0)(kind)
    }
}

/// Sends the mail of one `emails` row.
#[derive(Serialize, Deserialize)]
pub struct SendMail {
    /// The id of the `emails` row.
    pub(super) email: EmailId,
}

impl Job for SendMail {
    const NAME: &'static str = "send_mail";
    const LANE: Lane = Lane::Bulk;

    async fn run(&self, app: &App) -> std::result::Result<(), JobError> {
        let Some(row) = email::Entity::find_by_id(self.email).one(app.db()).await? else { return Ok(()) };
        if row.status != Status::Queued {
            return Ok(());
        }
        if row.expires_at.is_some_and(|expires_at| expires_at <= app.now()) {
            return record_end(app, &row, Status::Suppressed, "expired before it was sent").await;
        }
        let sent = match compose(app, &row).await {
            Ok(Composed::Suppressed(reason)) => return record_end(app, &row, Status::Suppressed, reason).await,
            Ok(Composed::Message(message)) => {
                let lane = MailRoute::of(app, row.kind).lane;
                app.get::<Mailer>().send(lane, &message, app.now()).await
            }
            Ok(Composed::OtherKind(_)) => {
                return Err(Error::Internal("composing a mail of another kind named a third kind".into()).into());
            }
            Err(ComposeError::Job(error)) => return Err(error),
            Err(ComposeError::Mail(error)) => Err(error),
        };
        match sent {
            Ok(reply) => {
                info!(kind = ?row.kind, message_id = row.message_id, "the mail server accepted a mail");
                record_end(app, &row, Status::Sent, &reply).await
            }
            Err(MailError::Permanent(reply)) => record_end(app, &row, Status::Failed, &reply).await,
            Err(MailError::Transient(reply)) => {
                record_attempt(app, &row, MailOutcome::Transient, &reply).await?;
                Err(JobError::Retry(reply))
            }
            Err(MailError::Down(reply)) => {
                record_attempt(app, &row, MailOutcome::Down, &reply).await?;
                Err(JobError::Unavailable(reply))
            }
        }
    }

    async fn on_dead(&self, app: &App, reason: &str) -> Result<()> {
        queued(self.email)
            .col_expr(Column::Status, Expr::value(Status::Failed))
            .col_expr(Column::Detail, Expr::value(reason))
            .exec(app.db())
            .await?;
        Ok(())
    }

    async fn on_retry(&self, app: &App) -> Result<()> {
        email::Entity::update_many()
            .col_expr(Column::Status, Expr::value(Status::Queued))
            .filter(Column::Id.eq(self.email))
            .filter(Column::Status.eq(Status::Failed))
            .exec(app.db())
            .await?;
        Ok(())
    }
}

/// Why a mail could not be composed.
pub(crate) enum ComposeError {
    /// The database failed, or a template.
    Job(JobError),
    /// The row's recipient is not an address.
    Mail(MailError),
}

impl<E: Into<Error>> From<E> for ComposeError {
    fn from(error: E) -> Self {
        Self::Job(error.into().into())
    }
}

impl From<MailError> for ComposeError {
    fn from(error: MailError) -> Self {
        Self::Mail(error)
    }
}

/// Composes the mail of a row as its kind says, or as the other kind that the first one names.
async fn compose(app: &App, row: &email::Model) -> std::result::Result<Composed, ComposeError> {
    match (MailRoute::of(app, row.kind).compose)(app, row).await? {
        Composed::OtherKind(kind) => (MailRoute::of(app, kind).compose)(app, row).await,
        composed => Ok(composed),
    }
}

fn queued(id: EmailId) -> UpdateMany<email::Entity> {
    email::Entity::update_many().filter(Column::Id.eq(id)).filter(Column::Status.eq(Status::Queued))
}

/// Records the final status of a mail.
async fn record_end(app: &App, row: &email::Model, status: Status, detail: &str) -> std::result::Result<(), JobError> {
    let mut update = queued(row.id)
        .col_expr(Column::Status, Expr::value(status))
        .col_expr(Column::Detail, Expr::value(detail))
        .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1));
    if status == Status::Sent {
        update = update.col_expr(Column::SentAt, Expr::value(app.now()));
    }
    let outcome = match status {
        Status::Sent => MailOutcome::Sent,
        Status::Suppressed => MailOutcome::Suppressed,
        Status::Failed | Status::Queued => MailOutcome::Failed,
    };
    metrics::mail_tried(row, outcome, app.now());
    // If `Sent` is not recorded, the mail is sent again. So the update is retried.
    let limit = app.section::<JobSettings>().lease;
    database::retry_for(limit, || async { Ok(update.clone().exec(app.db()).await?) }).await?;
    Ok(())
}

/// Records an attempt after which the mail is tried again.
async fn record_attempt(app: &App, row: &email::Model, outcome: MailOutcome, detail: &str) -> Result<()> {
    metrics::mail_tried(row, outcome, app.now());
    queued(row.id)
        .col_expr(Column::Detail, Expr::value(detail))
        .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
        .exec(app.db())
        .await?;
    Ok(())
}

/// Sends a test mail to `to` immediately, without an `emails` row. Returns the reply of the mail server.
///
/// # Errors
/// As for [`Mailer::send`].
pub async fn send_test(app: &App, to: EmailAddress) -> std::result::Result<String, MailError> {
    let text = "This is a test. Mail from Portico reaches you.\n";
    let host = app.section::<MailSettings>().from.email.domain().to_owned();
    let message = Message {
        to,
        subject: "A test mail from Portico".into(),
        text: text.into(),
        html: format!("<p>{text}</p>"),
        message_id: format!("<{}@{host}>", app.new_id()),
    };
    app.get::<Mailer>().send(Lane::Urgent, &message, app.now()).await
}
