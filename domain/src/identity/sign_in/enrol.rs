//! Sets up the first second factor during a sign-in, because a tenant requires one.
//!
//! A stolen password must not be enough to bind a factor of the thief. So the user also enters a code that is mailed to
//! them, unless the first factor or the activation link has already proved the mailbox.

use portico_entity::{
    Realm, UserId, ceremony::CeremonyKind, code_flow, email::SecurityEvent, session::Factor, sign_in_challenge::Purpose,
};

use super::{Completed, verify_factor};
use crate::{
    identity::{
        mailed_codes,
        mfa::{self, LiveChallenge},
        passkeys::{self, Bound, NewCredential, Occasion, PresentedCeremony, StartedCeremony},
        recovery_codes::NewCodes,
        sessions,
        totp::{self, Setup},
        users,
    },
    limits,
    platform::{
        actor::Anonymous,
        app::App,
        audit,
        error::{Error, Result, ResultExt},
        name::Name,
        rate_limit,
        secret::PlainToken,
        session_revocation::RevocationReason,
    },
};

/// Mails the code by which the user of a challenge proves access to the mailbox. Mails nothing if that is proved
/// already.
///
/// # Errors
/// - `invalid_code` when the challenge is not live, or is not one to set up a factor.
/// - `too_many_requests` when too many codes were requested.
/// - `unavailable` or `internal` when the database fails.
pub async fn send_code(app: &App, caller: &Anonymous, realm: Realm, challenge: &PlainToken) -> Result<()> {
    let challenge = find(app, realm, challenge).await?;
    if challenge.row.mail_proved_at.is_some() {
        return Ok(());
    }
    let flow = mailed_codes::send_enrol_code(app, caller, &challenge.user, challenge.row.code_flow_id).await?;
    mfa::set_mail_flow(app, challenge.row.id, flow).await
}

/// Begins the setup of an authenticator app, after the mailed code was right. The secret does nothing until [`enable`]
/// confirms it within ten minutes.
///
/// # Errors
/// - `invalid_code` when the challenge is not live, or when the mailbox is not proved and the mailed code is missing or
///   wrong.
/// - `too_many_requests` when too many wrong codes were entered.
/// - `unavailable` or `internal` when the database fails.
pub async fn setup(
    app: &App,
    caller: &Anonymous,
    realm: Realm,
    challenge: &PlainToken,
    mail_code: Option<&PlainToken>,
) -> Result<Setup> {
    let challenge = find(app, realm, challenge).await?;
    prove_mailbox(app, &challenge, mail_code).await?;
    let issuer = mfa::issuer(app, &challenge.user).await?;
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    let user = users::lock_unchanged(&tx, challenge.user.id(), challenge.versions()).await?;
    let user = user.ok_or(Error::INVALID_CODE)?;
    let setup = totp::begin(&tx, &user, &issuer).await?;
    let event = audit::Event::new("totp.setup_started").target("sign_in_challenge", challenge.row.id.0);
    audit::record(&mut tx, user.actor(&caller.context), event).await?;
    tx.commit().await?;
    Ok(setup)
}

/// Confirms the setup with its first code, turns second factors on, and opens the session that the sign-in asked for.
/// Returns it with ten recovery codes. The user's other sessions end, and a notice is mailed.
///
/// # Errors
/// - `invalid_code` when the code is wrong, when the challenge is not live, or when no setup can be confirmed.
/// - The other errors of [`verify_factor`].
pub async fn enable(
    app: &App,
    caller: &Anonymous,
    realm: Realm,
    challenge: &PlainToken,
    code: &PlainToken,
) -> Result<(Completed, Vec<PlainToken>)> {
    let challenge = find(app, realm, challenge).await?;
    if challenge.row.mail_proved_at.is_none() {
        return Err(Error::INVALID_CODE);
    }
    let subject: [&str; 2] = [&challenge.user.id().uuid().to_string(), ""];
    let reservation = rate_limit::reserve(app, &limits::MFA_MISSES, &subject).await?;
    let enabled = confirm(app, caller, &challenge, code).await;
    if enabled.is_ok() {
        // What was confirmed is committed, so a failed refund is ignored: the counter has one miss too many.
        let _ = reservation.refund(app).await;
        return enabled;
    }
    reservation.refund_if_transient(app, enabled).await
}

