//! What an operator does with jobs: list them, retry dead ones, discard dead and queued ones.

use portico_entity::{
    JobId,
    background_job::{Column, Entity, Lane, Model, State},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use uuid::Uuid;

use super::lease;
use crate::platform::{app::App, error::Result, job_type};

/// The maximum number of jobs that one query loads.
const BATCH: u64 = 500;
/// The reason that is recorded when an operator discards a queued job.
const DISCARDED: &str = "discarded by an operator";

/// A filter on jobs. A job matches if it matches every field; the default filter matches every job.
#[derive(Clone, Debug, Default)]
pub struct JobFilter {
    /// Only the jobs with these ids; if empty, jobs with any id.
    pub ids: Vec<Uuid>,
    /// Only jobs in this state; `None` matches every state.
    pub state: Option<State>,
    /// Only jobs of this lane; `None` matches every lane.
    pub lane: Option<Lane>,
    /// Only jobs of this name, such as `send_mail`; `None` matches every name.
    pub name: Option<String>,
}

impl JobFilter {
    fn condition(&self) -> Condition {
        let ids = (!self.ids.is_empty()).then(|| Column::Id.is_in(self.ids.iter().map(|id| JobId(*id))));
        Condition::all()
            .add_option(ids)
            .add_option(self.state.map(|state| Column::State.eq(state)))
            .add_option(self.lane.map(|lane| Column::Lane.eq(lane)))
            .add_option(self.name.as_ref().map(|name| Column::Name.eq(name)))
    }

    /// Calls `action` for every job in `state` that matches the filter. Returns how often `action` returned `true`,
    /// which means that no other process had changed the job before.
    async fn for_each(self, app: &App, state: State, action: impl AsyncFn(&Model) -> Result<bool>) -> Result<u64> {
        let mut changed = 0;
        let mut after = JobId(Uuid::nil());
        loop {
            let batch = Entity::find()
                .filter(self.condition())
                .filter(Column::State.eq(state))
                .filter(Column::Id.gt(after))
                .order_by_asc(Column::Id)
                .limit(BATCH)
                .all(app.db())
                .await?;
            let Some(last) = batch.last() else { return Ok(changed) };
            after = last.id;
            for row in &batch {
                changed += u64::from(action(row).await?);
            }
        }
    }
}

/// Returns the newest jobs that match `filter`, newest first, at most `limit` of them.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub async fn list(app: &App, filter: &JobFilter, limit: u64) -> Result<Vec<Model>> {
    Ok(Entity::find().filter(filter.condition()).order_by_desc(Column::Id).limit(limit).all(app.db()).await?)
}

/// Queues the dead jobs that match `filter` again, with all their attempts, and returns how many there were.
///
/// # Errors
/// `unavailable` or `internal` if the database fails. The jobs that were queued before the failure stay queued.
pub async fn retry(app: &App, filter: JobFilter) -> Result<u64> {
    let requeue = async |row: &Model| {
        job_type::on_retry_row(app, row).await?;
        let dead = Entity::update_many().filter(Column::Id.eq(row.id)).filter(Column::State.eq(State::Dead));
        let requeued = lease::requeued(dead, app.now(), Expr::value(0))
            .col_expr(Column::CrashCount, Expr::value(0))
            .col_expr(Column::FinishedAt, Expr::value(None::<crate::platform::clock::Time>))
            .exec(app.db())
            .await?;
        Ok(requeued.rows_affected > 0)
    };
    filter.for_each(app, State::Dead, requeue).await
}

/// Deletes the dead and the queued jobs that match `filter`, and returns how many there were. The work of a queued
/// job counts as failed: [`Job::on_dead`](crate::platform::job::Job::on_dead) is called for it. Running and completed
/// jobs are not deleted.
///
/// # Errors
/// `unavailable` or `internal` if the database fails. The jobs that were deleted before the failure stay deleted.
pub async fn discard(app: &App, filter: JobFilter) -> Result<u64> {
    let mut discarded = 0;
    if filter.state.is_none_or(|state| state == State::Queued) {
        let fail_and_delete = async |row: &Model| {
            let marked_dead = Entity::update_many()
                .col_expr(Column::State, Expr::value(State::Dead))
                .col_expr(Column::FinishedAt, Expr::value(app.now()))
                .col_expr(Column::LastError, Expr::value(DISCARDED))
                .filter(Column::Id.eq(row.id))
                .filter(Column::State.eq(State::Queued))
                .exec(app.db())
                .await?;
            if marked_dead.rows_affected == 0 {
                return Ok(false);
            }
            // If this fails, the job remains in the database as a dead job. The next call completes what this one
            // began.
            job_type::on_dead_row(app, row, DISCARDED).await?;
            delete(app, row.id).await
        };
        discarded += filter.clone().for_each(app, State::Queued, fail_and_delete).await?;
    }
    if filter.state.is_none_or(|state| state == State::Dead) {
        let delete_dead = async |row: &Model| {
            // An earlier call marked this job dead and then failed.
            if row.last_error.as_deref() == Some(DISCARDED) {
                job_type::on_dead_row(app, row, DISCARDED).await?;
            }
            delete(app, row.id).await
        };
        discarded += filter.for_each(app, State::Dead, delete_dead).await?;
    }
    Ok(discarded)
}

