//! What becomes of a mail before and after an attempt to send it, and what its row remembers about it.
//!
//! A mail is handed over at most three times without an answer that was recorded: the row counts this before the final
//! dot, so a process that is killed afterwards has counted, too.

use std::{
    cmp::min,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use chrono::TimeDelta;
use futures_util::future::BoxFuture;
use portico_entity::email::{self, Column, Status};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, QueryFilter, UpdateMany,
    sea_query::{Expr, SimpleExpr},
};
use tracing::warn;

use super::{MailError, Mailer, hold, mailer::Reaction};
use crate::platform::{
    app::App,
    clock::{MAX_CLOCK_ERROR, Time},
    database,
    error::Result,
    job::JobError,
    jobs::{Backoff, JobSettings},
    metrics::{self, MailOutcome},
    smtp::{Outcome, Stage},
};

/// For how long a mail is tried at most.
const MAX_LIFE: TimeDelta = TimeDelta::hours(72);
/// How many times a mail is handed over without an answer.
const MAX_HANDOVERS: i32 = 3;
/// The pauses after the first and the second handover whose connection was lost.
const LOST_PAUSES: [TimeDelta; 2] = [TimeDelta::seconds(5), TimeDelta::seconds(60)];
/// The pauses after refusals that may not be for good. After the last one the mail fails.
const DOUBT_PAUSES: [TimeDelta; 3] = [TimeDelta::minutes(10), TimeDelta::hours(1), TimeDelta::hours(4)];
/// How much later than other mails a mail becomes due as a probe that was refused by its recipient.
const LAST_PROBE_DELAY: TimeDelta = TimeDelta::seconds(5);
/// After "not now" to a recipient. Greylisting refuses earlier attempts anyway.
const RECIPIENT: Backoff = Backoff { first_seconds: 60.0, max_seconds: 3_600.0 };

/// How the detail of a mail begins whose link or code expired before it was sent.
pub(super) const EXPIRED: &str = "expired before it was sent";

/// What to do with a queued mail.
pub(super) enum Step {
    /// Compose and send it.
    Send,
    /// Wait until this time, for this reason.
    Wait(Time, &'static str),
    /// Do not send it.
    End(End),
}

/// How a mail ends.
pub(super) enum End {
    /// The mail server has accepted it, with this reply.
    Sent(String),
    /// It must not be sent, for this reason.
    Suppressed(String),
    /// It has failed, with this sentence for an operator.
    Failed(Reason, String),
}

/// Why a mail has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// There is no such recipient.
    RecipientRefused,
    /// The mail server refuses the text.
    MessageRefused,
    /// The mail server has refused the mail four times.
    Refused,
    /// The mail was handed over three times without an answer.
    OutcomeUnknown,
    /// The mail could not be sent within 72 hours.
    GaveUp,
    /// The mail cannot be built.
    Undeliverable,
    /// The job of the mail is dead, or an operator has discarded it.
    Discarded,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 7] = [
        Self::RecipientRefused,
        Self::MessageRefused,
        Self::Refused,
        Self::OutcomeUnknown,
        Self::GaveUp,
        Self::Undeliverable,
        Self::Discarded,
    ];

    /// Returns why the mail `row` has failed; `None` if it has not, or for a reason that this version does not know.
    pub fn of(row: &email::Model) -> Option<Self> {
        Self::from_name(row.reason.as_deref()?)
    }

    /// Returns the reason with this name in the database; `None` for a name that this version does not know.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }

    /// Returns the name in the database and in the mail log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RecipientRefused => "recipient_refused",
            Self::MessageRefused => "message_refused",
            Self::Refused => "refused",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::GaveUp => "gave_up",
            Self::Undeliverable => "undeliverable",
            Self::Discarded => "discarded",
        }
    }
}

/// Returns when a mail is no longer worth sending.
pub(super) fn deadline(row: &email::Model) -> Time {
    let end = row.created_at + MAX_LIFE;
    row.expires_at.map_or(end, |expires_at| min(expires_at, end))
}

