//! Step-up: a signed-in staff user proves their identity again with a code.

use portico_entity::{CodeFlowId, code_flow};

use super::attempt;
use crate::{
    identity::sessions::{self, IssuedStaffSession},
    platform::{
        actor::StaffUser,
        app::App,
        audit,
        error::{Error, Result, ResultExt},
        secret::PlainToken,
    },
};

/// Checks the code that was mailed for `flow`, and makes the caller's session fresh: its `auth_time` becomes now. The
/// session stays the same one and gets new tokens.
///
/// The flow must be one of the caller's own address. Any other flow is treated as one that does not exist, and its
/// attempts are not used up. Records an audit event for a success and for a wrong code.
///
/// # Errors
/// - `invalid_code` when the code is wrong, used or expired, or when the flow is unknown, belongs to another address or
///   has no attempts left. The error is the same for all of them.
/// - `too_many_requests` when the address of the flow, or its known device, has too many wrong codes.
/// - `session_revoked` when the caller's session has ended at the same time.
/// - `unavailable` or `internal` when the database fails.
pub async fn step_up(app: &App, caller: &StaffUser, flow: CodeFlowId, code: &PlainToken) -> Result<IssuedStaffSession> {
    let is_own = |flow: &code_flow::Model| flow.email == caller.user.email;
    match attempt::with_right_code(app, flow, code, is_own, |flow| elevate(app, caller, flow)).await {
        Err(Error::Unauthenticated("invalid_code")) => {
            // The miss stays counted, so the request must not run again: it would be counted twice.
            record_failure(app, caller, flow).await.not_retryable()?;
            Err(Error::INVALID_CODE)
        }
        result => result,
    }
}

/// Records a wrong code in the audit log of the caller's tenant.
async fn record_failure(app: &App, caller: &StaffUser, flow: CodeFlowId) -> Result<()> {
    let mut tx = app.begin().await?;
    let event = audit::Event::failed("staff_session.stepped_up").target("code_flow", flow.0).tenant(caller.tenant.id);
    audit::record(&mut tx, caller, event).await?;
    tx.commit().await
}

/// Marks the code as used and makes the session fresh, in one transaction.
async fn elevate(app: &App, caller: &StaffUser, flow: code_flow::Model) -> Result<IssuedStaffSession> {
    let signer = sessions::signer(app).await?;
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    let is_of_caller = flow.staff_user_id == Some(caller.user.id);
    if !is_of_caller || !attempt::use_code(&tx, &flow).await? {
        return Err(Error::INVALID_CODE);
    }
    let session = sessions::prove_again(&mut tx, &caller.session).await?.ok_or(Error::SESSION_REVOKED)?;
    let event = audit::Event::new("staff_session.stepped_up").target("session", session.id.0).tenant(caller.tenant.id);
    audit::record(&mut tx, caller, event).await?;
    tx.commit().await?;
    signer.issue_staff(app, session, caller.user.clone(), caller.tenant.clone())
}
