//! Leases: how long a claimed job belongs to its worker.

use portico_entity::{
    JobId,
    background_job::{self, Column, State},
};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, QueryFilter, UpdateMany,
    sea_query::{Expr, SimpleExpr},
};
use uuid::Uuid;

use super::{JobSettings, Worker};
use crate::platform::{app::App, clock::Time, error::Result, job::by_ids_in_state};

/// Renews the leases of all jobs that `worker` is running. Must be called several times within the duration of a lease.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub async fn renew(app: &App, worker: &Worker) -> Result<()> {
    let running: Vec<JobId> = worker.running().iter().copied().collect();
    if !running.is_empty() {
        let renewal = owned(worker.id).col_expr(Column::LeaseUntil, Expr::value(end(app)));
        renewal.filter(by_ids_in_state(running, State::Running)).exec(app.db()).await?;
    }
    Ok(())
}

/// Queues every job that `worker` still holds, due immediately, so that other workers can run it. The interrupted
/// attempt does not count. Called by a worker that stops.
///
/// # Errors
/// `unavailable` or `internal` if the database fails. The jobs then run again when their leases expire.
pub async fn release(app: &App, worker: &Worker) -> Result<()> {
    let all = owned(worker.id).filter(Column::State.eq(State::Running));
    requeued(all, app.now(), Expr::col(Column::Attempts).sub(1)).exec(app.db()).await?;
    Ok(())
}

/// Returns when a lease that is granted or renewed now expires.
pub(super) fn end(app: &App) -> Time {
    app.now() + app.section::<JobSettings>().lease
}

/// Returns an update of the jobs whose lease owner is `worker`. Completed jobs keep their lease owner, so the caller
/// must also filter by state.
pub(super) fn owned(worker: Uuid) -> UpdateMany<background_job::Entity> {
    background_job::Entity::update_many().filter(Column::LeaseOwner.eq(worker))
}

/// Adds to `update` that the jobs are queued, due at `run_at`, with this number of `attempts`, without a lease, and not
/// yet pushed to the job queue.
pub(super) fn requeued(
    update: UpdateMany<background_job::Entity>,
    run_at: Time,
    attempts: SimpleExpr,
) -> UpdateMany<background_job::Entity> {
    update
        .col_expr(Column::State, Expr::value(State::Queued))
        .col_expr(Column::RunAt, Expr::value(run_at))
        .col_expr(Column::Attempts, attempts)
        .col_expr(Column::PushedAt, Expr::value(None::<Time>))
        .col_expr(Column::LeaseOwner, Expr::value(None::<Uuid>))
        .col_expr(Column::LeaseUntil, Expr::value(None::<Time>))
}
