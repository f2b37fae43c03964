//! The generations of a session's tokens: whether a token of the current generation has been presented.
//!
//! A browser that has presented a token of generation `g` has received it, so it never needs the refresh token of
//! `g - 1` again. Until then, that token gets the same successor, however long ago it was exchanged.

use portico_entity::session::{Column, Entity, Model};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, sea_query::Expr};

use super::SessionSettings;
use crate::platform::{
    app::App,
    clock::{MAX_CLOCK_ERROR, Time},
    error::Result,
};

/// Records that a token of the session's current generation was presented.
///
/// Writes nothing if that was recorded before, and nothing for generation 0, which has no predecessor. So the cost is
/// one write for each refresh.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(super) async fn record_use(app: &App, session: &Model) -> Result<()> {
    if session.generation == 0 || session.used_generation == Some(session.generation) {
        return Ok(());
    }
    let is_first =
        Condition::any().add(Column::UsedGeneration.is_null()).add(Column::UsedGeneration.ne(session.generation));
    Entity::update_many()
        .col_expr(Column::UsedGeneration, Expr::value(session.generation))
        .col_expr(Column::GenerationUsedAt, Expr::value(app.now()))
        .filter(Column::Id.eq(session.id))
        .filter(Column::Generation.eq(session.generation))
        .filter(is_first)
        .exec(app.db())
        .await?;
    Ok(())
}

/// Returns whether the refresh token of the previous generation still gets the successor that it got before: while no
/// token of the current generation has been presented, and for `PORTICO_REFRESH_GRACE` after that.
///
/// A use too far in the future was recorded by a process with a wrong clock. It must not lengthen the grace period.
pub(super) fn accepts_previous(app: &App, session: &Model, now: Time) -> bool {
    let used_at = session.generation_used_at.filter(|_| session.used_generation == Some(session.generation));
    let grace = app.section::<SessionSettings>().refresh_grace;
    let grace = chrono::TimeDelta::from_std(grace).unwrap_or(chrono::TimeDelta::MAX);
    used_at.is_none_or(|used_at| (-MAX_CLOCK_ERROR..grace).contains(&(now - used_at)))
}
