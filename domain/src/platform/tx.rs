//! Transactions that can also enqueue jobs.

use portico_entity::{
    JobId,
    background_job::{self, Lane, State},
};
use sea_orm::{ActiveValue::Set, EntityTrait};
use uuid::Uuid;

use super::{
    app::App,
    database::Transaction,
    error::{Error, Result, ResultExt},
    job::Job,
    job_type::JobTypes,
};

/// A database transaction whose jobs are committed with it. It is rolled back if it is dropped without
/// [`commit`](Tx::commit).
///
/// There is no other way to enqueue a job, so no job exists without the change that caused it, and no change without
/// its job.
///
/// The commit is the last statement of a use case. What follows it must not return [`Error::Aborted`], because the
/// request would run again.
///
/// ```no_run
/// # use portico_domain::platform::{app::App, error::Result, jobs::Canary};
/// # async fn example(app: &App) -> Result<()> {
/// let mut tx = app.begin().await?;
/// // Statements run on `tx.db()`.
/// tx.enqueue(Canary {}).await?;
/// tx.commit().await
/// # }
/// ```
pub struct Tx {
    app: App,
    inner: Transaction,
    jobs: Vec<(Lane, JobId)>,
    request_id: Option<Uuid>,
    /// What counts in the metrics when the transaction is committed.
    counts: Vec<Box<dyn FnOnce() + Send + Sync>>,
}

impl Tx {
    /// Returns a transaction without jobs around `inner`.
    pub(super) fn new(app: App, inner: Transaction) -> Self {
        Self { app, inner, jobs: Vec::new(), request_id: None, counts: Vec::new() }
    }

    /// Returns the connection to run statements on.
    pub fn db(&self) -> &Transaction {
        &self.inner
    }

    /// Returns the app that began the transaction.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Sets the id of the request that causes the jobs of this transaction.
    pub fn caused_by(mut self, request_id: Uuid) -> Self {
        self.request_id = Some(request_id);
        self
    }

    /// Returns the id of the request that causes the jobs.
    pub(crate) fn request_id(&self) -> Option<Uuid> {
        self.request_id
    }

    /// Runs `count`, which changes a metric, after the commit. It does not run if the transaction is rolled back.
    pub(crate) fn count_on_commit(&mut self, count: impl FnOnce() + Send + Sync + 'static) {
        self.counts.push(Box::new(count));
    }

    /// Enqueues `job` in the lane of its type. It can run once this transaction is committed.
    ///
    /// # Errors
    /// - `unavailable`, `internal` or [`Error::Aborted`]: the database failed.
    /// - `internal`: [`registry`](crate::registry) does not list the job, or the job cannot be serialized.
    pub async fn enqueue<J: Job>(&mut self, job: J) -> Result<()> {
        self.enqueue_in_lane(J::LANE, [job]).await?;
        Ok(())
    }

    /// Enqueues `jobs`, at most about 2,000, in `lane` with one statement. Returns their ids in the same order.
    ///
    /// # Errors
    /// - `unavailable`, `internal` or [`Error::Aborted`]: the database failed.
    /// - `internal`: [`registry`](crate::registry) does not list the job, or the job cannot be serialized.
    pub async fn enqueue_in_lane<J: Job>(
        &mut self,
        lane: Lane,
        jobs: impl IntoIterator<Item = J>,
    ) -> Result<Vec<JobId>> {
        let request = self.request_id;
        self.enqueue_with_requests(jobs.into_iter().map(|job| (lane, job, request))).await
    }

    /// Enqueues jobs, at most about 2,000, with one statement, each in its lane and with the id of the request that
    /// caused it. Returns their ids in the same order.
    ///
    /// # Errors
    /// - `unavailable`, `internal` or [`Error::Aborted`]: the database failed.
    /// - `internal`: [`registry`](crate::registry) does not list the job, or the job cannot be serialized.
    pub async fn enqueue_with_requests<J: Job>(
        &mut self,
        jobs: impl IntoIterator<Item = (Lane, J, Option<Uuid>)>,
    ) -> Result<Vec<JobId>> {
        if !self.app.get::<JobTypes>().has(J::NAME) {
            return Err(Error::Internal(format!("registry.rs does not list the job {}", J::NAME)));
        }
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

    /// Commits, then hands the jobs to the task that pushes them to the queue. Never waits for the queue.
    ///
    /// # Errors
    /// `unavailable` if the database fails. Never [`Error::Aborted`]: if the connection is lost during the commit, the
    /// transaction may have been committed, so the request must not run again.
    pub async fn commit(self) -> Result<()> {
        self.inner.commit().await.not_retryable()?;
        for count in self.counts {
            count();
        }
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
