//! Authenticates a request by an API token.
//!
//! Each request loads the token and everything that it depends on by one joined query. So every revocation takes effect
//! at the next request.

use portico_entity::tenant;

use super::{TokenQueries, TokenUses, queries::TokenRows, secret};
use crate::platform::{
    actor::{ApiToken, Principal, RequestContext, TenantCaller, TokenOwner},
    app::App,
    clock::Time,
    error::{Error, Result},
    secret::{HashedToken, PlainToken},
};

/// Returns the program that the live API token belongs to, and notes the use.
///
/// A text without the form and checksum of a token is refused without a query.
///
/// # Errors
/// - `unauthenticated` when the token is unknown, revoked or expired, when its owner was removed or disabled, or when
///   the tenant is suspended. The error is the same for all of them.
/// - `unavailable` or `internal` when the database fails.
pub async fn authenticate(app: &App, token: &PlainToken, context: RequestContext) -> Result<TenantCaller> {
    if !secret::is_well_formed(token) {
        return Err(Error::UNAUTHENTICATED);
    }
    let rows = app.get::<TokenQueries>().find(app, &token.hashed()).await?.ok_or(Error::UNAUTHENTICATED)?;
    let (token, tenant) = check_live(rows, app.now()).ok_or(Error::UNAUTHENTICATED)?;
    app.get::<TokenUses>().note(token.row.id, app.now());
    Ok(TenantCaller { context, tenant, principal: Principal::ApiToken(token) })
}

/// Returns the program again, as its token, the owner and the tenant are now. A request that lasts for long calls it.
///
/// # Errors
/// As for [`authenticate`].
pub async fn load(app: &App, token: &ApiToken, context: RequestContext) -> Result<TenantCaller> {
    let hash = HashedToken(token.row.token_hash.clone());
    let rows = app.get::<TokenQueries>().find(app, &hash).await?.ok_or(Error::UNAUTHENTICATED)?;
    let (token, tenant) = check_live(rows, app.now()).ok_or(Error::UNAUTHENTICATED)?;
    Ok(TenantCaller { context, tenant, principal: Principal::ApiToken(token) })
}

/// Returns the token and its tenant if the token can be used at `now`.
fn check_live(TokenRows { token, user, account, tenant }: TokenRows, now: Time) -> Option<(ApiToken, tenant::Model)> {
    let owner = match (user, account) {
        (Some(user), None) if user.disabled_at.is_none() && user.removed_at.is_none() => TokenOwner::StaffUser(user),
        (None, Some(account)) if account.removed_at.is_none() => TokenOwner::ServiceAccount(account),
        _ => return None,
    };
    let is_live = token.revoked_at.is_none() && token.expires_at > now && tenant.status == tenant::Status::Active;
    is_live.then_some((ApiToken { row: token, owner }, tenant))
}
