//! What an operator does with jobs that failed: look, try again, throw away.

use portico_entity::{
    JobId,
    background_job::{Column, Entity, Lane, Model, State},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use uuid::Uuid;

use super::{lease, registry};
use crate::{app::App, error::Result};

/// The most jobs treated at once.
const BATCH: u64 = 500;
/// Why a discarded job's work counts as failed.
const DISCARDED: &str = "discarded by an operator";

/// Which jobs are meant: those that fit all that is said.
#[derive(Clone, Debug, Default)]
pub struct JobFilter {
    /// Exactly these; none said: all.
    pub ids: Vec<Uuid>,
    /// In this state.
    pub state: Option<State>,
    /// Of this lane.
    pub lane: Option<Lane>,
    /// Of this name, such as `send_mail`.
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

    /// Treats every selected job of `state` by `one`, and counts those for which it was not too late.
    async fn for_each(self, app: &App, state: State, one: impl AsyncFn(&Model) -> Result<bool>) -> Result<u64> {
        let mut treated = 0;
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
            let Some(last) = batch.last() else { return Ok(treated) };
            after = last.id;
            for row in &batch {
                treated += u64::from(one(row).await?);
            }
        }
    }
}

/// The newest `limit` of the selected jobs, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(app: &App, filter: &JobFilter, limit: u64) -> Result<Vec<Model>> {
    Ok(Entity::find().filter(filter.condition()).order_by_desc(Column::Id).limit(limit).all(app.db()).await?)
}

/// Lets those of the selected jobs that were given up run again, with all their attempts, and counts them.
///
/// # Errors
/// When the database fails; those treated before stay treated.
pub async fn retry(app: &App, filter: JobFilter) -> Result<u64> {
    let again = async |row: &Model| {
        registry::on_retry(app, row).await?;
        let dead = Entity::update_many().filter(Column::Id.eq(row.id)).filter(Column::State.eq(State::Dead));
        let revived = lease::requeued(dead, app.now(), Expr::value(0))
            .col_expr(Column::CrashCount, Expr::value(0))
            .col_expr(Column::FinishedAt, Expr::value(None::<crate::clock::Time>))
            .exec(app.db())
            .await?;
        Ok(revived.rows_affected > 0)
    };
    filter.for_each(app, State::Dead, again).await
}

/// Deletes those of the selected jobs that were given up or still wait, and counts them. What a waiting one was to do counts
/// as failed. Jobs that run are left alone.
///
/// # Errors
/// When the database fails; those treated before stay treated.
pub async fn discard(app: &App, filter: JobFilter) -> Result<u64> {
    let mut discarded = 0;
    if filter.state.is_none_or(|state| state == State::Queued) {
        let give_up = async |row: &Model| {
            let taken = Entity::update_many()
                .col_expr(Column::State, Expr::value(State::Dead))
                .col_expr(Column::FinishedAt, Expr::value(app.now()))
                .col_expr(Column::LastError, Expr::value(DISCARDED))
                .filter(Column::Id.eq(row.id))
                .filter(Column::State.eq(State::Queued))
                .exec(app.db())
                .await?;
            if taken.rows_affected == 0 {
                return Ok(false);
            }
            // Should this fail, the job is still there, given up, for another try.
            registry::on_dead(app, row, DISCARDED).await?;
            delete(app, row.id).await
        };
        discarded += filter.clone().for_each(app, State::Queued, give_up).await?;
    }
    if filter.state.is_none_or(|state| state == State::Dead) {
        discarded += filter.for_each(app, State::Dead, async |row: &Model| delete(app, row.id).await).await?;
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
    use crate::{mail, testing, testing::TestApp};

    async fn waiting(app: &TestApp) -> (Model, email::Model) {
        let mut tx = app.begin().await.unwrap();
        mail::enqueue(&mut tx, mail::NewEmail::new(Kind::Reset, &"nobody@x.test".parse().unwrap())).await.unwrap();
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
    async fn what_was_given_up_is_tried_again_or_thrown_away() {
        let app = testing::app().await;
        let (row, _) = waiting(&app).await;
        let all = JobFilter::default;
        assert_eq!(retry(&app, all()).await.unwrap(), 0, "it waits already");

        // As a job that has used up its attempts leaves them.
        registry::on_dead(&app, &row, "no").await.unwrap();
        Entity::update_many().col_expr(Column::State, Expr::value(State::Dead)).exec(app.db()).await.unwrap();
        assert_eq!(email(&app).await.status, Status::Failed);
        let elsewhere = JobFilter { lane: Some(Lane::Bulk), ..all() };
        assert_eq!(retry(&app, elsewhere).await.unwrap(), 0, "a reset is urgent");
        assert_eq!(retry(&app, JobFilter { ids: vec![row.id.0], ..all() }).await.unwrap(), 1);
        assert_eq!(email(&app).await.status, Status::Queued);
        app.run_queue().await;
        assert_eq!(job(&app).await.unwrap().state, State::Done);
        assert_eq!(email(&app).await.status, Status::Suppressed, "it finished: nobody has that address");
        assert_eq!(discard(&app, all()).await.unwrap(), 0, "what is done is not discarded");
    }

    #[tokio::test]
    async fn a_discarded_mail_counts_as_failed() {
        let app = testing::app().await;
        waiting(&app).await;
        assert_eq!(discard(&app, JobFilter { name: Some("other".into()), ..JobFilter::default() }).await.unwrap(), 0);
        assert_eq!(discard(&app, JobFilter::default()).await.unwrap(), 1);
        assert_eq!(job(&app).await, None);
        assert_eq!(email(&app).await.status, Status::Failed);
    }
}
