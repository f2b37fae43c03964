//! Ends sessions.

use std::{collections::HashSet, sync::Arc};

use portico_entity::{
    SessionId, UserId, portal_user,
    session::{self, Column},
    staff_user,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter,
    sea_query::{Expr, SimpleExpr},
};

use super::{
    access_token::{self, Claims},
    refresh_token,
};
use crate::{
    platform::{
        actor::{Actor, Anonymous, Realm},
        app::App,
        audit,
        error::{Error, Result},
        secret::PlainToken,
        session_revocation::{RevocationReason, revoke_sessions},
        tx::Tx,
    },
    tenancy::memberships,
};

/// Returns the ids of all sessions that the presented tokens belong to: of each access token that is valid, and of each
/// refresh token that is authentic. An id occurs once, and the sessions of access tokens come first.
///
/// A session may be revoked or expired. A refresh token may be of an older generation. A token of another realm, and a
/// text that is no token, belong to no session.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub async fn identify_all(
    app: &App,
    realm: Realm,
    access: &[PlainToken],
    refresh: &[PlainToken],
) -> Result<Vec<SessionId>> {
    identify(app, realm, access, refresh, Times::Checked).await
}

/// Returns the ids that [`identify_all`] returns, and those of access tokens that have expired or that a process with a
/// wrong clock issued. Such a token proves its session too, and a sign-out must not leave that session alive.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub async fn identify_for_sign_out(
    app: &App,
    realm: Realm,
    access: &[PlainToken],
    refresh: &[PlainToken],
) -> Result<Vec<SessionId>> {
    identify(app, realm, access, refresh, Times::Ignored).await
}

/// Whether the times in an access token decide if it is valid.
enum Times {
    Checked,
    Ignored,
}

async fn identify(
    app: &App,
    realm: Realm,
    access: &[PlainToken],
    refresh: &[PlainToken],
    times: Times,
) -> Result<Vec<SessionId>> {
    let mut found = Vec::new();
    for token in access {
        found.extend(session_of(match times {
            Times::Checked => access_token::verify(app, realm, token).await,
            Times::Ignored => access_token::verify_at_any_time(app, realm, token).await,
        })?);
    }
    found.extend(identify_by_refresh(app, realm, refresh).await?);
    Ok(distinct(found))
}

