//! The API tokens of a service account.

use portico_entity::{ApiTokenId, ServiceAccountId, api_token};

use super::scope;
use crate::{
    platform::{
        actor::{
            Authorized, TokenOwner,
            access::{StaffEdit, StaffRead},
        },
        app::App,
        error::{Error, Result},
        page::{Page, PageRequest},
    },
    tenancy::{
        api_tokens::{self, IssuedToken, NewApiToken, TokensOf},
        staff,
    },
};

/// Creates a token of a service account of the caller's tenant, and mails all owners of the tenant a notice.
///
/// # Errors
/// - `not_found`: the caller's tenant has no service account with this id.
/// - `validation_failed` at `/scopes` with the field code `scope_not_allowed`: the role of the service account does not
///   give one of the scopes, or there is none.
/// - `forbidden`: another request has just removed or demoted the caller.
/// - `conflict`: the service account has 100 live tokens.
/// - `unavailable` or `internal`: a database query failed.
pub async fn create_token(
    app: &App,
    caller: &Authorized<StaffEdit>,
    account: ServiceAccountId,
    new: NewApiToken,
) -> Result<IssuedToken> {
    let account = scope::find(app.db(), caller.tenant.id, account).await?;
    // Only a staff user has a fresh session.
    let creator = caller.staff_user_id().ok_or(Error::FORBIDDEN)?;
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    staff::require_editor(&mut tx, caller).await?;
    let owner = TokenOwner::ServiceAccount(account);
    let token = api_tokens::insert(&mut tx, &owner, creator, new, caller.into()).await?;
    tx.commit().await?;
    Ok(token)
}

/// Returns a page of the tokens of a service account that were not revoked, oldest first.
///
/// # Errors
/// - `not_found`: the caller's tenant has no service account with this id.
/// - `unavailable` or `internal`: a database query failed.
pub async fn list_tokens(
    app: &App,
    caller: &Authorized<StaffRead>,
    account: ServiceAccountId,
    page: &PageRequest,
) -> Result<Page<api_token::Model>> {
    let account = scope::find(app.db(), caller.tenant.id, account).await?;
    api_tokens::page_of(app, TokensOf::ServiceAccount(account.id), page).await
}

/// Revokes a token of a service account of the caller's tenant.
///
/// # Errors
/// - `not_found`: the caller's tenant has no service account with this id, or it has no token with this id, or the
///   token was already revoked.
/// - `unavailable` or `internal`: a database query failed.
pub async fn revoke_token(
    app: &App,
    caller: &Authorized<StaffEdit>,
    account: ServiceAccountId,
    token: ApiTokenId,
) -> Result<()> {
    let account = scope::find(app.db(), caller.tenant.id, account).await?;
    let mut tx = app.begin().await?;
    let tokens = TokensOf::ServiceAccount(account.id);
    api_tokens::revoke_one(&mut tx, tokens, token, caller.tenant.id, caller.into()).await?;
    tx.commit().await
}
