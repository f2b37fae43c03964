//! An attempt to use a code. Each attempt is counted before the code is checked.

use portico_entity::{
    CodeFlowId,
    code_flow::{self, Column},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, sea_query::Expr};
use tracing::warn;

use super::code::{MAX_MISSES, is_master_code, is_right};
use crate::{
    limits,
    platform::{
        actor::Actor,
        app::App,
        audit,
        error::{Error, Result},
        rate_limit::{self, Reservation},
        secret::PlainToken,
        tx::Tx,
    },
};

/// Counts an attempt at the flow `id`, checks the code, and returns what `accept` returns for the flow of a right code.
/// `accept` marks the code as used.
///
/// A flow that `may_use` refuses is treated as one that does not exist: the attempt is counted, but not at that flow.
///
/// # Errors
/// - `invalid_code` when the code is wrong, used or expired, or when the flow is unknown, is refused or has no attempts
///   left.
/// - `too_many_requests` when the email address of the flow, or the known device at which the flow was started, has too
///   many wrong codes. The attempt does not count at the flow.
/// - The errors of `accept`.
/// - `unavailable` or `internal` when the database fails.
pub(crate) async fn with_right_code<T, F: Future<Output = Result<T>>>(
    app: &App,
    id: CodeFlowId,
    code: &PlainToken,
    may_use: impl Fn(&code_flow::Model) -> bool,
    accept: impl FnOnce(code_flow::Model) -> F,
) -> Result<T> {
    let found = code_flow::Entity::find_by_id(id).filter(is_live(app)).one(app.db()).await?.filter(may_use);
    let miss = reserve_miss(app, id, found.as_ref()).await?;
    if found.is_none() {
        return Err(Error::INVALID_CODE);
    }
    let flow = match count_attempt(app, id).await {
        Ok(Some(flow)) => flow,
        Ok(None) => {
            // Another attempt has ended the flow since it was read, so this one guessed nothing.
            miss.refund(app).await?;
            return Err(Error::INVALID_CODE);
        }
        Err(error) => return miss.refund_if_transient(app, Err(error)).await,
    };
    if !is_right(app, &flow, code) {
        if !is_master_code(app, &flow, code) {
            return Err(Error::INVALID_CODE);
        }
        record_master_code(app, id).await?;
    }
    let accepted = accept(flow).await;
    if accepted.is_ok() {
        // What was accepted is committed, so a failed refund is ignored: the counter has one miss too many until it
        // expires.
        let _ = miss.refund(app).await;
        return accepted;
    }
    let failed = refund_if_transient(app, id, accepted).await;
    miss.refund_if_transient(app, failed).await
}

/// Records the use of the master code of development.
async fn record_master_code(app: &App, id: CodeFlowId) -> Result<()> {
    let mut tx = app.begin().await?;
    let event = audit::Event::new("master_code.used").target("code_flow", id.0);
    audit::record(&mut tx, Actor::SYSTEM, event).await?;
    tx.commit().await?;
    warn!(flow = %id, "PORTICO_MASTER_CODE was accepted in place of a mailed code");
    Ok(())
}

/// Marks the code of the flow as used. Returns whether it could still be used.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(crate) async fn use_code(tx: &Tx, flow: &code_flow::Model) -> Result<bool> {
    let used = code_flow::Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(tx.app().now()))
        .filter(Column::Id.eq(flow.id))
        .filter(Column::UsedAt.is_null())
        // A resend since the code was checked has replaced the code.
        .filter(Column::CodeHash.eq(flow.code_hash.clone()))
        .exec(tx.db())
        .await?;
    Ok(used.rows_affected == 1)
}

/// The condition for a flow whose code can be tried.
fn is_live(app: &App) -> Condition {
    Condition::all().add(Column::Misses.lt(MAX_MISSES)).add(Column::UsedAt.is_null()).add(super::not_expired(app))
}

/// Counts a miss for the email address of `flow`, or at a known device for that device alone, so that the misses of
/// others cannot refuse its owner.
///
/// `None` means that the flow `id` is not live. An attempt at it guesses nothing, so it must not use up the limit of an
/// email address. It is counted for the id.
///
/// # Errors
/// - `too_many_requests` when there were too many misses. The attempt is then not counted at the flow either.
/// - `unavailable` or `internal` when the database fails.
async fn reserve_miss(app: &App, id: CodeFlowId, flow: Option<&code_flow::Model>) -> Result<Reservation> {
    match flow {
        Some(flow) => {
            let device = flow.device.as_deref().unwrap_or_default();
            rate_limit::reserve(app, &limits::CODE_MISSES, &[&flow.email, device]).await
        }
        None => rate_limit::reserve(app, &limits::CODE_MISSES, &[&id.to_string()]).await,
    }
}

/// Counts an attempt at the flow `id` and returns the flow, or `None` if it is not live.
///
/// One conditional UPDATE does this before the code is checked, so concurrent attempts cannot exceed the limit of five.
async fn count_attempt(app: &App, id: CodeFlowId) -> Result<Option<code_flow::Model>> {
    let counted = code_flow::Entity::update_many()
        .col_expr(Column::Misses, Expr::col(Column::Misses).add(1))
        .filter(Column::Id.eq(id))
        .filter(is_live(app))
        .exec_with_returning(app.db())
        .await?;
    Ok(counted.into_iter().next())
}

/// Refunds the miss at this flow if `result` is a transient error, and returns `result`. If the refund fails too, the
/// attempt stays counted.
async fn refund_if_transient<T>(app: &App, flow: CodeFlowId, result: Result<T>) -> Result<T> {
    if result.as_ref().is_err_and(Error::is_transient) {
        let _ = refund_miss(app, flow).await;
    }
    result
}

/// Subtracts one miss from the flow.
async fn refund_miss(app: &App, flow: CodeFlowId) -> Result<()> {
    code_flow::Entity::update_many()
        .col_expr(Column::Misses, Expr::col(Column::Misses).sub(1))
        .filter(Column::Id.eq(flow))
        .filter(Column::Misses.gt(0))
        .exec(app.db())
        .await?;
    Ok(())
}
