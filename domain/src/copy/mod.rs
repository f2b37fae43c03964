//! Moving an installation: everything in one database goes into another, of either kind.
//!
//! Which tables there are stands in `tables.rs`, how one is copied in `rows.rs`. The schema is not made here: both
//! databases must have that of this version already.

mod digest;
mod error;
mod rows;
mod tables;

use sea_orm::DatabaseConnection;
use tracing::info;

use crate::{app::begin_writing, database, settings::DatabaseSettings};

pub use digest::Digest;
pub use error::{CopyError, Side};

/// A table that was copied, and what both databases hold of it.
#[derive(Clone, Copy, Debug)]
pub struct Copied {
    /// The table.
    pub table: &'static str,
    /// How many rows, and their checksum.
    pub digest: Digest,
}

/// Copies every row of `source` into `target`, whose tables must be empty, and answers what was copied, table by table.
///
/// The target gets all in one transaction: it holds everything after this, or nothing. What was written there is read
/// back, and the source is read again before the end, so a copy that succeeds is whole and is of a source at rest. Times
/// are cut to microseconds, which is what both kinds of database keep. Memory does not grow with the tables.
///
/// # Errors
/// When a database cannot be reached or refuses a row; when the source has no rows, or the target has some; when a text
/// holds NUL; when the target gives back anything else than it was given; when the source changed meanwhile.
pub async fn copy(source: &DatabaseSettings, target: &DatabaseSettings) -> Result<Vec<Copied>, CopyError> {
    let from = connect(source, Side::Source).await?;
    let to = connect(target, Side::Target).await?;
    let writing = begin_writing(&to).await.map_err(|error| CopyError::Database(Side::Target, "its start", error))?;
    let tables = tables::all();
    for table in &tables {
        if (table.has_rows)(&writing).await? {
            return Err(CopyError::NotEmpty(table.name));
        }
    }
    let snapshot = snapshot(&from, source).await?;
    let mut copied = Vec::new();
    for table in &tables {
        let digest = (table.copy)(&snapshot, &writing).await?;
        info!(table = table.name, rows = digest.rows(), "copied");
        copied.push(Copied { table: table.name, digest });
    }
    drop(snapshot);
    if copied.iter().all(|copied| copied.digest.rows() == 0) {
        return Err(CopyError::Nothing);
    }
    info!("comparing");
    let snapshot = self::snapshot(&from, source).await?;
    for (table, Copied { digest, .. }) in tables.iter().zip(&copied) {
        if (table.digest)(&writing, Side::Target).await? != *digest {
            return Err(CopyError::Differs(table.name));
        }
        if (table.digest)(&snapshot, Side::Source).await? != *digest {
            return Err(CopyError::Changed(table.name));
        }
    }
    writing.commit().await.map_err(|error| CopyError::Database(Side::Target, "its end", error))?;
    Ok(copied)
}

async fn connect(settings: &DatabaseSettings, side: Side) -> Result<DatabaseConnection, CopyError> {
    database::connect_without_statement_timeout(settings)
        .await
        .map_err(|error| CopyError::Database(side, "its start", error))
}

async fn snapshot(
    from: &DatabaseConnection,
    settings: &DatabaseSettings,
) -> Result<sea_orm::DatabaseTransaction, CopyError> {
    database::snapshot(from, settings).await.map_err(|error| CopyError::Database(Side::Source, "its start", error))
}

#[cfg(test)]
mod tests;
