//! Signs a portal user in with email address and password.

mod accept_invitation;

use portico_entity::{ClientId, PortalUserId, SessionId, portal_user};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use self::accept_invitation::accept_and_open;
use crate::{
    identity::{
        not_me,
        passwords::{self, PasswordAttempt, VerifiedPassword},
        sessions::{self, IssuedSession},
    },
    platform::{
        actor::{ActiveMembership, Actor, Anonymous},
        app::App,
        audit,
        email_address::EmailAddress,
        error::{Error, Result},
        secret::{Password, PlainToken},
        tx::Tx,
    },
    tenancy::memberships,
};

/// The input of [`sign_in`].
pub struct SignInInput {
    /// The email address of the portal user.
    pub email: EmailAddress,
    /// The password to check.
    pub password: Password,
    /// The client to act for. `None` selects the client that the portal user used last, or that of `invitation`.
    pub client: Option<ClientId>,
    /// The secret of an accept link. The sign-in accepts its invitation and acts for its client.
    pub invitation: Option<PlainToken>,
    /// The session that the browser already has. It ends when the sign-in succeeds.
    pub replaces: Option<SessionId>,
}

/// Checks the password and opens a session. Mails a notice to the owner if the device is not known. Records an audit
/// event for each attempt whose password was checked.
///
/// An unknown email address causes the same work as a known one. The invitation is looked at only after the password
/// was right, and it stays unused if the sign-in is refused.
///
/// # Errors
/// - `too_many_requests` when a rate limit is exhausted. It does not depend on whether the account exists.
/// - `invalid_credentials` when the email address is unknown, the password is wrong or locked, the account is not
///   activated or is disabled, or the portal user is not a member of `client`. The error is the same for all of
///   them.
/// - `client_suspended` when the password is right but the client, or every client of the portal user, is archived or
///   belongs to a suspended tenant.
/// - `token_unknown` when the password is right but `invitation` is not the secret of an accept link.
/// - `token_used`, `token_revoked` or `token_expired` when the password is right but the link is no longer valid.
/// - `wrong_account` when the password is right but the link was mailed to another portal user.
/// - `validation_failed` when the password is right but `invitation` is for another client than `client`.
/// - `overloaded` when no hashing slot became free in time.
/// - `unavailable` or `internal` when the database fails.
pub async fn sign_in(app: &App, caller: &Anonymous, input: SignInInput) -> Result<IssuedSession> {
    let user =
        portal_user::Entity::find().filter(portal_user::Column::Email.eq(input.email.as_str())).one(app.db()).await?;
    let attempt = PasswordAttempt {
        context: &caller.context,
        email: &input.email,
        user: user.as_ref(),
        password: &input.password,
        actor: caller.into(),
        failure: refused(&Error::INVALID_CREDENTIALS),
    };
    let verified = passwords::verify_password(app, attempt).await?;
    let user = user.ok_or(Error::INVALID_CREDENTIALS)?;
    let opened = match &input.invitation {
        Some(secret) => match accept_and_open(app, caller, user, &verified, (secret, &input)).await {
            Err(error) if is_refusal(&error) => refuse(app, caller, &verified, error).await,
            opened => opened,
        },
        None => open(app, caller, user, &verified, &input).await,
    };
    verified.refund_if_transient(app, opened).await
}

/// Opens the session after the password was verified. The session, the audit event and the refund of the rate limits
/// commit together. When no client is open, commits the audit event, refunds nothing, and returns the error.
async fn open(
    app: &App,
    caller: &Anonymous,
    user: portal_user::Model,
    verified: &VerifiedPassword,
    input: &SignInInput,
) -> Result<IssuedSession> {
    let signer = sessions::signer(app).await?;
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    // The password may have been changed or locked since it was verified.
    let chosen = match sessions::lock_unchanged_portal_user(&mut tx, &user).await? {
        true => choose(&tx, user.id, input.client).await?,
        false => Err(Error::INVALID_CREDENTIALS),
    };
    let active = match chosen {
        Ok(active) => active,
        Err(error) => return record_refusal(tx, caller, verified, error).await,
    };
    let session = sessions::open_portal(&mut tx, &user, &active.membership, &caller.context, input.replaces).await?;
    let event = audit::Event::new("session.opened").target("session", session.id.0);
    audit::record(&mut tx, Actor::portal_user(&user, &caller.context), event).await?;
    if !verified.is_known_device {
        not_me::enqueue_notice(&mut tx, &user, &session).await?;
    }
    verified.record_success(tx.db(), &user).await?;
    tx.commit().await?;
    signer.issue_portal(app, session, user, active)
}

/// Returns whether `error` says that the sign-in was refused, and not that it failed.
fn is_refusal(error: &Error) -> bool {
    match error {
        Error::Invalid(_)
        | Error::Unauthenticated(_)
        | Error::Forbidden(_)
        | Error::NotFound(_)
        | Error::Conflict(_)
        | Error::ConflictBecause(_)
        | Error::Gone(_) => true,
        Error::RateLimited(_) | Error::Overloaded | Error::Unavailable(_) | Error::Aborted(_) | Error::Internal(_) => {
            false
        }
    }
}

/// Records that the sign-in was refused with `error` although the password was right, and returns `error`.
async fn refuse<T>(app: &App, caller: &Anonymous, verified: &VerifiedPassword, error: Error) -> Result<T> {
    let tx = app.begin().await?.caused_by(caller.context.request_id);
    record_refusal(tx, caller, verified, error).await
}

/// Records the audit event of a refused sign-in, leaves the attempt charged, commits, and returns `error`.
async fn record_refusal<T>(mut tx: Tx, caller: &Anonymous, verified: &VerifiedPassword, error: Error) -> Result<T> {
    audit::record(&mut tx, caller, refused(&error)).await?;
    verified.record_refusal(tx.db()).await?;
    tx.commit().await?;
    Err(error)
}

/// The audit event of a refused sign-in.
fn refused(error: &Error) -> audit::Event {
    audit::Event::failed("session.opened").details(serde_json::json!({ "reason": error.code() }))
}

/// Selects the membership to open the session for: the one at `wanted`, else the one that was used last.
///
/// The inner `Err` is the error that the caller gets when no client is open. The outer `Err` is a failure of the
/// database.
async fn choose(
    tx: &Tx,
    user: PortalUserId,
    wanted: Option<ClientId>,
) -> Result<std::result::Result<ActiveMembership, Error>> {
    let active = memberships::active_memberships(tx, user, wanted).await?;
    match active.into_iter().max_by_key(|active| (active.membership.last_used_at, active.membership.id)) {
        Some(active) => Ok(Ok(active)),
        None if memberships::has_membership(tx, user, wanted).await? => Ok(Err(Error::Forbidden("client_suspended"))),
        None => Ok(Err(Error::INVALID_CREDENTIALS)),
    }
}