async fn delete(app: &App, job: JobId) -> Result<bool> {
    let dead = Entity::delete_many().filter(Column::Id.eq(job)).filter(Column::State.eq(State::Dead));
    Ok(dead.exec(app.db()).await?.rows_affected > 0)
}

#[cfg(test)]
mod tests {
    use portico_entity::email::{self, Kind, Status};

    use super::*;
    use crate::{
        platform::mail,
        testing::{self, TestApp},
    };

    async fn enqueue_reset_mail(app: &TestApp) -> (Model, email::Model) {
        let mut tx = app.begin().await.unwrap();
        mail::enqueue(&mut tx, mail::NewEmail::new(Kind::Reset, &"unknown@x.test".parse().unwrap())).await.unwrap();
        tx.commit().await.unwrap();
        (job(app).await.unwrap(), email(app).await)
    }

    async fn job(app: &TestApp) -> Option<Model> {
        Entity::find().one(app.db()).await.unwrap()
    }

    async fn email(app: &TestApp) -> email::Model {
        email::Entity::find().one(app.db()).await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn retry_requeues_matching_dead_jobs_only() {
        let app = testing::app().await;
        let (row, _) = enqueue_reset_mail(&app).await;
        let all = JobFilter::default;
        assert_eq!(retry(&app, all()).await.unwrap(), 0, "the job is queued already");

        // The state after the last failed attempt.
        job_type::on_dead_row(&app, &row, "no").await.unwrap();
        Entity::update_many().col_expr(Column::State, Expr::value(State::Dead)).exec(app.db()).await.unwrap();
        assert_eq!(email(&app).await.status, Status::Failed);
        let other_lane = JobFilter { lane: Some(Lane::Bulk), ..all() };
        assert_eq!(retry(&app, other_lane).await.unwrap(), 0, "the job is in the urgent lane");
        assert_eq!(retry(&app, JobFilter { ids: vec![row.id.0], ..all() }).await.unwrap(), 1);
        assert_eq!(email(&app).await.status, Status::Queued);
        app.run_queue().await;
        assert_eq!(job(&app).await.unwrap().state, State::Done);
        assert_eq!(email(&app).await.status, Status::Suppressed, "no account has that address");
        assert_eq!(discard(&app, all()).await.unwrap(), 0, "a completed job is not discarded");
    }

    #[tokio::test]
    async fn discarding_a_queued_job_marks_its_mail_failed() {
        let app = testing::app().await;
        enqueue_reset_mail(&app).await;
        assert_eq!(discard(&app, JobFilter { name: Some("other".into()), ..JobFilter::default() }).await.unwrap(), 0);
        assert_eq!(discard(&app, JobFilter::default()).await.unwrap(), 1);
        assert_eq!(job(&app).await, None);
        assert_eq!(email(&app).await.status, Status::Failed);
    }

    #[tokio::test]
    async fn discard_completes_an_earlier_discard_that_failed_halfway() {
        let app = testing::app().await;
        let (row, _) = enqueue_reset_mail(&app).await;
        let mark = Entity::update_many()
            .col_expr(Column::State, Expr::value(State::Dead))
            .col_expr(Column::FinishedAt, Expr::value(app.now()))
            .col_expr(Column::LastError, Expr::value(DISCARDED));
        mark.filter(Column::Id.eq(row.id)).exec(app.db()).await.unwrap();
        assert_eq!(discard(&app, JobFilter::default()).await.unwrap(), 1);
        assert_eq!(email(&app).await.status, Status::Failed, "the mail does not stay queued for ever");
    }
}
