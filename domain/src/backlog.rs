//! What the whole installation has waiting, and who is there to do it: for health and metrics.

use std::time::Duration;

use portico_entity::{
    background_job::{self, Column, Lane, State},
    email, worker,
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect};

use crate::{
    app::App,
    clock::Time,
    error::Result,
    jobs::{LANES, WORKER_TIMEOUT, lane_name},
};

/// How old an answer may be. Each process asks at most this often, however many ask it.
const CACHE_TTL: Duration = Duration::from_secs(3);

/// What waits.
#[derive(Clone, Debug)]
pub struct Backlog {
    /// Of each lane.
    pub lanes: [LaneBacklog; LANES.len()],
    /// Mails that are neither sent nor given up.
    pub mails: u64,
    /// How long the oldest of them has waited; zero when there is none.
    pub oldest_mail: Duration,
    /// Workers that gave a sign of life lately.
    pub workers: u64,
}

/// What waits in a lane.
#[derive(Clone, Debug)]
pub struct LaneBacklog {
    /// Which lane.
    pub lane: Lane,
    /// Jobs that are due and not running.
    pub due: u64,
    /// How long the oldest of them has been due; zero when there is none.
    pub oldest: Duration,
    /// Jobs that were given up.
    pub dead: u64,
    /// Ids on the wire; none while it cannot be reached.
    pub in_queue: Option<u64>,
}

/// Looks, or remembers a look of a few seconds ago.
///
/// # Errors
/// When the database fails.
pub async fn current(app: &App) -> Result<Backlog> {
    app.backlog().get_or_load(CACHE_TTL, || read(app)).await
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
    for lane in LANES {
        in_queue.push(app.queue().depth(lane_name(lane)).await.ok());
    }
    let lanes = std::array::from_fn(|index| {
        let lane = LANES[index];
        let of = |rows: &[(Lane, i64, Option<Time>)]| {
            rows.iter().find(|(of, ..)| *of == lane).map_or((0, None), |(_, jobs, oldest)| (*jobs as u64, *oldest))
        };
        let (jobs, oldest) = of(&due);
        LaneBacklog { lane, due: jobs, oldest: age(now, oldest), dead: of(&dead).0, in_queue: in_queue[index] }
    });
    let (mails, oldest_mail) = email::Entity::find()
        .select_only()
        .column_as(email::Column::Id.count(), "mails")
        .column_as(email::Column::CreatedAt.min(), "oldest")
        .filter(email::Column::Status.eq(email::Status::Queued))
        .into_tuple::<(i64, Option<Time>)>()
        .one(app.db())
        .await?
        .unwrap_or_default();
    let workers = worker::Entity::find().filter(worker::Column::SeenAt.gt(now - WORKER_TIMEOUT)).count(app.db());
    Ok(Backlog { lanes, mails: mails as u64, oldest_mail: age(now, oldest_mail), workers: workers.await? })
}

fn age(now: Time, oldest: Option<Time>) -> Duration {
    oldest.and_then(|oldest| (now - oldest).to_std().ok()).unwrap_or_default()
}
