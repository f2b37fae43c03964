//! Deletes expired rows. Nothing depends on it: an expired link, code or session is refused whether its row exists or
//! not.

mod prune;

use std::future::Future;

use chrono::TimeDelta;
use portico_entity::{
    api_token,
    background_job::{self, Lane, State},
    ceremony, cli_login, code_flow, device_cutoff, email, idempotency_key, link_token, rate_limit, schedule_run,
    session, sign_in_challenge, totp_secret, trusted_device,
};
use sea_orm::{
    ColumnTrait, Condition, DbErr, EntityTrait, ExprTrait, IntoSimpleExpr, QueryFilter, QuerySelect, QueryTrait,
};
use serde::{Deserialize, Serialize};
use tracing::info;

use crate::platform::{
    app::App,
    clock::Time,
    job::{Job, JobError},
    mail::MailSettings,
};

pub use prune::{
    DEFAULT_SESSION_RETENTION_MINUTES, PruneMode, PrunedTokens, SessionPruning, prune_sessions, prune_tokens,
};

/// The maximum number of rows that one statement deletes: few enough that requests do not wait for its locks.
const BATCH: u64 = 500;
/// How long a link token is kept after it has expired. During this time, a user who opens the link learns that it has
/// expired and can request a new one.
const LINK_TOKEN_RETENTION: TimeDelta = TimeDelta::days(30);
/// How long a session is kept after it has expired, for display only.
const SESSION_RETENTION: TimeDelta = TimeDelta::days(30);
/// How long the cut-off of the devices of an address is kept. No device cookie is valid for longer than a year.
const DEVICE_CUTOFF_RETENTION: TimeDelta = TimeDelta::days(366);
/// How long an API token is kept after it has expired, so that its owner sees why a program was refused.
const API_TOKEN_RETENTION: TimeDelta = TimeDelta::days(30);
/// How long a code flow is kept after it has expired.
const CODE_FLOW_RETENTION: TimeDelta = TimeDelta::days(1);
/// How long the challenge of a sign-in is kept after it has expired, and a setup of an authenticator app that was not
/// confirmed.
const CHALLENGE_RETENTION: TimeDelta = TimeDelta::days(1);
/// How long a ceremony of passkeys is kept after it has expired.
const CEREMONY_RETENTION: TimeDelta = TimeDelta::days(1);
/// How long the row of a mail to an unknown address is kept. Such an address is personal data of a person without an
/// account.
const UNKNOWN_RECIPIENT_RETENTION: TimeDelta = TimeDelta::hours(24);
/// How long a completed job is kept.
const DONE_JOB_RETENTION: TimeDelta = TimeDelta::days(7);
/// How long a dead job is kept.
const DEAD_JOB_RETENTION: TimeDelta = TimeDelta::days(90);
/// How long the row of a slot of a schedule is kept.
const SCHEDULE_RUN_RETENTION: TimeDelta = TimeDelta::days(7);

/// The job that deletes, in batches: expired link tokens, code flows, logins of the command line, challenges of
/// sign-ins, ceremonies of passkeys, setups of authenticator apps, trusted devices, sessions, API tokens, device
/// cut-offs, rate limit counters and answers to requests with an `Idempotency-Key`, mail rows of unknown addresses
/// and those that are older than the mail log, completed and dead jobs, and slots of schedules.
#[derive(Default, Serialize, Deserialize)]
pub struct DeleteExpired {}

impl Job for DeleteExpired {
    const NAME: &'static str = "delete_expired";
    const LANE: Lane = Lane::Maintenance;

