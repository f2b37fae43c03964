//! Removing a staff user.

use portico_entity::{
    StaffUserId, TenantId, session,
    staff_user::{self, Column, Entity},
};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, sea_query::Expr};
use serde_json::json;

use super::{owners, scope};
use crate::{
    platform::{
        actor::{Actor, Authorized, access::StaffEdit},
        app::App,
        audit,
        error::Result,
        session_revocation::{RevocationReason, revoke_sessions},
        tx::Tx,
    },
    tenancy::api_tokens::{self, TokensOf},
};

/// Removes a staff user of the caller's tenant.
///
/// The sessions and personal access tokens of the staff user end immediately, and the address can be used again. The
/// row stays with its name, for the audit log and for what the staff user has created. The service accounts that the
/// staff user has created stay.
///
/// # Errors
/// - `not_found`: the caller's tenant has no staff user with this id.
/// - `last_owner`: the staff user is the last owner.
/// - `forbidden`: another request has just removed or demoted the caller.
/// - `unavailable` or `internal`: a database query failed.
pub async fn remove(app: &App, caller: &Authorized<StaffEdit>, id: StaffUserId) -> Result<()> {
    let mut tx = app.begin().await?;
    apply(&mut tx, caller.tenant.id, id, caller.into()).await?;
    // A caller who removes themselves may not edit staff afterwards.
    if caller.staff_user_id() != Some(id) {
        owners::check_still_allowed(&tx, caller).await?;
    }
    tx.commit().await
}

/// Removes the staff user with this address, from the command line, as [`remove`] does. Returns the row as it was.
///
/// # Errors
/// - `not_found`: no staff user has the address.
/// - `last_owner`: the staff user is the last owner of the tenant.
/// - `unavailable` or `internal`: a database query failed.
pub async fn remove_by_email(app: &App, email: &str) -> Result<staff_user::Model> {
    let user = scope::find_by_email(app.db(), email).await?;
    let mut tx = app.begin().await?;
    apply(&mut tx, user.tenant_id, user.id, Actor::SYSTEM).await?;
    tx.commit().await?;
    Ok(user)
}

/// Removes the staff user, ends their sessions and tokens, and records an audit event.
async fn apply(tx: &mut Tx, tenant: TenantId, id: StaffUserId, actor: Actor) -> Result<()> {
    owners::lock_tenant(tx, tenant).await?;
    let user = scope::find(tx.db(), tenant, id).await?;
    owners::check_not_last(tx, &user).await?;
    let now = tx.app().now();
    // A process of an older version knows only `disabled_at`. The new version makes a session invalid that is opened at
    // the same time.
    Entity::update_many()
        .col_expr(Column::RemovedAt, Expr::value(now))
        .col_expr(Column::DisabledAt, Expr::value(now))
        .col_expr(Column::Email, Expr::value(format!("{id}@removed.invalid")))
        .col_expr(Column::CredentialVersion, Expr::col(Column::CredentialVersion).add(1))
        .filter(Column::Id.eq(id))
        .exec(tx.db())
        .await?;
    let sessions = revoke_sessions(tx, session::Column::StaffUserId.eq(id), RevocationReason::StaffRemoved).await?;
    let tokens = api_tokens::revoke_all(tx, TokensOf::StaffUser(id)).await?;
    let details = json!({ "role": user.role, "sessions": sessions, "api_tokens": tokens });
    let event = audit::Event::new("staff.removed").target("staff_user", id.0).tenant(tenant).details(details);
    audit::record(tx, actor, event).await
}
