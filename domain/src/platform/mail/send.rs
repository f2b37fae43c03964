//! The job that composes a mail and sends it.

use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;
use futures_util::future::BoxFuture;
use portico_entity::{
    EmailId,
    background_job::Lane,
    email::{self, Column, Kind, Status},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use super::{
    Composed, MailError, MailSettings, Mailer, Message,
    delivery::{self, End, Reason, Step},
    hold::{self, Permission},
    mailer::Attempt,
};
use crate::platform::{
    app::App,
    clock::Time,
    email_address::EmailAddress,
    error::{Error, Result},
    job::{Job, JobError},
    language::Language,
    metrics::{self, MailOutcome},
    tx::Tx,
};

/// How long a mail may wait for a slot before it is asked again whether it may be sent.
const SLOT_PATIENCE: TimeDelta = TimeDelta::seconds(1);

/// How the mails of a kind are sent.
pub struct MailRoute {
    /// The lane of the jobs that send the mails.
    pub(super) lane: Lane,
    compose: Compose,
    /// When what a failed mail would carry expires if it is sent again. `None`: as the failed mail itself.
    pub(super) retry_until: Option<RetryUntil>,
}

/// Returns when what a new mail in place of the failed mail of an `emails` row would carry expires; `None` if the mail
/// makes no sense any more, for example because its invitation was accepted.
type RetryUntil = for<'a> fn(&'a Tx, &'a email::Model) -> BoxFuture<'a, Result<Option<Time>>>;

/// Composes the mail of an `emails` row.
type Compose = for<'a> fn(&'a App, &'a email::Model) -> BoxFuture<'a, std::result::Result<Composed, ComposeError>>;

/// Maps each mail kind to its lane and its function that composes the mails. [`registry`](crate::registry) provides it.
pub struct MailRouting(pub fn(Kind) -> MailRoute);

impl MailRoute {
    /// Sends mails in `lane`; `compose` renders each of them in the worker.
    pub(crate) fn new(lane: Lane, compose: Compose) -> Self {
        Self { lane, compose, retry_until: None }
    }

    /// Decides with `retry_until` whether a failed mail of this kind can be sent again.
    pub(crate) fn retried_until(self, retry_until: RetryUntil) -> Self {
        Self { retry_until: Some(retry_until), ..self }
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
        let row = delivery::with_corrected_times(app, row).await?;
        let lane = MailRoute::of(app, row.kind).lane;
        let (mut slot, mut is_probe) = (None, false);
        // Mails that must not be sent wait for no slot. After a long wait for a slot, the questions are asked again.
        for has_slot in [false, true] {
            match delivery::next_step(app, &row) {
                Step::End(end) => return delivery::finish(app, &row, end).await,
                Step::Wait(until, why) => return Err(JobError::Postponed(until, why.into())),
                Step::Send => {}
            }
            if !is_probe {
                match hold::permission(app).await? {
                    Permission::Wait(until) => return Err(delivery::wait_for_probe(&row, until)),
                    Permission::Probe => is_probe = true,
                    Permission::Send => {}
                }
            }
            if !has_slot {
                let began = app.now();
                slot = app.get::<Mailer>().slot(lane).await;
                if app.now() - began < SLOT_PATIENCE {
                    break;
                }
            }
        }
        let began = app.now();
        let sent = match compose(app, &row).await {
            Ok(Composed::Suppressed(reason)) => {
                hold::probe_again(app).await?;
                return delivery::finish(app, &row, End::Suppressed(reason.into())).await;
            }
            Ok(Composed::Message(message)) => {
                let is_counted = AtomicBool::new(false);
                let before_dot = || delivery::count_handover(app, &row, &is_counted);
                let attempt = Attempt {
                    slot,
                    lane,
                    message: &message,
                    now: app.now(),
                    may_be_delivered: row.unconfirmed > 0,
                    before_dot: &before_dot,
                };
                let sent = app.get::<Mailer>().send(attempt).await;
                sent.map_err(|error| MailError { is_counted: is_counted.load(Ordering::Relaxed), ..error })
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
                delivery::finish(app, &row, End::Sent(reply)).await?;
                Ok(hold::end(app, began).await?)
            }
            Err(error) => delivery::settle(app, &row, error).await,
        }
    }

    async fn on_dead(&self, app: &App, reason: &str) -> Result<()> {
        let Some(row) = email::Entity::find_by_id(self.email).one(app.db()).await? else { return Ok(()) };
        // Its workers may have been killed after the mail server had accepted the mail.
        let word = if row.unconfirmed > 0 { Reason::OutcomeUnknown } else { Reason::Discarded };
        let failed = email::Entity::update_many()
            .col_expr(Column::Status, Expr::value(Status::Failed))
            .col_expr(Column::Reason, Expr::value(word.name()))
            .col_expr(Column::Detail, Expr::value(reason))
            .filter(Column::Id.eq(self.email))
            .filter(Column::Status.eq(Status::Queued))
            .exec(app.db())
            .await?;
        if failed.rows_affected > 0 {
            metrics::mail_tried(&row, MailOutcome::Failed, app.now());
            delivery::warn_of_failure(&row, word);
        }
        Ok(())
    }

    async fn on_retry(&self, app: &App) -> Result<()> {
        email::Entity::update_many()
            .col_expr(Column::Status, Expr::value(Status::Queued))
            .col_expr(Column::Reason, Expr::value(None::<String>))
            .filter(Column::Id.eq(self.email))
            .filter(Column::Status.eq(Status::Failed))
            .filter(Column::RetriedBy.is_null())
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

/// Sends a test mail to `to` immediately, without an `emails` row. Returns the reply of the mail server. If the server
/// was on hold, the hold ends.
///
/// # Errors
/// The answer of the mail server. `unavailable` or `internal` if the database fails.
pub async fn send_test(app: &App, to: EmailAddress) -> std::result::Result<String, MailError> {
    let text = "This is a test. Mail from Portico reaches you.\n";
    let host = app.section::<MailSettings>().from.email.domain().to_owned();
    let message = Message {
        to,
        language: Language::English,
        subject: "A test mail from Portico".into(),
        text: text.into(),
        html: format!("<p>{text}</p>"),
        image: None,
        message_id: format!("<{}@{host}>", app.new_id()),
    };
    let before_dot = || -> BoxFuture<'_, std::result::Result<(), String>> { Box::pin(async { Ok(()) }) };
    let attempt = Attempt {
        slot: None,
        lane: Lane::Urgent,
        message: &message,
        now: app.now(),
        may_be_delivered: false,
        before_dot: &before_dot,
    };
    let reply = app.get::<Mailer>().send(attempt).await?;
    if let Err(error) = hold::end_all(app).await {
        warn!(%error, "cannot end the hold of the mail server; the next probe will");
    }
    Ok(reply)
}
