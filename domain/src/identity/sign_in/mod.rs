//! Signs a portal user in with email address and password.

use portico_entity::{ClientId, PortalUserId, SessionId, portal_user, session::SessionOwner};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::{
    identity::{
        passwords::{self, PasswordAttempt, VerifiedPassword},
        sessions::{self, IssuedSession},
    },
    platform::{
        actor::{ActiveMembership, Actor, Anonymous},
        app::App,
        audit,
        email_address::EmailAddress,
        error::{Error, Result},
        secret::Password,
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
    /// The client to act for. `None` selects the client that the portal user used last.
    pub client: Option<ClientId>,
    /// The session that the browser already has. It ends when the sign-in succeeds.
    pub replaces: Option<SessionId>,
}

/// Checks the password and opens a session. Records an audit event for each attempt whose password was checked.
///
/// An unknown email address causes the same work as a known one.
///
/// # Errors
/// - `too_many_requests` when a rate limit is exhausted. It does not depend on whether the account exists.
/// - `invalid_credentials` when the email address is unknown, the password is wrong or locked, the account is not
///   activated or is disabled, or the portal user is not a member of `client`. The error is the same for all of
///   them.
/// - `client_suspended` when the password is right but the client, or every client of the portal user, is archived or
///   belongs to a suspended tenant.
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
    let opened = open(app, caller, user, &verified, &input).await;
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
    sessions::lock_owner(&mut tx, SessionOwner::Portal(user.id)).await?;
    let active = match choose(&tx, user.id, input.client).await? {
        Ok(active) => active,
        Err(error) => {
            audit::record(&mut tx, caller, refused(&error)).await?;
            verified.record_refusal(tx.db()).await?;
            tx.commit().await?;
            return Err(error);
        }
    };
    let session = sessions::open_portal(&mut tx, &user, &active.membership, &caller.context, input.replaces).await?;
    let event = audit::Event::new("session.opened").target("session", session.id.0);
    audit::record(&mut tx, Actor::portal_user(user.id, &caller.context), event).await?;
    verified.record_success(tx.db(), &user).await?;
    tx.commit().await?;
    signer.issue_portal(app, session, user, active)
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
