//! The errors of a copy.

use std::fmt;

use sea_orm::DbErr;

/// One of the two databases of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The database that is read.
    Source,
    /// The database that is written.
    Target,
}

/// The reason why a copy failed. The target is unchanged, unless the commit itself failed.
#[derive(Debug)]
pub enum CopyError {
    /// A database failed: which one, at which table or step (`connect`, `begin`, `commit`), and its error.
    Database(Side, &'static str, DbErr),
    /// No table of the source has a row. The caller has most likely named the wrong database.
    EmptySource,
    /// The named table of the target has rows.
    NotEmpty(&'static str),
    /// A text contains the character NUL, which Postgres cannot store and Portico never writes.
    Nul {
        /// The name of the table.
        table: &'static str,
        /// The name of the column.
        column: String,
        /// The primary key of the row; several columns are separated by commas.
        row: String,
    },
    /// The rows of the named table that were read back from the target differ from the rows written.
    TargetDiffers(&'static str),
    /// The named table of the source changed during the copy.
    SourceChanged(&'static str),
}

impl fmt::Display for CopyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database(side, at, error) => write!(f, "the {side} database failed at {at}: {error}"),
            Self::EmptySource => f.write_str("the source has no rows; check that it is the right database"),
            Self::NotEmpty(table) => write!(f, "the target is not empty: {table} has rows"),
            Self::Nul { table, column, row } => write!(
                f,
                "{table}.{column} contains the character NUL, which Postgres cannot store, in the row {row}: remove it"
            ),
            Self::TargetDiffers(table) => {
                write!(f, "the rows of {table} read back from the target differ from the rows written")
            }
            Self::SourceChanged(table) => {
                write!(f, "{table} of the source changed during the copy: stop every Portico process that uses it")
            }
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Target => "target",
        })
    }
}

impl std::error::Error for CopyError {}
