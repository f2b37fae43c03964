//! How long a claimed job stays with its worker.

use portico_entity::{
    JobId,
    background_job::{self, Column, State},
};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, QueryFilter, UpdateMany,
    sea_query::{Expr, SimpleExpr},
};
use uuid::Uuid;

use super::{Worker, by_ids_in_state};
use crate::{app::App, clock::Time, error::Result};

/// Renews the leases of all jobs that `worker` runs. To be called well within the lease.
///
/// # Errors
/// When the database fails.
pub async fn renew(app: &App, worker: &Worker) -> Result<()> {
    let running: Vec<JobId> = worker.running().iter().copied().collect();
    if !running.is_empty() {
        let renewal = owned(worker.id).col_expr(Column::LeaseUntil, Expr::value(end(app)));
        renewal.filter(by_ids_in_state(running, State::Running)).exec(app.db()).await?;
    }
    Ok(())
}

/// Gives back every job that `worker` still holds, to be run by others at once. For a worker that stops.
///
/// # Errors
/// When the database fails; then the leases run out by themselves.
pub async fn release(app: &App, worker: &Worker) -> Result<()> {
    let all = owned(worker.id).filter(Column::State.eq(State::Running));
    requeued(all, app.now(), Expr::col(Column::Attempts).sub(1)).exec(app.db()).await?;
    Ok(())
}

/// When the lease of a job that is claimed or renewed now ends.
pub(super) fn end(app: &App) -> Time {
    app.now() + app.settings().jobs.lease
}

/// Those of a worker's; it holds those that are running.
pub(super) fn owned(worker: Uuid) -> UpdateMany<background_job::Entity> {
    background_job::Entity::update_many().filter(Column::LeaseOwner.eq(worker))
}

/// Lets them wait until `run_at`, in nobody's hands and not on the wire.
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
