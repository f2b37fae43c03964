//! The job that composes a mail and sends it.

use portico_entity::{
    EmailId,
    background_job::Lane,
    email::{self, Column, Kind, Status},
};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, UpdateMany, sea_query::Expr};
use serde::{Deserialize, Serialize};
use tracing::info;

use super::{Composed, MailError, Message, notice, outbox};
use crate::{
    activation,
    app::App,
    database,
    email_address::EmailAddress,
    error::Result,
    invitations,
    jobs::{Job, JobError},
    metrics::{self, MailOutcome},
    passwords, sessions, staff,
};

/// Sends the mail of one outbox row.
#[derive(Serialize, Deserialize)]
pub struct SendMail {
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
            return end(app, &row, Status::Suppressed, "would have arrived dead").await;
        }
        let sent = match compose(app, &row).await {
            Ok(Composed::Suppressed(why)) => return end(app, &row, Status::Suppressed, why).await,
            Ok(Composed::Message(message)) => app.mailer().send(outbox::lane(row.kind), &message, app.now()).await,
            Err(ComposeError::Job(error)) => return Err(error),
            Err(ComposeError::Mail(error)) => Err(error),
        };
        match sent {
            Ok(answer) => {
                info!(kind = ?row.kind, message_id = row.message_id, "mail accepted by the server");
                end(app, &row, Status::Sent, &answer).await
            }
            Err(MailError::Permanent(answer)) => end(app, &row, Status::Failed, &answer).await,
            Err(MailError::Transient(answer)) => {
                note(app, &row, MailOutcome::Transient, &answer).await?;
                Err(JobError::Retry(answer))
            }
            Err(MailError::Down(answer)) => {
                note(app, &row, MailOutcome::Down, &answer).await?;
                Err(JobError::Unavailable(answer))
            }
        }
    }

    async fn on_dead(&self, app: &App, why: &str) -> Result<()> {
        queued(self.email)
            .col_expr(Column::Status, Expr::value(Status::Failed))
            .col_expr(Column::Detail, Expr::value(why))
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
    Job(JobError),
    Mail(MailError),
}

impl<E: Into<crate::error::Error>> From<E> for ComposeError {
    fn from(error: E) -> Self {
        Self::Job(error.into().into())
    }
}

impl From<MailError> for ComposeError {
    fn from(error: MailError) -> Self {
        Self::Mail(error)
    }
}

/// Every kind of mail and who composes it.
async fn compose(app: &App, row: &email::Model) -> std::result::Result<Composed, ComposeError> {
    match row.kind {
        Kind::Activation => activation::activation_email::compose(app, row).await,
        Kind::Invitation => invitations::invitation_email::compose(app, row).await,
        Kind::AccessNotice => invitations::access_notice_email::compose(app, row).await,
        Kind::Reset => passwords::reset_email::compose(app, row).await,
        Kind::PasswordChanged => notice::compose(app, row, passwords::changed_email::render).await,
        Kind::PasswordLocked => notice::compose(app, row, passwords::locked_email::render).await,
        Kind::SessionEnded => notice::compose(app, row, sessions::ended_email::render).await,
        Kind::StaffCode => staff::code_email::compose(app, row).await,
    }
}

fn queued(id: EmailId) -> UpdateMany<email::Entity> {
    email::Entity::update_many().filter(Column::Id.eq(id)).filter(Column::Status.eq(Status::Queued))
}

async fn end(app: &App, row: &email::Model, status: Status, detail: &str) -> std::result::Result<(), JobError> {
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
    // The server has the mail. Whatever happens to the database now, this must be written down, or it is sent again.
    database::retry_until(app.settings().jobs.lease, || async { Ok(update.clone().exec(app.db()).await?) }).await?;
    Ok(())
}

async fn note(app: &App, row: &email::Model, outcome: MailOutcome, detail: &str) -> Result<()> {
    metrics::mail_tried(row, outcome, app.now());
    queued(row.id)
        .col_expr(Column::Detail, Expr::value(detail))
        .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
        .exec(app.db())
        .await?;
    Ok(())
}

/// Sends a test mail to `to` at once, past the outbox, and returns the server's answer: for an operator who wants to
/// know whether `MAIL_URL` works.
///
/// # Errors
/// See [`MailError`].
pub async fn send_test(app: &App, to: EmailAddress) -> std::result::Result<String, MailError> {
    let text = "This is a test. Mail from Portico reaches you.\n";
    let message = Message {
        to,
        subject: "A test mail from Portico".into(),
        text: text.into(),
        html: format!("<p>{text}</p>"),
        message_id: format!("<{}@{}>", app.new_id(), app.settings().mail.from.email.domain()),
    };
    app.mailer().send(Lane::Urgent, &message, app.now()).await
}
