//! Proving the identity again in a session.

use portico_entity::{
    CodeFlowId, UserId, ceremony::CeremonyKind, code_flow, email::SecurityEvent, session, session::Factor,
};

use crate::{
    identity::{
        mailed_codes,
        mfa::{self, ProvedFactor, Submitted},
        passkeys::{self, Bound, Occasion, PresentedCeremony, StartedCeremony},
        passwords::{self, PasswordAttempt},
        sessions::{self, IssuedSession, IssuedStaffSession},
        users,
    },
    platform::{
        actor::{Actor, PortalUser, SessionUser, StaffUser, User},
        app::App,
        audit,
        error::{Error, Result, ResultExt},
        secret::{Password, PlainToken},
        tx::Tx,
    },
};

/// What proves the identity of the user.
pub enum Proof {
    /// The password of a portal user.
    Password(Password),
    /// A code of the authenticator app.
    Totp(PlainToken),
    /// A recovery code.
    RecoveryCode(PlainToken),
    /// A passkey.
    Passkey(PresentedCeremony),
    /// A code that was mailed for the flow.
    MailedCode(CodeFlowId, PlainToken),
}

/// A caller whose session becomes fresh, with the session that is issued again.
pub trait StepUp {
    /// The session with new tokens.
    type Issued;

    /// Returns the caller as a user of either realm.
    ///
    /// # Errors
    /// `internal` if the sign-in policy of the tenant cannot be read.
    fn session_user(&self) -> Result<SessionUser>;

    /// Issues new tokens for `session`.
    ///
    /// # Errors
    /// `internal` if a token cannot be serialized.
    fn issue(self, app: &App, signer: &sessions::TokenSigner, session: session::Model) -> Result<Self::Issued>;
}

impl StepUp for PortalUser {
    type Issued = IssuedSession;

    fn session_user(&self) -> Result<SessionUser> {
        Ok(SessionUser::of_portal_user(self.clone()))
    }

    fn issue(self, app: &App, signer: &sessions::TokenSigner, session: session::Model) -> Result<IssuedSession> {
        signer.issue_portal(app, session, self.user, self.active)
    }
}

impl StepUp for StaffUser {
    type Issued = IssuedStaffSession;

    fn session_user(&self) -> Result<SessionUser> {
        SessionUser::of_staff_user(self.clone())
    }

    fn issue(self, app: &App, signer: &sessions::TokenSigner, session: session::Model) -> Result<IssuedStaffSession> {
        signer.issue_staff(app, session, self.user, self.tenant)
    }
}

/// Checks `proof`, and makes the caller's session fresh: its `auth_time` becomes now, and with a second factor `mfa_at`
/// too. The session stays the same one and gets new tokens.
///
/// A user who has turned second factors on must prove one of them: a password or a mailed code is then refused. A wrong
/// password counts as a failed sign-in, a wrong factor as in a sign-in, and a wrong mailed code at its flow. Records an
/// audit event for a success and for a wrong proof.
///
/// # Errors
/// - `invalid_credentials` when the password is wrong.
/// - `invalid_code` when the response of a passkey is refused, when the code is wrong, used or expired, or when the
///   code flow is unknown, of another address or without attempts left. The error is the same for all of them.
/// - `mfa_required` when second factors are on and `proof` is none.
/// - `too_many_requests` when there were too many wrong proofs.
/// - `session_revoked` when the caller's session has ended at the same time.
/// - `overloaded` when no hashing slot became free in time.
/// - `unavailable` or `internal` when the database fails.
pub async fn step_up<C: StepUp>(app: &App, caller: C, proof: Proof) -> Result<C::Issued> {
    let user = caller.session_user()?;
    let signer = sessions::signer(app).await?;
    let session = match proof {
        Proof::Password(_) | Proof::MailedCode(..) if user.user.mfa_enabled_at().is_some() => {
            return Err(Error::MFA_REQUIRED);
        }
        Proof::Password(password) => by_password(app, &user, &password).await?,
        Proof::Totp(code) => by_factor(app, &user, Submitted::Totp(&code)).await?,
        Proof::RecoveryCode(code) => by_factor(app, &user, Submitted::RecoveryCode(&code)).await?,
        Proof::Passkey(presented) => by_passkey(app, &user, &presented).await?,
        Proof::MailedCode(flow, code) => by_mailed_code(app, &user, flow, &code).await?,
    };
    caller.issue(app, &signer, session)
}

/// Makes the session fresh with the password.
async fn by_password(app: &App, caller: &SessionUser, password: &Password) -> Result<session::Model> {
    let User::Portal(user) = &caller.user else { return Err(Error::INVALID_CREDENTIALS) };
    let email = caller.user.email()?;
    let attempt = PasswordAttempt {
        context: &caller.context,
        email: &email,
        user: Some(user),
        password,
        actor: caller.into(),
        failure: failed(caller),
    };
    let verified = passwords::verify_password(app, attempt).await?;
    let elevated = async {
        let mut tx = app.begin().await?.caused_by(caller.context.request_id);
        let session = elevate(&mut tx, caller, None).await?;
        verified.record_success(tx.db(), user).await?;
        tx.commit().await?;
        Ok(session)
    };
    let elevated = elevated.await;
    verified.refund_if_transient(app, elevated).await
}

