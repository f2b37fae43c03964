//! The rule that a tenant keeps an owner.

use portico_entity::{
    TenantId,
    staff_user::{Column, Model, Role},
    tenant,
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, sea_query::Expr};

use super::scope;
use crate::platform::{
    actor::{Permission, TenantCaller},
    error::{Error, Result},
    tx::Tx,
};

/// Locks the row of `tenant` until the transaction ends, so that changes of roles and removals in one tenant happen one
/// after the other. A transaction calls this before it reads a staff user.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(super) async fn lock_tenant(tx: &mut Tx, tenant: TenantId) -> Result<()> {
    // An update that keeps the value locks the row on Postgres and on SQLite.
    tenant::Entity::update_many()
        .col_expr(tenant::Column::Status, Expr::col(tenant::Column::Status))
        .filter(tenant::Column::Id.eq(tenant))
        .exec(tx.db())
        .await?;
    Ok(())
}

/// Checks that the tenant of `user` still has an owner who can sign in when `user` is no owner any more. Service
/// accounts are no owners, and a disabled staff user does not count.
///
/// The caller must have called [`lock_tenant`] in this transaction.
///
/// # Errors
/// - `last_owner`: `user` is the last owner.
/// - `unavailable` or `internal`: the database query failed.
pub(super) async fn check_not_last(tx: &Tx, user: &Model) -> Result<()> {
    if user.role != Role::Owner || user.disabled_at.is_some() {
        return Ok(());
    }
    let others = scope::of(user.tenant_id)
        .filter(Column::Role.eq(Role::Owner))
        .filter(Column::DisabledAt.is_null())
        .filter(Column::Id.ne(user.id))
        .count(tx.db())
        .await?;
    if others == 0 { Err(Error::Conflict("last_owner")) } else { Ok(()) }
}

/// Checks that `caller` may still edit staff, and keeps it so until the transaction ends: another request may have
/// removed or demoted the caller after this one was authenticated. What the caller creates would otherwise outlive the
/// removal.
///
/// # Errors
/// The errors of [`check_still_allowed`].
pub(crate) async fn require_editor(tx: &mut Tx, caller: &TenantCaller) -> Result<()> {
    lock_tenant(tx, caller.tenant.id).await?;
    check_still_allowed(tx, caller).await
}

/// Checks that `caller` may still edit staff. The transaction must have called [`lock_tenant`].
///
/// # Errors
/// - `forbidden`: the caller may not any more.
/// - `unavailable` or `internal`: the database query failed.
pub(super) async fn check_still_allowed(tx: &Tx, caller: &TenantCaller) -> Result<()> {
    let id = caller.staff_user_id().ok_or(Error::FORBIDDEN)?;
    let user = scope::of(caller.tenant.id).filter(Column::Id.eq(id)).one(tx.db()).await?;
    let is_allowed =
        user.is_some_and(|user| user.disabled_at.is_none() && Permission::StaffEdit.is_given_by(user.role));
    if is_allowed { Ok(()) } else { Err(Error::FORBIDDEN) }
}
