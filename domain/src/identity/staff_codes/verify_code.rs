//! Signs a staff user in with a code.

use portico_entity::{
    CodeFlowId, SessionId,
    code_flow::{self, Column},
    staff_user, tenant,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, sea_query::Expr};

use super::code::{MAX_MISSES, is_right};
use crate::{
    identity::sessions::{self, IssuedStaffSession},
    limits,
    platform::{
        actor::{Actor, Anonymous},
        app::App,
        audit,
        error::{Error, Result, ResultExt},
        rate_limit::{self, Reservation},
        secret::PlainToken,
    },
};

/// Checks the code that was mailed for `flow` and opens a staff session. The session `replaces`, if any, ends.
///
/// Records an audit event for a success and for a wrong code. A flow accepts five attempts; each is counted before
/// the code is checked.
///
/// # Errors
/// - `invalid_code` when the code is wrong, used or expired, when the flow is unknown or has no attempts left, or
///   when the staff user is disabled or the tenant is suspended. The error is the same for all of them.
/// - `too_many_requests` when the email address of the flow, or the known device at which the flow was started, has too
///   many wrong codes. The attempt does not count at the flow.
/// - `unavailable` or `internal` when the database fails.
pub async fn verify_code(
    app: &App,
    caller: &Anonymous,
    flow: CodeFlowId,
    code: &PlainToken,
    replaces: Option<SessionId>,
) -> Result<IssuedStaffSession> {
    match verify(app, caller, flow, code, replaces).await {
        Err(Error::Unauthenticated(error_code)) => {
            // The miss stays counted, so the request must not run again: it would be counted twice.
            record_failure(app, caller, flow).await.not_retryable()?;
            Err(Error::Unauthenticated(error_code))
        }
        result => result,
    }
}

/// Records a wrong code in the audit log.
async fn record_failure(app: &App, caller: &Anonymous, flow: CodeFlowId) -> Result<()> {
    let mut tx = app.begin().await?;
    let event = audit::Event::failed("staff_session.opened").target("code_flow", flow.0);
    audit::record(&mut tx, caller, event).await?;
    tx.commit().await
}

/// [`verify_code`] without the audit event for a wrong code.
async fn verify(
    app: &App,
    caller: &Anonymous,
    id: CodeFlowId,
    code: &PlainToken,
    replaces: Option<SessionId>,
) -> Result<IssuedStaffSession> {
    let found = code_flow::Entity::find_by_id(id).filter(is_live(app)).one(app.db()).await?;
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
        return Err(Error::INVALID_CODE);
    }
    let opened = open(app, caller, flow, replaces).await;
    if opened.is_ok() {
        // The session is committed, so a failed refund is ignored: the counter has one miss too many until it expires.
        let _ = miss.refund(app).await;
        return opened;
    }
    let failed = refund_if_transient(app, id, opened).await;
    miss.refund_if_transient(app, failed).await
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

/// Marks the code as used and opens the session, in one transaction.
async fn open(
    app: &App,
    caller: &Anonymous,
    flow: code_flow::Model,
    replaces: Option<SessionId>,
) -> Result<IssuedStaffSession> {
    let signer = sessions::signer(app).await?;
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    let used = code_flow::Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(app.now()))
        .filter(Column::Id.eq(flow.id))
        .filter(Column::UsedAt.is_null())
        // A resend since the code was checked has replaced the code.
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
    audit::record(&mut tx, Actor::staff_user(user.id, &caller.context), event).await?;
    tx.commit().await?;
    signer.issue_staff(app, session, user, tenant)
}
