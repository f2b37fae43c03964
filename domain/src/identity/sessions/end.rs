//! Ends sessions.

use portico_entity::{
    SessionId, portal_user,
    session::{self, Column, SessionOwner},
    staff_user,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, UpdateMany, sea_query::Expr};

use super::{access_token, refresh_token};
use crate::platform::{
    actor::{Actor, Anonymous, Realm},
    app::App,
    audit,
    error::{Error, Result},
    metrics,
    secret::PlainToken,
    tx::Tx,
};

/// Returns the id of the session that the presented tokens belong to: by the access token if it is valid, else by the
/// refresh token if it is authentic. Returns `None` when neither is.
///
/// The session may be revoked or expired. The refresh token may be of an older generation.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub async fn identify(
    app: &App,
    realm: Realm,
    access: Option<&PlainToken>,
    refresh: Option<&PlainToken>,
) -> Result<Option<SessionId>> {
    if let Some(token) = access {
        match access_token::verify(app, realm, token).await {
            Ok(claims) => return Ok(Some(claims.sid)),
            Err(Error::Unauthenticated(_)) => {}
            Err(error) => return Err(error),
        }
    }
    let Some(parsed) = refresh.and_then(refresh_token::parse) else { return Ok(None) };
    let session = session::Entity::find_by_id(parsed.session).one(app.db()).await?;
    let is_authentic = |session: &session::Model| {
        let is_of_realm = session.owner().is_some_and(|owner| Realm::of(owner) == realm);
        is_of_realm && refresh_token::is_authentic(app, &parsed, session)
    };
    Ok(session.filter(is_authentic).map(|session| session.id))
}

/// Ends one session and records an audit event. Does nothing when `session` is `None` or was already ended.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub async fn sign_out(app: &App, caller: &Anonymous, session: Option<SessionId>) -> Result<()> {
    let Some(id) = session else { return Ok(()) };
    let mut tx = app.begin().await?;
    let ended = revoke(tx.app(), "signed_out").filter(Column::Id.eq(id)).exec(tx.db()).await?;
    metrics::sessions_ended("signed_out", ended.rows_affected);
    if ended.rows_affected == 1 {
        let event = audit::Event::new("session.ended").target("session", id.0);
        let actor = actor(&tx, caller, id).await?;
        audit::record(&mut tx, actor, event).await?;
    }
    tx.commit().await
}

/// Ends every session of the user who owns `session`, and records an audit event.
///
/// Does nothing when `session` is `None`, unknown, revoked or expired.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub async fn sign_out_everywhere(app: &App, caller: &Anonymous, session: Option<SessionId>) -> Result<()> {
    let Some(id) = session else { return Ok(()) };
    let Some(row) = session::Entity::find_by_id(id).one(app.db()).await? else { return Ok(()) };
    // A session that is revoked or expired must not be able to end the user's other sessions.
    if row.revoked_at.is_some() || row.expires_at <= app.now() {
        return Ok(());
    }
    let Some(owner) = row.owner() else { return Ok(()) };
    let mut tx = app.begin().await?;
    end_all(&mut tx, owner, None, "signed_out_everywhere").await?;
    let event = audit::Event::new("session.all_ended").target("session", id.0);
    audit::record(&mut tx, Actor::session_owner(owner, &caller.context), event).await?;
    tx.commit().await
}

/// Ends all sessions of `owner` except the session `except`. Locks the owner's row first, as [`lock_owner`] does.
///
/// `reason` becomes `revoked_reason` of the rows and a label of the metric that counts ended sessions.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(crate) async fn end_all(
    tx: &mut Tx,
    owner: SessionOwner,
    except: Option<SessionId>,
    reason: &'static str,
) -> Result<()> {
    lock_owner(tx, owner).await?;
    let mut update = revoke(tx.app(), reason);
    update = match owner {
        SessionOwner::Portal(user) => update.filter(Column::PortalUserId.eq(user)),
        SessionOwner::Staff(user) => update.filter(Column::StaffUserId.eq(user)),
    };
    if let Some(except) = except {
        update = update.filter(Column::Id.ne(except));
    }
    let ended = update.exec(tx.db()).await?;
    metrics::sessions_ended(reason, ended.rows_affected);
    Ok(())
}

/// Locks the row of `owner` until the transaction ends.
///
/// A transaction that writes several sessions or memberships of one user calls this first. Then two such transactions
/// wait for each other here, and cannot deadlock on the rows that follow.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(crate) async fn lock_owner(tx: &mut Tx, owner: SessionOwner) -> Result<()> {
    // An update that keeps the value locks the row on Postgres and on SQLite.
    match owner {
        SessionOwner::Portal(user) => {
            use portal_user::{Column, Entity};
            let update =
                Entity::update_many().col_expr(Column::CredentialVersion, Expr::col(Column::CredentialVersion));
            update.filter(Column::Id.eq(user)).exec(tx.db()).await?;
        }
        SessionOwner::Staff(user) => {
            use staff_user::{Column, Entity};
            let update =
                Entity::update_many().col_expr(Column::CredentialVersion, Expr::col(Column::CredentialVersion));
            update.filter(Column::Id.eq(user)).exec(tx.db()).await?;
        }
    }
    Ok(())
}

/// Ends `session`, which the browser presented when it opened another one. Does nothing when it is `None` or was
/// already ended.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(crate) async fn end_replaced(tx: &mut Tx, session: Option<SessionId>) -> Result<()> {
    if let Some(id) = session {
        let ended = revoke(tx.app(), "replaced").filter(Column::Id.eq(id)).exec(tx.db()).await?;
        metrics::sessions_ended("replaced", ended.rows_affected);
    }
    Ok(())
}

/// An update that revokes sessions that are not revoked yet. The caller adds the filter that selects them.
fn revoke(app: &App, reason: &'static str) -> UpdateMany<session::Entity> {
    session::Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(app.now()))
        .col_expr(Column::RevokedReason, Expr::value(reason))
        .filter(Column::RevokedAt.is_null())
}

/// Returns the owner of `session` as the actor of an audit event, or the anonymous caller when the session has no row.
async fn actor(tx: &Tx, caller: &Anonymous, session: SessionId) -> Result<Actor> {
    let row = session::Entity::find_by_id(session).one(tx.db()).await?;
    let owner = row.and_then(|row| row.owner());
    Ok(owner.map_or_else(|| caller.into(), |owner| Actor::session_owner(owner, &caller.context)))
}
