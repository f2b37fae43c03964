//! Removing a service account.

use portico_entity::{
    ServiceAccountId,
    service_account::{Column, Entity},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::json;

use crate::{
    platform::{
        actor::{Authorized, access::StaffEdit},
        app::App,
        audit,
        error::{Error, Result},
    },
    tenancy::api_tokens::{self, TokensOf},
};

/// Removes a service account of the caller's tenant. Its tokens end immediately. Its row stays for the audit log.
///
/// # Errors
/// - `not_found`: the caller's tenant has no service account with this id.
/// - `unavailable` or `internal`: a database query failed.
pub async fn remove(app: &App, caller: &Authorized<StaffEdit>, id: ServiceAccountId) -> Result<()> {
    let mut tx = app.begin().await?;
    let removed = Entity::update_many()
        .col_expr(Column::RemovedAt, Expr::value(app.now()))
        .filter(Column::Id.eq(id))
        .filter(Column::TenantId.eq(caller.tenant.id))
        .filter(Column::RemovedAt.is_null())
        .exec(tx.db())
        .await?;
    if removed.rows_affected == 0 {
        return Err(Error::NOT_FOUND);
    }
    let tokens = api_tokens::revoke_all(&mut tx, TokensOf::ServiceAccount(id)).await?;
    let event = audit::Event::new("service_account.removed")
        .target("service_account", id.0)
        .tenant(caller.tenant.id)
        .details(json!({ "api_tokens": tokens }));
    audit::record(&mut tx, caller, event).await?;
    tx.commit().await
}