/// Returns the session that a verified access token belongs to; `None` if the text is no such token.
fn session_of(verified: Result<Arc<Claims>>) -> Result<Option<SessionId>> {
    match verified {
        Ok(claims) => Ok(Some(claims.sid)),
        Err(Error::Unauthenticated(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns the session of each refresh token that is authentic.
async fn identify_by_refresh(app: &App, realm: Realm, refresh: &[PlainToken]) -> Result<Vec<SessionId>> {
    let parsed: Vec<_> = refresh.iter().filter_map(refresh_token::parse).collect();
    if parsed.is_empty() {
        return Ok(Vec::new());
    }
    let named = parsed.iter().map(|token| token.session);
    let rows = session::Entity::find().filter(Column::Id.is_in(named)).all(app.db()).await?;
    let is_proved = |row: &&session::Model| {
        let is_of_realm = row.owner().is_some_and(|owner| owner.realm() == realm);
        let proves = |token| refresh_token::is_authentic(app, token, row);
        is_of_realm && parsed.iter().filter(|token| token.session == row.id).any(proves)
    };
    Ok(rows.iter().filter(is_proved).map(|row| row.id).collect())
}

/// Returns the ids in their order, each once.
fn distinct(mut ids: Vec<SessionId>) -> Vec<SessionId> {
    let mut seen = HashSet::new();
    ids.retain(|id| seen.insert(*id));
    ids
}

/// Ends these sessions and records an audit event for each. Does nothing for a session that was already ended.
///
/// # Errors
/// `unavailable` or `internal` when the database fails. Then no session is ended.
pub async fn sign_out(app: &App, caller: &Anonymous, sessions: &[SessionId]) -> Result<()> {
    if sessions.is_empty() {
        return Ok(());
    }
    let mut tx = app.begin().await?;
    for id in in_lock_order(sessions) {
        if revoke_sessions(&mut tx, Column::Id.eq(id), RevocationReason::SignedOut).await? == 1 {
            let event = audit::Event::new("session.ended").target("session", id.0);
            let actor = actor(&tx, caller, id).await?;
            audit::record(&mut tx, actor, event).await?;
        }
    }
    tx.commit().await
}

/// Ends every session of each user who owns one of `sessions`, and records an audit event for each user.
///
/// Does nothing for a session that is unknown, revoked or expired.
///
/// # Errors
/// `unavailable` or `internal` when the database fails. Then no session is ended.
pub async fn sign_out_everywhere(app: &App, caller: &Anonymous, sessions: &[SessionId]) -> Result<()> {
    if sessions.is_empty() {
        return Ok(());
    }
    let rows = session::Entity::find().filter(Column::Id.is_in(sessions.iter().copied())).all(app.db()).await?;
    // A session that is revoked or expired must not be able to end the user's other sessions.
    let live = rows.into_iter().filter(|row| row.revoked_at.is_none() && row.expires_at > app.now());
    let mut owners: Vec<_> = live.filter_map(|row| Some((row.owner()?, row.id))).collect();
    owners.sort_by_key(|(owner, id)| (owner.uuid(), *id));
    owners.dedup_by_key(|(owner, _)| *owner);
    let mut tx = app.begin().await?;
    for (owner, id) in owners {
        end_all(&mut tx, owner, None, RevocationReason::SignedOutEverywhere).await?;
        let event = audit::Event::new("session.all_ended").target("session", id.0);
        let actor = owner_as_actor(&tx, caller, owner).await?;
        audit::record(&mut tx, actor, event).await?;
    }
    tx.commit().await
}

/// Returns the ids in the order in which every transaction locks sessions, so that two of them cannot deadlock.
fn in_lock_order(sessions: &[SessionId]) -> Vec<SessionId> {
    let mut sessions = sessions.to_vec();
    sessions.sort_unstable();
    sessions
}

/// Ends all sessions of `owner` except the session `except`. Locks the owner's row first, as [`lock_owner`] does.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(crate) async fn end_all(
    tx: &mut Tx,
    owner: UserId,
    except: Option<SessionId>,
    reason: RevocationReason,
) -> Result<()> {
    lock_owner(tx, owner).await?;
    let others = except.map(|except| Column::Id.ne(except));
    revoke_sessions(tx, Condition::all().add(owned_by(owner)).add_option(others), reason).await?;
    Ok(())
}

/// Returns the condition that selects the sessions of `owner`.
pub(super) fn owned_by(owner: UserId) -> SimpleExpr {
    match owner {
        UserId::Portal(user) => Column::PortalUserId.eq(user),
        UserId::Staff(user) => Column::StaffUserId.eq(user),
    }
}

/// Locks the row of `owner` until the transaction ends.
///
/// A transaction that writes several sessions or memberships of one user calls this first. Then two such transactions
/// wait for each other here, and cannot deadlock on the rows that follow.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(super) async fn lock_owner(tx: &mut Tx, owner: UserId) -> Result<()> {
    match owner {
        UserId::Portal(user) => memberships::lock_portal_user(tx, user).await,
        UserId::Staff(user) => {
            use staff_user::{Column, Entity};
            // An update that keeps the value locks the row on Postgres and on SQLite.
            let update =
                Entity::update_many().col_expr(Column::CredentialVersion, Expr::col(Column::CredentialVersion));
            update.filter(Column::Id.eq(user)).exec(tx.db()).await?;
            Ok(())
        }
    }
}

/// Ends `session`, which the browser presented when it opened another one. Does nothing when it is `None` or was
/// already ended.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(super) async fn end_replaced(tx: &mut Tx, session: Option<SessionId>) -> Result<()> {
    if let Some(id) = session {
        revoke_sessions(tx, Column::Id.eq(id), RevocationReason::Replaced).await?;
    }
    Ok(())
}

/// Returns the owner of `session` as the actor of an audit event, or the anonymous caller when the session has no row.
async fn actor(tx: &Tx, caller: &Anonymous, session: SessionId) -> Result<Actor> {
    let row = session::Entity::find_by_id(session).one(tx.db()).await?;
    let owner = row.and_then(|row| row.owner());
    match owner {
        Some(owner) => owner_as_actor(tx, caller, owner).await,
        None => Ok(caller.into()),
    }
}

/// Returns the owner of a session as the actor of an audit event.
async fn owner_as_actor(tx: &Tx, caller: &Anonymous, owner: UserId) -> Result<Actor> {
    let actor = match owner {
        UserId::Portal(id) => {
            let user = portal_user::Entity::find_by_id(id).one(tx.db()).await?;
            user.map(|user| Actor::portal_user(&user, &caller.context))
        }
        UserId::Staff(id) => {
            let user = staff_user::Entity::find_by_id(id).one(tx.db()).await?;
            user.map(|user| Actor::staff_user(&user, &caller.context))
        }
    };
    Ok(actor.unwrap_or_else(|| caller.into()))
}
