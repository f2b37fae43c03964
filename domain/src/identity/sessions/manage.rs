//! Listing and ending the sessions of the caller, in both realms.

use portico_entity::{
    SessionId,
    session::{self, Column, Entity},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, Order, QueryFilter};

use super::end::{end_all, owned_by};
use crate::platform::{
    actor::SessionUser,
    app::App,
    audit,
    clock::Time,
    error::{Error, Result},
    page::{Page, PageRequest},
    session_revocation::{RevocationReason, revoke_sessions},
};

/// Returns a page of the live sessions of the caller, newest first.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub async fn list(app: &App, caller: &SessionUser, page: &PageRequest) -> Result<Page<session::Model>> {
    let query = Entity::find().filter(live(caller, app.now()));
    let rows = page.select(query, Column::Id, Order::Desc).all(app.db()).await?;
    Ok(page.page(rows, |session| session.id.0))
}

/// Ends one session of the caller, which may be the session of the request, and records an audit event.
///
/// # Errors
/// - `not_found` when the caller has no live session with this id.
/// - `unavailable` or `internal` when the database fails.
pub async fn end_one(app: &App, caller: &SessionUser, id: SessionId) -> Result<()> {
    let mut tx = app.begin().await?;
    let which = live(caller, app.now()).add(Column::Id.eq(id));
    if revoke_sessions(&mut tx, which, RevocationReason::EndedByOwner).await? == 0 {
        return Err(Error::NOT_FOUND);
    }
    audit::record(&mut tx, caller, audit::Event::new("session.ended").target("session", id.0)).await?;
    tx.commit().await
}

/// Ends all sessions of the caller except the session of the request, and records an audit event.
///
/// # Errors
/// `unavailable` or `internal` when the database fails. Then no session is ended.
pub async fn end_others(app: &App, caller: &SessionUser) -> Result<()> {
    let mut tx = app.begin().await?;
    end_all(&mut tx, caller.id(), Some(caller.session.id), RevocationReason::EndedByOwner).await?;
    let details = serde_json::json!({ "except": caller.session.id.0 });
    let event = audit::Event::new("session.all_ended").target("session", caller.session.id.0).details(details);
    audit::record(&mut tx, caller, event).await?;
    tx.commit().await
}

/// Returns the condition that selects the live sessions of the caller. The session of the request has the current
/// credential version, because it is live.
fn live(caller: &SessionUser, now: Time) -> Condition {
    let is_not_idle = Condition::any().add(Column::IdleUntil.is_null()).add(Column::IdleUntil.gt(now));
    Condition::all()
        .add(owned_by(caller.id()))
        .add(Column::RevokedAt.is_null())
        .add(Column::ExpiresAt.gt(now))
        .add(Column::CredentialVersion.eq(caller.session.credential_version))
        .add(is_not_idle)
}
