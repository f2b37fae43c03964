//! Signing in with address and password.

use portico_entity::{ClientId, PortalUserId, SessionId, portal_user, session};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{
    places::{Place, has_places, open_places},
    prove::Proved,
    prove_password,
};
use crate::{
    actor::{Actor, Visitor},
    app::App,
    audit,
    email_address::EmailAddress,
    error::{Error, Result},
    secret::Password,
    sessions::{self, Opened, Person},
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
    pub presented: Option<SessionId>,
}

/// Opens a session for a person who proves their password.
///
/// # Errors
/// `too_many_requests`, alike for strangers; `invalid_credentials` for unknown, wrong, not activated, disabled and not a
/// member of `client`, all alike; `client_suspended` after a right password when the client, or every client, is archived
/// or its tenant suspended; `overloaded`.
pub async fn sign_in(app: &App, by: &Visitor, input: SignInInput) -> Result<Opened> {
    let user =
        portal_user::Entity::find().filter(portal_user::Column::Email.eq(input.email.as_str())).one(app.db()).await?;
    let proved = prove_password(app, &by.context, &input.email, user.as_ref(), &input.password).await;
    let error = match (proved, user) {
        (Ok(proved), Some(user)) => {
            let opened = open(app, by, &user, &proved, &input).await;
            let (session, place) = proved.unless_unavailable(app, opened).await?;
            return sessions::opened(app, session, user, place.client, place.membership).await;
        }
        (Ok(_), None) => Error::INVALID_CREDENTIALS,
        (Err(error), _) => error,
    };
    // A flood must not become a flood of rows: who was turned away before the password was looked at is not written down.
    if matches!(error, Error::Unauthenticated(_)) {
        let mut tx = app.begin().await?;
        audit::record(&mut tx, by, refused(&error)).await?;
        tx.commit().await?;
    }
    Err(error)
}

/// All that a right password leads to, in one commit: the session, or that there is nowhere to go.
async fn open(
    app: &App,
    by: &Visitor,
    user: &portal_user::Model,
    proved: &Proved,
    input: &SignInInput,
) -> Result<(session::Model, Place)> {
    let mut tx = app.begin().await?.caused_by(by.context.request_id);
    sessions::lock(&mut tx, Person::Portal(user.id)).await?;
    let place = match choose(&tx, user.id, input.client).await? {
        Ok(place) => place,
        Err(error) => {
            audit::record(&mut tx, by, refused(&error)).await?;
            proved.settle(tx.db(), user).await?;
            tx.commit().await?;
            return Err(error);
        }
    };
    let session = sessions::open_portal(&mut tx, user, &place.membership, &by.context, input.presented).await?;
    let event = audit::Event::new("session.opened").target("session", session.id.0);
    audit::record(&mut tx, Actor::portal_user(user, &by.context), event).await?;
    proved.settle(tx.db(), user).await?;
    tx.commit().await?;
    Ok((session, place))
}

fn refused(error: &Error) -> audit::Event {
    audit::Event::failed("session.opened").details(serde_json::json!({ "reason": error.code() }))
}

/// Where a person who proved their password lands: the named client, else the last used that is open. Or what they are told.
async fn choose(tx: &Tx, user: PortalUserId, wanted: Option<ClientId>) -> Result<std::result::Result<Place, Error>> {
    let places = open_places(tx, user, wanted).await?;
    match places.into_iter().max_by_key(|place| (place.membership.last_used_at, place.membership.id)) {
        Some(place) => Ok(Ok(place)),
        None if has_places(tx, user, wanted).await? => Ok(Err(Error::Forbidden("client_suspended"))),
        None => Ok(Err(Error::INVALID_CREDENTIALS)),
    }
}
