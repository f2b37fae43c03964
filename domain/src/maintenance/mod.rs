//! Deleting what nobody needs any more. Nothing depends on it: what is over is over whether its row is there or not.

use std::future::Future;

use chrono::TimeDelta;
use portico_entity::{
    audit_event::{self, ActorRealm},
    background_job::{self, Lane, State},
    code_flow, email, link_token, rate_limit, schedule_run, session,
};
use sea_orm::{
    ColumnTrait, Condition, DbErr, EntityTrait, ExprTrait, IntoSimpleExpr, QueryFilter, QuerySelect, QueryTrait,
};
use serde::{Deserialize, Serialize};
use tracing::info;

use crate::{
    app::App,
    clock::Time,
    jobs::{Job, JobError},
};

/// Rows deleted by one statement: few enough that nobody waits for its locks.
const BATCH: u64 = 500;
/// Links stay long enough to tell their holder that they are over, and to be traded for new ones.
const LINK_TOKEN_RETENTION: TimeDelta = TimeDelta::days(30);
/// Sessions stay for the eye.
const SESSION_RETENTION: TimeDelta = TimeDelta::days(30);
const CODE_FLOW_RETENTION: TimeDelta = TimeDelta::days(1);
/// Addresses that turned out to be nobody's are personal data of strangers.
const UNKNOWN_RECIPIENT_RETENTION: TimeDelta = TimeDelta::hours(24);
const DONE_JOB_RETENTION: TimeDelta = TimeDelta::days(7);
const DEAD_JOB_RETENTION: TimeDelta = TimeDelta::days(90);
/// What nobody in particular did, in no tenant's log: failed sign-ins and requests for mail.
const ANONYMOUS_EVENT_RETENTION: TimeDelta = TimeDelta::days(90);
const SCHEDULE_RUN_RETENTION: TimeDelta = TimeDelta::days(7);

/// Deletes expired and spent links, flows, sessions, rate_limits, strangers' mail rows, old anonymous events and finished
/// jobs, in batches.
#[derive(Serialize, Deserialize)]
pub struct DeleteExpired {}

impl Job for DeleteExpired {
    const NAME: &'static str = "delete_expired";
    const LANE: Lane = Lane::Maintenance;

    async fn run(&self, app: &App) -> Result<(), JobError> {
        let now = app.now();
        let strangers = Condition::all()
            .add(email::Column::Status.eq(email::Status::Suppressed))
            .add(email::Column::TenantId.is_null())
            .add(email::Column::PortalUserId.is_null())
            .add(email::Column::StaffUserId.is_null())
            .add(email::Column::CreatedAt.lt(now - UNKNOWN_RECIPIENT_RETENTION));
        let finished = Condition::any()
            .add(ended_before(State::Done, now - DONE_JOB_RETENTION))
            .add(ended_before(State::Dead, now - DEAD_JOB_RETENTION));
        let anonymous = Condition::all()
            .add(audit_event::Column::ActorRealm.eq(ActorRealm::Anonymous))
            .add(audit_event::Column::TenantId.is_null())
            .add(audit_event::Column::At.lt(now - ANONYMOUS_EVENT_RETENTION));
        use {
            audit_event as event, background_job as job, code_flow as flow, link_token as link, schedule_run as slot,
        };
        let links = link::Column::ExpiresAt.lt(now - LINK_TOKEN_RETENTION);
        let flows = flow::Column::ExpiresAt.lt(now - CODE_FLOW_RETENTION);
        let sessions = session::Column::ExpiresAt.lt(now - SESSION_RETENTION);
        let counters = rate_limit::Column::ExpiresAt.lt(now);
        let slots = slot::Column::Slot.lt(now - SCHEDULE_RUN_RETENTION);
        let deleted = [
            delete::<link::Entity>(app, link::Column::Id, links).await?,
            delete::<flow::Entity>(app, flow::Column::Id, flows).await?,
            delete::<session::Entity>(app, session::Column::Id, sessions).await?,
            delete::<rate_limit::Entity>(app, rate_limit::Column::Key, counters).await?,
            delete::<email::Entity>(app, email::Column::Id, strangers).await?,
            delete::<job::Entity>(app, job::Column::Id, finished).await?,
            delete::<event::Entity>(app, event::Column::Id, anonymous).await?,
            delete::<slot::Entity>(app, slot::Column::Slot, slots).await?,
        ];
        info!(rows = deleted.iter().sum::<u64>(), "deleted what is over");
        Ok(())
    }
}

/// No job ends before it is due, which is what the index knows.
fn ended_before(state: State, before: Time) -> Condition {
    use background_job::Column;
    let is_over = Condition::all().add(Column::State.eq(state)).add(Column::RunAt.lt(before));
    is_over.add(Column::FinishedAt.lt(before))
}

/// Deletes the rows that match, a batch a statement, and returns how many there were.
fn delete<E: EntityTrait>(
    app: &App,
    key: E::Column,
    is_over: impl sea_orm::sea_query::IntoCondition,
) -> impl Future<Output = Result<u64, DbErr>> + Send {
    let is_over = is_over.into_condition();
    let db = app.db().clone();
    async move {
        let mut deleted = 0;
        loop {
            let batch = E::find().select_only().column(key).filter(is_over.clone()).limit(BATCH).into_query();
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
    use sea_orm::PaginatorTrait;

    use super::*;
    use crate::{
        mail,
        rate_limit::{Limit, reserve},
        testing,
    };

    #[tokio::test]
    async fn strangers_rows_and_finished_jobs_go_and_the_rest_stays() {
        let app = testing::app().await;
        let stranger = "nobody@x.test".parse().unwrap();
        let mut tx = app.begin().await.unwrap();
        for _ in 0..3 {
            mail::enqueue(&mut tx, mail::NewEmail::new(Kind::Reset, &stranger)).await.unwrap();
        }
        tx.commit().await.unwrap();
        app.run_queue().await;
        let emails = || async { email::Entity::find().all(app.db()).await.unwrap() };
        assert!(emails().await.iter().all(|row| row.status == Status::Suppressed));

        DeleteExpired {}.run(&app).await.unwrap();
        assert_eq!(emails().await.len(), 3, "kept for a day");
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
    async fn a_counter_goes_when_it_has_its_units_back() {
        let app = testing::app().await;
        for n in 0..700 {
            let _ = reserve(&app, Limit::SignInAccount, &[&n.to_string()]).await.unwrap();
        }
        let counters = || async { rate_limit::Entity::find().count(app.db()).await.unwrap() };
        DeleteExpired {}.run(&app).await.unwrap();
        assert_eq!(counters().await, 700);
        // 5/15m: kept for twice the time that it counts over.
        app.clock().advance(TimeDelta::minutes(30) + TimeDelta::seconds(1));
        DeleteExpired {}.run(&app).await.unwrap();
        assert_eq!(counters().await, 0);
    }
}
