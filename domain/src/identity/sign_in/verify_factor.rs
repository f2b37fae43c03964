//! Completes the challenge of a sign-in with a second factor.

use portico_entity::{PasskeyId, Realm, UserId, email::SecurityEvent, session::Factor, sign_in_challenge::Purpose};

use super::{
    Completed, CompletedSession, PortalEntry, SignInOutcome,
    portal::{self, SecondFactor},
    staff::{self, StaffEntry},
};
use crate::{
    identity::{
        mfa::{self, Attempt, LiveChallenge, ProvedFactor, Submitted},
        passkeys::ProvedPasskey,
        sessions::{self, TokenSigner},
        trusted_devices, users,
    },
    platform::{
        actor::Anonymous,
        app::App,
        audit,
        error::{Error, Result, ResultExt},
        secret::PlainToken,
        tx::Tx,
    },
};

/// The input of [`verify_factor`].
pub struct FactorInput {
    /// The secret of the challenge.
    pub challenge: PlainToken,
    /// The second factor.
    pub factor: SubmittedFactor,
    /// Whether the browser becomes a trusted device, if the tenant allows it.
    pub trust_device: bool,
}

/// A second factor that a user has entered.
pub enum SubmittedFactor {
    /// A code of the authenticator app.
    Totp(PlainToken),
    /// A recovery code.
    RecoveryCode(PlainToken),
}

/// Checks a second factor of the user of a challenge, and opens the session that the sign-in asked for.
///
/// One transaction ends the challenge, uses the factor up, checks again what the first factor and the place depend on,
/// and opens the session. Each attempt is counted before the factor is checked: at the challenge, which five attempts
/// end, and at the user, for all challenges together.
///
/// # Errors
/// - `invalid_code` when the factor is wrong or used, when the challenge is unknown, of another realm, expired, ended
///   or without attempts left, or when the user can no longer sign in there. The error is the same for all of them.
/// - `client_suspended` when the client is archived, or its tenant suspended, since the first factor.
/// - `token_used`, `token_revoked` or `token_expired` when the invitation of the sign-in is no longer valid.
/// - `too_many_requests` when the user has entered too many wrong factors. The factor is not checked then.
/// - `unavailable` or `internal` when the database fails.
pub async fn verify_factor(app: &App, caller: &Anonymous, realm: Realm, input: FactorInput) -> Result<Completed> {
    let found = mfa::find_live(app, realm, Some(Purpose::Verify), &input.challenge).await?;
    let challenge = found.ok_or(Error::INVALID_CODE)?;
    let submitted = match &input.factor {
        SubmittedFactor::Totp(code) => Submitted::Totp(code),
        SubmittedFactor::RecoveryCode(code) => Submitted::RecoveryCode(code),
    };
    // Counted at the user before the challenge: a refused attempt does not use up the challenge.
    let attempt = mfa::attempt(app, &caller.context, &challenge.user, submitted).await?;
    let counted = match mfa::count_attempt(app, challenge.row.id).await {
        Ok(counted) => counted,
        Err(error) => return attempt.refund_if_transient(app, Err(error)).await,
    };
    let proved = attempt.proved.filter(|_| counted.is_some());
    let Some(proved) = proved else {
        record_failure(app, caller, &challenge, counted).await.not_retryable()?;
        return Err(Error::INVALID_CODE);
    };
    match complete(app, caller, &challenge, &Proof::Counted(proved, &attempt), input.trust_device).await {
        Err(Error::Unauthenticated(_)) => {
            record_failure(app, caller, &challenge, counted).await.not_retryable()?;
            Err(Error::INVALID_CODE)
        }
        completed => {
            if completed.as_ref().is_err_and(Error::is_transient) {
                // The attempt stays counted if this fails too.
                let _ = mfa::refund_attempt(app, challenge.row.id).await;
            }
            attempt.refund_if_transient(app, completed).await
        }
    }
}

/// Ends a challenge, because the user gives up. Does nothing for a challenge that is not live.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub async fn cancel(app: &App, caller: &Anonymous, realm: Realm, challenge: &PlainToken) -> Result<()> {
    let Some(challenge) = mfa::find_live(app, realm, None, challenge).await? else { return Ok(()) };
    let mut tx = app.begin().await?;
    if mfa::end(&tx, challenge.row.id).await? {
        let event = audit::Event::new("sign_in_challenge.cancelled").target("sign_in_challenge", challenge.row.id.0);
        audit::record(&mut tx, challenge.user.actor(&caller.context), event).await?;
    }
    tx.commit().await
}

/// What completes a challenge.
pub(super) enum Proof<'a> {
    /// A factor that can be guessed, so the attempt was counted.
    Counted(ProvedFactor, &'a Attempt),
    /// A passkey.
    Passkey(&'a ProvedPasskey),
}

impl Proof<'_> {
    const fn factor(&self) -> Factor {
        match self {
            Self::Counted(proved, _) => proved.factor(),
            Self::Passkey(_) => Factor::Passkey,
        }
    }

    fn passkey(&self) -> Option<PasskeyId> {
        if let Self::Passkey(proved) = self { Some(proved.id()) } else { None }
    }

    /// Marks the factor as used. Returns whether it was unused: of concurrent uses, one succeeds.
    async fn spend(&self, tx: &Tx) -> Result<bool> {
        match self {
            Self::Counted(proved, _) => proved.spend(tx).await,
            Self::Passkey(proved) => proved.record_use(tx).await,
        }
    }
}