    async fn run(&self, app: &App) -> Result<(), JobError> {
        let now = app.now();
        let unknown_recipients = Condition::all()
            .add(email::Column::Status.eq(email::Status::Suppressed))
            .add(email::Column::TenantId.is_null())
            .add(email::Column::PortalUserId.is_null())
            .add(email::Column::StaffUserId.is_null())
            .add(email::Column::CreatedAt.lt(now - UNKNOWN_RECIPIENT_RETENTION));
        // The statuses and not `<> queued`, so that the database can use the index on status and time.
        let old_mails = Condition::all()
            .add(email::Column::Status.is_in([email::Status::Sent, email::Status::Failed, email::Status::Suppressed]))
            .add(email::Column::CreatedAt.lt(now - app.section::<MailSettings>().log_retention));
        let finished = Condition::any()
            .add(ended_before(State::Done, now - DONE_JOB_RETENTION))
            .add(ended_before(State::Dead, now - DEAD_JOB_RETENTION));
        use {
            background_job as job, cli_login as login, code_flow as flow, device_cutoff as cutoff,
            idempotency_key as answer, link_token as link, schedule_run as slot, sign_in_challenge as challenge,
            totp_secret as totp, trusted_device as device,
        };
        let links = link::Column::ExpiresAt.lt(now - LINK_TOKEN_RETENTION);
        let flows = flow::Column::ExpiresAt.lt(now - CODE_FLOW_RETENTION);
        let challenges = challenge::Column::ExpiresAt.lt(now - CHALLENGE_RETENTION);
        let ceremonies = ceremony::Column::ExpiresAt.lt(now - CEREMONY_RETENTION);
        let devices = device::Column::ExpiresAt.lt(now);
        let setups = Condition::all()
            .add(totp::Column::ConfirmedAt.is_null())
            .add(totp::Column::CreatedAt.lt(now - CHALLENGE_RETENTION));
        let logins = login::Column::ExpiresAt.lt(now);
        let sessions = session::Column::ExpiresAt.lt(now - SESSION_RETENTION);
        let cutoffs = cutoff::Column::Since.lt(now - DEVICE_CUTOFF_RETENTION);
        let tokens = api_token::Column::ExpiresAt.lt(now - API_TOKEN_RETENTION);
        let counters = rate_limit::Column::ExpiresAt.lt(now);
        let answers = answer::Column::ExpiresAt.lt(now);
        let slots = slot::Column::Slot.lt(now - SCHEDULE_RUN_RETENTION);
        let deleted = [
            delete::<link::Entity>(app, link::Column::Id, links).await?,
            delete::<flow::Entity>(app, flow::Column::Id, flows).await?,
            delete::<login::Entity>(app, login::Column::Id, logins).await?,
            delete::<challenge::Entity>(app, challenge::Column::Id, challenges).await?,
            delete::<ceremony::Entity>(app, ceremony::Column::Id, ceremonies).await?,
            delete::<device::Entity>(app, device::Column::Id, devices).await?,
            delete::<totp::Entity>(app, totp::Column::Id, setups).await?,
            delete::<session::Entity>(app, session::Column::Id, sessions).await?,
            delete::<cutoff::Entity>(app, cutoff::Column::AddressHash, cutoffs).await?,
            delete::<api_token::Entity>(app, api_token::Column::Id, tokens).await?,
            delete::<rate_limit::Entity>(app, rate_limit::Column::Key, counters).await?,
            // The key alone does not identify a row, and a day's rows are few.
            answer::Entity::delete_many().filter(answers).exec(app.db()).await?.rows_affected,
            delete::<email::Entity>(app, email::Column::Id, unknown_recipients).await?,
            delete::<email::Entity>(app, email::Column::Id, old_mails).await?,
            delete::<job::Entity>(app, job::Column::Id, finished).await?,
            delete::<slot::Entity>(app, slot::Column::Slot, slots).await?,
        ];
        info!(rows = deleted.iter().sum::<u64>(), "deleted expired rows");
        Ok(())
    }
}

/// Returns a condition that selects the jobs in `state` that finished before `before`. No job finishes before it is
/// due, so the condition on `run_at` changes nothing, but it lets the database use the index on `run_at`.
fn ended_before(state: State, before: Time) -> Condition {
    use background_job::Column;
    let was_due = Condition::all().add(Column::State.eq(state)).add(Column::RunAt.lt(before));
    was_due.add(Column::FinishedAt.lt(before))
}

