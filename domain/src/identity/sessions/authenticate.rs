//! Authenticates a request by its access token.
//!
//! Each request loads the session and everything that the session depends on by one joined query. So every revocation
//! takes effect at the next request.

use chrono::TimeDelta;
use portico_entity::{SessionId, membership, session, tenant};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, sea_query::Expr};

use super::{
    SessionQueries,
    access_token::{self, Claims},
    generation,
    queries::{MembershipRows, PortalRows},
};
use crate::platform::{
    actor::{
        ActiveMembership, OpenClient, PortalUser, PortalUserWithMemberships, Realm, RequestContext, SessionUser,
        StaffUser, Unenrolled,
    },
    app::App,
    clock::{MAX_CLOCK_ERROR, Time},
    error::{Error, Result},
    secret::PlainToken,
    sign_in_policy::SignInPolicy,
};

/// The shortest time between two writes of `last_seen_at`.
const LAST_SEEN_INTERVAL: TimeDelta = TimeDelta::minutes(1);

/// Returns the portal user of the live session that the access token belongs to.
///
/// Updates `last_seen_at` of the session, at most once a minute.
///
/// # Errors
/// - `unauthenticated` when the token is not a valid access token of the portal realm, when its session does not exist,
///   or when its claims differ from the session's row.
/// - `session_revoked` when the session was ended, the password was changed, the portal user is disabled, the
///   membership was removed or is not active, the client is archived or the tenant is suspended.
/// - `session_expired` when the session has expired.
/// - `unavailable` or `internal` when the database fails.
pub async fn authenticate_portal(
    app: &App,
    token: &PlainToken,
    context: RequestContext,
) -> Result<Unenrolled<PortalUser>> {
    let claims = access_token::verify(app, Realm::Portal, token).await?;
    let caller = load_portal(app, claims.sid, context).await?;
    check_claims(app, &claims, &caller).await?;
    Ok(Unenrolled::new(caller))
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
/// - `session_expired` when the session has expired or was idle for too long.
/// - `unavailable` or `internal` when the database fails.
pub async fn authenticate_staff(
    app: &App,
    token: &PlainToken,
    context: RequestContext,
) -> Result<Unenrolled<StaffUser>> {
    let claims = access_token::verify(app, Realm::Staff, token).await?;
    let caller = load_staff(app, claims.sid, context).await?;
    if claims.sub != caller.user.id.0.to_string() {
        return Err(Error::UNAUTHENTICATED);
    }
    record_use(app, &claims, &caller.session).await?;
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
    let rows = app.get::<SessionQueries>().portal_with_memberships(app, claims.sid).await?;
    let (caller, memberships) = validate(app, rows, context)?;
    check_claims(app, &claims, &caller).await?;
    Ok(PortalUserWithMemberships { caller, memberships })
}

/// Returns the user of `realm` whose live session the access token belongs to.
///
/// # Errors
/// As for [`authenticate_portal`] or [`authenticate_staff`].
pub async fn authenticate(
    app: &App,
    realm: Realm,
    token: &PlainToken,
    context: RequestContext,
) -> Result<Unenrolled<SessionUser>> {
    let user = match realm {
        Realm::Portal => SessionUser::of_portal_user(authenticate_portal(app, token, context).await?.unchecked()),
        Realm::Staff => SessionUser::of_staff_user(authenticate_staff(app, token, context).await?.unchecked())?,
    };
    Ok(Unenrolled::new(user))
}

/// Checks that the claims match the session's row, then records the use of the session.
async fn check_claims(app: &App, claims: &Claims, caller: &PortalUser) -> Result<()> {
    // The row is the truth. After a switch to another client, a token that names the former client is invalid.
    if claims.client_id != Some(caller.active.client.id) || claims.sub != caller.user.id.0.to_string() {
        return Err(Error::UNAUTHENTICATED);
    }
    record_use(app, claims, &caller.session).await
}

/// Records, before the request is answered, that the token was presented: once for each generation, and `last_seen_at`
/// at most once a minute.
async fn record_use(app: &App, claims: &Claims, session: &session::Model) -> Result<()> {
    if claims.r#gen == Some(session.generation) {
        generation::record_use(app, session).await?;
    }
    touch_last_seen(app, session).await
}

/// Loads the portal session `sid` with its owner, membership, client and tenant, and checks that it is live.
///
/// # Errors
/// As for [`authenticate_portal`], without the errors of the token.
pub(super) async fn load_portal(app: &App, sid: SessionId, context: RequestContext) -> Result<PortalUser> {
    let rows = app.get::<SessionQueries>().portal(app, sid).await?;
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
    check_live(&session, user.credential_version, app.now())?;
    let own = |row: &MembershipRows| Some(row.client.id) == session.client_id;
    // A removed membership has no row.
    let tenant = memberships.iter().find(|row| own(row)).map(|row| row.tenant.clone()).ok_or(Error::SESSION_REVOKED)?;
    let mut memberships: Vec<_> =
        memberships.into_iter().filter_map(|rows| rows.active().transpose()).collect::<Result<_>>()?;
    memberships.sort_by(|left, right| left.client.name.cmp(&right.client.name));
    let active = memberships.iter().find(|active| Some(active.client.id) == session.client_id).cloned();
    match active.filter(|_| user.disabled_at.is_none()) {
        Some(active) => Ok((PortalUser { context, user, session, active, tenant }, memberships)),
        None => Err(Error::SESSION_REVOKED),
    }
}

impl MembershipRows {
    /// Returns the membership if it is active, its client is open and its tenant is not suspended.
    fn active(self) -> Result<Option<ActiveMembership>> {
        let is_active = self.membership.status == membership::Status::Active;
        let is_open = is_active && self.tenant.status == tenant::Status::Active;
        let Some(client) = OpenClient::from_row(self.client).filter(|_| is_open) else { return Ok(None) };
        let policy = SignInPolicy::of(&self.tenant)?;
        Ok(Some(ActiveMembership { membership: self.membership, client, policy }))
    }
}

/// Loads the staff session `sid` with its owner and tenant, and checks that it is live.
///
/// # Errors
/// As for [`authenticate_staff`], without the errors of the token.
pub async fn load_staff(app: &App, sid: SessionId, context: RequestContext) -> Result<Unenrolled<StaffUser>> {
    let (session, user, tenant) = app.get::<SessionQueries>().staff(app, sid).await?.ok_or(Error::UNAUTHENTICATED)?;
    check_live(&session, user.credential_version, app.now())?;
    let is_enabled = user.disabled_at.is_none() && tenant.status == tenant::Status::Active;
    if !is_enabled {
        return Err(Error::SESSION_REVOKED);
    }
    Ok(Unenrolled::new(StaffUser { context, user, session, tenant }))
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
    // A time too far ahead was recorded by a wrong clock.
    let is_old = |seen: Time| now - seen >= LAST_SEEN_INTERVAL || seen - now > MAX_CLOCK_ERROR;
    if is_old(session.last_seen_at) {
        session::Entity::update_many()
            .col_expr(session::Column::LastSeenAt, Expr::value(now))
            .filter(session::Column::Id.eq(session.id))
            .filter(
                Condition::any()
                    .add(session::Column::LastSeenAt.lte(now - LAST_SEEN_INTERVAL))
                    .add(session::Column::LastSeenAt.gt(now + MAX_CLOCK_ERROR)),
            )
            .exec(app.db())
            .await?;
    }
    Ok(())
}
