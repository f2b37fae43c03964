//! Exchanges a refresh token for a new pair of tokens.

use portico_entity::{
    SessionId, UserId,
    email::Kind,
    portal_user,
    session::{self, Column},
    staff_user,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use super::{IssuedSession, IssuedStaffSession, authenticate, generation, open, refresh_token};
use crate::{
    identity::{notices, sessions::SessionSettings},
    platform::{
        actor::{Actor, Anonymous, Realm},
        app::App,
        audit,
        error::{Error, Result},
        metrics,
        secret::PlainToken,
        session_revocation::{RevocationReason, revoke_sessions},
    },
};

/// Exchanges a refresh token of a portal session for a new access token and a new refresh token of the same session.
///
/// `auth_time` and `expires_at` of the session stay unchanged. A refresh token that was exchanged gets the same
/// successor again until the successor, or the access token that came with it, has been presented, and for
/// `PORTICO_REFRESH_GRACE` after that: two tabs may refresh at the same time, or a response may be lost just before a
/// computer sleeps for hours.
///
/// # Errors
/// - `unauthenticated` when `token` is not an authentic refresh token of the portal realm, or when its session does
///   not exist.
/// - `session_revoked` when the session was ended or its owner may not sign in, as for
///   [`authenticate_portal`](super::authenticate_portal). Also when the token is older than
///   that: it was probably copied, so this call ends the session, records an audit event and mails a
///   notice.
/// - `session_expired` when the session has expired.
/// - `unavailable` or `internal` when the database fails.
pub async fn refresh_portal(app: &App, caller: &Anonymous, token: &PlainToken) -> Result<IssuedSession> {
    let session = rotate(app, caller, token, Realm::Portal).await?;
    let caller = authenticate::load_portal(app, session.id, caller.context.clone()).await?;
    open::signer(app).await?.issue_portal(app, session, caller.user, caller.active)
}

/// Exchanges a refresh token of a staff session for a new access token and a new refresh token of the same session.
///
/// The idle time of the session starts again. `auth_time` and `expires_at` stay unchanged. A token that was exchanged
/// is treated as in [`refresh_portal`].
///
/// # Errors
/// As for [`refresh_portal`], for the staff realm. `session_expired` also when the session was idle for too long.
pub async fn refresh_staff(app: &App, caller: &Anonymous, token: &PlainToken) -> Result<IssuedStaffSession> {
    let session = rotate(app, caller, token, Realm::Staff).await?;
    let caller = authenticate::load_staff(app, session.id, caller.context.clone()).await?.unchecked();
    open::signer(app).await?.issue_staff(app, session, caller.user, caller.tenant)
}

/// Checks the refresh token, raises the session's generation by one, and returns the session's row.
///
/// The rotation is one `UPDATE … WHERE generation = g`. So of two concurrent requests with the same token, one
/// rotates and the other gets the same successor.
async fn rotate(app: &App, caller: &Anonymous, token: &PlainToken, realm: Realm) -> Result<session::Model> {
    let parsed = refresh_token::parse(token).ok_or(Error::UNAUTHENTICATED)?;
    let session = find(app, parsed.session).await?;
    let is_of_realm = session.owner().is_some_and(|owner| owner.realm() == realm);
    if !is_of_realm || !refresh_token::is_authentic(app, &parsed, &session) {
        return Err(Error::UNAUTHENTICATED);
    }
    check_owner(app, caller, session.id, realm).await?;
    let now = app.now();
    let settings = app.section::<SessionSettings>();
    let mut update = session::Entity::update_many()
        .col_expr(Column::Generation, Expr::value(parsed.generation.saturating_add(1)))
        .col_expr(Column::RotatedAt, Expr::value(now))
        .col_expr(Column::LastSeenAt, Expr::value(now))
        .filter(Column::Id.eq(session.id))
        .filter(Column::Generation.eq(parsed.generation))
        .filter(Column::RevokedAt.is_null());
    if realm == Realm::Staff {
        update = update.col_expr(Column::IdleUntil, Expr::value(now + settings.staff_idle_ttl));
    }
    let is_rotated = update.exec(app.db()).await?.rows_affected == 1;
    let session = find(app, session.id).await?;
    if is_rotated {
        return Ok(session);
    }
    if session.revoked_at.is_some() {
        return Err(Error::SESSION_REVOKED);
    }
    let is_previous = session.generation == parsed.generation.saturating_add(1);
    if is_previous && generation::accepts_previous(app, &session, now) {
        return Ok(session);
    }
    revoke_copied(app, caller, &session).await?;
    Err(Error::SESSION_REVOKED)
}

/// Loads the session, or fails with `unauthenticated` when there is none.
async fn find(app: &App, id: SessionId) -> Result<session::Model> {
    session::Entity::find_by_id(id).one(app.db()).await?.ok_or(Error::UNAUTHENTICATED)
}

/// Checks that the owner of the session may still sign in.
async fn check_owner(app: &App, caller: &Anonymous, session: SessionId, realm: Realm) -> Result<()> {
    match realm {
        Realm::Portal => authenticate::load_portal(app, session, caller.context.clone()).await.map(drop),
        Realm::Staff => authenticate::load_staff(app, session, caller.context.clone()).await.map(drop),
    }
}

/// Ends the session, because an authentic refresh token of an older generation was presented: two parties hold a token
/// that was issued to one of them. Records an audit event and mails a notice to the owner.
async fn revoke_copied(app: &App, caller: &Anonymous, session: &session::Model) -> Result<()> {
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    if revoke_sessions(&mut tx, Column::Id.eq(session.id), RevocationReason::RefreshTokenReused).await? == 1 {
        metrics::refresh_reused();
        let mut event = audit::Event::failed("session.refresh_token_reused").target("session", session.id.0);
        match session.owner() {
            Some(UserId::Portal(id)) => {
                if let Some(user) = portal_user::Entity::find_by_id(id).one(tx.db()).await? {
                    notices::enqueue_for_portal_user(&mut tx, Kind::SessionEnded, &user).await?;
                }
            }
            Some(UserId::Staff(id)) => {
                if let Some(user) = staff_user::Entity::find_by_id(id).one(tx.db()).await? {
                    notices::enqueue_for_staff_user(&mut tx, Kind::SessionEnded, &user).await?;
                    event = event.tenant(user.tenant_id);
                }
            }
            None => {}
        }
        audit::record(&mut tx, Actor::from(caller), event).await?;
    }
    tx.commit().await
}
