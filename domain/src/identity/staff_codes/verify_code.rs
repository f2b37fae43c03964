//! Signs a staff user in with a code.

use portico_entity::{CodeFlowId, SessionId, StaffUserId, code_flow, staff_user, tenant};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use super::attempt;
use crate::{
    identity::sessions::{self, IssuedStaffSession},
    platform::{
        actor::{Actor, Anonymous},
        app::App,
        audit,
        error::{Error, Result, ResultExt},
        secret::PlainToken,
        tx::Tx,
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
    attempt::with_right_code(app, id, code, |_| true, |flow| open(app, caller, flow, replaces)).await
}

/// Sets `last_sign_in_at` of the staff user, whose row it locks. Returns whether the staff user is neither disabled nor
/// removed.
async fn record_sign_in(tx: &Tx, user: StaffUserId) -> Result<bool> {
    let recorded = staff_user::Entity::update_many()
        .col_expr(staff_user::Column::LastSignInAt, Expr::value(tx.app().now()))
        .filter(staff_user::Column::Id.eq(user))
        .filter(staff_user::Column::DisabledAt.is_null())
        .exec(tx.db())
        .await?;
    Ok(recorded.rows_affected == 1)
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
    let is_used = attempt::use_code(&tx, &flow).await?;
    let user = match flow.staff_user_id {
        Some(id) if is_used => {
            staff_user::Entity::find_by_id(id).find_also_related(tenant::Entity).one(tx.db()).await?
        }
        _ => None,
    };
    let Some((user, Some(tenant))) = user else { return Err(Error::INVALID_CODE) };
    let is_open = tenant.status == tenant::Status::Active;
    if !is_open || !record_sign_in(&tx, user.id).await? {
        return Err(Error::INVALID_CODE);
    }
    sessions::end_replaced(&mut tx, replaces).await?;
    let session = sessions::open_staff(&mut tx, &user, &caller.context).await?;
    let event = audit::Event::new("staff_session.opened").target("session", session.id.0).tenant(tenant.id);
    audit::record(&mut tx, Actor::staff_user(&user, &caller.context), event).await?;
    tx.commit().await?;
    signer.issue_staff(app, session, user, tenant)
}
