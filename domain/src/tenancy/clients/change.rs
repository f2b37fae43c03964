//! Changing, archiving and restoring a client.

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
    platform::{
        actor::{Authorized, access::ClientsEdit},
        app::App,
        audit,
        error::Result,
        metrics,
        name::Name,
        search,
        tx::Tx,
    },
    tenancy::search as entries,
};

/// The input of [`change`]. A field that is `None` stays unchanged.
#[derive(Default)]
pub struct ClientChange {
    /// The new name.
    pub name: Option<Name>,
    /// The tenant's own new reference for the client. `Some(None)` removes it.
    pub external_ref: Option<Option<ExternalRef>>,
    /// The new status. `Archived` archives the client; any other status restores an archived client.
    pub status: Option<Status>,
}

/// Changes a client of the caller's tenant and returns its new row.
///
/// If every field of `change` is `None`, nothing is written. Archiving a client ends its sessions immediately and
/// suppresses its queued mails. Its data stays. Restoring a client does not restore its sessions.
///
/// # Errors
/// - `not_found`: the caller's tenant has no client with this id.
/// - `conflict`: the tenant already has another client with this `external_ref`.
/// - `unavailable` or `internal`: a database query failed.
pub async fn change(
    app: &App,
    caller: &Authorized<ClientsEdit>,
    id: ClientId,
    change: ClientChange,
) -> Result<client::Model> {
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
        row.external_ref = Set(external_ref.map(|reference| reference.0));
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
    search::index(&mut tx, [entries::client(&client)]).await?;
    if client.status == Status::Archived {
        suppress_mail(&mut tx, id).await?;
    }
    // Also on restore: a session that may have been opened at the archived client must not become usable.
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

/// Revokes all live sessions at the client.
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

/// Suppresses the queued mails of the client, because their links would lead to an archived client.
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
