//! Changing a client, archiving it and restoring it.

use portico_entity::{
    ClientId,
    client::{self, Status},
    email, session,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, sea_query::Expr,
};
use serde_json::json;

use super::ExternalRef;
use crate::{
    actor::{Permission, StaffUser},
    app::App,
    audit,
    error::Result,
    metrics,
    name::Name,
    tx::Tx,
};

/// What to change; `None` stays.
#[derive(Default)]
pub struct ClientChange {
    /// What it is called.
    pub name: Option<Name>,
    /// The tenant's own number; `Some(None)` takes it away.
    pub external_ref: Option<Option<ExternalRef>>,
    /// Where it stands.
    pub status: Option<Status>,
}

/// Changes a client of the caller's tenant. An archived client lets nobody in, at once; its data stays. Restoring it
/// revives no session.
///
/// # Errors
/// `forbidden`; `not_found`; `conflict` when the tenant has another client of that `external_ref`.
pub async fn change(app: &App, caller: &StaffUser, id: ClientId, change: ClientChange) -> Result<client::Model> {
    caller.may(Permission::ClientsEdit)?;
    let mut tx = app.begin().await?;
    let client = super::of(caller.tenant.id).find(tx.db(), id).await?;
    let was_archived = client.status == Status::Archived;
    let mut fields = Vec::new();
    let mut row = client.clone().into_active_model();
    if let Some(name) = change.name {
        row.name = Set(name.to_string());
        fields.push("name");
    }
    if let Some(external_ref) = change.external_ref {
        row.external_ref = Set(external_ref.map(|number| number.0));
        fields.push("external_ref");
    }
    if let Some(status) = change.status {
        row.status = Set(status);
        fields.push("status");
    }
    if fields.is_empty() {
        return Ok(client);
    }
    let client = row.update(tx.db()).await?;
    if client.status == Status::Archived {
        suppress_mail(&mut tx, id).await?;
    }
    // On restoring too: whatever slipped in while it was closed must not come to life.
    if client.status == Status::Archived || was_archived {
        end_sessions(&mut tx, id).await?;
    }
    let details = json!({ "fields": fields, "status": client.status });
    let event =
        audit::Event::new("client.changed").target("client", id.0).tenant(caller.tenant.id).client(id).details(details);
    audit::record(&mut tx, caller, event).await?;
    tx.commit().await?;
    Ok(client)
}

async fn end_sessions(tx: &mut Tx, id: ClientId) -> Result<()> {
    let ended = session::Entity::update_many()
        .col_expr(session::Column::RevokedAt, Expr::value(tx.app().now()))
        .col_expr(session::Column::RevokedReason, Expr::value("client_archived"))
        .filter(session::Column::ClientId.eq(id))
        .filter(session::Column::RevokedAt.is_null())
        .exec(tx.db())
        .await?;
    metrics::sessions_ended("client_archived", ended.rows_affected);
    Ok(())
}

/// Mail that would let people in is not sent any more.
async fn suppress_mail(tx: &mut Tx, id: ClientId) -> Result<()> {
    email::Entity::update_many()
        .col_expr(email::Column::Status, Expr::value(email::Status::Suppressed))
        .col_expr(email::Column::Detail, Expr::value("the client was archived"))
        .filter(email::Column::ClientId.eq(id))
        .filter(email::Column::Status.eq(email::Status::Queued))
        .exec(tx.db())
        .await?;
    Ok(())
}
