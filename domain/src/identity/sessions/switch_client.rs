//! Switching a session to another client.

use portico_entity::{
    ClientId, UserId,
    session::{self, Column},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::json;

use super::{IssuedSession, end, open};
use crate::{
    platform::{
        actor::PortalUser,
        app::App,
        audit,
        error::{Error, Result},
        tx::Tx,
    },
    tenancy::memberships,
};

/// Lets the caller's session act for the client `to`, and returns the session with a new access token.
///
/// The session keeps its id, its times and its refresh token. Access tokens that name the former client are invalid
/// from then on. A sign-in without a client then selects `to`.
///
/// # Errors
/// - `not_found`: the caller has no active membership of `to`, or `to` is archived.
/// - `unauthenticated`: another request has switched the session since the caller was authenticated.
/// - `session_revoked`: the session was ended since the caller was authenticated.
/// - `unavailable` or `internal`: a database query failed.
pub async fn switch_client(app: &App, caller: &PortalUser, to: ClientId) -> Result<IssuedSession> {
    let signer = open::signer(app).await?;
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    end::lock_owner(&mut tx, UserId::Portal(caller.user.id)).await?;
    let active = memberships::active_memberships(&tx, caller.user.id, Some(to)).await?;
    let active = active.into_iter().next().ok_or(Error::NOT_FOUND)?;
    let session = set_client(&mut tx, caller, to).await?;
    memberships::record_use(&mut tx, &active.membership).await?;
    let event = audit::Event::new("session.client_switched")
        .target("session", session.id.0)
        .details(json!({ "from": caller.active.client.id.to_string(), "to": to.to_string() }));
    audit::record(&mut tx, caller, event).await?;
    tx.commit().await?;
    signer.issue_portal(app, session, caller.user.clone(), active)
}

/// Sets the client of the caller's session, and returns the session's row.
///
/// One conditional `UPDATE` does this, so one of several concurrent switches succeeds.
async fn set_client(tx: &mut Tx, caller: &PortalUser, to: ClientId) -> Result<session::Model> {
    let switched = session::Entity::update_many()
        .col_expr(Column::ClientId, Expr::value(to))
        .filter(Column::Id.eq(caller.session.id))
        .filter(Column::ClientId.eq(caller.active.client.id))
        .filter(Column::CredentialVersion.eq(caller.user.credential_version))
        .filter(Column::RevokedAt.is_null())
        .exec_with_returning(tx.db())
        .await?;
    if let Some(session) = switched.into_iter().next() {
        return Ok(session);
    }
    let session = session::Entity::find_by_id(caller.session.id).one(tx.db()).await?;
    let is_live = session.is_some_and(|session| {
        session.revoked_at.is_none() && session.credential_version == caller.user.credential_version
    });
    Err(if is_live { Error::UNAUTHENTICATED } else { Error::SESSION_REVOKED })
}
