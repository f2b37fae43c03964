//! Renaming a passkey of the caller.

use portico_entity::{
    PasskeyId,
    passkey::{self, Column, Entity},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use crate::{
    identity::{mfa, passkeys},
    platform::{
        actor::{Actor, SessionUser},
        app::App,
        error::{Error, Result},
        name::Name,
    },
};

/// Renames a passkey of the caller, records an audit event, and returns the row.
///
/// # Errors
/// - `not_found` if the caller has no passkey with this id.
/// - `unavailable` or `internal` if the database fails.
pub async fn rename(app: &App, caller: &SessionUser, id: PasskeyId, name: &Name) -> Result<passkey::Model> {
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    let renamed = Entity::update_many()
        .col_expr(Column::Name, Expr::value(name.as_str()))
        .filter(Column::Id.eq(id))
        .filter(passkeys::owned_by(caller.id()))
        .exec_with_returning(tx.db())
        .await?;
    let passkey = renamed.into_iter().next().ok_or(Error::NOT_FOUND)?;
    mfa::record_for_tenants(&mut tx, &Actor::from(caller), &caller.user, "passkey.renamed").await?;
    tx.commit().await?;
    Ok(passkey)
}
