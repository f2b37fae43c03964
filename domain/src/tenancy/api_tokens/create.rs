//! Creating an API token.

use chrono::TimeDelta;
use portico_entity::{ApiTokenId, StaffUserId, api_token, email::Kind, service_account, staff_user};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, sea_query::Expr,
};
use serde_json::json;

use super::{EXPIRY_NOTICE, MAX_DAYS, MAX_LIVE, TokensOf, notice, secret};
use crate::platform::{
    actor::{Actor, FreshStaffUser, Scopes, TokenOwner},
    app::App,
    audit,
    error::{Error, Result},
    name::Name,
    secret::PlainToken,
    tx::Tx,
};

/// The input of [`create`].
pub struct NewApiToken {
    /// What the owner calls the token.
    pub name: Name,
    /// The permissions that the token may use.
    pub scopes: Scopes,
    /// How long the token is valid, in days: 1 to [`MAX_DAYS`].
    pub days: u16,
}

/// A token that was just created, with its secret, which Portico does not keep.
#[derive(Clone, Debug)]
pub struct IssuedToken {
    /// The `api_tokens` row.
    pub row: api_token::Model,
    /// The secret.
    pub secret: PlainToken,
}

/// Creates a personal access token of the caller, and mails the caller a notice.
///
/// # Errors
/// - `validation_failed` at `/scopes` with the field code `scope_not_allowed`: the role of the caller does not give one
///   of the scopes, or there is none.
/// - `conflict`: the caller has 100 live tokens.
/// - `session_revoked`: the caller was removed at the same time.
/// - `unavailable` or `internal`: a database query failed.
pub async fn create(app: &App, caller: &FreshStaffUser, new: NewApiToken) -> Result<IssuedToken> {
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    let owner = TokenOwner::StaffUser(caller.user.clone());
    let token = insert(&mut tx, &owner, caller.user.id, new, caller.into()).await?;
    tx.commit().await?;
    Ok(token)
}

/// Inserts a token of `owner` that the staff user `created_by` creates, enqueues the notice, and records an audit
/// event.
///
/// # Errors
/// As for [`create`]. `not_found` if the owner is a service account that was removed at the same time.
pub(crate) async fn insert(
    tx: &mut Tx,
    owner: &TokenOwner,
    created_by: StaffUserId,
    new: NewApiToken,
    actor: Actor,
) -> Result<IssuedToken> {
    check_scopes(&new.scopes, owner)?;
    lock_live_owner(tx, owner).await?;
    check_count(tx, owner).await?;
    let app = tx.app().clone();
    let (now, secret) = (app.now(), secret::generate(app.random()));
    let lifetime = TimeDelta::days(new.days.clamp(1, MAX_DAYS).into());
    let row = api_token::ActiveModel {
        id: Set(ApiTokenId(app.new_id())),
        tenant_id: Set(match owner {
            TokenOwner::StaffUser(user) => user.tenant_id,
            TokenOwner::ServiceAccount(account) => account.tenant_id,
        }),
        staff_user_id: Set(match owner {
            TokenOwner::StaffUser(user) => Some(user.id),
            TokenOwner::ServiceAccount(_) => None,
        }),
        service_account_id: Set(match owner {
            TokenOwner::StaffUser(_) => None,
            TokenOwner::ServiceAccount(account) => Some(account.id),
        }),
        name: Set(new.name.to_string()),
        prefix: Set(secret::shown_prefix(&secret)),
        token_hash: Set(secret.hashed().0),
        scopes: Set(new.scopes.to_text()),
        created_by: Set(Some(created_by)),
        created_at: Set(now),
        expires_at: Set(now + lifetime),
        last_used_at: Set(None),
        revoked_at: Set(None),
        expiry_notice_at: Set((lifetime > EXPIRY_NOTICE).then_some(now + lifetime - EXPIRY_NOTICE)),
    };
    let row = row.insert(tx.db()).await?;
    notice::enqueue(tx, Kind::TokenCreated, &row).await?;
    let details = json!({ "scopes": new.scopes.to_text(), "expires_at": row.expires_at.to_rfc3339() });
    let event = audit::Event::new("api_token.created").target("api_token", row.id.0).tenant(row.tenant_id);
    audit::record(tx, actor, event.details(details)).await?;
    Ok(IssuedToken { row, secret })
}

/// Checks that there are scopes and that the role of the owner gives each of them.
///
/// # Errors
/// `validation_failed` at `/scopes` with the field code `scope_not_allowed`.
pub(crate) fn check_scopes(scopes: &Scopes, owner: &TokenOwner) -> Result<()> {
    let role = owner.role();
    let problem = |detail: String| Err(Error::invalid("/scopes", "scope_not_allowed", detail));
    match scopes.permissions().iter().find(|permission| !permission.is_given_by(role)) {
        Some(permission) => problem(format!(
            "must be permissions of the role {}, which does not give {}",
            role.name(),
            permission.name()
        )),
        None if scopes.permissions().is_empty() => problem("must name at least one permission".into()),
        None => Ok(()),
    }
}

/// Locks the row of the owner until the transaction ends, and checks that the owner still exists. So a token is either
/// inserted before its owner is removed, and then revoked, or not at all.
async fn lock_live_owner(tx: &Tx, owner: &TokenOwner) -> Result<()> {
    // An update that keeps the value locks the row on Postgres and on SQLite.
    let (locked, missing) = match owner {
        TokenOwner::StaffUser(user) => {
            use staff_user::{Column, Entity};
            let update = Entity::update_many()
                .col_expr(Column::CredentialVersion, Expr::col(Column::CredentialVersion))
                .filter(Column::Id.eq(user.id))
                .filter(Column::DisabledAt.is_null());
            (update.exec(tx.db()).await?, Error::SESSION_REVOKED)
        }
        TokenOwner::ServiceAccount(account) => {
            use service_account::{Column, Entity};
            let update = Entity::update_many()
                .col_expr(Column::Role, Expr::col(Column::Role))
                .filter(Column::Id.eq(account.id))
                .filter(Column::RemovedAt.is_null());
            (update.exec(tx.db()).await?, Error::NOT_FOUND)
        }
    };
    if locked.rows_affected == 1 { Ok(()) } else { Err(missing) }
}

/// Checks that the owner can have one more live token. The row of the owner is locked.
async fn check_count(tx: &Tx, owner: &TokenOwner) -> Result<()> {
    let live = TokensOf::owner(owner).query().filter(api_token::Column::ExpiresAt.gt(tx.app().now()));
    if live.count(tx.db()).await? < MAX_LIVE {
        Ok(())
    } else {
        Err(Error::ConflictBecause("There are 100 live tokens already. Revoke one of them first."))
    }
}