/// Ends the challenge, uses the factor, opens the session, and adds the trusted device, in one transaction.
///
/// # Errors
/// `invalid_code` if the challenge has ended or the factor is used, and the errors of [`open`].
pub(super) async fn complete(
    app: &App,
    caller: &Anonymous,
    challenge: &LiveChallenge,
    proof: &Proof<'_>,
    trust_device: bool,
) -> Result<Completed> {
    let signer = sessions::signer(app).await?;
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    let opened = open(&mut tx, caller, challenge, proof.factor(), proof.passkey()).await?;
    if !mfa::end(&tx, challenge.row.id).await? || !proof.spend(&tx).await? {
        return Err(Error::INVALID_CODE);
    }
    if matches!(proof, Proof::Counted(ProvedFactor::RecoveryCode(_), _)) {
        mfa::notify(&mut tx, &challenge.user, SecurityEvent::RecoveryCodeUsed).await?;
    }
    let mut trusted_device = None;
    if let Opened::Portal(opened) = &opened
        && trust_device
        && challenge.user.mfa_enabled_at().is_some()
    {
        let days = opened.active.policy.trusted_device_days;
        trusted_device = trusted_devices::add(&tx, &challenge.user, &caller.context, days).await?;
        if trusted_device.is_some() {
            let event = audit::Event::new("trusted_device.added").target("portal_user", opened.user.id.0);
            audit::record(&mut tx, challenge.user.actor(&caller.context), event).await?;
        }
    }
    match proof {
        Proof::Counted(_, attempt) => attempt.record_success(app, tx.db()).await?,
        Proof::Passkey(_) => mfa::end_lockout(&tx, &caller.context, &challenge.user).await?,
    }
    tx.commit().await?;
    Ok(Completed { session: opened.issue(app, &signer)?, trusted_device })
}

/// The session that completes a challenge, before its tokens are issued.
pub(super) enum Opened {
    Portal(Box<portal::Opened>),
    Staff(Box<staff::OpenedStaff>),
}

impl Opened {
    /// Issues the tokens.
    pub(super) fn issue(self, app: &App, signer: &TokenSigner) -> Result<CompletedSession> {
        Ok(match self {
            Self::Portal(opened) => {
                let issued = signer.issue_portal(app, opened.session, opened.user, opened.active)?;
                CompletedSession::Portal(Box::new(issued))
            }
            Self::Staff(opened) => {
                let issued = signer.issue_staff(app, opened.session, opened.user, opened.tenant)?;
                CompletedSession::Staff(Box::new(issued))
            }
        })
    }
}

/// Opens the session that the sign-in of `challenge` asked for, after `factor` was proved, with `passkey` if it is
/// one.
///
/// # Errors
/// The errors of [`portal::enter`] or of [`staff::enter`].
pub(super) async fn open(
    tx: &mut Tx,
    caller: &Anonymous,
    challenge: &LiveChallenge,
    factor: Factor,
    passkey: Option<PasskeyId>,
) -> Result<Opened> {
    let (row, context) = (&challenge.row, &caller.context);
    let (versions, method, replaces) = (Some(challenge.versions()), row.method, row.replaces_session_id);
    let proved = SecondFactor::Proved(factor);
    match challenge.user.id() {
        UserId::Portal(user) => {
            let entry = PortalEntry {
                context,
                user,
                versions,
                method,
                passkey,
                client: row.client_id,
                invitation: row.link_token_id,
                replaces,
                is_activation: false,
            };
            match portal::enter_with(tx, &entry, proved).await? {
                SignInOutcome::SignedIn(opened) => Ok(Opened::Portal(Box::new(opened))),
                SignInOutcome::Challenged(_) => Err(challenged_again()),
            }
        }
        UserId::Staff(user) => {
            let entry = StaffEntry { context, user, versions, method, passkey, replaces };
            match staff::enter(tx, &entry, proved).await? {
                SignInOutcome::SignedIn(opened) => Ok(Opened::Staff(Box::new(opened))),
                SignInOutcome::Challenged(_) => Err(challenged_again()),
            }
        }
    }
}

fn challenged_again() -> Error {
    Error::Internal("a sign-in with a second factor was challenged again".into())
}

/// Records a wrong factor in the audit log. If it was the last attempt of the challenge, mails a notice: the person who
/// guesses knows the first factor.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(super) async fn record_failure(
    app: &App,
    caller: &Anonymous,
    challenge: &LiveChallenge,
    counted: Option<i32>,
) -> Result<()> {
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    if counted.is_some_and(|attempts| attempts >= mfa::MAX_MISSES)
        && let Some(user) = users::lock(&tx, challenge.user.id()).await?
    {
        mfa::notify_once_a_day(&mut tx, &user, SecurityEvent::MfaGuessed).await?;
    }
    let action = match challenge.user.id() {
        UserId::Portal(_) => "session.opened",
        UserId::Staff(_) => "staff_session.opened",
    };
    let event = audit::Event::failed(action)
        .target("sign_in_challenge", challenge.row.id.0)
        .details(serde_json::json!({ "reason": "second_factor", "method": challenge.row.method }));
    audit::record(&mut tx, caller, event).await?;
    tx.commit().await
}
