//! Signs a user in with a passkey alone. It proves two factors: the user has the device, and the device has verified
//! the user.

use portico_entity::{ClientId, Realm, SessionId, UserId, ceremony::CeremonyKind, session::Factor, session::Method};

use super::{
    PortalEntry, SignInOutcome, enter_portal,
    portal::SecondFactor,
    staff::{self, StaffEntry},
};
use crate::{
    identity::{
        mfa,
        passkeys::{self, Bound, Occasion, PresentedCeremony, ProvedPasskey, StartedCeremony},
        sessions::{self, IssuedSession, IssuedStaffSession},
    },
    platform::{
        actor::Anonymous,
        app::App,
        audit,
        error::{Error, Result, ResultExt},
    },
};

/// The input of [`sign_in_with_passkey`].
pub struct PasskeyInput {
    /// The response of the browser.
    pub presented: PresentedCeremony,
    /// The client to act for. `None` selects the client that the portal user used last.
    pub client: Option<ClientId>,
    /// The session that the browser already has. It ends when the session is opened.
    pub replaces: Option<SessionId>,
}

/// Starts a sign-in with a passkey of any user of `realm`: the browser offers the passkeys that it knows.
///
/// # Errors
/// - `conflict` when the public URL allows no passkeys.
/// - `unavailable` or `internal` when the database fails.
pub async fn start_passkey_sign_in(app: &App, realm: Realm) -> Result<StartedCeremony> {
    passkeys::start_sign_in(app, realm).await
}

/// Verifies a passkey of a portal user, and opens a session in which a second factor counts as proved.
///
/// Records an audit event for a success and for a refusal. The ceremony is used up before the response is verified.
///
/// # Errors
/// - `invalid_credentials` when the ceremony is unknown, used or expired, when the passkey is unknown, when the
///   response is refused, when the portal user is disabled or not a member of `client`, when the client is archived
///   or its tenant suspended, or when the tenant does not allow passkeys. The error is the same for all of them.
/// - `unavailable` or `internal` when the database fails.
pub async fn sign_in_with_passkey(app: &App, caller: &Anonymous, input: PasskeyInput) -> Result<IssuedSession> {
    let proved = passkeys::prove(app, &caller.context, occasion(Realm::Portal), &input.presented).await?;
    let entered = match proved {
        Some(proved) => enter(app, caller, &proved, &input).await,
        None => Err(Error::INVALID_CREDENTIALS),
    };
    or_record_failure(app, caller, "session.opened", entered).await
}

/// Verifies a passkey of a staff user, and opens a session in which a second factor counts as proved. The session
/// `replaces`, if any, ends.
///
/// Records an audit event for a success and for a refusal. The ceremony is used up before the response is verified.
///
/// # Errors
/// - `invalid_credentials` when the ceremony is unknown, used or expired, when the passkey is unknown, when the
///   response is refused, when the staff user is disabled, or when the tenant is suspended. The error is the same
///   for all of them.
/// - `unavailable` or `internal` when the database fails.
pub async fn sign_in_staff_with_passkey(
    app: &App,
    caller: &Anonymous,
    presented: &PresentedCeremony,
    replaces: Option<SessionId>,
) -> Result<IssuedStaffSession> {
    let proved = passkeys::prove(app, &caller.context, occasion(Realm::Staff), presented).await?;
    let entered = match proved {
        Some(proved) => enter_staff(app, caller, &proved, replaces).await,
        None => Err(Error::INVALID_CREDENTIALS),
    };
    or_record_failure(app, caller, "staff_session.opened", entered).await
}

const fn occasion(realm: Realm) -> Occasion {
    Occasion { kind: CeremonyKind::SignIn, realm, user: None, bound_to: Bound::Nothing }
}

/// Opens the session of a portal user and records the use of the passkey, in one transaction.
async fn enter(app: &App, caller: &Anonymous, proved: &ProvedPasskey, input: &PasskeyInput) -> Result<IssuedSession> {
    let UserId::Portal(user) = proved.user.id() else { return Err(Error::INVALID_CREDENTIALS) };
    let signer = sessions::signer(app).await?;
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    let entry = PortalEntry {
        context: &caller.context,
        user,
        versions: None,
        method: Method::Passkey,
        passkey: Some(proved.id()),
        client: input.client,
        invitation: None,
        replaces: input.replaces,
        is_activation: false,
    };
    let SignInOutcome::SignedIn(opened) = enter_portal(&mut tx, &entry).await? else { return Err(challenged()) };
    if !proved.record_use(&tx).await? {
        return Err(Error::INVALID_CREDENTIALS);
    }
    mfa::end_lockout(&tx, &caller.context, &proved.user).await?;
    tx.commit().await?;
    signer.issue_portal(app, opened.session, opened.user, opened.active)
}

/// Opens the session of a staff user and records the use of the passkey, in one transaction.
async fn enter_staff(
    app: &App,
    caller: &Anonymous,
    proved: &ProvedPasskey,
    replaces: Option<SessionId>,
) -> Result<IssuedStaffSession> {
    let UserId::Staff(user) = proved.user.id() else { return Err(Error::INVALID_CREDENTIALS) };
    let signer = sessions::signer(app).await?;
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    let (method, passkey) = (Method::Passkey, Some(proved.id()));
    let entry = StaffEntry { context: &caller.context, user, versions: None, method, passkey, replaces };
    let entered = staff::enter(&mut tx, &entry, SecondFactor::Proved(Factor::Passkey)).await?;
    let SignInOutcome::SignedIn(opened) = entered else { return Err(challenged()) };
    if !proved.record_use(&tx).await? {
        return Err(Error::INVALID_CREDENTIALS);
    }
    mfa::end_lockout(&tx, &caller.context, &proved.user).await?;
    tx.commit().await?;
    signer.issue_staff(app, opened.session, opened.user, opened.tenant)
}

fn challenged() -> Error {
    Error::Internal("a sign-in with a passkey was challenged".into())
}

/// Returns `entered`. A refusal is recorded in the audit log as a failed `action`, and looks like every other one.
async fn or_record_failure<T>(app: &App, caller: &Anonymous, action: &'static str, entered: Result<T>) -> Result<T> {
    match entered.not_retryable() {
        Err(Error::Unauthenticated(_) | Error::Forbidden(_)) => {
            record_failure(app, caller, action).await.not_retryable()?;
            Err(Error::INVALID_CREDENTIALS)
        }
        entered => entered,
    }
}

async fn record_failure(app: &App, caller: &Anonymous, action: &'static str) -> Result<()> {
    let mut tx = app.begin().await?;
    let event = audit::Event::failed(action).details(serde_json::json!({ "method": Method::Passkey }));
    audit::record(&mut tx, caller, event).await?;
    tx.commit().await
}