async fn confirm(
    app: &App,
    caller: &Anonymous,
    challenge: &LiveChallenge,
    code: &PlainToken,
) -> Result<(Completed, Vec<PlainToken>)> {
    let right = match mfa::count_attempt(app, challenge.row.id).await? {
        Some(_) => totp::check_setup(app, &challenge.user, code).await?,
        None => None,
    };
    let Some(right) = right else {
        record_failure(app, caller, challenge).await.not_retryable()?;
        return Err(Error::INVALID_CODE);
    };
    let codes = NewCodes::generate(app).await?;
    let signer = sessions::signer(app).await?;
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    let user = users::lock_unchanged(&tx, challenge.user.id(), challenge.versions()).await?;
    let user = user.ok_or(Error::INVALID_CODE)?;
    if !mfa::end(&tx, challenge.row.id).await? {
        return Err(Error::INVALID_CODE);
    }
    sessions::end_all(&mut tx, user.id(), None, RevocationReason::FactorsChanged).await?;
    let opened = verify_factor::open(&mut tx, caller, challenge, Factor::Totp, None).await.map_err(as_wrong_code)?;
    let shown = mfa::turn_on(&mut tx, &user.actor(&caller.context), &user, right, codes).await?;
    tx.commit().await?;
    Ok((Completed { session: opened.issue(app, &signer)?, trusted_device: None }, shown))
}

/// Starts the registration of a passkey, after the mailed code was right. [`complete_with_passkey`] completes it.
///
/// # Errors
/// - `invalid_code` when the challenge is not live, or when the mailbox is not proved and the mailed code is missing
///   or wrong.
/// - `conflict` when the user has ten passkeys, or when the public URL allows none.
/// - `too_many_requests` when too many wrong codes were entered.
/// - `unavailable` or `internal` when the database fails.
pub async fn start_passkey(
    app: &App,
    caller: &Anonymous,
    realm: Realm,
    challenge: &PlainToken,
    mail_code: Option<&PlainToken>,
) -> Result<StartedCeremony> {
    let challenge = find(app, realm, challenge).await?;
    prove_mailbox(app, &challenge, mail_code).await?;
    let tx = app.begin().await?.caused_by(caller.context.request_id);
    let user = users::lock_unchanged(&tx, challenge.user.id(), challenge.versions()).await?;
    let user = user.ok_or(Error::INVALID_CODE)?;
    let started = passkeys::start_registration(&tx, &user, occasion(&challenge)).await?;
    tx.commit().await?;
    Ok(started)
}

/// Registers the passkey, turns second factors on, and opens the session that the sign-in asked for. Returns it with
/// ten recovery codes. The user's other sessions end, and notices are mailed.
///
/// The ceremony is used up before the response is verified. `name` is what the user calls the passkey.
///
/// # Errors
/// - `invalid_code` when the ceremony is unknown, used, expired or of another challenge, when the response is
///   refused, or when the challenge is not live.
/// - `conflict` when the passkey is registered already, or the user has ten.
/// - The other errors of [`verify_factor`], except `too_many_requests`.
pub async fn complete_with_passkey(
    app: &App,
    caller: &Anonymous,
    realm: Realm,
    challenge: &PlainToken,
    presented: &PresentedCeremony,
    name: Option<&Name>,
) -> Result<(Completed, Vec<PlainToken>)> {
    let challenge = find(app, realm, challenge).await?;
    if challenge.row.mail_proved_at.is_none() {
        return Err(Error::INVALID_CODE);
    }
    let Some(new) = passkeys::finish_registration(app, occasion(&challenge), presented).await? else {
        record_failure(app, caller, &challenge).await.not_retryable()?;
        return Err(Error::INVALID_CODE);
    };
    register(app, caller, &challenge, new, name).await.not_retryable()
}