/// Returns `row`, with its times corrected if they are further ahead than clocks can differ. A process with a wrong
/// clock has then enqueued the mail, and the mail would be tried for as long as that clock was ahead.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(super) async fn with_corrected_times(app: &App, row: email::Model) -> Result<email::Model> {
    let ahead = row.created_at - app.now();
    if ahead <= MAX_CLOCK_ERROR {
        return Ok(row);
    }
    let (created_at, expires_at) = (app.now(), row.expires_at.map(|expires_at| expires_at - ahead));
    queued(&row)
        .col_expr(Column::CreatedAt, Expr::value(created_at))
        .col_expr(Column::ExpiresAt, Expr::value(expires_at))
        .exec(app.db())
        .await?;
    Ok(email::Model { created_at, expires_at, ..row })
}

/// Decides what to do with the queued mail `row` now.
pub(super) fn next_step(app: &App, row: &email::Model) -> Step {
    let now = app.now();
    let last_answer = row.detail.as_ref().map(|detail| format!("; the last answer was: {detail}")).unwrap_or_default();
    if row.expires_at.is_some_and(|expires_at| expires_at <= now) {
        return Step::End(End::Suppressed(format!("{EXPIRED}{last_answer}")));
    }
    if deadline(row) <= now {
        return Step::End(End::Failed(Reason::GaveUp, format!("not accepted within 72 hours{last_answer}")));
    }
    if row.unconfirmed >= MAX_HANDOVERS {
        let last = row.detail.as_deref().unwrap_or("the process stopped before the answer");
        return Step::End(End::Failed(Reason::OutcomeUnknown, unknown(last)));
    }
    // After a process has stopped between handover and answer. If the attempt was recorded, its job has waited already.
    let is_recorded = row.last_attempt_at.is_some() && row.last_attempt_at >= row.unconfirmed_at;
    match (pause_after_loss(row.unconfirmed), row.unconfirmed_at) {
        (Some(pause), Some(at)) if now < at + pause && !is_recorded => {
            // A time that is further ahead was written by a wrong clock.
            Step::Wait(min(at + pause, now + pause), "the mail server may have accepted the mail")
        }
        _ => Step::Send,
    }
}

fn pause_after_loss(unconfirmed: i32) -> Option<TimeDelta> {
    LOST_PAUSES.get(usize::try_from(unconfirmed - 1).ok()?).copied()
}

fn unknown(last: &str) -> String {
    format!("handed over {MAX_HANDOVERS} times without an answer; the last time: {last}")
}

/// Counts that the mail `row` is handed over, and then sets `is_counted`. Of several processes that send the same mail,
/// one succeeds.
///
/// # Errors
/// Why the mail must not be handed over: another process has handed it over, or the database failed.
pub(super) fn count_handover<'a>(
    app: &'a App,
    row: &'a email::Model,
    is_counted: &'a AtomicBool,
) -> BoxFuture<'a, std::result::Result<(), String>> {
    Box::pin(async move {
        let counted = queued(row)
            .col_expr(Column::Unconfirmed, Expr::value(row.unconfirmed + 1))
            .col_expr(Column::UnconfirmedAt, Expr::value(app.now()))
            .filter(Column::Unconfirmed.eq(row.unconfirmed))
            .exec(app.db())
            .await;
        match counted {
            Ok(counted) if counted.rows_affected == 1 => {
                is_counted.store(true, Ordering::Relaxed);
                Ok(())
            }
            Ok(_) => Err("another process sends this mail".into()),
            Err(error) => Err(format!("the attempt could not be counted: {error}")),
        }
    })
}

/// What follows an attempt that failed.
enum Plan {
    Fail(Reason),
    Retry(TimeDelta, MailOutcome),
}

/// Returns the outcome of a job whose mail waits for the probe at `until`.
pub(super) fn wait_for_probe(row: &email::Model, until: Time) -> JobError {
    postponed_by_hold(row, until, "the mail server refuses Portico itself")
}

