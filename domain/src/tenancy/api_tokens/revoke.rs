//! Revoking API tokens. A revoked token is refused at the next request, on every process.

use portico_entity::{
    ApiTokenId,
    api_token::{Column, Entity},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, sea_query::Expr};

use super::TokensOf;
use crate::platform::{
    actor::{Actor, Authorized, Principal, StaffUser, TenantCaller, access::StaffEditNotFresh},
    app::App,
    audit,
    error::{Error, Result},
    tx::Tx,
};

/// Revokes a personal access token of the caller.
///
/// # Errors
/// - `not_found`: the caller has no token with this id, or it was already revoked.
/// - `unavailable` or `internal`: a database query failed.
pub async fn revoke_own(app: &App, caller: &StaffUser, id: ApiTokenId) -> Result<()> {
    let mut tx = app.begin().await?;
    revoke_one(&mut tx, TokensOf::StaffUser(caller.user.id), id, caller.tenant.id, caller.into()).await?;
    tx.commit().await
}

/// Revokes any token of the caller's tenant.
///
/// # Errors
/// - `not_found`: the tenant has no token with this id, or it was already revoked.
/// - `unavailable` or `internal`: a database query failed.
pub async fn revoke(app: &App, caller: &Authorized<StaffEditNotFresh>, id: ApiTokenId) -> Result<()> {
    let mut tx = app.begin().await?;
    revoke_one(&mut tx, TokensOf::Tenant(caller.tenant.id), id, caller.tenant.id, caller.into()).await?;
    tx.commit().await
}

/// Revokes the token that the caller has presented.
///
/// # Errors
/// - `not_found`: the caller has a session and not a token.
/// - `unavailable` or `internal`: a database query failed.
pub async fn revoke_presented(app: &App, caller: &TenantCaller) -> Result<()> {
    let Principal::ApiToken(token) = &caller.principal else { return Err(Error::NOT_FOUND) };
    let mut tx = app.begin().await?;
    revoke_one(&mut tx, TokensOf::owner(&token.owner), token.row.id, caller.tenant.id, caller.into()).await?;
    tx.commit().await
}

/// Revokes the token `id` if it is one of `tokens`, and records an audit event in the audit log of `tenant`.
///
/// # Errors
/// - `not_found`: it is none of them, or it was already revoked.
/// - `unavailable` or `internal`: a database query failed.
pub(crate) async fn revoke_one(
    tx: &mut Tx,
    tokens: TokensOf,
    id: ApiTokenId,
    tenant: portico_entity::TenantId,
    actor: Actor,
) -> Result<()> {
    if update(tx, tokens.condition().add(Column::Id.eq(id))).await? == 0 {
        return Err(Error::NOT_FOUND);
    }
    let event = audit::Event::new("api_token.revoked").target("api_token", id.0).tenant(tenant);
    audit::record(tx, actor, event).await
}

/// Revokes all of `tokens`, because their owner is removed. Returns how many there were. The audit event of the removal
/// names the number.
///
/// # Errors
/// `unavailable` or `internal`: a database query failed.
pub(crate) async fn revoke_all(tx: &mut Tx, tokens: TokensOf) -> Result<u64> {
    update(tx, tokens.condition()).await
}

async fn update(tx: &mut Tx, condition: Condition) -> Result<u64> {
    let revoked = Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(tx.app().now()))
        .filter(condition)
        .exec(tx.db())
        .await?;
    Ok(revoked.rows_affected)
}
