//! A transaction that can also enqueue.

use std::{cell::Cell, future::Future};

use portico_entity::{
    JobId,
    background_job::{self, Lane, State},
};
use sea_orm::{ActiveValue::Set, DatabaseTransaction, EntityTrait};
use uuid::Uuid;

use crate::{
    app::App,
    error::{Error, Result},
    jobs::Job,
};

tokio::task_local! {
    /// Whether the running work has committed anything.
    static COMMITTED: Cell<bool>;
}

/// Runs `work` and says whether it committed a transaction meanwhile: what has committed nothing may be run again.
/// Single statements outside of transactions, such as the counts of limits, do not show here.
pub async fn track_commits<T>(work: impl Future<Output = T>) -> (T, bool) {
    let noted = async {
        let done = work.await;
        (done, COMMITTED.with(Cell::get))
    };
    COMMITTED.scope(Cell::new(false), noted).await
}

/// Notes that the running work must not be run again: another task has committed for it, or what it has counted stays counted.
pub(crate) fn mark_not_retryable() {
    // Outside of `track_commits` nobody asks.
    let _ = COMMITTED.try_with(|committed| committed.set(true));
}

/// A database transaction whose jobs are committed with it. Dropped without [`commit`](Tx::commit), nothing happened.
///
/// There is no other way to enqueue, so a job without its act, or an act without its job, cannot be written.
pub struct Tx {
    app: App,
    inner: DatabaseTransaction,
    jobs: Vec<(Lane, JobId)>,
    request_id: Option<Uuid>,
}

impl Tx {
    pub(crate) fn new(app: App, inner: DatabaseTransaction) -> Self {
        Self { app, inner, jobs: Vec::new(), request_id: None }
    }

    /// What to run statements on.
    pub fn db(&self) -> &DatabaseTransaction {
        &self.inner
    }

    /// The app it belongs to.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Its jobs will carry the id of the request that caused them.
    pub fn caused_by(mut self, request_id: Uuid) -> Self {
        self.request_id = Some(request_id);
        self
    }

    /// The request that causes its jobs.
    pub(crate) fn request_id(&self) -> Option<Uuid> {
        self.request_id
    }

    /// Enqueues `job` in its own lane, to run once this transaction is committed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn enqueue<J: Job>(&mut self, job: J) -> Result<()> {
        self.enqueue_all(J::LANE, [job]).await?;
        Ok(())
    }

    /// Enqueues `jobs` in `lane` by one statement, some 2,000 at most, and returns their ids.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn enqueue_all<J: Job>(&mut self, lane: Lane, jobs: impl IntoIterator<Item = J>) -> Result<Vec<JobId>> {
        let request = self.request_id;
        self.enqueue_each(jobs.into_iter().map(|job| (lane, job, request))).await
    }

    /// Enqueues jobs by one statement, some 2,000 at most, each in its lane and for the request that caused it, and returns
    /// their ids.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn enqueue_each<J: Job>(
        &mut self,
        jobs: impl IntoIterator<Item = (Lane, J, Option<Uuid>)>,
    ) -> Result<Vec<JobId>> {
        let (mut rows, mut ids) = (Vec::new(), Vec::new());
        for (lane, job, request) in jobs {
            let id = JobId(self.app.new_id());
            rows.push(row(&self.app, id, lane, &job, request)?);
            ids.push((lane, id));
        }
        if !rows.is_empty() {
            background_job::Entity::insert_many(rows).exec_without_returning(&self.inner).await?;
        }
        self.jobs.extend(&ids);
        Ok(ids.into_iter().map(|(_, id)| id).collect())
    }

    /// Commits, then hands the jobs over. Never waits for the queue.
    ///
    /// # Errors
    /// `unavailable` when the database fails, and never [`Aborted`](Error::Aborted): if the connection was cut
    /// meanwhile, it may have been committed, and must not be run again.
    pub async fn commit(self) -> Result<()> {
        match self.inner.commit().await.map_err(Error::from) {
            Err(Error::Aborted(why)) => return Err(Error::Unavailable(why)),
            done => done?,
        }
        mark_not_retryable();
        for (lane, job) in self.jobs {
            self.app.notify_committed(lane, job);
        }
        Ok(())
    }
}

fn row<J: Job>(
    app: &App,
    id: JobId,
    lane: Lane,
    job: &J,
    request: Option<Uuid>,
) -> Result<background_job::ActiveModel> {
    let now = app.now();
    let payload = serde_json::to_value(job).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(background_job::ActiveModel {
        id: Set(id),
        name: Set(J::NAME.into()),
        lane: Set(lane),
        payload: Set(payload),
        state: Set(State::Queued),
        attempts: Set(0),
        max_attempts: Set(J::ATTEMPTS),
        crash_count: Set(0),
        run_at: Set(now),
        pushed_at: Set(None),
        started_at: Set(None),
        lease_owner: Set(None),
        lease_until: Set(None),
        last_error: Set(None),
        request_id: Set(request.map(|id| id.to_string())),
        created_at: Set(now),
        finished_at: Set(None),
    })
}
