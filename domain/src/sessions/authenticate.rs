//! Authenticates a request by its access token.
//!
//! Each request loads the session and everything that the session depends on by one joined query. So every revocation
//! takes effect at the next request.

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

/// The shortest time between two writes of `last_seen_at`.
const LAST_SEEN_INTERVAL: TimeDelta = TimeDelta::minutes(1);

/// Returns the portal user of the live session that the access token belongs to.
///
/// Updates `last_seen_at` of the session, at most once a minute.
///
/// # Errors
/// - `unauthenticated` when the token is not a valid access token of the portal realm, when its session or the
///   session's membership does not exist, or when its claims differ from the session's row.
/// - `session_revoked` when the session was ended, the password was changed, the portal user is disabled, the
///   membership is not active, the client is archived or the tenant is suspended.
/// - `session_expired` when the session has reached its end.
/// - `unavailable` or `internal` when the database fails.
pub async fn authenticate_portal(app: &App, token: &PlainToken, context: RequestContext) -> Result<PortalUser> {
    let claims = access_token::verify(app, Realm::Portal, token).await?;
    let caller = load_portal(app, claims.sid, context).await?;
    check_claims(app, &claims, &caller).await?;
    Ok(caller)
}

/// Returns the staff user of the live session that the access token belongs to.
///
/// Updates `last_seen_at` of the session, at most once a minute.
///
/// # Errors
/// - `unauthenticated` when the token is not a valid access token of the staff realm, when its session does not
///   exist, or when its subject is not the session's owner.
/// - `session_revoked` when the session was ended, the credential version is older than the user's, the staff user is
///   disabled or the tenant is suspended.
/// - `session_expired` when the session has reached its end or was idle for too long.
/// - `unavailable` or `internal` when the database fails.
pub async fn authenticate_staff(app: &App, token: &PlainToken, context: RequestContext) -> Result<StaffUser> {
    let claims = access_token::verify(app, Realm::Staff, token).await?;
    let caller = load_staff(app, claims.sid, context).await?;
    if claims.sub != caller.user.id.0.to_string() {
        return Err(Error::UNAUTHENTICATED);
    }
    touch_last_seen(app, &caller.session).await?;
    Ok(caller)
}

/// Returns the portal user of the live session that the access token belongs to, with every membership that the user
/// can act for, ordered by client name.
///
/// Updates `last_seen_at` of the session, at most once a minute.
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

/// Checks that the claims match the session's row, then updates `last_seen_at`.
async fn check_claims(app: &App, claims: &Claims, caller: &PortalUser) -> Result<()> {
    // The row is the truth. After a switch to another client, a token that names the former client is invalid.
    if claims.client_id != Some(caller.client.id) || claims.sub != caller.user.id.0.to_string() {
        return Err(Error::UNAUTHENTICATED);
    }
    touch_last_seen(app, &caller.session).await
}

/// Loads the portal session `sid` with its owner, membership, client and tenant, and checks that it is live.
///
/// # Errors
/// As for [`authenticate_portal`], without the errors of the token.
pub(super) async fn load_portal(app: &App, sid: SessionId, context: RequestContext) -> Result<PortalUser> {
    let rows = app.session_queries().portal(app, sid).await?;
    Ok(validate(app, rows, context)?.0)
}

/// Checks that the session is live, and returns its portal user and the user's active memberships among `rows`,
/// ordered by client name. The session's own membership must be active; any other membership that is not active is
/// left out.
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
    memberships.sort_by(|left, right| left.client.name.cmp(&right.client.name));
    if user.disabled_at.is_some() || !memberships.iter().any(|active| active.client.id == client.id) {
        return Err(Error::SESSION_REVOKED);
    }
    Ok((PortalUser { context, user, session, membership, client, tenant }, memberships))
}

/// Loads the staff session `sid` with its owner and tenant, and checks that it is live.
///
/// # Errors
/// As for [`authenticate_staff`], without the errors of the token.
pub(super) async fn load_staff(app: &App, sid: SessionId, context: RequestContext) -> Result<StaffUser> {
    let (session, user, tenant) = app.session_queries().staff(app, sid).await?.ok_or(Error::UNAUTHENTICATED)?;
    check_live(&session, user.credential_version, app.now())?;
    let is_enabled = user.disabled_at.is_none() && tenant.status == tenant::Status::Active;
    if is_enabled { Ok(StaffUser { context, user, session, tenant }) } else { Err(Error::SESSION_REVOKED) }
}

/// Checks that the session is neither revoked nor expired. `version` is the owner's credential version.
fn check_live(session: &session::Model, version: i32, now: Time) -> Result<()> {
    if session.revoked_at.is_some() || session.credential_version != version {
        return Err(Error::SESSION_REVOKED);
    }
    if session.expires_at <= now || session.idle_until.is_some_and(|idle_until| idle_until <= now) {
        return Err(Error::SESSION_EXPIRED);
    }
    Ok(())
}

/// Sets `last_seen_at` to now, unless it was set within [`LAST_SEEN_INTERVAL`].
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
