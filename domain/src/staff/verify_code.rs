//! Staff sign in by the code.

use portico_entity::{
    CodeFlowId, SessionId,
    code_flow::{self, Column},
    staff_user, tenant,
};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, sea_query::Expr};

use super::code::{MAX_MISSES, is_right};
use crate::{
    actor::{Actor, Anonymous},
    app::App,
    audit,
    error::{Error, Result},
    rate_limit::{self, Limit},
    secret::PlainToken,
    sessions::{self, IssuedStaffSession},
    tx,
};

/// Opens a staff session by the code that was mailed for `flow`.
///
/// # Errors
/// `invalid_code` for wrong, used, dead and unknown, all alike; `too_many_requests`.
pub async fn verify_code(
    app: &App,
    caller: &Anonymous,
    flow: CodeFlowId,
    code: &PlainToken,
    replaces: Option<SessionId>,
) -> Result<IssuedStaffSession> {
    match verify(app, caller, flow, code, replaces).await {
        Err(Error::Unauthenticated(why)) => {
            let mut tx = app.begin().await?;
            let event = audit::Event::failed("staff_session.opened").target("code_flow", flow.0);
            audit::record(&mut tx, caller, event).await?;
            tx.commit().await?;
            Err(Error::Unauthenticated(why))
        }
        verified => verified,
    }
}

async fn verify(
    app: &App,
    caller: &Anonymous,
    id: CodeFlowId,
    code: &PlainToken,
    replaces: Option<SessionId>,
) -> Result<IssuedStaffSession> {
    // Counted first, in one conditional UPDATE: however many try at once, five tries are five.
    let counted = code_flow::Entity::update_many()
        .col_expr(Column::Misses, Expr::col(Column::Misses).add(1))
        .filter(Column::Id.eq(id))
        .filter(Column::Misses.lt(MAX_MISSES))
        .filter(Column::UsedAt.is_null())
        .filter(Column::ExpiresAt.gt(app.now()))
        .exec_with_returning(app.db())
        .await?;
    let live = counted.into_iter().next();
    // A miss at a dead flow guesses nothing, so it must not use up what the address may miss.
    let subject = live.as_ref().map_or_else(|| id.to_string(), |flow| flow.email.clone());
    let miss = match rate_limit::reserve(app, Limit::CodeMisses, &[&subject]).await {
        Ok(miss) => miss,
        // Where no miss was counted, the flow being dead, none may be taken back.
        Err(error) if live.is_none() => return Err(error),
        Err(error) => return refund_if_transient(app, id, Err(error)).await,
    };
    let Some(flow) = live.filter(|flow| is_right(app, flow, code)) else {
        // The miss stays counted: run again, it would count twice.
        tx::mark_not_retryable();
        return Err(Error::INVALID_CODE);
    };
    let opened = open(app, caller, flow, replaces).await;
    if opened.is_ok() {
        // The session is there, whatever becomes of this; a miss too many is forgotten in time.
        let _ = miss.refund(app).await;
        return opened;
    }
    let failed = refund_if_transient(app, id, opened).await;
    miss.refund_if_transient(app, failed).await
}

/// Takes the miss at this flow back if it could not even be tried, and returns how it ended. If the database is still in
/// trouble, the try is lost.
async fn refund_if_transient<T>(app: &App, flow: CodeFlowId, done: Result<T>) -> Result<T> {
    if done.as_ref().is_err_and(Error::is_transient) {
        let _ = refund_miss(app, flow).await;
    }
    done
}

async fn refund_miss(app: &App, flow: CodeFlowId) -> Result<()> {
    code_flow::Entity::update_many()
        .col_expr(Column::Misses, Expr::col(Column::Misses).sub(1))
        .filter(Column::Id.eq(flow))
        .filter(Column::Misses.gt(0))
        .exec(app.db())
        .await?;
    Ok(())
}

/// Spends the code and opens the session.
async fn open(
    app: &App,
    caller: &Anonymous,
    flow: code_flow::Model,
    replaces: Option<SessionId>,
) -> Result<IssuedStaffSession> {
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    let used = code_flow::Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(app.now()))
        .filter(Column::Id.eq(flow.id))
        .filter(Column::UsedAt.is_null())
        // A resend in between has killed this code.
        .filter(Column::CodeHash.eq(flow.code_hash.clone()))
        .exec(tx.db())
        .await?;
    let user = match flow.staff_user_id {
        Some(id) if used.rows_affected == 1 => {
            staff_user::Entity::find_by_id(id).find_also_related(tenant::Entity).one(tx.db()).await?
        }
        _ => None,
    };
    let Some((user, Some(tenant))) = user else { return Err(Error::INVALID_CODE) };
    if user.disabled_at.is_some() || tenant.status == tenant::Status::Suspended {
        return Err(Error::INVALID_CODE);
    }
    sessions::end_replaced(&mut tx, replaces).await?;
    let session = sessions::open_staff(&mut tx, &user, &caller.context).await?;
    let event = audit::Event::new("staff_session.opened").target("session", session.id.0).tenant(tenant.id);
    audit::record(&mut tx, Actor::staff_user(&user, &caller.context), event).await?;
    tx.commit().await?;
    sessions::issue_staff(app, session, user, tenant).await
}
