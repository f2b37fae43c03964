//! Suspends and restores a tenant from the command line.

use portico_entity::{
    client, session, staff_user,
    tenant::{self, Status},
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter,
    sea_query::{Expr, Query},
};

use crate::platform::{
    actor::Actor,
    app::App,
    audit,
    error::{Error, Result},
    session_revocation::{RevocationReason, revoke_sessions},
};

/// Suspends the tenant with this slug, and records an audit event.
///
/// The sessions of its staff users and of the portal users at its clients end immediately, and no new ones can be
/// opened. Its queued invitation mails are suppressed when the worker composes them. Its data stays.
///
/// # Errors
/// - `not_found` when there is no such tenant.
/// - `unavailable` or `internal` when the database fails.
pub async fn suspend(app: &App, slug: &str) -> Result<()> {
    set_status(app, slug, Status::Suspended, RevocationReason::TenantSuspended, "tenant.suspended").await
}

/// Restores a tenant, and records an audit event. Ends every session of the tenant that is still open, also if the
/// tenant was not suspended.
///
/// # Errors
/// As for [`suspend`].
pub async fn restore(app: &App, slug: &str) -> Result<()> {
    set_status(app, slug, Status::Active, RevocationReason::TenantRestored, "tenant.restored").await
}

/// Sets the status, ends every session of the tenant for `reason`, and records the audit event `action`.
async fn set_status(
    app: &App,
    slug: &str,
    status: Status,
    reason: RevocationReason,
    action: &'static str,
) -> Result<()> {
    let tenant = super::find(app, slug).await?.ok_or(Error::NOT_FOUND)?;
    let mut tx = app.begin().await?;
    tenant::Entity::update_many()
        .col_expr(tenant::Column::Status, Expr::value(status))
        .filter(tenant::Column::Id.eq(tenant.id))
        .exec(tx.db())
        .await?;
    let clients = Query::select()
        .column(client::Column::Id)
        .from(client::Entity)
        .and_where(client::Column::TenantId.eq(tenant.id))
        .to_owned();
    let staff = Query::select()
        .column(staff_user::Column::Id)
        .from(staff_user::Entity)
        .and_where(staff_user::Column::TenantId.eq(tenant.id))
        .to_owned();
    let sessions = Condition::any()
        .add(session::Column::ClientId.in_subquery(clients))
        .add(session::Column::StaffUserId.in_subquery(staff));
    revoke_sessions(&mut tx, sessions, reason).await?;
    let event = audit::Event::new(action).target("tenant", tenant.id.0).tenant(tenant.id);
    audit::record(&mut tx, Actor::SYSTEM, event).await?;
    tx.commit().await
}
