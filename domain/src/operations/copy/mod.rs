//! Copying all rows of one database into another, for example from SQLite to Postgres, to move an installation.
//!
//! `tables.rs` lists the tables, `rows.rs` copies the rows of one table. This module does not create the schema: both
//! databases must already have the schema of this version.

mod digest;
mod error;
mod rows;
mod tables;

use sea_orm::DatabaseTransaction;
use tracing::info;

use crate::platform::{database::Database, settings::DatabaseSettings};

pub use digest::Digest;
pub use error::{CopyError, Side};

/// A copied table, with the row count and checksum that both databases have for it.
#[derive(Clone, Copy, Debug)]
pub struct CopiedTable {
    /// The name of the table.
    pub table: &'static str,
    /// The number of rows and their checksum.
    pub digest: Digest,
}

/// Copies every row of `source` into `target`, whose tables must be empty.
///
/// Returns one entry for each table, in the order of copying.
///
/// All rows are written in one transaction, so after this function the target has every row or none. Before the
/// commit, the rows are read back from the target and read again from the source, and the checksums are compared. A
/// successful copy is therefore complete, and no process changed the source during the copy. Times are truncated to
/// microseconds, which both kinds of database can store. Memory use does not depend on the size of the tables.
///
/// # Errors
/// Every error leaves the target unchanged, unless the connection is lost during the commit itself:
/// - [`CopyError::Database`]: a database cannot be reached, or a statement failed.
/// - [`CopyError::NotEmpty`]: the target has rows.
/// - [`CopyError::EmptySource`]: the source has no rows.
/// - [`CopyError::Nul`]: a text of the source contains the character NUL.
/// - [`CopyError::TargetDiffers`]: the rows read back from the target differ from the rows written.
/// - [`CopyError::SourceChanged`]: the source changed during the copy.
pub async fn copy(source: &DatabaseSettings, target: &DatabaseSettings) -> Result<Vec<CopiedTable>, CopyError> {
    let from = connect(source, Side::Source).await?;
    let to = connect(target, Side::Target).await?;
    let target_tx = to.begin_raw().await.map_err(|error| CopyError::Database(Side::Target, "begin", error))?;
    let tables = tables::all();
    for table in &tables {
        if (table.has_rows)(&target_tx).await? {
            return Err(CopyError::NotEmpty(table.name));
        }
    }
    let snapshot = snapshot(&from).await?;
    let mut copied = Vec::new();
    for table in &tables {
        let digest = (table.copy)(&snapshot, &target_tx).await?;
        info!(table = table.name, rows = digest.rows(), "table copied");
        copied.push(CopiedTable { table: table.name, digest });
    }
    drop(snapshot);
    if copied.iter().all(|copied| copied.digest.rows() == 0) {
        return Err(CopyError::EmptySource);
    }
    info!("comparing the rows of both databases");
    let snapshot = self::snapshot(&from).await?;
    for (table, CopiedTable { digest, .. }) in tables.iter().zip(&copied) {
        if (table.digest)(&target_tx, Side::Target).await? != *digest {
            return Err(CopyError::TargetDiffers(table.name));
        }
        if (table.digest)(&snapshot, Side::Source).await? != *digest {
            return Err(CopyError::SourceChanged(table.name));
        }
    }
    target_tx.commit().await.map_err(|error| CopyError::Database(Side::Target, "commit", error))?;
    Ok(copied)
}

/// Connects to a database without a statement timeout, because one statement of a copy may take long.
async fn connect(settings: &DatabaseSettings, side: Side) -> Result<Database, CopyError> {
    Database::connect_without_statement_timeout(settings)
        .await
        .map_err(|error| CopyError::Database(side, "connect", error))
}

/// Begins a read transaction on the source that sees one unchanging state of all tables.
async fn snapshot(from: &Database) -> Result<DatabaseTransaction, CopyError> {
    from.snapshot().await.map_err(|error| CopyError::Database(Side::Source, "begin", error))
}

#[cfg(test)]
mod tests;
