//! The only statement that writes a new password.

use portico_entity::portal_user::{self, Column};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, sea_query::Expr};

use super::Cost;
use crate::platform::{clock::Time, error::Result, tx::Tx};

/// The state of the portal user that [`set_password`] requires.
pub(crate) enum Expected {
    /// `credential_version` has this value.
    Version(i32),
    /// `credential_version` has this value, and there is no password yet.
    NoPasswordAt(i32),
}

/// Stores the password hash `phc` (a PHC string), increments `credential_version` and unlocks a locked password.
///
/// The new version invalidates every older session of the portal user and every older link except accept links. The
/// failure streak that caused a lockout stays; call [`reset_failures`](super::reset_failures) to reset it.
///
/// Returns `false`, and writes nothing, if the `portal_users` row is not in the `expected` state.
///
/// # Errors
/// A failed database query.
pub(crate) async fn set_password(
    tx: &mut Tx,
    user: &portal_user::Model,
    phc: String,
    expected: Expected,
) -> Result<bool> {
    let mut update = portal_user::Entity::update_many()
        .col_expr(Column::PasswordCost, Expr::value(Cost::in_phc(&phc).map(|cost| cost.to_string())))
        .col_expr(Column::PasswordPhc, Expr::value(phc))
        .col_expr(Column::CredentialVersion, Expr::col(Column::CredentialVersion).add(1))
        .col_expr(Column::PasswordLockedAt, Expr::value(None::<Time>))
        .filter(Column::Id.eq(user.id));
    update = match expected {
        Expected::Version(version) => update.filter(Column::CredentialVersion.eq(version)),
        Expected::NoPasswordAt(version) => {
            update.filter(Column::CredentialVersion.eq(version)).filter(Column::PasswordPhc.is_null())
        }
    };
    Ok(update.exec(tx.db()).await?.rows_affected == 1)
}