/// Stores the passkey and the recovery codes, ends the challenge, and opens the session, in one transaction.
async fn register(
    app: &App,
    caller: &Anonymous,
    challenge: &LiveChallenge,
    new: NewCredential,
    name: Option<&Name>,
) -> Result<(Completed, Vec<PlainToken>)> {
    let codes = NewCodes::generate(app).await?;
    let signer = sessions::signer(app).await?;
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    let user = users::lock_unchanged(&tx, challenge.user.id(), challenge.versions()).await?;
    let user = user.ok_or(Error::INVALID_CODE)?;
    if !mfa::end(&tx, challenge.row.id).await? {
        return Err(Error::INVALID_CODE);
    }
    sessions::end_all(&mut tx, user.id(), None, RevocationReason::FactorsChanged).await?;
    let passkey = passkeys::insert(&tx, &user, &caller.context, new, name).await?;
    let opened = verify_factor::open(&mut tx, caller, challenge, Factor::Passkey, Some(passkey.id)).await;
    let opened = opened.map_err(as_wrong_code)?;
    let actor = user.actor(&caller.context);
    mfa::record_for_tenants(&mut tx, &actor, &user, "passkey.added").await?;
    mfa::notify(&mut tx, &user, SecurityEvent::PasskeyAdded).await?;
    let shown = mfa::turn_on_by_passkey(&mut tx, &actor, &user, codes).await?;
    tx.commit().await?;
    Ok((Completed { session: opened.issue(app, &signer)?, trusted_device: None }, shown))
}

fn occasion(challenge: &LiveChallenge) -> Occasion {
    let user = challenge.user.id();
    let bound_to = Bound::Challenge(challenge.row.id);
    Occasion { kind: CeremonyKind::Registration, realm: user.realm(), user: Some(user), bound_to }
}

/// Returns the live challenge to set up a factor.
async fn find(app: &App, realm: Realm, challenge: &PlainToken) -> Result<LiveChallenge> {
    mfa::find_live(app, realm, Some(Purpose::Enrol), challenge).await?.ok_or(Error::INVALID_CODE)
}

/// Uses the mailed code up, unless the mailbox is already proved.
async fn prove_mailbox(app: &App, challenge: &LiveChallenge, code: Option<&PlainToken>) -> Result<()> {
    if challenge.row.mail_proved_at.is_some() {
        return Ok(());
    }
    let (Some(flow), Some(code)) = (challenge.row.code_flow_id, code) else { return Err(Error::INVALID_CODE) };
    let owner = challenge.user.id();
    let is_own = |flow: &code_flow::Model| {
        let user = UserId::from_columns(flow.portal_user_id, flow.staff_user_id);
        flow.purpose == code_flow::Purpose::Enrol && flow.realm == owner.realm() && user == Some(owner)
    };
    mailed_codes::with_right_code(app, flow, code, is_own, async |flow| {
        let tx = app.begin().await?;
        if !mailed_codes::use_code(&tx, &flow).await? {
            return Err(Error::INVALID_CODE);
        }
        mfa::set_mail_proved(&tx, challenge.row.id).await?;
        tx.commit().await
    })
    .await
}

/// Records a wrong code in the audit log.
async fn record_failure(app: &App, caller: &Anonymous, challenge: &LiveChallenge) -> Result<()> {
    let mut tx = app.begin().await?;
    let event = audit::Event::failed("mfa.enabled").target("sign_in_challenge", challenge.row.id.0);
    audit::record(&mut tx, caller, event).await?;
    tx.commit().await
}

/// A user who can no longer sign in there is refused like one with a wrong code.
fn as_wrong_code(error: Error) -> Error {
    match error {
        Error::Unauthenticated(_) => Error::INVALID_CODE,
        error => error,
    }
}
