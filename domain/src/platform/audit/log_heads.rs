//! Logging the heads of chains, so that operators have them where an attacker with the database cannot change them.

use chrono::TimeDelta;
use portico_entity::audit_chain::{Column, Entity};
use sea_orm::{ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, sea_query::Expr};
use tracing::info;

use super::chain::{self, ChainHead};
use crate::platform::{app::App, clock::MAX_CLOCK_ERROR, error::Result};

/// The shortest time between two log messages with the head of one chain.
const LOG_INTERVAL: TimeDelta = TimeDelta::hours(1);

/// Logs the head of each chain that has changed since it was logged, at most once an hour for each chain over all
/// processes. The first head of a chain is logged at once.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(super) async fn log_heads(app: &App) -> Result<()> {
    let now = app.now();
    let is_due = Condition::any()
        .add(Column::LoggedAt.is_null())
        .add(Column::LoggedAt.lte(now - LOG_INTERVAL))
        // A time too far ahead was recorded by a wrong clock.
        .add(Column::LoggedAt.gt(now + MAX_CLOCK_ERROR));
    let changed = Expr::col(Column::Sequence).ne(Expr::col(Column::LoggedSequence));
    let due = Entity::find().filter(is_due.clone()).filter(changed.clone()).all(app.db()).await?;
    for chain in due {
        let logged = Entity::update_many()
            .col_expr(Column::LoggedSequence, Expr::value(chain.sequence))
            .col_expr(Column::LoggedAt, Expr::value(now))
            .filter(Column::Id.eq(chain.id))
            .filter(is_due.clone())
            .exec(app.db())
            .await?;
        let Some(mac) = chain.mac.filter(|_| logged.rows_affected == 1) else { continue };
        let (tenant, head) = (chain::name_of(app, chain.id).await?, ChainHead { sequence: chain.sequence, mac });
        info!(tenant, %head, "head of the audit log");
    }
    Ok(())
}
