//! The one statement that writes a password.

use portico_entity::portal_user::{self, Column};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, sea_query::Expr};

use crate::{clock::Time, error::Result, tx::Tx};

/// What must still be so when the password is written.
pub(crate) enum Expected {
    /// The credentials are of this version.
    Version(i32),
    /// They are of this version, and there is no password yet.
    NoPasswordAt(i32),
}

/// Writes `phc`, raises the version of the person's credentials, which ends every session and link made before, and opens a
/// closed password; [`reset_failures`](crate::sign_in::reset_failures) then ends what closed it. Returns whether the condition
/// held; if not, nothing was written.
///
/// # Errors
/// When the database fails.
pub(crate) async fn set_password(
    tx: &mut Tx,
    user: &portal_user::Model,
    phc: String,
    expected: Expected,
) -> Result<bool> {
    let mut update = portal_user::Entity::update_many()
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
