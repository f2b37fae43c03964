//! The check at the start that `PORTICO_SECRET` has every entry that a chain needs.

use portico_entity::audit_chain::{Column, Entity};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};

use crate::platform::{app::App, database_check::DatabaseError, transient_db_error::TransientDbError};

/// Returns how many chains of the audit log were sealed last by an entry that is not in `PORTICO_SECRET`. Without that
/// entry, these chains cannot be verified and not be continued.
///
/// Reads `audit_chains` only. Returns 0 if the database does not have that table yet.
///
/// # Errors
/// If the database cannot be read now.
pub async fn chains_without_key(app: &App) -> Result<u64, DatabaseError> {
    let present: Vec<_> = app.keys().fingerprints().map(str::to_owned).collect();
    match Entity::find().filter(Column::Key.is_not_in(present)).count(app.db()).await {
        Ok(count) => Ok(count),
        Err(error) if TransientDbError::of(&error).is_some() => Err(error.into()),
        Err(_) => Ok(0),
    }
}
