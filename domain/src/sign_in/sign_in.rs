//! Signing in with address and password.

use portico_entity::{ClientId, SessionId, portal_user};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{
    places::{Place, places},
    prove_password,
};
use crate::{
    actor::{Actor, Visitor},
    app::App,
    audit,
    email_address::EmailAddress,
    error::{Error, Result},
    secret::Password,
    sessions::{self, Opened},
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
    let chosen = match (proved, user) {
        (Ok(()), Some(user)) => choose(app, user, input.client).await,
        (Ok(()), None) => Err(Error::INVALID_CREDENTIALS),
        (Err(error), _) => Err(error),
    };
    let (user, place) = match chosen {
        Ok(chosen) => chosen,
        // A refusal for being too many is counted, not written down: a flood must not become a flood of rows.
        Err(error @ Error::TooMany { .. }) => return Err(error),
        Err(error) => {
            let mut tx = app.begin().await?;
            audit::record(&mut tx, by, audit::Event::failed("session.opened").details(reason(&error))).await?;
            tx.commit().await?;
            return Err(error);
        }
    };
    let mut tx = app.begin().await?.caused_by(by.context.request_id);
    let session = sessions::open_portal(&mut tx, &user, &place.membership, &by.context, input.presented).await?;
    let event = audit::Event::new("session.opened").target("session", session.id.0);
    audit::record(&mut tx, Actor::portal_user(&user, &by.context), event).await?;
    tx.commit().await?;
    sessions::opened(app, session, user, place.client, place.membership).await
}

fn reason(error: &Error) -> serde_json::Value {
    serde_json::json!({ "reason": error.code() })
}

/// Where a person who proved their password lands: the named client, else the last used that is open.
async fn choose(app: &App, user: portal_user::Model, wanted: Option<ClientId>) -> Result<(portal_user::Model, Place)> {
    let places = places(app, user.id, wanted).await?;
    let last_used = places.open.into_iter().max_by_key(|place| (place.membership.last_used_at, place.membership.id));
    match last_used {
        Some(place) => Ok((user, place)),
        None if places.some_shut => Err(Error::Forbidden("client_suspended")),
        None => Err(Error::INVALID_CREDENTIALS),
    }
}
