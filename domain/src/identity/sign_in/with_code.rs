//! Signs a user in with a mailed code.

use portico_entity::{
    ClientId, CodeFlowId, Realm, SessionId,
    code_flow::{self, Purpose},
    session::Method,
};

use super::{
    PortalEntry, SignInOutcome, enter_portal,
    portal::SecondFactor,
    staff::{self, StaffEntry},
};
use crate::{
    identity::{
        mailed_codes,
        sessions::{self, IssuedSession, IssuedStaffSession},
    },
    platform::{
        actor::Anonymous,
        app::App,
        audit,
        error::{Error, Result, ResultExt},
        secret::PlainToken,
    },
};

/// The input of [`verify_code`].
pub struct CodeInput {
    /// The flow that the code was mailed for.
    pub flow: CodeFlowId,
    /// The code.
    pub code: PlainToken,
    /// The client to act for. `None` selects the client that the portal user used last.
    pub client: Option<ClientId>,
    /// The session that the browser already has. It ends when the session is opened.
    pub replaces: Option<SessionId>,
}

/// Checks the code that was mailed to a portal user, and opens a session or issues a challenge.
///
/// Records an audit event for a success and for a wrong code. A flow accepts five attempts; each is counted before the
/// code is checked.
///
/// # Errors
/// - `invalid_code` when the code is wrong, used or expired, when the flow is unknown or has no attempts left, when
///   the portal user is disabled or not a member of `client`, or when the tenant does not allow codes. The error is
///   the same for all of them.
/// - `client_suspended` when the code is right but the client, or every client of the portal user, is archived or
///   belongs to a suspended tenant.
/// - `too_many_requests` when the email address of the flow, or the known device at which the flow was started, has too
///   many wrong codes. The attempt does not count at the flow.
/// - `unavailable` or `internal` when the database fails.
pub async fn verify_code(app: &App, caller: &Anonymous, input: CodeInput) -> Result<SignInOutcome<IssuedSession>> {
    let accept = |flow| enter(app, caller, flow, &input);
    let may_use = |flow: &code_flow::Model| is_sign_in(flow, Realm::Portal);
    let entered = mailed_codes::with_right_code(app, input.flow, &input.code, may_use, accept).await;
    or_record_failure(app, caller, input.flow, "session.opened", entered).await
}

/// Checks the code that was mailed to a staff user, and opens a session or issues a challenge. The session `replaces`,
/// if any, ends when the session is opened.
///
/// Records an audit event for a success and for a wrong code. A flow accepts five attempts; each is counted before the
/// code is checked.
///
/// # Errors
/// - `invalid_code` when the code is wrong, used or expired, when the flow is unknown or has no attempts left, or
///   when the staff user is disabled or the tenant is suspended. The error is the same for all of them.
/// - `too_many_requests` when the email address of the flow, or the known device at which the flow was started, has too
///   many wrong codes. The attempt does not count at the flow.
/// - `unavailable` or `internal` when the database fails.
pub async fn verify_staff_code(
    app: &App,
    caller: &Anonymous,
    flow: CodeFlowId,
    code: &PlainToken,
    replaces: Option<SessionId>,
) -> Result<SignInOutcome<IssuedStaffSession>> {
    let accept = |flow| enter_staff(app, caller, flow, replaces);
    let may_use = |flow: &code_flow::Model| is_sign_in(flow, Realm::Staff);
    let entered = mailed_codes::with_right_code(app, flow, code, may_use, accept).await;
    or_record_failure(app, caller, flow, "staff_session.opened", entered).await
}

fn is_sign_in(flow: &code_flow::Model, realm: Realm) -> bool {
    flow.realm == realm && flow.purpose == Purpose::SignIn
}

/// Returns `entered`. A wrong code is recorded in the audit log as a failed `action`.
async fn or_record_failure<T>(
    app: &App,
    caller: &Anonymous,
    flow: CodeFlowId,
    action: &'static str,
    entered: Result<T>,
) -> Result<T> {
    if let Err(Error::Unauthenticated(_)) = entered {
        // The miss stays counted, so the request must not run again: it would be counted twice.
        record_failure(app, caller, flow, action).await.not_retryable()?;
    }
    entered
}

async fn record_failure(app: &App, caller: &Anonymous, flow: CodeFlowId, action: &'static str) -> Result<()> {
    let mut tx = app.begin().await?;
    audit::record(&mut tx, caller, audit::Event::failed(action).target("code_flow", flow.0)).await?;
    tx.commit().await
}

/// Marks the code as used and opens the session of a portal user, in one transaction.
async fn enter(
    app: &App,
    caller: &Anonymous,
    flow: code_flow::Model,
    input: &CodeInput,
) -> Result<SignInOutcome<IssuedSession>> {
    let signer = sessions::signer(app).await?;
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    let user = flow.portal_user_id.ok_or(Error::INVALID_CODE)?;
    let entry = PortalEntry {
        context: &caller.context,
        user,
        versions: None,
        method: Method::Code,
        passkey: None,
        client: input.client,
        invitation: None,
        replaces: input.replaces,
        is_activation: false,
    };
    let outcome = enter_portal(&mut tx, &entry).await.map_err(as_wrong_code)?;
    if !mailed_codes::use_code(&tx, &flow).await? {
        return Err(Error::INVALID_CODE);
    }
    tx.commit().await?;
    outcome.issue(|opened| signer.issue_portal(app, opened.session, opened.user, opened.active))
}

/// Marks the code as used and opens the session of a staff user, in one transaction.
async fn enter_staff(
    app: &App,
    caller: &Anonymous,
    flow: code_flow::Model,
    replaces: Option<SessionId>,
) -> Result<SignInOutcome<IssuedStaffSession>> {
    let signer = sessions::signer(app).await?;
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    let user = flow.staff_user_id.ok_or(Error::INVALID_CODE)?;
    let entry =
        StaffEntry { context: &caller.context, user, versions: None, method: Method::Code, passkey: None, replaces };
    let outcome = staff::enter(&mut tx, &entry, SecondFactor::Open).await.map_err(as_wrong_code)?;
    if !mailed_codes::use_code(&tx, &flow).await? {
        return Err(Error::INVALID_CODE);
    }
    tx.commit().await?;
    outcome.issue(|opened| signer.issue_staff(app, opened.session, opened.user, opened.tenant))
}

/// A user who cannot sign in here is refused like one with a wrong code.
fn as_wrong_code(error: Error) -> Error {
    match error {
        Error::Unauthenticated(_) => Error::INVALID_CODE,
        error => error,
    }
}
