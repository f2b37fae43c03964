//! Why nothing was copied.

use std::fmt;

use sea_orm::DbErr;

/// Which of the two databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one that is read.
    Source,
    /// The one that is written.
    Target,
}

/// Why nothing was copied; the target is as it was.
#[derive(Debug)]
pub enum CopyError {
    /// A database failed, at this table or step.
    Database(Side, &'static str, DbErr),
    /// The source has no rows at all: most likely it is not the one that was meant.
    Nothing,
    /// This table of the target has rows.
    NotEmpty(&'static str),
    /// A text holds the character NUL, which Postgres cannot keep and Portico never writes.
    Nul {
        /// In this table.
        table: &'static str,
        /// In this column.
        column: String,
        /// In the row of this primary key.
        row: String,
    },
    /// The target gave back other rows of this table than it was given.
    Differs(&'static str),
    /// This table of the source was written to meanwhile.
    Changed(&'static str),
}

impl fmt::Display for CopyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database(side, at, error) => write!(f, "the {side} failed at {at}: {error}"),
            Self::Nothing => f.write_str("the source is empty: is it the right one?"),
            Self::NotEmpty(table) => write!(f, "the target is not empty: {table} has rows"),
            Self::Nul { table, column, row } => write!(
                f,
                "{table}.{column} holds the character NUL, which Postgres cannot keep, in the row {row}: take it out first"
            ),
            Self::Differs(table) => write!(f, "the target gives back other rows of {table} than it was given"),
            Self::Changed(table) => {
                write!(f, "{table} of the source changed meanwhile: stop every Portico process that uses it")
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
