//! The backlog of the whole installation: waiting jobs and mails, and the number of workers. For health and metrics.

use std::time::Duration;

use portico_entity::{
    background_job::{self, Column, Lane, State},
    email, mail_hold, worker,
};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QuerySelect};

use super::HealthCache;
use crate::platform::{
    app::App,
    clock::{MAX_CLOCK_ERROR, Time},
    error::Result,
    jobs::WORKER_TIMEOUT,
};

/// How old a cached backlog may be. Each process queries the database at most once in this time.
const CACHE_TTL: Duration = Duration::from_secs(3);

/// The jobs and mails of the whole installation that wait, and the number of workers.
#[derive(Clone, Debug)]
pub struct Backlog {
    /// The jobs of each lane, in the order of [`Lane::ALL`].
    pub lanes: [LaneBacklog; Lane::ALL.len()],
    /// The number of queued mails.
    pub mails: u64,
    /// The number of queued mails whose recipient or text was refused for now.
    pub deferred_mails: u64,
    /// The age of the oldest queued mail that is not deferred; zero if there is none.
    pub oldest_mail_age: Duration,
    /// The stages at which mail servers on hold have refused Portico. Empty if none is on hold.
    pub mail_holds: Vec<String>,
    /// The number of workers that have recorded a heartbeat in the last 30 seconds.
    pub workers: u64,
}

/// The jobs of one lane that wait.
#[derive(Clone, Debug)]
pub struct LaneBacklog {
    /// The lane.
    pub lane: Lane,
    /// The number of jobs that are due and not running.
    pub due: u64,
    /// How long the oldest due job has been due; zero if there is none.
    pub oldest_due_age: Duration,
    /// The number of dead jobs.
    pub dead: u64,
    /// The number of ids in the job queue; `None` if the queue cannot be reached.
    pub in_queue: Option<u64>,
}

/// Returns the current backlog, or a cached one that is less than 3 seconds old.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(super) async fn current(app: &App) -> Result<Backlog> {
    app.get::<HealthCache>().backlog.get_or_load(CACHE_TTL, || read(app)).await
}

async fn read(app: &App) -> Result<Backlog> {
    let now = app.now();
    let by_lane = |state: State| {
        background_job::Entity::find()
            .select_only()
            .column(Column::Lane)
            .column_as(Column::Id.count(), "jobs")
            .column_as(Column::RunAt.min(), "oldest")
            .filter(Column::State.eq(state))
            .group_by(Column::Lane)
    };
    let due = by_lane(State::Queued).filter(Column::RunAt.lte(now)).into_tuple::<(Lane, i64, Option<Time>)>();
    let due = due.all(app.db()).await?;
    let dead = by_lane(State::Dead).into_tuple::<(Lane, i64, Option<Time>)>().all(app.db()).await?;
    let mut in_queue = Vec::new();
    for lane in Lane::ALL {
        in_queue.push(app.queue().depth(lane.name()).await.ok());
    }
    let lanes = std::array::from_fn(|index| {
        let lane = Lane::ALL[index];
        let counts_of_lane = |rows: &[(Lane, i64, Option<Time>)]| {
            rows.iter()
                .find(|(row_lane, ..)| *row_lane == lane)
                .map_or((0, None), |(_, jobs, oldest)| (*jobs as u64, *oldest))
        };
        let (jobs, oldest) = counts_of_lane(&due);
        let (dead, _) = counts_of_lane(&dead);
        LaneBacklog { lane, due: jobs, oldest_due_age: age(now, oldest), dead, in_queue: in_queue[index] }
    });
    let queued = |is_deferred: bool| {
        let refusal = email::Column::Refusal;
        email::Entity::find()
            .select_only()
            .column_as(email::Column::Id.count(), "mails")
            .column_as(email::Column::CreatedAt.min(), "oldest")
            .filter(email::Column::Status.eq(email::Status::Queued))
            .filter(if is_deferred { refusal.is_not_null() } else { refusal.is_null() })
            .into_tuple::<(i64, Option<Time>)>()
    };
    let (deferred, _) = queued(true).one(app.db()).await?.unwrap_or_default();
    let (others, oldest_mail) = queued(false).one(app.db()).await?.unwrap_or_default();
    let holds = mail_hold::Entity::find().all(app.db()).await?;
    // A heartbeat too far ahead was recorded by a wrong clock, and says nothing about now.
    let is_seen = worker::Column::SeenAt.gt(now - WORKER_TIMEOUT).and(worker::Column::SeenAt.lt(now + MAX_CLOCK_ERROR));
    let workers = worker::Entity::find().filter(is_seen).count(app.db());
    Ok(Backlog {
        lanes,
        mails: (deferred + others) as u64,
        deferred_mails: deferred as u64,
        oldest_mail_age: age(now, oldest_mail),
        mail_holds: holds.into_iter().map(|hold| hold.stage).collect(),
        workers: workers.await?,
    })
}

/// Returns the time from `oldest` to `now`; zero if `oldest` is `None` or later than `now`.
fn age(now: Time, oldest: Option<Time>) -> Duration {
    oldest.and_then(|oldest| (now - oldest).to_std().ok()).unwrap_or_default()
}
