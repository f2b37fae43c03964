//! Signing in with address and password.

use portico_entity::{ClientId, PortalUserId, SessionId, portal_user, session};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{
    memberships::{ActiveMembership, active_memberships, has_membership},
    verify_password,
    verify_password::VerifiedPassword,
};
use crate::{
    actor::{Actor, Anonymous},
    app::App,
    audit,
    email_address::EmailAddress,
    error::{Error, Result},
    secret::Password,
    sessions::{self, IssuedSession, SessionOwner},
    tx::Tx,
};

/// What somebody signs in with.
pub struct SignInInput {
    /// Their address.
    pub email: EmailAddress,
    /// Their password.
    pub password: Password,
    /// The client they want to act for; else the last used.
    pub client: Option<ClientId>,
    /// The session that the browser already has; it ends.
    pub replaces: Option<SessionId>,
}

/// Opens a session for a person who proves their password.
///
/// # Errors
/// `too_many_requests`, alike for strangers; `invalid_credentials` for unknown, wrong, not activated, disabled and not a
/// member of `client`, all alike; `client_suspended` after a right password when the client, or every client, is archived
/// or its tenant suspended; `overloaded`.
pub async fn sign_in(app: &App, caller: &Anonymous, input: SignInInput) -> Result<IssuedSession> {
    let user =
        portal_user::Entity::find().filter(portal_user::Column::Email.eq(input.email.as_str())).one(app.db()).await?;
    let verified = verify_password(app, &caller.context, &input.email, user.as_ref(), &input.password).await;
    let error = match (verified, user) {
        (Ok(verified), Some(user)) => {
            let opened = open(app, caller, &user, &verified, &input).await;
            let (session, active) = verified.refund_if_transient(app, opened).await?;
            return sessions::issue(app, session, user, active.client, active.membership).await;
        }
        (Ok(_), None) => Error::INVALID_CREDENTIALS,
        (Err(error), _) => error,
    };
    // A flood must not become a flood of rows: who was turned away before the password was looked at is not written down.
    if matches!(error, Error::Unauthenticated(_)) {
        let mut tx = app.begin().await?;
        audit::record(&mut tx, caller, refused(&error)).await?;
        tx.commit().await?;
    }
    Err(error)
}

/// All that a right password leads to, in one commit: the session, or that there is nowhere to go.
async fn open(
    app: &App,
    caller: &Anonymous,
    user: &portal_user::Model,
    verified: &VerifiedPassword,
    input: &SignInInput,
) -> Result<(session::Model, ActiveMembership)> {
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    sessions::lock(&mut tx, SessionOwner::Portal(user.id)).await?;
    let active = match choose(&tx, user.id, input.client).await? {
        Ok(active) => active,
        Err(error) => {
            audit::record(&mut tx, caller, refused(&error)).await?;
            verified.record_success(tx.db(), user).await?;
            tx.commit().await?;
            return Err(error);
        }
    };
    let session = sessions::open_portal(&mut tx, user, &active.membership, &caller.context, input.replaces).await?;
    let event = audit::Event::new("session.opened").target("session", session.id.0);
    audit::record(&mut tx, Actor::portal_user(user, &caller.context), event).await?;
    verified.record_success(tx.db(), user).await?;
    tx.commit().await?;
    Ok((session, active))
}

fn refused(error: &Error) -> audit::Event {
    audit::Event::failed("session.opened").details(serde_json::json!({ "reason": error.code() }))
}

/// Where a person who verified their password lands: the named client, else the last used that is open. Or what they are told.
async fn choose(
    tx: &Tx,
    user: PortalUserId,
    wanted: Option<ClientId>,
) -> Result<std::result::Result<ActiveMembership, Error>> {
    let memberships = active_memberships(tx, user, wanted).await?;
    match memberships.into_iter().max_by_key(|active| (active.membership.last_used_at, active.membership.id)) {
        Some(active) => Ok(Ok(active)),
        None if has_membership(tx, user, wanted).await? => Ok(Err(Error::Forbidden("client_suspended"))),
        None => Ok(Err(Error::INVALID_CREDENTIALS)),
    }
}
