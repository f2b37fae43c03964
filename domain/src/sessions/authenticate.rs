//! Who holds this access token? One joined query a request, so that every revocation is immediate.

use chrono::TimeDelta;
use portico_entity::{SessionId, client, membership, portal_user, session, staff_user, tenant};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use super::{Realm, access_token};
use crate::{
    actor::{RequestContext, SignedIn, Staff},
    app::App,
    clock::Time,
    error::{Error, Result},
    secret::PlainToken,
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
    // The row is the truth: after a switch a token that names the client before is nothing.
    if claims.client_id != Some(caller.client.id) || claims.sub != caller.user.id.0.to_string() {
        return Err(Error::UNAUTHENTICATED);
    }
    see(app, &caller.session).await?;
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

/// Loads a portal session with everything that must be right for it to count.
pub(super) async fn load_portal(app: &App, sid: SessionId, context: RequestContext) -> Result<SignedIn> {
    let row = session::Entity::find_by_id(sid)
        .find_also_related(portal_user::Entity)
        .find_also(session::Entity, membership::Entity)
        .find_also(membership::Entity, client::Entity)
        .find_also(client::Entity, tenant::Entity)
        .one(app.db())
        .await?;
    let Some((session, Some(user), Some(membership), Some(client), Some(tenant))) = row else {
        return Err(Error::UNAUTHENTICATED);
    };
    check_live(&session, user.credential_version, app.now())?;
    let is_welcome = user.disabled_at.is_none()
        && membership.status == membership::Status::Active
        && client.status != client::Status::Archived
        && tenant.status == tenant::Status::Active;
    if is_welcome {
        Ok(SignedIn { context, user, session, membership, client, tenant })
    } else {
        Err(Error::SESSION_REVOKED)
    }
}

/// Loads a staff session likewise.
pub(super) async fn load_staff(app: &App, sid: SessionId, context: RequestContext) -> Result<Staff> {
    let row = session::Entity::find_by_id(sid)
        .find_also_related(staff_user::Entity)
        .find_also(staff_user::Entity, tenant::Entity)
        .one(app.db())
        .await?;
    let Some((session, Some(user), Some(tenant))) = row else { return Err(Error::UNAUTHENTICATED) };
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
