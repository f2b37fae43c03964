//! Listing API tokens.

use std::collections::HashMap;

use portico_entity::{
    api_token::{self, Column},
    service_account, staff_user,
};
use sea_orm::{ColumnTrait, EntityTrait, Order, QueryFilter};

use super::TokensOf;
use crate::platform::{
    actor::{Authorized, Principal, StaffUser, TenantCaller, TokenOwner, access::StaffEditNotFresh},
    app::App,
    error::{Error, Result},
    page::{Page, PageRequest},
};

/// A token, with its owner.
#[derive(Clone, Debug)]
pub struct OwnedToken {
    /// The `api_tokens` row.
    pub row: api_token::Model,
    /// Whose token it is.
    pub owner: TokenOwner,
}

/// Returns a page of the caller's personal access tokens that were not revoked, oldest first.
///
/// # Errors
/// `unavailable` or `internal`: a database query failed.
pub async fn list_own(app: &App, caller: &StaffUser, page: &PageRequest) -> Result<Page<api_token::Model>> {
    page_of(app, TokensOf::StaffUser(caller.user.id), page).await
}

/// Returns a page of all tokens of the caller's tenant that were not revoked, with their owners, oldest first.
///
/// # Errors
/// `unavailable` or `internal`: a database query failed.
pub async fn list(app: &App, caller: &Authorized<StaffEditNotFresh>, page: &PageRequest) -> Result<Page<OwnedToken>> {
    let Page { data, next_cursor } = page_of(app, TokensOf::Tenant(caller.tenant.id), page).await?;
    Ok(Page { data: with_owners(app, data).await?, next_cursor })
}

/// Returns the token that the caller has presented.
///
/// # Errors
/// `not_found`: the caller has a session and not a token.
pub fn presented(caller: &TenantCaller) -> Result<OwnedToken> {
    match &caller.principal {
        Principal::StaffUser { .. } => Err(Error::NOT_FOUND),
        Principal::ApiToken(token) => Ok(OwnedToken { row: token.row.clone(), owner: token.owner.clone() }),
    }
}

/// Returns a page of these tokens that were not revoked, oldest first.
///
/// # Errors
/// `unavailable` or `internal`: a database query failed.
pub(crate) async fn page_of(app: &App, tokens: TokensOf, page: &PageRequest) -> Result<Page<api_token::Model>> {
    let rows = page.select(tokens.query(), Column::Id, Order::Asc).all(app.db()).await?;
    Ok(page.page(rows, |token| token.id.0))
}

/// Adds the owners of the tokens.
async fn with_owners(app: &App, rows: Vec<api_token::Model>) -> Result<Vec<OwnedToken>> {
    let users = rows.iter().filter_map(|row| row.staff_user_id);
    let users = staff_user::Entity::find().filter(staff_user::Column::Id.is_in(users)).all(app.db()).await?;
    let users: HashMap<_, _> = users.into_iter().map(|user| (user.id, user)).collect();
    let accounts = rows.iter().filter_map(|row| row.service_account_id);
    let accounts =
        service_account::Entity::find().filter(service_account::Column::Id.is_in(accounts)).all(app.db()).await?;
    let accounts: HashMap<_, _> = accounts.into_iter().map(|account| (account.id, account)).collect();
    let owner = |row: &api_token::Model| {
        let user = row.staff_user_id.and_then(|id| users.get(&id)).cloned().map(TokenOwner::StaffUser);
        let account = || row.service_account_id.and_then(|id| accounts.get(&id)).cloned();
        user.or_else(|| account().map(TokenOwner::ServiceAccount))
    };
    Ok(rows.into_iter().filter_map(|row| Some(OwnedToken { owner: owner(&row)?, row })).collect())
}
