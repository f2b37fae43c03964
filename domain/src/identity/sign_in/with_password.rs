//! Signs a portal user in with email address and password.

use portico_entity::{ClientId, SessionId, portal_user, session::Method};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{PortalEntry, SignInOutcome, enter_portal, invitation};
use crate::{
    identity::{
        passwords::{self, PasswordAttempt, VerifiedPassword},
        sessions::{self, IssuedSession},
    },
    platform::{
        actor::{Anonymous, User},
        app::App,
        audit,
        email_address::EmailAddress,
        error::{Error, Result},
        secret::{Password, PlainToken},
    },
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
    /// The session that the browser already has. It ends when the session is opened.
    pub replaces: Option<SessionId>,
}

/// Checks the password, and opens a session or issues a challenge. Mails a notice to the owner if the device is not
/// known. Records an audit event for each attempt whose password was checked.
///
/// An unknown email address causes the same work as a known one. The invitation is looked at only after the password
/// was right, and it stays unused if the sign-in is refused. Whether a second factor is needed is decided only after
/// the password was right, too.
///
/// # Errors
/// - `too_many_requests` when a rate limit is exhausted. It does not depend on whether the account exists.
/// - `invalid_credentials` when the email address is unknown, the password is wrong or locked, the account is not
///   activated or is disabled, the portal user is not a member of `client`, or the tenant does not allow passwords. The
///   error is the same for all of them.
/// - `client_suspended` when the password is right but the client, or every client of the portal user, is archived or
///   belongs to a suspended tenant.
/// - `token_unknown` when the password is right but `invitation` is not the secret of an accept link.
/// - `token_used`, `token_revoked` or `token_expired` when the password is right but the link is no longer valid.
/// - `wrong_account` when the password is right but the link was mailed to another portal user.
/// - `validation_failed` when the password is right but `invitation` is for another client than `client`.
/// - `overloaded` when no hashing slot became free in time.
/// - `unavailable` or `internal` when the database fails.
pub async fn sign_in(app: &App, caller: &Anonymous, input: SignInInput) -> Result<SignInOutcome<IssuedSession>> {
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
    let entered = match enter(app, caller, user, &verified, &input).await {
        Err(error) if is_refusal(&error) => record_refusal(app, caller, &verified, error).await,
        entered => entered,
    };
    verified.refund_if_transient(app, entered).await
}

/// Opens the session or issues the challenge after the password was verified. The session or the challenge, the audit
/// event and the refund of the rate limits commit together.
async fn enter(
    app: &App,
    caller: &Anonymous,
    user: portal_user::Model,
    verified: &VerifiedPassword,
    input: &SignInInput,
) -> Result<SignInOutcome<IssuedSession>> {
    let invitation = match &input.invitation {
        Some(secret) => Some(invitation::id_of(app, secret).await?),
        None => None,
    };
    let entry = PortalEntry {
        context: &caller.context,
        user: user.id,
        // The password may have been changed or locked since it was verified.
        versions: Some(User::Portal(user.clone()).versions()),
        method: Method::Password,
        passkey: None,
        client: input.client,
        invitation,
        replaces: input.replaces,
        is_activation: false,
    };
    let signer = sessions::signer(app).await?;
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    let outcome = enter_portal(&mut tx, &entry).await?;
    verified.record_success(tx.db(), &user).await?;
    tx.commit().await?;
    outcome.issue(|opened| signer.issue_portal(app, opened.session, opened.user, opened.active))
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

/// Records that the sign-in was refused with `error` although the password was right, leaves the attempt charged, and
/// returns `error`.
async fn record_refusal<T>(app: &App, caller: &Anonymous, verified: &VerifiedPassword, error: Error) -> Result<T> {
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    audit::record(&mut tx, caller, refused(&error)).await?;
    verified.record_refusal(tx.db()).await?;
    tx.commit().await?;
    Err(error)
}

/// The audit event of a refused sign-in.
fn refused(error: &Error) -> audit::Event {
    audit::Event::failed("session.opened").details(serde_json::json!({ "reason": error.code() }))
}