/// Returns the outcome of a job whose mail waits for the end of a hold, or for the probe at `probe_at`. A mail that was
/// refused by its own recipient is the probe only if no other mail is, and does not become due at the end of the hold:
/// it would be refused again, and could begin the next hold.
fn postponed_by_hold(row: &email::Model, probe_at: Time, why: &str) -> JobError {
    match row.refusal {
        None => JobError::Postponed(min(probe_at, deadline(row)), format!("{}{why}", hold::ON_HOLD)),
        Some(_) => {
            let why = format!("{}{why}", hold::REFUSED_ON_HOLD);
            JobError::Postponed(min(probe_at + LAST_PROBE_DELAY, deadline(row)), why)
        }
    }
}

/// Records an attempt that failed, and decides when the mail is tried again.
///
/// # Errors
/// [`JobError::Postponed`] if the mail is tried again. `unavailable` or `internal` if the database fails.
pub(super) async fn settle(app: &App, row: &email::Model, error: MailError) -> std::result::Result<(), JobError> {
    if error.reaction == Reaction::NotAsked {
        // Another process sends this mail, or the database could not be asked. Neither says anything about the mail.
        return Err(JobError::Postponed(app.now() + LOST_PAUSES[0], error.detail));
    }
    let is_at_recipient = matches!(error.stage, Stage::Rcpt | Stage::Dot);
    let plan = plan(app, row, &error);
    if let Plan::Retry(..) = plan {
        // Recorded before the question whether other mails got the same answer, so that of several processes that ask
        // at the same time at least one sees them all.
        record(app, row, &error).await?;
    }
    let is_general = hold::is_general(app, row, &error).await?;
    if is_general {
        if let Plan::Fail(_) = plan {
            record(app, row, &error).await?;
        }
        metrics::mail_tried(row, MailOutcome::Held, app.now());
        let probe_at = hold::begin(app, &error).await?;
        let row = email::Model { refusal: error.refusal, ..row.clone() };
        return Err(postponed_by_hold(&row, probe_at, &error.detail));
    }
    // The server has taken login and sender, so this attempt was no probe of a hold of these.
    if is_at_recipient && error.reaction == Reaction::Reply {
        hold::probe_again(app).await?;
    }
    match plan {
        Plan::Fail(reason) => {
            let detail = if reason == Reason::OutcomeUnknown { unknown(&error.detail) } else { error.detail };
            let row = email::Model { refusal: error.refusal, ..row.clone() };
            finish(app, &row, End::Failed(reason, detail)).await
        }
        Plan::Retry(pause, outcome) => {
            count_refusal(app, row, &error).await?;
            metrics::mail_tried(row, outcome, app.now());
            warn!(kind = ?row.kind, message_id = row.message_id, answer = error.detail, "a mail was not accepted");
            Err(JobError::Postponed(min(app.now() + pause, deadline(row)), error.detail))
        }
    }
}

fn plan(app: &App, row: &email::Model, error: &MailError) -> Plan {
    let back_off = |backoff: Backoff, outcome| Plan::Retry(backoff.after(row.attempts + 1, app.random()), outcome);
    match (error.outcome, error.stage) {
        (Outcome::Sent | Outcome::Final, Stage::Connect) => Plan::Fail(Reason::Undeliverable),
        (Outcome::Sent | Outcome::Final, Stage::Rcpt) => Plan::Fail(Reason::RecipientRefused),
        (Outcome::Sent | Outcome::Final, _) => Plan::Fail(Reason::MessageRefused),
        (Outcome::Doubt, _) => {
            let pause = usize::try_from(row.doubts).ok().and_then(|doubts| DOUBT_PAUSES.get(doubts));
            pause.map_or(Plan::Fail(Reason::Refused), |pause| Plan::Retry(*pause, MailOutcome::Transient))
        }
        (Outcome::Unknown, _) if row.unconfirmed + 1 >= MAX_HANDOVERS => Plan::Fail(Reason::OutcomeUnknown),
        (Outcome::Unknown, _) => Plan::Retry(pause_after_unknown(app, row, error), MailOutcome::Unknown),
        (Outcome::Later | Outcome::Hold, Stage::Rcpt) if error.reaction == Reaction::Reply => {
            Plan::Retry(RECIPIENT.after(row.deferrals + 1, app.random()), MailOutcome::Transient)
        }
        (Outcome::Later | Outcome::Hold, _) if error.reaction == Reaction::Reply => {
            back_off(Backoff::FAILURE, MailOutcome::Transient)
        }
        // There is no server, so the mail waits for less than after a refusal.
        (Outcome::Later | Outcome::Hold, _) => back_off(Backoff::OUTAGE, MailOutcome::Down),
    }
}