/// Makes the session fresh with a second factor.
async fn by_factor(app: &App, caller: &SessionUser, submitted: Submitted<'_>) -> Result<session::Model> {
    let attempt = mfa::attempt(app, &caller.context, &caller.user, submitted).await?;
    let Some(proved) = attempt.proved else {
        record_failure(app, caller).await.not_retryable()?;
        return Err(Error::INVALID_CODE);
    };
    let elevated = async {
        let mut tx = app.begin().await?.caused_by(caller.context.request_id);
        let session = elevate(&mut tx, caller, Some(proved.factor())).await?;
        if !proved.spend(&tx).await? {
            return Err(Error::INVALID_CODE);
        }
        if matches!(proved, ProvedFactor::RecoveryCode(_)) {
            mfa::notify(&mut tx, &caller.user, SecurityEvent::RecoveryCodeUsed).await?;
        }
        attempt.record_success(app, tx.db()).await?;
        tx.commit().await?;
        Ok(session)
    };
    match elevated.await {
        Err(Error::Unauthenticated("invalid_code")) => {
            record_failure(app, caller).await.not_retryable()?;
            Err(Error::INVALID_CODE)
        }
        elevated => attempt.refund_if_transient(app, elevated).await,
    }
}

/// Makes the session fresh with a passkey of the caller. It is no attempt that is counted, because a passkey cannot
/// be guessed.
async fn by_passkey(app: &App, caller: &SessionUser, presented: &PresentedCeremony) -> Result<session::Model> {
    let proved = passkeys::prove(app, &caller.context, occasion(caller), presented).await?;
    let elevated = async {
        let proved = proved.ok_or(Error::INVALID_CODE)?;
        let mut tx = app.begin().await?.caused_by(caller.context.request_id);
        let session = elevate(&mut tx, caller, Some(Factor::Passkey)).await?;
        if !proved.record_use(&tx).await? {
            return Err(Error::INVALID_CODE);
        }
        mfa::end_lockout(&tx, &caller.context, &caller.user).await?;
        tx.commit().await?;
        Ok(session)
    };
    match elevated.await.not_retryable() {
        Err(Error::Unauthenticated("invalid_code")) => {
            record_failure(app, caller).await.not_retryable()?;
            Err(Error::INVALID_CODE)
        }
        elevated => elevated,
    }
}

/// Starts the proof of a passkey of the caller. It can be completed in the same session only.
///
/// # Errors
/// - `conflict` when the caller has no usable passkey, or when the public URL allows none.
/// - `unavailable` or `internal` when the database fails.
pub async fn start_step_up(app: &App, caller: &SessionUser) -> Result<StartedCeremony> {
    passkeys::start_proof(app, caller.id(), occasion(caller)).await
}

fn occasion(caller: &SessionUser) -> Occasion {
    Occasion {
        kind: CeremonyKind::StepUp,
        realm: caller.id().realm(),
        user: Some(caller.id()),
        bound_to: Bound::Session(caller.session.id),
    }
}

/// Makes the session fresh with a mailed code. The flow must be one of the caller's own address. Any other flow is
/// treated as one that does not exist, and its attempts are not used up.
async fn by_mailed_code(
    app: &App,
    caller: &SessionUser,
    flow: CodeFlowId,
    code: &PlainToken,
) -> Result<session::Model> {
    let email = caller.user.email()?;
    let realm = caller.id().realm();
    let is_own = |flow: &code_flow::Model| {
        flow.purpose == code_flow::Purpose::SignIn && flow.realm == realm && flow.email == email.as_str()
    };
    let elevated = mailed_codes::with_right_code(app, flow, code, is_own, async |flow| {
        let mut tx = app.begin().await?.caused_by(caller.context.request_id);
        let is_of_caller = UserId::from_columns(flow.portal_user_id, flow.staff_user_id) == Some(caller.id());
        if !is_of_caller || !mailed_codes::use_code(&tx, &flow).await? {
            return Err(Error::INVALID_CODE);
        }
        let session = elevate(&mut tx, caller, None).await?;
        tx.commit().await?;
        Ok(session)
    });
    match elevated.await {
        Err(Error::Unauthenticated("invalid_code")) => {
            // The miss stays counted, so the request must not run again: it would be counted twice.
            record_failure(app, caller).await.not_retryable()?;
            Err(Error::INVALID_CODE)
        }
        elevated => elevated,
    }
}

/// Makes the session fresh, after `factor` or another proof was right, and records the audit event.
async fn elevate(tx: &mut Tx, caller: &SessionUser, factor: Option<Factor>) -> Result<session::Model> {
    let unchanged = users::lock_unchanged(tx, caller.id(), caller.user.versions()).await?;
    unchanged.ok_or(Error::SESSION_REVOKED)?;
    let session = sessions::prove_again(tx, &caller.session, factor).await?.ok_or(Error::SESSION_REVOKED)?;
    let event = audit::Event::new(action(caller)).target("session", session.id.0);
    let event = event.details(serde_json::json!({ "factor": factor }));
    audit::record(tx, caller, of_tenant(caller, event)).await?;
    Ok(session)
}

/// Records a wrong proof in the audit log.
async fn record_failure(app: &App, caller: &SessionUser) -> Result<()> {
    let mut tx = app.begin().await?;
    audit::record(&mut tx, Actor::from(caller), failed(caller)).await?;
    tx.commit().await
}

fn failed(caller: &SessionUser) -> audit::Event {
    of_tenant(caller, audit::Event::failed(action(caller)).target("session", caller.session.id.0))
}

fn action(caller: &SessionUser) -> &'static str {
    match caller.id() {
        UserId::Portal(_) => "session.stepped_up",
        UserId::Staff(_) => "staff_session.stepped_up",
    }
}

/// The steps of a staff user concern the tenant; those of a portal user are personal.
fn of_tenant(caller: &SessionUser, event: audit::Event) -> audit::Event {
    match caller.id() {
        UserId::Portal(_) => event,
        UserId::Staff(_) => event.tenant(caller.tenant.id),
    }
}