/// Deletes the rows that match `condition`, one batch in each statement, and returns the number of deleted rows.
/// `key` is the primary key.
fn delete<E: EntityTrait>(
    app: &App,
    key: E::Column,
    condition: impl sea_orm::sea_query::IntoCondition,
) -> impl Future<Output = Result<u64, DbErr>> + Send {
    let condition = condition.into_condition();
    let db = app.db().clone();
    async move {
        let mut deleted = 0;
        loop {
            let batch = E::find().select_only().column(key).filter(condition.clone()).limit(BATCH).into_query();
            let done =
                E::delete_many().filter(key.into_simple_expr().in_subquery(batch)).exec(&db).await?.rows_affected;
            deleted += done;
            if done < BATCH {
                return Ok(deleted);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use portico_entity::email::{Kind, Status};
    use sea_orm::{PaginatorTrait, sea_query::Expr};

    use super::*;
    use crate::{
        limits,
        platform::{mail, rate_limit::reserve},
        testing,
    };

    #[tokio::test]
    async fn deletes_mail_to_unknown_addresses_and_finished_jobs_after_their_retention() {
        let app = testing::app().await;
        let unknown_address = "unknown@x.test".parse().unwrap();
        let mut tx = app.begin().await.unwrap();
        for _ in 0..3 {
            mail::enqueue(&mut tx, mail::NewEmail::new(Kind::Reset, &unknown_address)).await.unwrap();
        }
        tx.commit().await.unwrap();
        app.run_queue().await;
        let emails = || async { email::Entity::find().all(app.db()).await.unwrap() };
        assert!(emails().await.iter().all(|row| row.status == Status::Suppressed));

        DeleteExpired {}.run(&app).await.unwrap();
        assert_eq!(emails().await.len(), 3, "the rows are kept for a day");
        app.clock().advance(UNKNOWN_RECIPIENT_RETENTION + TimeDelta::seconds(1));
        DeleteExpired {}.run(&app).await.unwrap();
        assert_eq!(emails().await.len(), 0);
        let jobs = || async { background_job::Entity::find().count(app.db()).await.unwrap() };
        assert_eq!(jobs().await, 3);
        app.clock().advance(DONE_JOB_RETENTION);
        DeleteExpired {}.run(&app).await.unwrap();
        assert_eq!(jobs().await, 0);
    }

    #[tokio::test]
    async fn deletes_mails_after_the_retention_of_the_mail_log_but_no_queued_one() {
        let app = testing::app().await;
        app.leave_jobs();
        let mut tx = app.begin().await.unwrap();
        let to = "ann@x.test".parse().unwrap();
        // More than one batch.
        let mails = (0..1_100).map(|_| (mail::NewEmail::new(Kind::Invitation, &to), None));
        let ids = mail::enqueue_all(&mut tx, mails).await.unwrap();
        tx.commit().await.unwrap();
        for (n, status) in
            [Status::Sent, Status::Failed, Status::Suppressed].into_iter().cycle().take(1_050).enumerate()
        {
            let update = email::Entity::update_many().col_expr(email::Column::Status, Expr::value(status));
            update.filter(email::Column::Id.eq(ids[n])).exec(app.db()).await.unwrap();
        }
        let count = || async { email::Entity::find().count(app.db()).await.unwrap() };
        let retention = app.section::<MailSettings>().log_retention;
        app.clock().advance(TimeDelta::from_std(retention).unwrap());
        // All mails belong to no tenant and no user. The suppressed ones are deleted as mail to unknown addresses.
        DeleteExpired {}.run(&app).await.unwrap();
        assert_eq!(count().await, 750);
        app.clock().advance(TimeDelta::seconds(1));
        DeleteExpired {}.run(&app).await.unwrap();
        let left = email::Entity::find().all(app.db()).await.unwrap();
        assert!(left.len() == 50 && left.iter().all(|row| row.status == Status::Queued));
    }

    #[tokio::test]
    async fn deletes_rate_limit_counters_after_they_are_full_again() {
        let app = testing::app().await;
        for n in 0..700 {
            let _ = reserve(&app, &limits::SIGN_IN_ACCOUNT, &[&n.to_string()]).await.unwrap();
        }
        let counters = || async { rate_limit::Entity::find().count(app.db()).await.unwrap() };
        DeleteExpired {}.run(&app).await.unwrap();
        assert_eq!(counters().await, 700);
        // The limit is 5/15m. A counter is kept for twice its period.
        app.clock().advance(TimeDelta::minutes(30) + TimeDelta::seconds(1));
        DeleteExpired {}.run(&app).await.unwrap();
        assert_eq!(counters().await, 0);
    }
}
