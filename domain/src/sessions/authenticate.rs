//! Who holds this access token? One joined query a request, so that every revocation is immediate.

use chrono::TimeDelta;
use portico_entity::{SessionId, client, membership, session, tenant};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use super::{
    Realm,
    access_token::{self, Claims},
    queries::PortalRows,
};
use crate::{
    actor::{RequestContext, SignedIn, SignedInPlaces, Staff},
    app::App,
    clock::Time,
    error::{Error, Result},
    secret::PlainToken,
    sign_in::Place,
};

/// `last_seen_at` is written at most this often.
const SEEN_EVERY: TimeDelta = TimeDelta::minutes(1);

/// The portal user whose live session the token is of.
///
/// # Errors
/// `unauthenticated` for a bad token or a person who may not be in; `session_expired`; `session_revoked`.
pub async fn authenticate_portal(app: &App, token: &PlainToken, context: RequestContext) -> Result<SignedIn> {
    let claims = access_token::verify(app, Realm::Portal, token).await?;
    let caller = load_portal(app, claims.sid, context).await?;
    believe(app, &claims, &caller).await?;
    Ok(caller)
}

/// The staff user whose live session the token is of.
///
/// # Errors
/// As for [`authenticate_portal`].
pub async fn authenticate_staff(app: &App, token: &PlainToken, context: RequestContext) -> Result<Staff> {
    let claims = access_token::verify(app, Realm::Staff, token).await?;
    let caller = load_staff(app, claims.sid, context).await?;
    if claims.sub != caller.user.id.0.to_string() {
        return Err(Error::UNAUTHENTICATED);
    }
    see(app, &caller.session).await?;
    Ok(caller)
}

/// The portal user whose live session the token is of, with all the clients that they can act for, by name.
///
/// # Errors
/// As for [`authenticate_portal`].
pub async fn authenticate_everywhere(app: &App, token: &PlainToken, context: RequestContext) -> Result<SignedInPlaces> {
    let claims = access_token::verify(app, Realm::Portal, token).await?;
    let rows = app.session_queries().portal_everywhere(app, claims.sid).await?;
    let (signed_in, places) = judge(app, rows, context)?;
    believe(app, &claims, &signed_in).await?;
    Ok(SignedInPlaces { signed_in, places })
}

/// What the token says must be what the rows say.
async fn believe(app: &App, claims: &Claims, caller: &SignedIn) -> Result<()> {
    // The row is the truth: after a switch a token that names the client before is nothing.
    if claims.client_id != Some(caller.client.id) || claims.sub != caller.user.id.0.to_string() {
        return Err(Error::UNAUTHENTICATED);
    }
    see(app, &caller.session).await
}

/// Loads a portal session with everything that must be right for it to count.
pub(super) async fn load_portal(app: &App, sid: SessionId, context: RequestContext) -> Result<SignedIn> {
    let rows = app.session_queries().portal(app, sid).await?;
    Ok(judge(app, rows, context)?.0)
}

/// The session's own place must be open; those beside it count if they are.
fn judge(app: &App, rows: Option<PortalRows>, context: RequestContext) -> Result<(SignedIn, Vec<Place>)> {
    let PortalRows { session, user, places } = rows.ok_or(Error::UNAUTHENTICATED)?;
    let own = places.iter().find(|(place, _)| Some(place.client.id) == session.client_id);
    let (Place { membership, client }, tenant) = own.cloned().ok_or(Error::UNAUTHENTICATED)?;
    check_live(&session, user.credential_version, app.now())?;
    let is_open = |(place, tenant): &(Place, tenant::Model)| {
        place.membership.status == membership::Status::Active
            && place.client.status != client::Status::Archived
            && tenant.status == tenant::Status::Active
    };
    let mut places: Vec<_> = places.into_iter().filter(is_open).map(|(place, _)| place).collect();
    places.sort_by(|one, other| one.client.name.cmp(&other.client.name));
    if user.disabled_at.is_some() || !places.iter().any(|place| place.client.id == client.id) {
        return Err(Error::SESSION_REVOKED);
    }
    Ok((SignedIn { context, user, session, membership, client, tenant }, places))
}

/// Loads a staff session likewise.
pub(super) async fn load_staff(app: &App, sid: SessionId, context: RequestContext) -> Result<Staff> {
    let (session, user, tenant) = app.session_queries().staff(app, sid).await?.ok_or(Error::UNAUTHENTICATED)?;
    check_live(&session, user.credential_version, app.now())?;
    let is_welcome = user.disabled_at.is_none() && tenant.status == tenant::Status::Active;
    if is_welcome { Ok(Staff { context, user, session, tenant }) } else { Err(Error::SESSION_REVOKED) }
}

fn check_live(session: &session::Model, version: i32, now: Time) -> Result<()> {
    if session.revoked_at.is_some() || session.credential_version != version {
        return Err(Error::SESSION_REVOKED);
    }
    if session.expires_at <= now || session.idle_until.is_some_and(|idle_until| idle_until <= now) {
        return Err(Error::SESSION_EXPIRED);
    }
    Ok(())
}

async fn see(app: &App, session: &session::Model) -> Result<()> {
    let now = app.now();
    if now - session.last_seen_at >= SEEN_EVERY {
        session::Entity::update_many()
            .col_expr(session::Column::LastSeenAt, Expr::value(now))
            .filter(session::Column::Id.eq(session.id))
            .filter(session::Column::LastSeenAt.lte(now - SEEN_EVERY))
            .exec(app.db())
            .await?;
    }
    Ok(())
}
