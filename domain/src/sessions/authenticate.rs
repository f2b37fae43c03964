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
    actor::{PortalUser, PortalUserWithMemberships, RequestContext, StaffUser},
    app::App,
    clock::Time,
    error::{Error, Result},
    secret::PlainToken,
    sign_in::ActiveMembership,
};

/// `last_seen_at` is written at most this often.
const LAST_SEEN_INTERVAL: TimeDelta = TimeDelta::minutes(1);

/// The portal user whose live session the token is of.
///
/// # Errors
/// `unauthenticated` for a bad token or a person who may not be in; `session_expired`; `session_revoked`.
pub async fn authenticate_portal(app: &App, token: &PlainToken, context: RequestContext) -> Result<PortalUser> {
    let claims = access_token::verify(app, Realm::Portal, token).await?;
    let caller = load_portal(app, claims.sid, context).await?;
    check_claims(app, &claims, &caller).await?;
    Ok(caller)
}

/// The staff user whose live session the token is of.
///
/// # Errors
/// As for [`authenticate_portal`].
pub async fn authenticate_staff(app: &App, token: &PlainToken, context: RequestContext) -> Result<StaffUser> {
    let claims = access_token::verify(app, Realm::Staff, token).await?;
    let caller = load_staff(app, claims.sid, context).await?;
    if claims.sub != caller.user.id.0.to_string() {
        return Err(Error::UNAUTHENTICATED);
    }
    touch_last_seen(app, &caller.session).await?;
    Ok(caller)
}

/// The portal user whose live session the token is of, with all the clients that they can act for, by name.
///
/// # Errors
/// As for [`authenticate_portal`].
pub async fn authenticate_with_memberships(
    app: &App,
    token: &PlainToken,
    context: RequestContext,
) -> Result<PortalUserWithMemberships> {
    let claims = access_token::verify(app, Realm::Portal, token).await?;
    let rows = app.session_queries().portal_with_memberships(app, claims.sid).await?;
    let (signed_in, memberships) = validate(app, rows, context)?;
    check_claims(app, &claims, &signed_in).await?;
    Ok(PortalUserWithMemberships { signed_in, memberships })
}

/// What the token says must be what the rows say.
async fn check_claims(app: &App, claims: &Claims, caller: &PortalUser) -> Result<()> {
    // The row is the truth: after a switch a token that names the client before is nothing.
    if claims.client_id != Some(caller.client.id) || claims.sub != caller.user.id.0.to_string() {
        return Err(Error::UNAUTHENTICATED);
    }
    touch_last_seen(app, &caller.session).await
}

/// Loads a portal session with everything that must be right for it to count.
pub(super) async fn load_portal(app: &App, sid: SessionId, context: RequestContext) -> Result<PortalUser> {
    let rows = app.session_queries().portal(app, sid).await?;
    Ok(validate(app, rows, context)?.0)
}

/// The session's own place must be open; those beside it count if they are.
fn validate(
    app: &App,
    rows: Option<PortalRows>,
    context: RequestContext,
) -> Result<(PortalUser, Vec<ActiveMembership>)> {
    let PortalRows { session, user, memberships } = rows.ok_or(Error::UNAUTHENTICATED)?;
    let own = memberships.iter().find(|(active, _)| Some(active.client.id) == session.client_id);
    let (ActiveMembership { membership, client }, tenant) = own.cloned().ok_or(Error::UNAUTHENTICATED)?;
    check_live(&session, user.credential_version, app.now())?;
    let is_open = |(active, tenant): &(ActiveMembership, tenant::Model)| {
        active.membership.status == membership::Status::Active
            && active.client.status != client::Status::Archived
            && tenant.status == tenant::Status::Active
    };
    let mut memberships: Vec<_> = memberships.into_iter().filter(is_open).map(|(active, _)| active).collect();
    memberships.sort_by(|one, other| one.client.name.cmp(&other.client.name));
    if user.disabled_at.is_some() || !memberships.iter().any(|active| active.client.id == client.id) {
        return Err(Error::SESSION_REVOKED);
    }
    Ok((PortalUser { context, user, session, membership, client, tenant }, memberships))
}

/// Loads a staff session likewise.
pub(super) async fn load_staff(app: &App, sid: SessionId, context: RequestContext) -> Result<StaffUser> {
    let (session, user, tenant) = app.session_queries().staff(app, sid).await?.ok_or(Error::UNAUTHENTICATED)?;
    check_live(&session, user.credential_version, app.now())?;
    let is_welcome = user.disabled_at.is_none() && tenant.status == tenant::Status::Active;
    if is_welcome { Ok(StaffUser { context, user, session, tenant }) } else { Err(Error::SESSION_REVOKED) }
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

async fn touch_last_seen(app: &App, session: &session::Model) -> Result<()> {
    let now = app.now();
    if now - session.last_seen_at >= LAST_SEEN_INTERVAL {
        session::Entity::update_many()
            .col_expr(session::Column::LastSeenAt, Expr::value(now))
            .filter(session::Column::Id.eq(session.id))
            .filter(session::Column::LastSeenAt.lte(now - LAST_SEEN_INTERVAL))
            .exec(app.db())
            .await?;
    }
    Ok(())
}