/// Returns when a mail is repeated whose outcome is unknown: soon if the connection was lost, and after `?repeat=` if
/// the server did not answer.
fn pause_after_unknown(app: &App, row: &email::Model, error: &MailError) -> TimeDelta {
    let lost = pause_after_loss(row.unconfirmed + 1).unwrap_or(LOST_PAUSES[1]);
    let repeat = || TimeDelta::from_std(app.get::<Mailer>().repeat_after()).unwrap_or(lost);
    if error.reaction == Reaction::Silence { repeat() } else { lost }
}

/// Records an attempt after which the mail is tried again.
async fn record(app: &App, row: &email::Model, error: &MailError) -> Result<()> {
    let mut update = queued(row)
        .col_expr(Column::Detail, Expr::value(&error.detail))
        .col_expr(Column::Refusal, Expr::value(error.refusal.clone()))
        // A value and not a sum, because the statement may run twice.
        .col_expr(Column::Attempts, Expr::value(row.attempts + 1))
        .col_expr(Column::LastAttemptAt, Expr::value(app.now()));
    // Another process may have counted a handover of its own, which this answer does not end.
    if error.is_counted && error.outcome != Outcome::Unknown {
        update = update.col_expr(Column::Unconfirmed, answered(row));
    }
    write(app, update).await
}

/// Returns the number of handovers without an answer, now that the last one of this process is answered. Another
/// process that has handed the mail over since then waits for its own answer.
fn answered(row: &email::Model) -> SimpleExpr {
    let is_last = Expr::col(Column::Unconfirmed).eq(row.unconfirmed + 1);
    Expr::case(is_last, row.unconfirmed).finally(Expr::col(Column::Unconfirmed)).into()
}

/// Counts a refusal of the mail `row` alone, which decides its next pause.
async fn count_refusal(app: &App, row: &email::Model, error: &MailError) -> Result<()> {
    let (column, count) = match (error.outcome, error.stage) {
        (Outcome::Doubt, _) => (Column::Doubts, row.doubts + 1),
        (_, Stage::Rcpt) if error.reaction == Reaction::Reply => (Column::Deferrals, row.deferrals + 1),
        _ => return Ok(()),
    };
    write(app, queued(row).col_expr(column, Expr::value(count))).await
}

/// Records how the mail `row` ends.
///
/// # Errors
/// `unavailable` or `internal` if the database fails for the duration of a lease.
pub(super) async fn finish(app: &App, row: &email::Model, end: End) -> std::result::Result<(), JobError> {
    let (status, outcome, reason, detail) = match &end {
        End::Sent(reply) => (Status::Sent, MailOutcome::Sent, None, reply),
        End::Suppressed(why) => (Status::Suppressed, MailOutcome::Suppressed, None, why),
        End::Failed(reason, why) => (Status::Failed, MailOutcome::Failed, Some(reason.name()), why),
    };
    metrics::mail_tried(row, outcome, app.now());
    // A mail that the server has accepted was sent, also if what it carries was cancelled after the final dot.
    let replaced = if status == Status::Sent { vec![Status::Queued, Status::Suppressed] } else { vec![Status::Queued] };
    let mut update = email::Entity::update_many()
        .filter(Column::Id.eq(row.id))
        .filter(Column::Status.is_in(replaced))
        .col_expr(Column::Status, Expr::value(status))
        .col_expr(Column::Reason, Expr::value(reason))
        .col_expr(Column::Refusal, Expr::value(row.refusal.clone()))
        .col_expr(Column::Detail, Expr::value(detail))
        .col_expr(Column::Attempts, Expr::value(row.attempts + 1))
        .col_expr(Column::LastAttemptAt, Expr::value(app.now()));
    if status == Status::Sent {
        update = update.col_expr(Column::SentAt, Expr::value(app.now())).col_expr(Column::Unconfirmed, answered(row));
    }
    if let End::Failed(reason, _) = end {
        warn_of_failure(row, reason);
    }
    Ok(write(app, update).await?)
}

/// Logs that the mail `row` is given up.
pub(super) fn warn_of_failure(row: &email::Model, reason: Reason) {
    warn!(mail = %row.id, kind = row.kind.name(), reason = reason.name(), "a mail is given up");
}

/// Runs `update`, and tries again while the database is unavailable, for the duration of a lease. If the end of a mail
/// is not recorded, the mail is sent again.
async fn write(app: &App, update: UpdateMany<email::Entity>) -> Result<()> {
    let limit: Duration = app.section::<JobSettings>().lease;
    database::retry_for(app.db(), limit, || async { Ok(update.clone().exec(app.db()).await?) }).await?;
    Ok(())
}

fn queued(row: &email::Model) -> UpdateMany<email::Entity> {
    email::Entity::update_many().filter(Column::Id.eq(row.id)).filter(Column::Status.eq(Status::Queued))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        platform::mail::{self, NewEmail},
        testing::{self, TestApp},
    };
    use portico_entity::email::Kind;

    async fn queued_mail(app: &TestApp) -> email::Model {
        app.leave_jobs();
        let mut tx = app.begin().await.unwrap();
        let mail = NewEmail {
            expires_at: Some(app.now() + TimeDelta::days(30)),
            ..NewEmail::new(Kind::Invitation, &"ann@x.test".parse().unwrap())
        };
        let id = mail::enqueue(&mut tx, mail).await.unwrap();
        tx.commit().await.unwrap();
        email::Entity::find_by_id(id).one(app.db()).await.unwrap().unwrap()
    }

    fn refused(outcome: Outcome, stage: Stage) -> MailError {
        let refusal = Some(format!("{} 450", stage.name()));
        MailError { outcome, stage, refusal, reaction: Reaction::Reply, is_counted: true, detail: "no".into() }
    }

    #[tokio::test]
    async fn mail_is_tried_for_72_hours_at_most() {
        let app = testing::app().await;
        let row = queued_mail(&app).await;
        app.clock().advance(MAX_LIFE - TimeDelta::seconds(1));
        assert!(matches!(next_step(&app, &row), Step::Send));
        app.clock().advance(TimeDelta::seconds(1));
        assert!(matches!(next_step(&app, &row), Step::End(End::Failed(Reason::GaveUp, _))));
    }

    #[tokio::test]
    async fn mail_that_was_handed_over_waits_no_longer_than_its_pause_after_a_wrong_clock() {
        let app = testing::app().await;
        let row = queued_mail(&app).await;
        for (unconfirmed, ahead, seconds) in [(1, 0, 5), (2, 0, 60), (1, 400 * 86_400, 5), (2, 3_600, 60)] {
            let at = Some(app.now() + TimeDelta::seconds(ahead));
            let row = email::Model { unconfirmed, unconfirmed_at: at, ..row.clone() };
            let Step::Wait(until, _) = next_step(&app, &row) else { panic!("{unconfirmed} {ahead}") };
            assert_eq!(until, app.now() + TimeDelta::seconds(seconds));
        }
        let recorded = email::Model { last_attempt_at: Some(app.now()), ..row.clone() };
        let recorded = email::Model { unconfirmed: 2, unconfirmed_at: Some(app.now()), ..recorded };
        assert!(matches!(next_step(&app, &recorded), Step::Send), "its job has waited for `?repeat=`");
        let row = email::Model { unconfirmed: 3, unconfirmed_at: Some(app.now()), ..row };
        assert!(matches!(next_step(&app, &row), Step::End(End::Failed(Reason::OutcomeUnknown, _))));
    }

    #[tokio::test]
    async fn mail_of_a_process_with_a_wrong_clock_has_its_own_life_only() {
        let app = testing::app().await;
        let row = queued_mail(&app).await;
        for ahead in [TimeDelta::minutes(6), TimeDelta::days(2), TimeDelta::days(400)] {
            let expires_at = row.expires_at.map(|expires_at| expires_at + ahead);
            let wrong = email::Model { created_at: row.created_at + ahead, expires_at, ..row.clone() };
            assert_eq!(with_corrected_times(&app, wrong).await.unwrap(), row, "{ahead}");
        }
        let near = email::Model { created_at: row.created_at + TimeDelta::minutes(5), ..row };
        assert_eq!(with_corrected_times(&app, near.clone()).await.unwrap(), near);
    }

    #[tokio::test]
    async fn only_one_of_two_handovers_is_counted() {
        let app = testing::app().await;
        let row = queued_mail(&app).await;
        let (first, second) = (AtomicBool::default(), AtomicBool::default());
        assert_eq!(count_handover(&app, &row, &first).await, Ok(()));
        assert!(count_handover(&app, &row, &second).await.is_err(), "the row has changed since it was read");
        assert_eq!((first.into_inner(), second.into_inner()), (true, false));
    }

    #[tokio::test]
    async fn an_answer_ends_only_the_handover_that_it_answers() {
        let app = testing::app().await;
        let row = queued_mail(&app).await;
        for (counted, left) in [(1, 0), (2, 2), (0, 0)] {
            write(&app, queued(&row).col_expr(Column::Unconfirmed, Expr::value(counted))).await.unwrap();
            record(&app, &row, &refused(Outcome::Later, Stage::Dot)).await.unwrap();
            let found = email::Entity::find_by_id(row.id).one(app.db()).await.unwrap().unwrap();
            assert_eq!(found.unconfirmed, left, "another process has handed the mail over too");
        }
        // This process was refused before the dot, while another one waits for the answer to it.
        for stage in [Stage::Connect, Stage::Mail, Stage::Rcpt] {
            write(&app, queued(&row).col_expr(Column::Unconfirmed, Expr::value(1))).await.unwrap();
            let error = MailError { is_counted: false, ..refused(Outcome::Later, stage) };
            record(&app, &row, &error).await.unwrap();
            let found = email::Entity::find_by_id(row.id).one(app.db()).await.unwrap().unwrap();
            assert_eq!(found.unconfirmed, 1, "{stage:?}");
        }
    }

    #[tokio::test]
    async fn pauses_grow_as_the_answer_demands() {
        let app = testing::app().await;
        let row = queued_mail(&app).await;
        let pause = |attempts, doubts, error: &MailError| {
            let row = email::Model { attempts, doubts, deferrals: attempts, ..row.clone() };
            match plan(&app, &row, error) {
                Plan::Retry(pause, _) => Some(pause.num_seconds()),
                Plan::Fail(_) => None,
            }
        };
        let near = |found: Option<i64>, seconds: i64| {
            let found = found.unwrap();
            assert!((seconds * 3 / 4 - 1..=seconds * 5 / 4).contains(&found), "{found}, not about {seconds}");
        };
        for (stage, pauses) in [
            (Stage::Rcpt, [60, 120, 3_600]),
            (Stage::Dot, [5, 10, 3_600]),
            (Stage::Mail, [5, 10, 3_600]),
            (Stage::Auth, [5, 10, 3_600]),
        ] {
            for (attempts, seconds) in [0, 1, 20].into_iter().zip(pauses) {
                near(pause(attempts, 0, &refused(Outcome::Later, stage)), seconds);
            }
        }
        let unreachable = MailError { reaction: Reaction::None, ..refused(Outcome::Later, Stage::Connect) };
        near(pause(20, 0, &unreachable), 300);
        // Attempts that did not reach the recipient do not count as its refusals.
        let row = email::Model { attempts: 7, ..row.clone() };
        let Plan::Retry(first, _) = plan(&app, &row, &refused(Outcome::Later, Stage::Rcpt)) else { panic!() };
        near(Some(first.num_seconds()), 60);
        let doubt = refused(Outcome::Doubt, Stage::Rcpt);
        let doubts = [0, 1, 2, 3].map(|doubts| pause(0, doubts, &doubt));
        assert_eq!(doubts, [Some(600), Some(3_600), Some(14_400), None]);
    }
}
